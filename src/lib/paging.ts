// Pages of long lists: what a query string may ask for, and what a list answers. Bounded by construction:
// nobody leafs through more than `reach` rows, and nobody waits for more than `reach` rows to be counted.

export const pageSizes = [25, 50, 100, 200] as const;

/** How far a list can be leafed through; behind it, searching and filtering are quicker for people, too. */
export const reach = 10_000;

export interface Paging {
  /** From 1. */
  page: number;
  size: number;
}

export interface Listed<T> {
  rows: T[];
  /** Rows that match, `reach` at most. */
  total: number;
  /** There are more than `total`. */
  isMore: boolean;
  page: number;
  size: number;
}

/** Reads `page` and `size` of a query string; whatever makes no sense becomes the default. */
export function pagingOf(query: URLSearchParams, defaultSize: number = pageSizes[1]): Paging {
  const size = pageSizes.find((one) => one === Number(query.get('size'))) ?? defaultSize;
  const page = Math.floor(Number(query.get('page')));
  const last = Math.ceil(reach / size);
  return { size, page: page >= 1 ? Math.min(page, last) : 1 };
}

export const offsetOf = ({ page, size }: Paging): number => (page - 1) * size;

/** Puts a list together from its rows and a count that stopped at `reach + 1`. */
export function listed<T>(rows: T[], counted: number, { page, size }: Paging): Listed<T> {
  return { rows, total: Math.min(counted, reach), isMore: counted > reach, page, size };
}

/** Characters of a search, as a pattern for `like`: the person's own % and _ mean themselves. */
export function likePattern(search: string): string {
  return `%${search.replace(/[\\%_]/g, (c) => `\\${c}`)}%`;
}

/** The words of a search, as patterns that all have to fit. */
export function searchPatterns(search: string): string[] {
  return search.toLowerCase().split(/\s+/).filter(Boolean).slice(0, 8).map(likePattern);
}

const stretch = 1000;

/** Everything there is, in the order of its positions and some at a time, so that a list of any length fits into memory. */
export async function* inStretches<T extends { position: number }>(
  read: (after: number, limit: number) => Promise<T[]>,
): AsyncGenerator<T[]> {
  for (let after = 0; ; ) {
    const rows = await read(after, stretch);
    yield rows;
    const last = rows.at(-1);
    if (!last || rows.length < stretch) return;
    after = last.position;
  }
}
