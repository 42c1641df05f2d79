// The end of a leaver's access: everything that had to end, as it stands now. Reads only; each begins with the permission.
import type { Database } from '../../db/knex.ts';
import { notFound } from '../../lib/errors.ts';
import type { CompanyId, UserId } from '../../lib/ids.ts';
import type { Work } from '../../work.ts';
import type { AuditRow } from '../audit/repository.ts';
import { authorise } from '../roles/authority.ts';
import type { EndFacts, Leaver } from './receipt.ts';
import { listAccountReceipts } from './receipt-queries.ts';

/** Anybody of the company, also who was deleted: proof outlives the person. @throws AppError 404 */
export async function getLeaver(work: Work, companyId: CompanyId, userId: UserId): Promise<Leaver> {
  await authorise(work, companyId, 'users.manage');
  const row: Omit<Leaver, 'companyId'> | undefined = await work.store
    .db('users')
    .where({ company_id: companyId, id: userId })
    .first(
      'id as userId',
      work.store.db.raw(`first_name || ' ' || last_name as name`),
      'username',
      'email',
      'base_status as status',
    );
  if (!row) throw notFound('person');
  return { ...row, companyId };
}

/** What a command calls a person by; a deleted one's name may belong to somebody else by now, so the living one comes first. */
export async function findLeaver(work: Work, companyId: CompanyId, username: string): Promise<UserId | null> {
  await authorise(work, companyId, 'users.manage');
  const { rows }: { rows: { id: UserId }[] } = await work.store.db.raw(
    `select id from users where company_id = ? and lower(username) = lower(?)
     order by (base_status = 'Deleted'), deleted_at desc nulls last limit 1`,
    [companyId, username],
  );
  return rows[0]?.id ?? null;
}

const takesAway = ['user.deactivate', 'user.delete'];

/** Everything that had to end when a person was deactivated or deleted, as it stands now. */
export async function readEndFacts(work: Work, leaver: Leaver): Promise<EndFacts> {
  const { companyId, userId, status } = leaver;
  await authorise(work, companyId, 'users.manage');
  const { db, logouts } = work.store;
  const accounts = await listAccountReceipts(work, companyId, userId);
  const isOut = status === 'Deactivated' || status === 'Deleted';
  const event = isOut ? await firstEnd(db, companyId, userId) : undefined;
  if (!event) return { act: null, sessionsEnded: 0, sessionsLeft: 0, tokensLeft: 0, logouts: [], accounts };
  const { rows } = await db.raw(
    `select
       (select count(*)::int from sessions where company_id = :companyId and user_id = :userId and ended_at >= :at) as "sessionsEnded",
       (select count(*)::int from sessions
          where company_id = :companyId and user_id = :userId and ended_at is null and idle_ends_at > :now) as "sessionsLeft",
       (select count(*)::int from oidc_records where account_id = :userId and (expires_at is null or expires_at > :now)) as "tokensLeft"`,
    { companyId, userId, at: event.at, now: work.now },
  );
  const receipts = await logouts.listSince(companyId, userId, event.at);
  const [counts] = rows as Pick<EndFacts, 'sessionsEnded' | 'sessionsLeft' | 'tokensLeft'>[];
  return {
    act: {
      action: event.action === 'user.delete' ? 'user.delete' : 'user.deactivate',
      at: event.at,
      by: event.actor.name,
    },
    sessionsEnded: counts?.sessionsEnded ?? 0,
    sessionsLeft: counts?.sessionsLeft ?? 0,
    tokensLeft: counts?.tokensLeft ?? 0,
    logouts: receipts,
    accounts,
  };
}

/** Who is deactivated first and deleted later lost everything with the first of the two. */
async function firstEnd(db: Database, companyId: CompanyId, userId: UserId): Promise<AuditRow | undefined> {
  const { rows }: { rows: AuditRow[] } = await db.raw(
    `select * from audit_events where target_id = :userId and target_kind = 'user' and company_id = :companyId
       and action = any(:takesAway) and id > coalesce((
         select max(id) from audit_events where target_id = :userId and target_kind = 'user' and company_id = :companyId
           and action in ('user.activate', 'user.create', 'user.invite', 'user.resend')), 0)
     order by id limit 1`,
    { companyId, userId, takesAway },
  );
  return rows[0];
}

/** Audit events about a person from a moment on, the oldest first, each with its place in the chain once it is sealed. */
export interface SealedEvent {
  id: string;
  at: Date;
  action: string;
  actor: AuditRow['actor'];
  details: Record<string, unknown>;
  /** Null: not sealed yet. */
  chain: { seq: number; eventHash: string; hash: string; sealedAt: Date } | null;
}

export async function listSealedEvents(
  work: Work,
  companyId: CompanyId,
  userId: UserId,
  since: Date,
): Promise<SealedEvent[]> {
  await authorise(work, companyId, 'users.manage');
  const { rows }: { rows: (AuditRow & { seq: string | null; event_hash: Buffer; hash: Buffer; sealed_at: Date })[] } =
    await work.store.db.raw(
      `select e.*, c.seq, c.event_hash, c.hash, c.sealed_at from audit_events e left join audit_chain c on c.event_id = e.id
       where e.target_id = ? and e.target_kind = 'user' and e.company_id = ? and e.at >= ? order by e.id limit 1000`,
      [userId, companyId, since],
    );
  return rows.map(({ id, at, action, actor, details, seq, event_hash, hash, sealed_at }) => ({
    id,
    at,
    action,
    actor,
    details,
    chain:
      seq === null
        ? null
        : { seq: Number(seq), eventHash: event_hash.toString('hex'), hash: hash.toString('hex'), sealedAt: sealed_at },
  }));
}
