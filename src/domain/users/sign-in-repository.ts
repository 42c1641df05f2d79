// SQL of signing in. It crosses the tables of several rooms on purpose: one read for all facts, one statement for each ending,
// since every round trip here is paid by every person every day, and since the counters must not lose an update.
import type { Database } from '../../db/knex.ts';
import type { Prepared } from '../../db/prepared.ts';
import type { CompanyId, UserId } from '../../lib/ids.ts';
import type { Actor, Origin } from '../../work.ts';
import { parsePolicy } from '../companies/company.ts';
import type { SignInFacts } from './sign-in.ts';
import type { User } from './user.ts';

interface FactsRow {
  company_id: CompanyId | null;
  company_name: string;
  policy: unknown;
  user_id: UserId | null;
  username: string;
  email: string;
  first_name: string;
  last_name: string;
  role: User['role'];
  base_status: User['baseStatus'];
  must_set_password: boolean;
  must_enrol_2fa: boolean;
  failures: number;
  locked_until: Date | null;
  hash: string | null;
  set_at: Date;
  is_single_use: boolean;
  sealed_secret: string | null;
  confirmed_at: Date;
  last_step: string;
  recovery_left: number;
  browser_hash: string | null;
  browser_failures: number;
  browser_locked_until: Date | null;
  address_failures: number | null;
  allowed: string[] | null;
  must_use_sso: boolean;
  window_ends_at: Date;
}

const facts = {
  name: 'sign_in_facts',
  text: `
    select c.id as company_id, c.name as company_name, c.policy,
      u.id as user_id, u.username, u.email, u.first_name, u.last_name, u.role, u.base_status, u.must_set_password, u.must_enrol_2fa,
      u.failures, u.locked_until, p.hash, p.set_at, p.is_single_use, f.sealed_secret, f.confirmed_at, f.last_step,
      (select count(*)::int from recovery_codes r where r.user_id = u.id and r.used_at is null) as recovery_left,
      b.browser_hash, b.failures as browser_failures, b.locked_until as browser_locked_until,
      a.failures as address_failures, a.window_ends_at,
      case when c.policy @> '{"ipList": {"enabled": true}}' then array(
        select e.network::text from ip_entries e where e.company_id = c.id) end as allowed,
      exists (select 1 from idp_connections i where i.company_id = c.id and i.is_enabled
          and (i.enforce_state = 'on' or (i.enforce_state = 'trial' and i.trial_ends_at > $5)))
        and coalesce(u.role, '') <> 'Root Admin'
        and not exists (select 1 from break_glass_people g where g.user_id = u.id and (g.ends_at is null or g.ends_at > $5))
        as must_use_sso
    from (select 1) one
    left join companies c on c.name_key = $1
    left join users u on u.company_id = c.id and u.username_key = $2 and u.base_status <> 'Deleted'
    left join credentials p on p.user_id = u.id
    left join factors f on f.user_id = u.id and f.kind = 'totp'
    left join known_browsers b on b.user_id = u.id and b.browser_hash = $3
    left join address_failures a on a.address = $4`,
};

// Counts on the browser's own counter if it signed in before as this person, else on the account; the same statement for
// unknown people, so that it takes the same time (AUT-05). A lock that runs out begins a new count.
// The rows are held before they are counted on: whether this very failure began the lock shows in what they were, not in the count,
// which stands above the threshold when an administrator has lowered that meanwhile (C6).
const fail = {
  name: 'sign_in_fail',
  text: `
    with input as (
      select $1::uuid as user_id, $2::text as browser_hash, $3::boolean as counts, $4::int as threshold, $5::timestamptz as at,
        $6::timestamptz as lock_ends, $7::text as address, $8::timestamptz as window_ends),
    held as (
      select u.id, u.locked_until from users u, input i where i.counts and u.id = i.user_id for no key update of u),
    held_browser as (
      select b.user_id, b.browser_hash, b.locked_until from held h, input i, known_browsers b
      where b.user_id = h.id and b.browser_hash = i.browser_hash for no key update of b),
    browser as (
      update known_browsers b set
        failures = case when b.locked_until <= i.at then 1 else b.failures + 1 end,
        locked_until = case when b.locked_until > i.at then b.locked_until
          when (case when b.locked_until <= i.at then 1 else b.failures + 1 end) < i.threshold then null else i.lock_ends end
      from input i, held_browser h where b.user_id = h.user_id and b.browser_hash = h.browser_hash
      returning b.failures, b.locked_until is not null and (h.locked_until is null or h.locked_until <= i.at) as locks),
    account as (
      update users u set
        failures = case when exists (select 1 from browser) then u.failures
          when u.locked_until <= i.at then 1 else u.failures + 1 end,
        locked_until = case
          when exists (select 1 from browser) then
            case when exists (select 1 from browser where locks) then greatest(u.locked_until, i.lock_ends) else u.locked_until end
          when u.locked_until > i.at then u.locked_until
          when (case when u.locked_until <= i.at then 1 else u.failures + 1 end) < i.threshold then null else i.lock_ends end
      from input i, held h where u.id = h.id
      returning u.id, u.company_id, (exists (select 1 from browser where locks))
        or (not exists (select 1 from browser) and u.locked_until is not null
          and (h.locked_until is null or h.locked_until <= i.at)) as locks),
    address as (
      insert into address_failures (address, failures, window_ends_at) select i.address, 1, i.window_ends from input i
      on conflict (address) do update set
        failures = case when address_failures.window_ends_at <= $5::timestamptz then 1 else address_failures.failures + 1 end,
        window_ends_at = case when address_failures.window_ends_at <= $5::timestamptz then excluded.window_ends_at else address_failures.window_ends_at end),
    told as (
      insert into audit_events (at, company_id, action, actor, target_kind, target_id, details, code, ip, agent, request_id)
      select $5, $9::uuid, 'login.fail', $10::jsonb, case when $1::uuid is null then null else 'user' end, $1::uuid::text, $11::jsonb, $12, $13, $14, $15
      union all
      select $5, account.company_id, 'user.lock', '{"kind":"system","name":"sign-in"}'::jsonb, 'user', account.id::text,
        jsonb_build_object('until', $6::timestamptz), null, $13, $14, $15 from account where account.locks)
    select coalesce((select locks from account), false) as locks`,
};

// Takes the time step and finishes the sign-in in one go; each condition is checked again here, since time has passed since
// the facts were read: a code is good once (F8), and a person who was deactivated or locked meanwhile stays out.
// The person's row is held first, as everywhere, and the password is read with a lock: a reset that was a moment faster is seen,
// and then nothing is spent (AUT-13). $16 is the connection of an identity provider that was believed instead of a password: its
// person owes no new password and no factor unless one was asked for, and no lock of the local way holds them (C9), but for their code.
// $17 is its answer: it counts as long as the identity provider has not logged them out. Its row is held, too, so that a logout that was a
// moment faster is seen, and one that comes later finds whose sign-in it is.
const complete = {
  name: 'sign_in_complete',
  text: `
    with held as (
      select id, company_id from users where id = $1 and (not must_set_password or $16::uuid is not null)
        and (not must_enrol_2fa or ($16::uuid is not null and $6::boolean)) for no key update),
    by_password as (
      select 1 from held join credentials p on p.user_id = held.id
      where $16::uuid is null and p.hash = $15 and not p.is_single_use for share of p),
    by_upstream as (
      update sso_requests r set user_id = held.id from held, idp_connections i
      where i.company_id = held.company_id and i.id = $16 and i.is_enabled
        and r.id = $17 and r.connection_id = i.id and r.logged_out_at is null and r.expires_at > $4 returning 1),
    proved as (select 1 from by_password union all select 1 from by_upstream),
    step as (
      update factors set last_step = $2::bigint where $2::bigint is not null and user_id = $1 and kind = 'totp' and last_step < $2::bigint
        and exists (select 1 from proved) returning 1),
    spent as (
      update recovery_codes set used_at = $4 where $3::text is not null and user_id = $1 and code_hash = $3 and used_at is null
        and exists (select 1 from proved) returning 1),
    person as (
      update users u set last_login_at = $4, failures = case when $16::uuid is null then 0 else u.failures end,
        locked_until = case when $16::uuid is null then null else u.locked_until end
      where u.id = $1 and u.base_status = 'Active' and exists (select 1 from proved)
        and case when $16::uuid is not null and $6::boolean then true when $5::boolean
          then not exists (select 1 from known_browsers b where b.user_id = u.id and b.browser_hash = $7 and b.locked_until > $4)
          else u.locked_until is null or u.locked_until <= $4 end
        and ($6::boolean or exists (select 1 from step) or exists (select 1 from spent))
      returning u.id, u.company_id),
    browser as (
      insert into known_browsers (company_id, user_id, browser_hash, last_used_at) select company_id, id, $7, $4 from person
      on conflict (user_id, browser_hash) do update set
        failures = case when $16::uuid is null then 0 else known_browsers.failures end,
        locked_until = case when $16::uuid is null then null else known_browsers.locked_until end,
        last_used_at = excluded.last_used_at),
    answer as (
      update oidc_records set account_id = $1, payload = jsonb_set(payload, '{result}', $9::jsonb)
      where id = $8 and kind = 'Interaction' and expires_at > now() and exists (select 1 from person) returning 1),
    told as (
      insert into audit_events (at, company_id, action, actor, target_kind, target_id, details, ip, agent, request_id)
      select $4, company_id, 'login.ok', $10::jsonb, 'user', id::text, $11::jsonb, $12, $13, $14 from person)
    select (select count(*)::int from proved) as proved,
      (select count(*)::int from step) + (select count(*)::int from spent) as taken,
      (select count(*)::int from person) as person, (select count(*)::int from answer) as answered`,
};

export interface Failure {
  userId: UserId | null;
  companyId: CompanyId | null;
  browserHash: string | null;
  counts: boolean;
  threshold: number;
  lockEndsAt: Date;
  address: string;
  windowEndsAt: Date;
  details: Record<string, unknown>;
  code: string;
  by: { actor: Actor; origin: Origin; now: Date };
}

/** Id of a connection: its room stands above this one. */
type ConnectionName = string;

export interface Completion {
  userId: UserId;
  /** The hash that the password was right for. */
  passwordHash: string;
  /** `given`: by an enrolment a moment ago, or by the identity provider alone. */
  proof: { step: number } | { recoveryCodeHash: string } | 'given';
  /** The connection of the identity provider that was believed instead of a password. */
  upstream: ConnectionName | null;
  /** Its answer. */
  arrival: string | null;
  isKnownBrowser: boolean;
  browserHash: string;
  /** Id of the engine's Interaction record, and the answer that lets it resume. */
  interactionId: string;
  result: object;
  details: Record<string, unknown>;
  by: { actor: Actor; origin: Origin; now: Date };
}

export function signInRepository(db: Database, prepared: Prepared) {
  return {
    async read(key: {
      companyKey: string;
      usernameKey: string;
      browserHash: string | null;
      address: string;
      ip: string;
      now: Date;
    }): Promise<SignInFacts> {
      const { rows } = await prepared.run<FactsRow>(facts, [
        key.companyKey,
        key.usernameKey,
        key.browserHash,
        key.address,
        key.now,
      ]);
      return toFacts(rows[0] as FactsRow, key.ip);
    },

    /** @returns whether this failure began a lock. */
    async fail(f: Failure): Promise<boolean> {
      const { rows } = await prepared.run<{ locks: boolean }>(fail, [
        f.userId,
        f.browserHash,
        f.counts,
        f.threshold,
        f.by.now,
        f.lockEndsAt,
        f.address,
        f.windowEndsAt,
        f.companyId,
        JSON.stringify(f.by.actor),
        JSON.stringify(f.details),
        f.code,
        f.by.origin.ip,
        f.by.origin.agent,
        f.by.origin.requestId,
      ]);
      return rows[0]?.locks === true;
    },

    /**
     * `proved`: the password is still the one, and no duty stands before the code; `taken`: the code was fresh;
     * `completed`: the person is in; `answered`: the request that asked was still there.
     */
    async complete(c: Completion): Promise<{ proved: boolean; taken: boolean; completed: boolean; answered: boolean }> {
      const isGiven = c.proof === 'given';
      const { rows } = await prepared.run<{ proved: number; taken: number; person: number; answered: number }>(
        complete,
        [
          c.userId,
          c.proof !== 'given' && 'step' in c.proof ? c.proof.step : null,
          c.proof !== 'given' && 'recoveryCodeHash' in c.proof ? c.proof.recoveryCodeHash : null,
          c.by.now,
          c.isKnownBrowser,
          isGiven,
          c.browserHash,
          c.interactionId,
          JSON.stringify(c.result),
          JSON.stringify(c.by.actor),
          JSON.stringify(c.details),
          c.by.origin.ip,
          c.by.origin.agent,
          c.by.origin.requestId,
          c.passwordHash,
          c.upstream,
          c.arrival,
        ],
      );
      const row = rows[0];
      return {
        proved: (row?.proved ?? 0) > 0,
        taken: isGiven || (row?.taken ?? 0) > 0,
        completed: (row?.person ?? 0) > 0,
        answered: (row?.answered ?? 0) > 0,
      };
    },

    /** Whether the identity provider has logged the person out since it gave this answer. */
    async isLoggedOut(arrival: string): Promise<boolean> {
      const row = await db('sso_requests').where({ id: arrival }).whereNotNull('logged_out_at').first(db.raw('1'));
      return row !== undefined;
    },

    /** Counts a request of one kind from one network address. @returns how many there were in the running window. */
    async countAddress(kind: string, address: string, now: Date, windowEndsAt: Date): Promise<number> {
      const { rows }: { rows: { failures: number }[] } = await db.raw(
        `insert into address_failures (address, failures, window_ends_at) values (?, 1, ?)
         on conflict (address) do update set
           failures = case when address_failures.window_ends_at <= ? then 1 else address_failures.failures + 1 end,
           window_ends_at = case when address_failures.window_ends_at <= ? then excluded.window_ends_at else address_failures.window_ends_at end
         returning failures`,
        [`${kind} ${address}`, windowEndsAt, now, now],
      );
      return rows[0]?.failures ?? 1;
    },

    /** Browsers that have not been used for longer than their cookie lives. */
    async purgeBrowsers(before: Date): Promise<number> {
      return db('known_browsers').where('last_used_at', '<', before).delete();
    },

    async purgeAddresses(now: Date): Promise<number> {
      return db('address_failures').where('window_ends_at', '<', now).delete();
    },
  };
}

function toFacts(row: FactsRow, ip: string): SignInFacts {
  return {
    company: row.company_id ? { id: row.company_id, name: row.company_name, policy: parsePolicy(row.policy) } : null,
    user: row.user_id
      ? {
          id: row.user_id,
          username: row.username,
          email: row.email,
          firstName: row.first_name,
          lastName: row.last_name,
          role: row.role,
          baseStatus: row.base_status,
          mustSetPassword: row.must_set_password,
          mustEnrol2fa: row.must_enrol_2fa,
          failures: row.failures,
          lockedUntil: row.locked_until,
        }
      : null,
    credential: row.hash ? { hash: row.hash, setAt: row.set_at, isSingleUse: row.is_single_use } : null,
    factor: row.sealed_secret
      ? { sealedSecret: row.sealed_secret, confirmedAt: row.confirmed_at, lastStep: Number(row.last_step) }
      : null,
    recoveryCodesLeft: row.recovery_left,
    browser: row.browser_hash ? { failures: row.browser_failures, lockedUntil: row.browser_locked_until } : null,
    from: { ip, allowed: row.allowed },
    mustUseSso: row.must_use_sso,
    address:
      row.address_failures === null ? null : { failures: row.address_failures, windowEndsAt: row.window_ends_at },
  };
}
