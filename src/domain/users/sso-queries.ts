// Who signs in with single sign-on alone (C26, A10.13): password and second factor are their identity provider's matter, not ours.
import { addressKey } from '../../lib/addresses.ts';
import type { CompanyId, UserId } from '../../lib/ids.ts';
import type { Work } from '../../work.ts';
import { type Company, companyKey } from '../companies/company.ts';
import type { SignInFacts } from './sign-in.ts';
import type { Comer } from './standing.ts';
import { type User, usernameKey } from './user.ts';

/**
 * True of a row of `users as u` whose second factor is not ours: single sign-on is enforced and the person is not excepted from it,
 * or they were made by it and never had a password; and no connection of the company asks for our factor as well (C25).
 * One binding, twice: the time.
 */
export const usesSsoSql = `(
  ((u.role <> 'Root Admin'
      and exists (select from idp_connections i where i.company_id = u.company_id and i.is_enabled
        and (i.enforce_state = 'on' or (i.enforce_state = 'trial' and i.trial_ends_at > ?)))
      and not exists (select from break_glass_people b where b.user_id = u.id and (b.ends_at is null or b.ends_at > ?)))
    or (not exists (select from credentials c where c.company_id = u.company_id and c.user_id = u.id)
      and exists (select from idp_identities d where d.company_id = u.company_id and d.user_id = u.id)))
  and not exists (select from idp_connections i where i.company_id = u.company_id and i.is_enabled and i.asks_second_factor))`;

export async function usesSso(work: Work, companyId: CompanyId, userId: UserId): Promise<boolean> {
  const { rows }: { rows: { uses: boolean }[] } = await work.store.db.raw(
    `select ${usesSsoSql} as uses from users u where u.company_id = ? and u.id = ?`,
    [work.now, work.now, companyId, userId],
  );
  return rows[0]?.uses === true;
}

const coming = `
  select exists (select from idp_identities d where d.company_id = u.company_id and d.user_id = u.id) as is_bound,
    u.role = 'Root Admin' or exists (
      select from idp_connections i where i.company_id = u.company_id and i.is_enabled and i.asks_second_factor) as asks_factor
  from users u where u.company_id = ? and u.id = ?`;

/** How this person would come to log in, from a browser that nobody knows. @param ip null: from wherever it is allowed */
export async function readComer(
  work: Work,
  { company, user }: { company: Company; user: User },
  ip: string | null,
): Promise<Comer> {
  const { rows }: { rows: { is_bound: boolean; asks_factor: boolean }[] } = await work.store.db.raw(coming, [
    company.id,
    user.id,
  ]);
  const signIn = await readSignIn(work, company, user, ip);
  const isBound = rows[0]?.is_bound === true;
  return {
    signIn,
    way: signIn.mustUseSso || (!signIn.credential && isBound) ? 'upstream' : 'password',
    asksFactor: rows[0]?.asks_factor === true,
  };
}

/** The door's own question: whether no password of this person is taken. */
export const mustUseSso = async (work: Work, company: Named, user: Pick<User, 'username'>): Promise<boolean> =>
  (await readSignIn(work, company, user, null)).mustUseSso;

type Named = Pick<Company, 'name'>;

/** As a login reads them, from a browser that nobody knows. */
const readSignIn = (
  work: Work,
  company: Named,
  user: Pick<User, 'username'>,
  ip: string | null,
): Promise<SignInFacts> =>
  work.store.signIns.read({
    companyKey: companyKey(company.name),
    usernameKey: usernameKey(user.username),
    browserHash: null,
    address: ip === null ? '' : addressKey(ip),
    ip: ip ?? '',
    now: work.now,
  });
