// Who is here already: people of a company by username and by address, for imports (C13). No rules here.
import type { CompanyId } from '../../lib/ids.ts';
import type { Work } from '../../work.ts';
import { emailKey, usernameKey } from './user.ts';

export interface Names {
  username: string;
  /** Empty: none, and so nobody else's. */
  email: string;
}

export interface Matched {
  username: string | null;
  byEmail: string[];
}

/** For each of some names, in their order. One statement; two of the people with one address are enough to know that it is not clear. */
export async function findMatches(work: Work, companyId: CompanyId, names: Names[]): Promise<Matched[]> {
  const { rows }: { rows: { n: number; username: string; by: 'username' | 'email' }[] } = await work.store.db.raw(
    `with wanted as (select * from unnest(?::text[], ?::text[]) with ordinality as w (username_key, email_key, n))
     select w.n::int as n, u.username, 'username' as by
       from wanted w join users u on u.company_id = ? and u.username_key = w.username_key and u.base_status <> 'Deleted'
     union all
     select w.n::int, u.username, 'email'
       from wanted w cross join lateral (
         select username from users
         where company_id = ? and email_key = w.email_key and base_status <> 'Deleted' order by id limit 2) u
       where w.email_key <> ''`,
    [
      names.map(({ username }) => usernameKey(username)),
      names.map(({ email }) => emailKey(email)),
      companyId,
      companyId,
    ],
  );
  const found = names.map((): Matched => ({ username: null, byEmail: [] }));
  for (const { n, username, by } of rows) {
    const match = found[n - 1];
    if (!match) continue;
    if (by === 'username') match.username = username;
    else match.byEmail.push(username);
  }
  return found;
}
