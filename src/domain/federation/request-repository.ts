// Ways to an upstream and back, what was taken, and the log of a connection. Callbacks know no company yet: rows are found by hashes.
import type { Database } from '../../db/knex.ts';
import type { CompanyId, UserId } from '../../lib/ids.ts';
import type { ConnectionId } from './connection.ts';

export interface SsoRequest {
  id: string;
  companyId: CompanyId;
  connectionId: ConnectionId;
  interactionUid: string | null;
  purpose: 'sign-in' | 'test';
  startedBy: UserId | null;
  sealedState: string | null;
  createdAt: Date;
  expiresAt: Date;
  usedAt: Date | null;
  /** When it was looked for, by the clock of the database: the answer had come in then. Null: it was not. */
  answeredAt: Date | null;
  /** The upstream has logged the person out since it answered. */
  isLoggedOut: boolean;
}

interface Row {
  id: string;
  company_id: CompanyId;
  connection_id: ConnectionId;
  interaction_uid: string | null;
  purpose: SsoRequest['purpose'];
  started_by: UserId | null;
  sealed_state: string | null;
  created_at: Date;
  expires_at: Date;
  used_at: Date | null;
  answered_at: Date | null;
  logged_out_at: Date | null;
  sealed_result: string | null;
}

const toRequest = (row: Row): SsoRequest => ({
  id: row.id,
  companyId: row.company_id,
  connectionId: row.connection_id,
  interactionUid: row.interaction_uid,
  purpose: row.purpose,
  startedBy: row.started_by,
  sealedState: row.sealed_state,
  createdAt: row.created_at,
  expiresAt: row.expires_at,
  usedAt: row.used_at,
  answeredAt: row.answered_at,
  isLoggedOut: row.logged_out_at !== null,
});

export interface Taking {
  request: SsoRequest;
  /** Null where nothing but the request can be played again (OpenID Connect: the code is good once). */
  assertion: { hash: string; expiresAt: Date } | null;
  sealedResult: string;
  /** Who has arrived; null: a problem has. */
  arrived: { subjectHash: string; sessionHash: string | null } | null;
  now: Date;
}

/** Whose answers the upstream takes back: of these sessions and those without a name, or all of the subject. */
export interface TakingBack {
  /** Null: only sessions are named. */
  subjectHash: string | null;
  sessionHashes: string[];
}

export interface AttemptRow {
  id: string;
  companyId: CompanyId;
  connectionId: ConnectionId;
  at: Date;
  outcome: string;
  code: string | null;
  userId: UserId | null;
  details: Record<string, unknown>;
  /** The network address that it came from, and what it was about, where nobody vouches for it; null: the upstream does. */
  source: string | null;
}

/** Of each connection. What nobody vouches for takes no room from the rest. */
const keptAttempts = { proven: 200, unproven: 50 };

/** Of those fifty: whoever begins logins and answers them with junk leaves room for what others report. */
const keptOfNetwork = 20;

/** Lines that another one holds just now are let go by the next. */
const noteAttempt = `
  with noted as (
    insert into sso_attempts (id, company_id, connection_id, at, first_at, outcome, code, user_id, details, source)
    values (:id, :companyId::uuid, :connectionId::uuid, :at, :at, :outcome, :code, :userId::uuid, :details::jsonb, :source)
    on conflict (connection_id, outcome, source) where source is not null do update
      set at = excluded.at, tries = sso_attempts.tries + 1, details = excluded.details
    returning code),
  others as (
    select id, at, source from sso_attempts
    where company_id = :companyId and connection_id = :connectionId and (source is null) = (:source::text is null)
      and (source is null or (outcome, source) <> (:outcome, :source))),
  same as (
    select id, at from others where split_part(source, ' ', 1) = split_part(:source::text, ' ', 1)),
  dropped as (
    delete from sso_attempts where exists (select 1 from noted) and id in (
      select id from sso_attempts where id in (
        select id from others where (at, id) < (select at, id from others order by at desc, id desc offset :others limit 1)
        union
        select id from same where (at, id) < (select at, id from same order by at desc, id desc offset :same limit 1))
      for update skip locked))
  select code from noted`;

const isMeant = (subject: string, sessions: string) => `(
  (${subject} is null and r.session_hash = any(${sessions}))
  or (r.subject_hash = ${subject}
    and (cardinality(${sessions}) = 0 or r.session_hash is null or r.session_hash = any(${sessions}))))`;

/** Locks of PostgreSQL of this purpose, one for each connection. */
const lockClass = 7_304_816;

// A logout that came while the answer was being judged has not found it.
const fetch = `
  update sso_requests r set fetched_at = :now, expires_at = :keptUntil,
    logged_out_at = coalesce(r.logged_out_at, (
      select max(m.logout_at) from sso_assertions m
      where m.connection_id = r.connection_id and m.logout_at >= r.answered_at and ${isMeant('m.subject_hash', 'm.session_hashes')}))
  where id = :id and interaction_uid is not distinct from :interactionUid
    and sealed_result is not null and fetched_at is null and expires_at > :now
  returning *`;

export function ssoRequestRepository(db: Database) {
  return {
    async insert(request: SsoRequest): Promise<void> {
      await db('sso_requests').insert({
        id: request.id,
        company_id: request.companyId,
        connection_id: request.connectionId,
        interaction_uid: request.interactionUid,
        purpose: request.purpose,
        started_by: request.startedBy,
        sealed_state: request.sealedState,
        created_at: request.createdAt,
        expires_at: request.expiresAt,
      });
    },

    async find(id: string): Promise<SsoRequest | null> {
      const row: Row | undefined = await db('sso_requests')
        .where({ id })
        .first('*', db.raw('coalesce(answered_at, clock_timestamp()) as answered_at'));
      return row ? toRequest(row) : null;
    },

    /**
     * One statement takes the assertion and the request: of answers that come twice, in parallel or at another node, one wins (F2).
     * An answer that the upstream began has no row before: it is made here.
     */
    async take({ request, assertion, sealedResult, arrived, now }: Taking): Promise<'taken' | 'replayed'> {
      const { rows }: { rows: { taken: number }[] } = await db.raw(
        `with fresh as (
           insert into sso_assertions (connection_id, assertion_hash, expires_at)
           select :connection::uuid, :hash::text, :runsOut::timestamptz where :hash::text is not null
           on conflict do nothing returning 1),
         request as (
           insert into sso_requests (id, company_id, connection_id, interaction_uid, purpose, started_by, created_at, expires_at, used_at, sealed_result,
             subject_hash, session_hash, answered_at)
           select :id, :company::uuid, :connection::uuid, :uid, :purpose, :startedBy::uuid, :created::timestamptz, :expires::timestamptz, :now::timestamptz, :result,
             :subject, :session, coalesce(:answeredAt::timestamptz, now())
           where :hash::text is null or exists (select 1 from fresh)
           on conflict (id) do update set used_at = excluded.used_at, sealed_result = excluded.sealed_result,
               subject_hash = excluded.subject_hash, session_hash = excluded.session_hash, answered_at = excluded.answered_at
             where sso_requests.used_at is null and sso_requests.expires_at > excluded.used_at
           returning 1)
         select count(*)::int as taken from request`,
        {
          connection: request.connectionId,
          hash: assertion?.hash ?? null,
          runsOut: assertion?.expiresAt ?? null,
          id: request.id,
          company: request.companyId,
          uid: request.interactionUid,
          purpose: request.purpose,
          startedBy: request.startedBy,
          created: request.createdAt,
          expires: request.expiresAt,
          result: sealedResult,
          subject: arrived?.subjectHash ?? null,
          session: arrived?.sessionHash ?? null,
          answeredAt: request.answeredAt,
          now,
        },
      );
      return (rows[0]?.taken ?? 0) > 0 ? 'taken' : 'replayed';
    },

    /** A message that asks for something by itself, and for whom it is a logout. @returns false when it came before, in parallel or at another node */
    async takeMessage(
      connectionId: ConnectionId,
      hash: string,
      expiresAt: Date,
      logout: TakingBack | null = null,
    ): Promise<boolean> {
      const said = logout && {
        logout_at: db.raw('clock_timestamp()'),
        subject_hash: logout.subjectHash,
        session_hashes: logout.sessionHashes,
      };
      const rows: unknown[] = await db('sso_assertions')
        .insert({ connection_id: connectionId, assertion_hash: hash, expires_at: expiresAt, ...said })
        .onConflict()
        .ignore()
        .returning('assertion_hash');
      return rows.length > 0;
    },

    /** Until the transaction ends, who fetches an answer waits: what is not committed yet could be seen by nobody. Call first. */
    async holdLogout(connectionId: ConnectionId): Promise<void> {
      await db.raw('select pg_advisory_xact_lock(?::int, hashtext(?))', [lockClass, connectionId]);
    },

    /** A logout that is under way is waited for, and one that comes later finds what is fetched. Call inside a transaction. */
    async awaitLogouts(id: string): Promise<void> {
      await db.raw(
        'select pg_advisory_xact_lock_shared(?::int, hashtext(connection_id::text)) from sso_requests where id = ?',
        [lockClass, id],
      );
    },

    /** Once, and by its own interaction alone. @param keptUntil the sign-in that comes of it has to be complete by then */
    async fetch(
      id: string,
      interactionUid: string | null,
      now: Date,
      keptUntil: Date,
    ): Promise<(SsoRequest & { result: string }) | null> {
      const { rows }: { rows: Row[] } = await db.raw(fetch, { id, interactionUid, now, keptUntil });
      const [row] = rows;
      return row?.sealed_result ? { ...toRequest(row), result: row.sealed_result } : null;
    },

    /** To be looked at, more than once, as long as nobody has fetched it. */
    async findResult(
      id: string,
      purpose: SsoRequest['purpose'],
      now: Date,
    ): Promise<(SsoRequest & { result: string }) | null> {
      const row: Row | undefined = await db('sso_requests')
        .where({ id, purpose })
        .whereNull('fetched_at')
        .where('expires_at', '>', now)
        .first();
      return row?.sealed_result ? { ...toRequest(row), result: row.sealed_result } : null;
    },

    /**
     * The upstream takes back what it has said of somebody, at whichever step the sign-in stands. One that is being completed in this
     * very moment is waited for (users/sign-in-repository.ts), so that whoever ends sessions afterwards sees it. Call first.
     * @returns whose sign-ins were complete
     */
    async takeBack(connectionId: ConnectionId, { subjectHash, sessionHashes }: TakingBack): Promise<UserId[]> {
      const { rows }: { rows: { user_id: UserId | null }[] } = await db.raw(
        `with meant as (
           select r.id from sso_requests r
           where r.connection_id = :connectionId and r.logged_out_at is null
             and ${isMeant(':subjectHash::text', ':sessionHashes::text[]')}
           order by r.id for update)
         update sso_requests r set logged_out_at = now() from meant where r.id = meant.id returning r.user_id`,
        { connectionId, subjectHash, sessionHashes },
      );
      return rows.flatMap(({ user_id }) => (user_id === null ? [] : [user_id]));
    },

    /**
     * Writes to the log of a connection, and forgets what is older than the last of its kind, in one statement.
     * @returns the code of the line, which may have had one before
     */
    async noteAttempt(attempt: AttemptRow): Promise<string | null> {
      const { rows }: { rows: { code: string | null }[] } = await db.raw(noteAttempt, {
        ...attempt,
        details: JSON.stringify(attempt.details),
        others: keptAttempts[attempt.source === null ? 'proven' : 'unproven'] - 2,
        same: keptOfNetwork - 2,
      });
      return rows[0]?.code ?? null;
    },

    /** A line of the log that waited. */
    async completeAttempt(
      { companyId, connectionId, id }: Pick<AttemptRow, 'companyId' | 'connectionId' | 'id'>,
      [from, to]: [string, string],
    ): Promise<void> {
      await db('sso_attempts')
        .where({ id, company_id: companyId, connection_id: connectionId, outcome: from })
        .update({ outcome: to });
    },

    /** What others hold just now waits for the next time. */
    async purge(now: Date): Promise<void> {
      const isOver = 'select id from sso_requests where expires_at < ? for update skip locked';
      await db.raw(`delete from sso_requests where id in (${isOver})`, [now]);
      await db('sso_assertions').where('expires_at', '<', now).delete();
    },
  };
}
