import type { Database, Query } from '../../db/knex.ts';
import type { CompanyId, ModuleId, UserId } from '../../lib/ids.ts';
import type { CompanyPolicy } from '../companies/company.ts';
import {
  type EndReason,
  isLogout,
  type LogoutNotice,
  logoutNotices,
  type Session,
  type SessionPayload,
} from './session.ts';

interface Row {
  uid: string;
  company_id: CompanyId;
  user_id: UserId;
  ip: string;
  agent: string;
  amr: string[];
  browser_hash: string | null;
  created_at: Date;
  last_seen_at: Date;
  idle_ends_at: Date;
  ends_at: Date;
  client_ids: string[] | null;
}

const toSession = (row: Row): Session => ({
  uid: row.uid,
  companyId: row.company_id,
  userId: row.user_id,
  ip: row.ip,
  agent: row.agent,
  amr: row.amr,
  browserHash: row.browser_hash,
  createdAt: row.created_at,
  lastSeenAt: row.last_seen_at,
  idleEndsAt: row.idle_ends_at,
  endsAt: row.ends_at,
});

export interface SessionFilter {
  userId?: UserId;
  uid?: string;
  exceptUid?: string;
  /** Those that an identity provider vouched for: all of its connection, or those of these hashes and those it never named. */
  upstream?: { connectionId: string; sessionHashes: string[] };
}

export function sessionRepository(db: Database, companyId: CompanyId) {
  return {
    /** Live sessions of a person with the names of the modules entered, latest first. */
    async listLive(userId: UserId, now: Date): Promise<(Session & { modules: string[] })[]> {
      const { rows }: { rows: (Row & { modules: string[] })[] } = await db.raw(
        `select w.*, coalesce((
           select array_agg(m.name order by m.name) from oidc_records r, jsonb_object_keys(coalesce(r.payload -> 'authorizations', '{}')) k
             join modules m on m.client_id = k and not m.is_built_in
           where r.session_uid = w.uid and r.kind = 'Session' and r.payload #>> array['authorizations', k, 'sid'] is not null), '{}') as modules
         from sessions w
         where w.company_id = ? and w.user_id = ? and w.ended_at is null and w.idle_ends_at > ?
         order by w.last_seen_at desc`,
        [companyId, userId, now],
      );
      return rows.map((row) => ({ ...toSession(row), modules: row.modules }));
    },

    /**
     * Ends sessions with all that hangs on them: codes, tokens, grants, requests.
     * After a plain logout, tokens that were granted to outlive the session (offline_access) go on; the others die with it.
     * @returns whom to tell, and how many sessions ended. Call inside a transaction.
     */
    async end(
      filter: SessionFilter,
      reason: EndReason,
      now: Date,
    ): Promise<{ ended: string[]; notices: LogoutNotice[] }> {
      const ended: { uid: string }[] = await db<Row & { ended_at: Date | null; end_reason: string | null }>('sessions')
        .where({ company_id: companyId })
        .whereNull('ended_at')
        .where((query) => {
          // An empty value names nobody's session; it must not widen what ends to all of them.
          if (filter.userId !== undefined) query.where('user_id', filter.userId);
          if (filter.uid !== undefined) query.where('uid', filter.uid);
          if (filter.exceptUid !== undefined) query.whereNot('uid', filter.exceptUid);
          if (filter.upstream !== undefined) cameThrough(query, filter.upstream);
        })
        .update({ ended_at: now, end_reason: reason })
        .returning('uid');
      const uids = ended.map(({ uid }) => uid);
      if (uids.length === 0) return { ended: uids, notices: [] };
      const notices = await destroySessions(db, uids);
      if (!isLogout(reason)) await destroyGrants(db, (query) => query.whereIn('session_uid', uids));
      return { ended: uids, notices };
    },

    /** Use of our own pages counts as use of the session (C37); both places that know its end are told. */
    async touch(uid: string, now: Date, ends: { idleEndsAt: Date; endsAt: Date }): Promise<void> {
      await db.raw(
        `with seen as (update sessions set last_seen_at = ?, idle_ends_at = ? where company_id = ? and uid = ? and ended_at is null returning uid)
         update oidc_records r set expires_at = ?, payload = jsonb_set(r.payload, '{exp}', to_jsonb(?::bigint))
         from seen where r.session_uid = seen.uid and r.kind = 'Session'`,
        [now, ends.idleEndsAt, companyId, uid, ends.idleEndsAt, Math.floor(ends.idleEndsAt.getTime() / 1000)],
      );
    },

    /** Live sessions of the company that a stricter policy would end; stops counting at `most`. */
    async countOver(limits: { seenBefore: Date; begunBefore: Date }, now: Date, most: number): Promise<number> {
      const some = db('sessions')
        .where({ company_id: companyId })
        .whereNull('ended_at')
        .where('idle_ends_at', '>', now)
        .where((over) =>
          over.where('last_seen_at', '<=', limits.seenBefore).orWhere('created_at', '<=', limits.begunBefore),
        )
        .select(db.raw('1'))
        .limit(most);
      const rows: { count: string }[] = await db.from(some.as('s')).count({ count: '*' });
      return Number(rows[0]?.count ?? 0);
    },

    /**
     * Sign-ins that are proved and about to become sessions: without its waiting request none does. One that is becoming a session
     * in this very moment is waited for, so that whoever ends sessions afterwards sees it. Call first.
     */
    async dropSignIns(userId: UserId, exceptUid: string | null = null): Promise<void> {
      const waiting = db('oidc_records').where({ kind: 'Interaction', account_id: userId });
      if (exceptUid !== null) waiting.whereRaw('session_uid is distinct from ?', [exceptUid]);
      await waiting.delete();
    },

    /** The same for sign-ins that a connection has vouched for. */
    async dropUpstreamSignIns(
      userId: UserId,
      { connectionId, sessionHashes }: NonNullable<SessionFilter['upstream']>,
    ): Promise<void> {
      await db('oidc_records')
        .where({ kind: 'Interaction', account_id: userId })
        .whereRaw(`payload #>> '{result,upstream,connectionId}' = ?`, [connectionId])
        .whereRaw(`(? or coalesce(payload #>> '{result,upstream,sessionHash}' = any(?), true))`, [
          sessionHashes.length === 0,
          sessionHashes,
        ])
        .delete();
    },

    /** Whose live sessions a connection knows by this name. */
    async listUpstreamPeople(connectionId: string, sessionHash: string): Promise<UserId[]> {
      const rows: { user_id: UserId }[] = await db('sessions')
        .distinct('user_id')
        .where({ company_id: companyId, connection_id: connectionId, upstream_session_hash: sessionHash })
        .whereNull('ended_at');
      return rows.map(({ user_id }) => user_id);
    },

    /** Everything the engine holds for a person, offline refresh tokens included (OAU-18), but for what hangs on one session. */
    async revokeAll(userId: UserId, exceptUid: string | null = null): Promise<void> {
      const others = (query: Query) => {
        query.where({ account_id: userId });
        if (exceptUid !== null) query.whereRaw('session_uid is distinct from ?', [exceptUid]);
      };
      await destroyGrants(db, others);
      await db('oidc_records').whereIn('kind', ['Session', 'Interaction']).where(others).delete();
    },

    /**
     * Every session, sign-in and token of many people, in as many statements as for one.
     * @returns whom to tell, and whose sessions ended. Call inside a transaction, with the people held.
     */
    async endAllOf(
      userIds: UserId[],
      reason: EndReason,
      now: Date,
    ): Promise<{ ended: { uid: string; userId: UserId }[]; notices: LogoutNotice[] }> {
      const theirs = (query: Query) => query.whereIn('account_id', userIds);
      await db('oidc_records').where({ kind: 'Interaction' }).where(theirs).delete();
      const ended: { uid: string; userId: UserId }[] = await db('sessions')
        .where({ company_id: companyId })
        .whereNull('ended_at')
        .whereIn('user_id', userIds)
        .update({ ended_at: now, end_reason: reason })
        .returning(['uid', 'user_id as userId']);
      const uids = ended.map(({ uid }) => uid);
      const notices = uids.length > 0 ? await destroySessions(db, uids) : [];
      if (uids.length > 0) await destroyGrants(db, (query) => query.whereIn('session_uid', uids));
      await destroyGrants(db, theirs);
      await db('oidc_records').whereIn('kind', ['Session', 'Interaction']).where(theirs).delete();
      return { ended, notices };
    },

    /**
     * Takes from a module all that it may do for a person, in whichever session, offline refresh tokens included (OAU-24).
     * Of its place in a session only the name of the dead grant stays: the next one gets another name, and another sid,
     * so that nothing which was still under way comes alive with it, and no late logout token ends what is entered anew.
     * @returns null when it held nothing. Call inside a transaction.
     */
    async revokeModule(userId: UserId, moduleId: ModuleId): Promise<RevokedModule | null> {
      const { rows: modules }: { rows: { client_id: string; name: string }[] } = await db.raw(
        `select m.client_id, m.name from modules m
         where m.id = ? and not m.is_built_in and exists (select 1 from users where company_id = ? and id = ?)`,
        [moduleId, companyId, userId],
      );
      const [module] = modules;
      if (!module) return null;
      const who = { clientId: module.client_id, userId };
      // Sessions first and grants second, as wherever both are ended, so that two such acts do not wait for each other.
      const { rows: left }: { rows: { sid: string }[] } = await db.raw(leaveModule, who);
      const { rows: gone }: { rows: { id: string }[] } = await db.raw(destroyGrantsOfModule, who);
      if (left.length + gone.length === 0) return null;
      return {
        clientId: who.clientId,
        module: module.name,
        notices: left.map(({ sid }) => ({ clientId: who.clientId, accountId: userId, sid })),
      };
    },
  };
}

/** A session that was never named cannot be told from the one that is meant, so it ends with it. */
function cameThrough(query: Query, { connectionId, sessionHashes }: NonNullable<SessionFilter['upstream']>): void {
  query.where('connection_id', connectionId);
  if (sessionHashes.length > 0)
    query.where((one) => one.whereIn('upstream_session_hash', sessionHashes).orWhereNull('upstream_session_hash'));
}

export interface RevokedModule {
  clientId: string;
  module: string;
  notices: LogoutNotice[];
}

const leaveModule = `
  with entered as (
    select id, payload #>> array['authorizations', :clientId, 'sid'] as sid from oidc_records
    where kind = 'Session' and account_id = :userId and payload #>> array['authorizations', :clientId, 'sid'] is not null
    for update)
  update oidc_records r set payload = jsonb_set(r.payload, array['authorizations', :clientId],
    jsonb_strip_nulls(jsonb_build_object('grantId', r.payload #> array['authorizations', :clientId, 'grantId'])))
  from entered where r.id = entered.id returning entered.sid`;

const destroyGrantsOfModule = `
  with gone as (
      delete from oidc_records where kind = 'Grant' and account_id = :userId and client_id = :clientId returning id),
    cut as (delete from oidc_records where grant_id in (select id from gone))
  select id from gone`;

/** The engine's side of sessions. @returns which modules were entered in them. */
async function destroySessions(db: Database, uids: string[]): Promise<LogoutNotice[]> {
  const gone: { payload: SessionPayload }[] = await db('oidc_records')
    .where({ kind: 'Session' })
    .whereIn('session_uid', uids)
    .delete()
    .returning('payload');
  return gone.flatMap(({ payload }) => logoutNotices(payload));
}

/** Grants with their codes and tokens; a token whose grant is gone is worth nothing even before it is deleted. */
async function destroyGrants(db: Database, which: (query: Query) => void): Promise<void> {
  const gone: { id: string }[] = await db('oidc_records')
    .where({ kind: 'Grant' })
    .where(which)
    .delete()
    .returning('id');
  if (gone.length === 0) return;
  await db('oidc_records')
    .whereIn(
      'grant_id',
      gone.map(({ id }) => id),
    )
    .delete();
}

/** Sessions whose time has run out and whose modules have not been told; crosses companies, for the sweeping job. */
export async function takeExpiredSessions(
  db: Database,
  now: Date,
  limit: number,
): Promise<{ ended: number; notices: LogoutNotice[] }> {
  const { rows }: { rows: { uid: string }[] } = await db.raw(
    `update sessions set ended_at = ?, end_reason = 'expired' where uid in (
       select uid from sessions where ended_at is null and idle_ends_at < ? order by idle_ends_at limit ? for update skip locked)
     returning uid`,
    [now, now, limit],
  );
  const uids = rows.map(({ uid }) => uid);
  if (uids.length === 0) return { ended: 0, notices: [] };
  return { ended: uids.length, notices: await destroySessions(db, uids) };
}

/**
 * Brings the stored ends of live sessions forward to what the policy says now, so that lists and the sweep know of them.
 * Rows that somebody holds are left: their use writes the new end. In the order of ends, beginning at `from`.
 * @returns how far it came, or null when there is no more.
 */
export async function shortenSome(
  db: Database,
  companyId: CompanyId,
  policy: CompanyPolicy['session'],
  { from, limit }: { from: Date; limit: number },
): Promise<Date | null> {
  const ends = "least(last_seen_at + :idle * interval '1 minute', created_at + :absolute * interval '1 minute')";
  const { rows }: { rows: { last: Date | null; count: number }[] } = await db.raw(
    `with late as (
       select uid, idle_ends_at from sessions
       where ended_at is null and company_id = :companyId and idle_ends_at >= :from and idle_ends_at > ${ends}
       order by idle_ends_at limit :limit for update skip locked),
     shortened as (
       update sessions s set idle_ends_at = ${ends}, ends_at = least(s.ends_at, s.created_at + :absolute * interval '1 minute')
       from late where s.uid = late.uid)
     select max(idle_ends_at) as last, count(*)::int as count from late`,
    { companyId, from, limit, idle: policy.idleMinutes, absolute: policy.absoluteMinutes },
  );
  const [row] = rows;
  return row && row.count === limit ? row.last : null;
}

/** Rows of ended sessions that nobody needs any more. */
export async function purgeEndedSessions(db: Database, before: Date, limit: number): Promise<number> {
  const result: { rowCount: number } = await db.raw(
    'delete from sessions where uid in (select uid from sessions where ended_at < ? order by ended_at limit ? for update skip locked)',
    [before, limit],
  );
  return result.rowCount;
}
