// Keeps of a large style sheet what our pages can use: 65 KB compressed become a tenth, so that the first login page paints at once.
// A rule stays when each class it needs occurs as a word in a template or script; what it does not understand stays too.

/** Words of templates and scripts that may be class names. */
export function wordsOf(sources: Iterable<string>): Set<string> {
  const words = new Set<string>();
  for (const source of sources) for (const [word] of source.matchAll(/[\w-]+/g)) words.add(word);
  return words;
}

/** At-rules whose block holds rules again; others, such as @keyframes and @property, stay as they are. */
const holdsRules = /^@(media|supports|layer|container)\b/;

export function keepUsed(css: string, words: ReadonlySet<string>): string {
  let kept = '';
  for (const { prelude, block } of rulesOf(css)) {
    if (block === null) {
      kept += `${prelude};`;
    } else if (holdsRules.test(prelude)) {
      const inside = keepUsed(block, words);
      if (inside !== '') kept += `${prelude}{${inside}}`;
    } else if (prelude.startsWith('@')) {
      kept += `${prelude}{${block}}`;
    } else {
      const selectors = split(prelude, ',').filter((selector) => isUsed(selector, words));
      if (selectors.length > 0) kept += `${selectors.join(',')}{${block}}`;
    }
  }
  return kept;
}

/** Classes in `:not()`, `:is()` and the like are not needed for a match, so only those outside of parentheses count. */
function isUsed(selector: string, words: ReadonlySet<string>): boolean {
  const bare = selector.replace(/\([^()]*(\([^()]*\)[^()]*)*\)|\[[^\]]*\]/g, '');
  for (const [, name = ''] of bare.matchAll(/\.((?:[\w-]|\\.)+)/g)) {
    if (!words.has(name.replaceAll('\\', ''))) return false;
  }
  return true;
}

interface Rule {
  prelude: string;
  /** What stands between the braces; null for a statement such as @import. */
  block: string | null;
}

function* rulesOf(css: string): Generator<Rule> {
  let from = 0;
  while (from < css.length) {
    const stop = find(css, from, (c) => c === '{' || c === ';');
    const prelude = css.slice(from, stop).trim();
    if (css[stop] !== '{') {
      if (prelude !== '') yield { prelude, block: null };
      from = stop + 1;
      continue;
    }
    let depth = 0;
    const end = find(css, stop, (c) => {
      if (c === '{') depth++;
      return c === '}' && --depth === 0;
    });
    yield { prelude, block: css.slice(stop + 1, end) };
    from = end + 1;
  }
}

function split(text: string, separator: string): string[] {
  const parts: string[] = [];
  let from = 0;
  while (from <= text.length) {
    const stop = find(text, from, (c) => c === separator);
    parts.push(text.slice(from, stop));
    from = stop + 1;
  }
  return parts;
}

/** Place of the next character that `wanted` accepts, outside of quotes and parentheses; else the end. */
function find(text: string, from: number, wanted: (c: string) => boolean): number {
  let quote = '';
  let depth = 0;
  for (let at = from; at < text.length; at++) {
    const c = text[at] ?? '';
    if (c === '\\') at++;
    else if (quote !== '') quote = c === quote ? '' : quote;
    else if (c === '"' || c === "'") quote = c;
    else if (c === '(') depth++;
    else if (c === ')') depth--;
    else if (depth === 0 && wanted(c)) return at;
  }
  return text.length;
}
