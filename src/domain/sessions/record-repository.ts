// SQL behind the engine's adapter. Round trips are what the protocol costs, so a read brings everything a request
// needs with it (grant, session, person, access), and the writes of a request go as one statement.
// Named prepared statements instead of knex, on the same pool: see performance notes in bench/README.md.
import type { Database } from '../../db/knex.ts';
import type { Prepared } from '../../db/prepared.ts';
import type { CompanyId, GroupId, InstanceId, UserId } from '../../lib/ids.ts';
import type { SeenSession } from './session.ts';

export interface RecordWrite {
  id: string;
  kind: string;
  /** The payload as JSON text. */
  json: string;
  accountId: string | null;
  clientId: string | null;
  grantId: string | null;
  sessionUid: string | null;
  /** Seconds since the epoch; null never expires. */
  expiresAt: number | null;
}

/** The person behind a record: read with it, so that no cache outlives a revocation. */
export interface AccountFacts {
  id: UserId;
  companyId: CompanyId;
  company: string;
  /** As stored; `parseSessionPolicy` reads it. */
  sessionPolicy: unknown;
  username: string;
  email: string;
  emailVerified: boolean;
  firstName: string;
  lastName: string;
  phone: string | null;
  timeZone: string | null;
  role: string;
  /** What this person's active groups open, by client id of the module and in the order of names (D.2 effective access). */
  reachable: Record<string, ReachableInstance[]>;
}

export interface ReachableInstance {
  id: InstanceId;
  /** Of its settings: which copy of them may be used. */
  version: number;
  /** The module's own name for whom it serves. */
  tenant: string | null;
  /** Through which groups, by name. */
  groups: { id: GroupId; name: string }[];
}

export interface RecordRow {
  id: string;
  kind: string;
  payload: Record<string, unknown>;
  client_id: string | null;
  session_uid: string | null;
  /** When its session was last used, in seconds since the epoch. */
  seen_at: number | null;
  /** When its session began, likewise; when the person proved themselves is another thing (`loginTs`, our word for auth_time). */
  began_at: number | null;
  /** Seconds since the epoch. */
  consumed_at: number | null;
  grant: Record<string, unknown> | null;
  /** Grants of a Session record, by grant id. */
  grants: Record<string, Record<string, unknown>> | null;
  /** Payload of the Session that a token hangs on. */
  session: Record<string, unknown> | null;
  account: AccountFacts | null;
  has_account: boolean;
  is_built_in: boolean | null;
}

// One column: the driver then describes and parses one value a row, not a dozen.
// A person counts only while Active; a session only until it was ended, also when an upsert raced with the end.
const read = {
  name: 'oidc_read',
  text: `
    select json_build_object('id', r.id, 'kind', r.kind, 'payload', r.payload, 'client_id', r.client_id, 'session_uid', r.session_uid,
      'consumed_at', extract(epoch from r.consumed_at)::float8, 'seen_at', extract(epoch from w.last_seen_at)::float8,
      'began_at', extract(epoch from w.created_at)::float8,
      'has_account', r.account_id is not null, 'grant', g.payload, 'session', s.payload,
      'grants', case when r.kind = 'Session' then (
        select jsonb_object_agg(h.id, h.payload) from oidc_records h
        where h.session_uid = r.session_uid and h.kind = 'Grant' and h.expires_at > now()) end,
      'account', case when u.id is not null then json_build_object(
        'id', u.id, 'companyId', u.company_id, 'company', c.name, 'sessionPolicy', c.policy -> 'session', 'username', u.username, 'email', u.email,
        'emailVerified', u.email_verified_at is not null, 'firstName', u.first_name, 'lastName', u.last_name, 'phone', u.phone,
        'timeZone', u.time_zone, 'role', u.role, 'reachable', (
          select json_agg(json_build_array(m.client_id, i.id, i.version, i.tenant, n.id, n.name) order by i.name, i.id, n.name)
          from group_members gm
            join access_groups n on n.id = gm.group_id and n.is_active
            join group_modules x on x.group_id = n.id
            join module_instances i on i.id = x.instance_id and i.is_enabled
            join modules m on m.id = i.module_id
          where gm.user_id = u.id and (r.client_id is null or m.client_id = r.client_id))) end,
      'is_built_in', (select m.is_built_in from modules m where m.client_id = r.client_id)) as row
    from oidc_records r
    left join oidc_records g on g.id = r.grant_id and g.kind = 'Grant' and g.expires_at > now()
    left join sessions w on w.uid = r.session_uid
    left join oidc_records s on s.session_uid = r.session_uid and s.kind = 'Session' and r.kind <> 'Session' and s.expires_at > now()
      and w.ended_at is null
    left join users u on u.id = r.account_id and u.base_status = 'Active'
    left join companies c on c.id = u.company_id
    where r.id = any($1) and (r.expires_at is null or r.expires_at > now())
      and (r.kind <> 'Session' or w.ended_at is null)`,
};

/** A way in, flat: PostgreSQL takes longer to nest them than the statement takes for all else. */
type Way = [clientId: string, InstanceId, version: number, tenant: string | null, GroupId, groupName: string];

type ReadRow = Omit<RecordRow, 'account'> & {
  account: (Omit<AccountFacts, 'reachable'> & { reachable: Way[] | null }) | null;
};

function toRecordRow({ account, ...row }: ReadRow): RecordRow {
  return { ...row, account: account && { ...account, reachable: nested(account.reachable ?? []) } };
}

/** @param ways those through the same instance stand together. */
function nested(ways: Way[]): AccountFacts['reachable'] {
  const reachable: AccountFacts['reachable'] = {};
  for (const [clientId, id, version, tenant, groupId, name] of ways) {
    reachable[clientId] ??= [];
    const instances = reachable[clientId];
    const last = instances.at(-1);
    const group = { id: groupId, name };
    if (last?.id === id) last.groups.push(group);
    else instances.push({ id, version, tenant, groups: [group] });
  }
  return reachable;
}

const columns = 'id, kind, payload, account_id, client_id, grant_id, session_uid, expires_at';
const incoming = `
  select i.id, i.kind, i.payload::jsonb, i.account_id, i.client_id, i.grant_id, i.session_uid, to_timestamp(i.expires_at)
  from unnest($1::text[], $2::text[], $3::text[], $4::uuid[], $5::text[], $6::text[], $7::text[], $8::float8[], $9::text[])
    as i (id, kind, payload, account_id, client_id, grant_id, session_uid, expires_at, needs)`;

// Two modules entered at the same moment both add to `authorizations` of one session: neither may lose the other's.
const onConflict = `
  on conflict (id) do update set
    payload = case when excluded.kind = 'Session' and oidc_records.payload ? 'authorizations'
      then excluded.payload || jsonb_build_object('authorizations',
        (oidc_records.payload -> 'authorizations') || coalesce(excluded.payload -> 'authorizations', '{}'::jsonb))
      else excluded.payload end,
    account_id = excluded.account_id, client_id = excluded.client_id, grant_id = excluded.grant_id,
    session_uid = excluded.session_uid, expires_at = excluded.expires_at`;

const upsert = { name: 'oidc_upsert', text: `insert into oidc_records (${columns}) ${incoming} ${onConflict}` };

// F1: of two parallel redemptions one marks the code or token, and only that one's tokens come into being.
const markUsed = (ids: string) =>
  `update oidc_records set consumed_at = now() where id = any(${ids}) and consumed_at is null returning id`;

const exchange = {
  name: 'oidc_exchange',
  text: `
    with used as (${markUsed('$10::text[]')}),
      written as (
        insert into oidc_records (${columns}) ${incoming} where i.needs is null or i.needs in (select id from used) ${onConflict})
    select id from used`,
};

// What a finished sign-in brings into being comes only while its waiting request is still there to be taken: a password reset or
// a deactivation that was faster has deleted it.
const whileThere = 'where i.needs is null or i.needs in (select id from used union all select id from gone)';

const write = {
  name: 'oidc_write',
  text: `
    with used as (${markUsed('$10::text[]')}),
      gone as (delete from oidc_records where id = any($11::text[]) returning id),
      revoked as (delete from oidc_records where grant_id = any($12::text[]) or (kind = 'Grant' and id = any($12::text[]))),
      seen as (
        insert into sessions (uid, company_id, user_id, ip, agent, amr, browser_hash, created_at, last_seen_at, idle_ends_at, ends_at,
          connection_id, upstream_session_hash)
        select uid, company_id, user_id, ip, agent, string_to_array(amr, ' '), browser_hash,
          to_timestamp(created_at), to_timestamp(last_seen_at), to_timestamp(idle_ends_at), to_timestamp(ends_at),
          connection_id, upstream_session_hash
        from unnest($13::text[], $14::uuid[], $15::uuid[], $16::text[], $17::text[], $18::text[], $19::text[],
          $20::float8[], $21::float8[], $22::float8[], $23::float8[], $24::uuid[], $25::text[], $26::text[])
          as i (uid, company_id, user_id, ip, agent, amr, browser_hash, created_at, last_seen_at, idle_ends_at, ends_at,
            connection_id, upstream_session_hash, needs)
        ${whileThere}
        on conflict (uid) do update set last_seen_at = excluded.last_seen_at, idle_ends_at = excluded.idle_ends_at, ends_at = excluded.ends_at,
          amr = excluded.amr, ip = excluded.ip, agent = excluded.agent,
          -- A login begins it anew; a request that was under way meanwhile does not take that back.
          created_at = greatest(sessions.created_at, excluded.created_at),
          connection_id = coalesce(excluded.connection_id, sessions.connection_id),
          upstream_session_hash = case when excluded.connection_id is null
            then sessions.upstream_session_hash else excluded.upstream_session_hash end
          where sessions.ended_at is null and sessions.user_id = excluded.user_id),
      written as (insert into oidc_records (${columns}) ${incoming} ${whileThere} ${onConflict})
    select id from used`,
};

const consume = { name: 'oidc_consume', text: markUsed('$1::text[]') };

/** How long a claimed identifier stays taken, at least. */
export const claimSeconds = 600;

const claim = {
  name: 'oidc_claim',
  text: `insert into oidc_records (id, kind, payload, expires_at) values ($1, $2, '{}', now() + interval '${claimSeconds} seconds')
         on conflict (id) do nothing returning id`,
};

export interface WriteBatch {
  upserts: RecordWrite[];
  destroyed: string[];
  revokedGrants: string[];
  sessions: SeenSession[];
  /** Codes and tokens that this batch marks as used. */
  used: string[];
  /**
   * Id of the record without which nothing of this batch comes into being: the waiting request that it destroys, or the code or
   * token that it uses. Null when there is none.
   */
  needs: string | null;
}

const seconds = (date: Date) => date.getTime() / 1000;

export function recordRepository(db: Database, prepared: Prepared) {
  return {
    /** Live records by id, each with all that a request may ask next. */
    async read(ids: string[]): Promise<RecordRow[]> {
      return (await prepared.run<{ row: ReadRow }>(read, [ids])).rows.map(({ row }) => toRecordRow(row));
    },

    /**
     * Everything one or several requests have to write, as one statement, so it is all or nothing.
     * @returns those of the batches' `used` ids that were free; the others were used before, and their batches wrote nothing (F1).
     */
    async write(batches: WriteBatch[]): Promise<string[]> {
      const upserts = batches.flatMap((batch) => batch.upserts);
      const destroyed = batches.flatMap((batch) => batch.destroyed);
      const revokedGrants = batches.flatMap((batch) => batch.revokedGrants);
      const sessions = batches.flatMap((batch) => batch.sessions);
      const rows: unknown[] = [
        upserts.map((w) => w.id),
        upserts.map((w) => w.kind),
        upserts.map((w) => w.json),
        upserts.map((w) => w.accountId),
        upserts.map((w) => w.clientId),
        upserts.map((w) => w.grantId),
        upserts.map((w) => w.sessionUid),
        upserts.map((w) => w.expiresAt),
        batches.flatMap((batch) => batch.upserts.map(() => batch.needs)),
      ];
      const used = batches.flatMap((batch) => batch.used);
      const ids = ({ rows }: { rows: { id: string }[] }) => rows.map(({ id }) => id);
      if (destroyed.length + revokedGrants.length + sessions.length === 0) {
        if (used.length > 0) return ids(await prepared.run(exchange, [...rows, used]));
        if (upserts.length > 0) await prepared.run(upsert, rows);
        return [];
      }
      const answer = await prepared.run<{ id: string }>(write, [
        ...rows,
        used,
        destroyed,
        revokedGrants,
        sessions.map((s) => s.uid),
        sessions.map((s) => s.companyId),
        sessions.map((s) => s.userId),
        sessions.map((s) => s.ip),
        sessions.map((s) => s.agent),
        sessions.map((s) => s.amr.join(' ')),
        sessions.map((s) => s.browserHash),
        sessions.map((s) => seconds(s.createdAt)),
        sessions.map((s) => seconds(s.lastSeenAt)),
        sessions.map((s) => seconds(s.idleEndsAt)),
        sessions.map((s) => seconds(s.endsAt)),
        sessions.map((s) => s.upstream?.connectionId ?? null),
        sessions.map((s) => s.upstream?.sessionHash ?? null),
        batches.flatMap((batch) => batch.sessions.map(() => batch.needs)),
      ]);
      return ids(answer);
    },

    /** Marks as used, once: returns the ids that this call used; the others were used before (F1). */
    async consume(ids: string[]): Promise<string[]> {
      return (await prepared.run<{ id: string }>(consume, [ids])).rows.map(({ id }) => id);
    },

    /** Takes a one-time identifier: false when it was taken before, also by a parallel request (F2). */
    async claim(id: string, kind: string): Promise<boolean> {
      return (await prepared.run(claim, [id, kind])).rowCount === 1;
    },

    /** Lets a waiting request go on with the person's answer, beside what they answered before; none waits any more: nothing happens. */
    async answer(id: string, result: object): Promise<void> {
      await db.raw(
        `update oidc_records set payload = jsonb_set(payload, '{result}', coalesce(payload -> 'lastSubmission', '{}') || ?::jsonb)
         where id = ? and kind = 'Interaction' and expires_at > now()`,
        [JSON.stringify(result), id],
      );
    },

    /**
     * Removes what has run out, at most `limit` rows, without waiting for rows that others hold.
     * Sessions stay an hour longer: the sweep of expired sessions reads from them which modules to tell.
     */
    async purgeExpired(limit: number): Promise<number> {
      const result: { rowCount: number } = await db.raw(
        `delete from oidc_records where id in (
           select id from oidc_records where expires_at < now() and (kind <> 'Session' or expires_at < now() - interval '1 hour') order by expires_at limit ? for update skip locked)`,
        [limit],
      );
      return result.rowCount;
    },
  };
}

export type RecordRepository = ReturnType<typeof recordRepository>;
