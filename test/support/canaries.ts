// Secrets by their values, to be looked for where they must not be.
import type { Page, Visitor } from './visitor.ts';

export class Canaries {
  readonly #values = new Map<string, Set<string>>();
  /** Pages that told a watched browser of a failure. */
  readonly errorPages: Page[] = [];

  /** @param what the kind of secret */
  add(what: string, ...values: (string | undefined | null)[]): void {
    const set = this.#values.get(what) ?? new Set();
    for (const value of values) if (value) set.add(value);
    this.#values.set(what, set);
  }

  kinds(): string[] {
    return [...this.#values.keys()].sort();
  }

  of(what: string): string[] {
    return [...(this.#values.get(what) ?? [])];
  }

  /** From now on the cookies of this browser are canaries, and its error pages are kept. */
  watch(visitor: Visitor): Visitor {
    const send = visitor.send.bind(visitor);
    visitor.send = async (...args) => {
      const page = await send(...args);
      for (const line of page.headers['set-cookie'] ?? []) {
        const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
        if (value.length >= 20) this.add(name.endsWith('.sig') ? 'signature of a cookie' : `cookie ${name}`, value);
      }
      // With 422 the form comes back, and leads where it led before.
      if (page.status >= 400 && page.status !== 422) this.errorPages.push(page);
      return page;
    };
    return visitor;
  }

  /** Each canary as it is, and as it would look when somebody has encoded it. */
  foundIn(text: string): string[] {
    return this.kinds().flatMap((what) =>
      this.of(what)
        .filter((value) =>
          what === 'one-time code' ? isWordOf(text, value) : formsOf(value).some((form) => text.includes(form)),
        )
        .map((value) => `${what}: ${value}`),
    );
  }
}

/** Six digits may stand anywhere by chance, so a code counts as a word only. */
const isWordOf = (text: string, code: string) => new RegExp(`(?<![\\w.-])${code}(?![\\w.-])`).test(text);

const formsOf = (value: string) => [
  value,
  Buffer.from(value).toString('base64').replace(/=+$/, ''),
  Buffer.from(value).toString('hex'),
  encodeURIComponent(value),
];
