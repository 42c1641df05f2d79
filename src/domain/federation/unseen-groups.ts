// Groups that rules name and nobody has come with: most often a typo, and under Enable Mapping Rules one that deactivates people.
import type { MappingRule } from './mapping.ts';

export interface UnseenGroup {
  name: string;
  /** A group that was seen and is written nearly so. */
  near: string | null;
}

export const groupsOf = (rules: readonly Pick<MappingRule, 'when'>[]): string[] => [
  ...new Set(rules.flatMap(({ when }) => (when.kind === 'group' ? [when.value] : []))),
];

/** Pure: one that differs in capitals, or by at most two letters of a name that is longer than that. */
export function nearest(name: string, known: readonly string[]): string | null {
  const wanted = name.toLowerCase();
  const limit = Math.min(2, Math.floor(wanted.length / 3));
  const near = known
    .map((one) => ({ one, far: one === name ? Infinity : distance(wanted, one.toLowerCase(), limit) }))
    .filter(({ far }) => far <= limit)
    .sort((a, b) => a.far - b.far);
  return near[0]?.one ?? null;
}

/** Damerau and Levenshtein, restricted: letters that are wrong, missing, too many, or have changed places. More than the limit is enough to know. */
function distance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) > limit) return limit + 1;
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      let least = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + cost);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        least = Math.min(least, (beforeLast[j - 2] ?? 0) + 1);
      row.push(least);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length] ?? 0;
}
