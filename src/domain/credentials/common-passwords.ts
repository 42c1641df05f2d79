// The list of common passwords: bundled, read at the first use, about thirty thousand words (AUT-02).

let known: Promise<ReadonlySet<string>> | undefined;

export function commonPasswords(): Promise<ReadonlySet<string>> {
  known ??= import('@zxcvbn-ts/language-common').then(({ dictionary }) => new Set(dictionary.passwords as string[]));
  return known;
}
