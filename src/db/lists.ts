// What the queries of long lists share: the words of a search, and a count that stops where nobody leafs any further.
import { reach, searchPatterns } from '../lib/paging.ts';
import type { Database, Query } from './knex.ts';

/** Each word of a search has to stand in `text`: a column or an expression of ours, in small letters. */
export function searchIn(query: Query, text: string, search: string): Query {
  // One condition a word: an index of trigrams knows no list of patterns.
  for (const pattern of searchPatterns(search)) query.whereRaw(`${text} like ?`, [pattern]);
  return query;
}

/** How many rows match; counting stops one behind what a list can show, or where it is told to. */
export async function countUpTo(db: Database, matching: Query, most = reach + 1): Promise<number> {
  const some = matching.select(db.raw('1')).limit(most);
  const rows: { count: string }[] = await db.from(some.as('some')).count({ count: '*' });
  return Number(rows[0]?.count ?? 0);
}
