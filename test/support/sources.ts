// The sources as text: which file imports what. For the tests of the architecture.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));

export interface Import {
  /** Path from the root for our own files, else the specifier of the package. */
  target: string;
  isOurs: boolean;
  /** Erased before the code runs: it binds the compiler, not the program. */
  isTypeOnly: boolean;
}

export interface Source {
  /** Path from the root, with slashes. */
  path: string;
  text: string;
  /** The text without comments, for rules about code. */
  code: string;
  imports: Import[];
}

const statement =
  /^\s*(?:import|export)\s+(?<type>type\s+)?(?:[\w*\s{},$]+?\s+from\s+)?'(?<from>[^']+)'|\bimport\(\s*'(?<lazy>[^']+)'\s*\)/gm;

export function filesBelow(folder: string, extension: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(extension))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .sort();
}

export function readSource(path: string): Source {
  const text = readFileSync(join(root, path), 'utf8');
  const code = withoutComments(text);
  const imports = [...code.matchAll(statement)].map(({ groups = {} }): Import => {
    const specifier = groups.from ?? groups.lazy ?? '';
    const isOurs = specifier.startsWith('.');
    return {
      target: isOurs
        ? relative(root, join(root, dirname(path), specifier))
            .split(sep)
            .join('/')
        : specifier,
      isOurs,
      isTypeOnly: groups.type !== undefined,
    };
  });
  return { path, text, code, imports };
}

export const readSources = (folder: string): Source[] => filesBelow(folder, '.ts').map(readSource);

/** Strings and regular expressions are taken whole, so that `//` inside them begins no comment. */
function withoutComments(text: string): string {
  const token =
    /'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`|(?<=[(,=:[!&|?{};]\s*)\/(?![/*])(?:[^/\\\n[]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[dgimsuvy]*|\/\/[^\n]*|\/\*[\s\S]*?\*\//g;
  return text.replace(token, (found) => (found.startsWith('//') || found.startsWith('/*') ? '' : found));
}
