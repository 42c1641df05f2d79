// The log of a connection: its last sign-ins, and one of them with all that is known. Authorisation is the first line of each.
import { notFound } from '../../lib/errors.ts';
import { type CompanyId, isId, type UserId } from '../../lib/ids.ts';
import type { Work } from '../../work.ts';
import { authorise } from '../roles/authority.ts';
import type { ConnectionId } from './connection.ts';

export interface Attempt {
  id: string;
  at: Date;
  /** `signed-in`, or why not. */
  outcome: string;
  /** What the person was shown; null when they came in. */
  code: string | null;
  /** Who it was, as far as that is known. */
  person: { id: UserId; name: string } | null;
  details: Record<string, unknown>;
  /** So often, where nobody vouches for it: one line for each outcome and network address. */
  tries: number;
  firstAt: Date | null;
}

interface Of {
  companyId: CompanyId;
  id: ConnectionId;
}

const select = `
  select a.id, a.at, a.outcome, a.code, a.details, a.tries, a.first_at as "firstAt",
    case when u.id is null then null else jsonb_build_object('id', u.id,
      'name', coalesce(nullif(btrim(u.first_name || ' ' || u.last_name), ''), u.username)) end as person
  from sso_attempts a left join users u on u.company_id = a.company_id and u.id = a.user_id
  where a.company_id = :companyId and a.connection_id = :id`;

/** Kept of each connection (request-repository.ts), and so shown at once. */
const kept = 250;

/** The latest first. `onlyFailed`: those that did not come in. */
export async function listAttempts(
  work: Work,
  { companyId, id }: Of,
  { onlyFailed, code }: { onlyFailed: boolean; code: string },
): Promise<Attempt[]> {
  await authorise(work, companyId, 'security.manage');
  const { rows }: { rows: Attempt[] } = await work.store.db.raw(
    `${select} ${onlyFailed ? 'and a.code is not null' : ''} ${code === '' ? '' : 'and a.code = :code'}
     order by a.at desc, a.id desc limit ${kept}`,
    { companyId, id, code },
  );
  return rows;
}

/** @throws AppError 404 */
export async function getAttempt(work: Work, { companyId, id }: Of, attempt: string): Promise<Attempt> {
  await authorise(work, companyId, 'security.manage');
  if (!isId(attempt)) throw notFound('sign-in');
  const { rows }: { rows: Attempt[] } = await work.store.db.raw(`${select} and a.id = :attempt`, {
    companyId,
    id,
    attempt,
  });
  if (!rows[0]) throw notFound('sign-in');
  return rows[0];
}
