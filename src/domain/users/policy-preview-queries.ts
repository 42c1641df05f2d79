// What a new policy would have meant for the sign-ins of the last days, and means for passwords and sessions of now. Changes nothing.
import { countUpTo } from '../../db/lists.ts';
import { notFound } from '../../lib/errors.ts';
import type { CompanyId, UserId } from '../../lib/ids.ts';
import { type Listed, listed, offsetOf, type Paging, reach } from '../../lib/paging.ts';
import { after, days } from '../../lib/time.ts';
import type { Work } from '../../work.ts';
import { changed } from '../companies/commands.ts';
import type { CompanyPolicy } from '../companies/company.ts';
import type { IpEntry } from '../companies/ip-entry.ts';
import { differences, type PolicyChange } from '../companies/policy-change.ts';
import { oldestPassword } from '../credentials/password.ts';
import { authorise } from '../roles/authority.ts';
import { sessionLimits } from '../sessions/session.ts';
import { type Affected, createReplay, type LoginEvent, type LoginRules, type ReplayKind } from './policy-replay.ts';
import { countingReasons } from './sign-in.ts';
import type { User } from './user.ts';

export const previewDays = 30;
/** Newest sign-ins that are looked at, in chunks. */
const most = 100_000;
const chunk = 10_000;

/** What is about to change; each part by itself. */
export interface Proposal {
  policy?: PolicyChange;
  ipList?: boolean;
  /** Id of an entry of the list that is to go. */
  withoutEntry?: string;
}

export const previewKinds = ['address', 'locked', 'password'] as const;
export type PreviewKind = (typeof previewKinds)[number];

export interface PreviewRow extends Pick<User, 'id' | 'firstName' | 'lastName' | 'username' | 'role'> {
  /** Sign-ins that would have been refused, or locks; 0 for a password. */
  times: number;
  /** The last of them, or when the password was set. */
  at: Date;
  ip: string;
}

export interface PolicyPreview {
  before: CompanyPolicy;
  after: CompanyPolicy;
  entry: IpEntry | null;
  changes: NonNullable<ReturnType<typeof differences>> | null;
  /** People, by what would meet them, and live sessions that would end; counting stops behind `reach`. */
  counts: Record<PreviewKind | 'sessions', number>;
  /** Only the newest sign-ins were looked at. */
  isCut: boolean;
  kind: PreviewKind;
  people: Listed<PreviewRow>;
}

interface Situation {
  policy: CompanyPolicy;
  networks: string[];
}

const rulesOf = ({ policy, networks }: Situation): LoginRules => ({
  lock: policy.lock,
  allowed: policy.ipList.enabled ? networks : null,
});

/** @throws AppError 422 when the proposal itself is wrong, 404 when its entry is gone */
export async function previewPolicy(
  work: Work,
  companyId: CompanyId,
  proposal: Proposal,
  { kind, ...paging }: Paging & { kind: PreviewKind | null },
): Promise<PolicyPreview> {
  await authorise(work, companyId, 'security.manage');
  const store = work.store.of(companyId);
  const [company, entries] = await Promise.all([work.store.companies.findById(companyId), store.ipEntries.list()]);
  if (!company) throw notFound('company');
  const entry = proposal.withoutEntry === undefined ? null : entries.find(({ id }) => id === proposal.withoutEntry);
  if (entry === undefined) throw notFound('entry');
  const before: Situation = { policy: company.policy, networks: entries.map(({ network }) => network) };
  const policy = changed(company.policy, proposal.policy ?? {});
  const after: Situation = {
    policy: { ...policy, ipList: { enabled: proposal.ipList ?? policy.ipList.enabled } },
    networks: before.networks.filter((network) => network !== entry?.network),
  };

  const replayed = await replay(work, companyId, rulesOf(before), rulesOf(after));
  const passwords = oldPasswords(work, companyId, before.policy, after.policy);
  const counts = {
    address: replayed.affected.address.size,
    locked: replayed.affected.locked.size,
    password: passwords === null ? 0 : await countUpTo(work.store.db, passwords()),
    sessions: await countSessions(work, companyId, before.policy, after.policy),
  };
  const shown = kind ?? previewKinds.find((one) => counts[one] > 0) ?? 'address';
  const rows =
    shown === 'password'
      ? await pageOfPasswords(passwords?.() ?? null, paging)
      : await pageOfPeople(work, companyId, replayed.affected[shown], paging);
  return {
    before: before.policy,
    after: after.policy,
    entry,
    changes: differences(before.policy, after.policy),
    counts,
    isCut: replayed.isCut,
    kind: shown,
    people: listed(rows, counts[shown], paging),
  };
}

export const isAnybody = ({ counts }: Pick<PolicyPreview, 'counts'>): boolean =>
  Object.values(counts).some((count) => count > 0);

interface EventRow {
  id: string;
  at: Date;
  action: 'login.ok' | 'login.fail' | 'user.unlock' | 'user.passwordReset.done';
  target_id: string | null;
  ip: string | null;
  reason: string | null;
}

// The words of the index audit_events_logins_index.
const logins = `company_id = :companyId and action in ('login.ok', 'login.fail', 'user.unlock', 'user.passwordReset.done')`;

async function replay(
  work: Work,
  companyId: CompanyId,
  before: LoginRules,
  after: LoginRules,
): Promise<{ affected: Record<ReplayKind, Map<UserId, Affected>>; isCut: boolean }> {
  const { take, affected } = createReplay(before, after);
  // Nothing that meets a sign-in changes: nothing to read.
  if (JSON.stringify(before) === JSON.stringify(after)) return { affected, isCut: false };
  const { db } = work.store;
  const begin = await beginning(work, companyId);
  for (let from = begin.from; ; ) {
    const { rows }: { rows: EventRow[] } = await db.raw(
      `select id, at, action, target_id, ip, details ->> 'reason' as reason from audit_events
       where ${logins} and (at, id) > (:at, :id) order by at, id limit :chunk`,
      { companyId, ...from, chunk },
    );
    for (const row of rows) {
      const event = toEvent(row);
      if (event) take(event);
    }
    const last = rows.at(-1);
    if (!last || rows.length < chunk) return { affected, isCut: begin.isCut };
    from = { at: last.at, id: last.id };
  }
}

/** Thirty days back, or the newest `most` events if there were more. */
async function beginning(
  work: Work,
  companyId: CompanyId,
): Promise<{ from: { at: Date; id: string }; isCut: boolean }> {
  const at = after(work.now, -days(previewDays));
  const { rows }: { rows: { at: Date; id: string }[] } = await work.store.db.raw(
    `select at, id from audit_events where ${logins} and at > :at order by at desc, id desc offset :most limit 1`,
    { companyId, at, most },
  );
  const [cut] = rows;
  return cut ? { from: cut, isCut: true } : { from: { at, id: '0' }, isCut: false };
}

function toEvent({ at, action, target_id, ip, reason }: EventRow): LoginEvent | null {
  // Tries for names that are nobody's say nothing about people.
  if (target_id === null) return null;
  // Targets of these actions are people.
  const about = { userId: target_id as UserId, at, ip: ip ?? '' };
  if (action === 'login.ok') return { ...about, kind: 'in' };
  if (action !== 'login.fail') return { ...about, kind: 'cleared' };
  return countingReasons.some((counting) => counting === reason) ? { ...about, kind: 'failed' } : null;
}

/** People whose password would be too old, and is not now; null when there can be none. */
function oldPasswords(work: Work, companyId: CompanyId, before: CompanyPolicy, after: CompanyPolicy) {
  const oldest = oldestPassword(after.password, work.now);
  const known = oldestPassword(before.password, work.now);
  if (oldest === null || (known !== null && known >= oldest)) return null;
  return () =>
    work.store
      .db('credentials as p')
      .join('users as u', 'u.id', 'p.user_id')
      .where('p.company_id', companyId)
      .where('p.set_at', '<', oldest)
      .where((fine) => {
        if (known !== null) fine.where('p.set_at', '>=', known);
      })
      .where({ 'u.base_status': 'Active', 'u.must_set_password': false, 'p.is_single_use': false });
}

type Passwords = ReturnType<NonNullable<ReturnType<typeof oldPasswords>>>;

const columns = {
  id: 'u.id',
  firstName: 'u.first_name',
  lastName: 'u.last_name',
  username: 'u.username',
  role: 'u.role',
} as const;

async function pageOfPasswords(passwords: Passwords | null, paging: Paging): Promise<PreviewRow[]> {
  if (passwords === null) return [];
  const rows: Omit<PreviewRow, 'times' | 'ip'>[] = await passwords
    .select({ ...columns, at: 'p.set_at' })
    .orderBy(['p.set_at', 'u.id'])
    .offset(offsetOf(paging))
    .limit(paging.size);
  return rows.map((row) => ({ ...row, times: 0, ip: '' }));
}

/** Most often first; people who have been deleted since are named all the same. */
async function pageOfPeople(
  work: Work,
  companyId: CompanyId,
  people: Map<UserId, Affected>,
  paging: Paging,
): Promise<PreviewRow[]> {
  const page = [...people]
    .sort(([a, one], [b, other]) => other.times - one.times || (a < b ? -1 : 1))
    .slice(offsetOf(paging), offsetOf(paging) + paging.size);
  const rows: Omit<PreviewRow, 'times' | 'at' | 'ip'>[] = await work.store
    .db('users as u')
    .where('u.company_id', companyId)
    .whereIn(
      'u.id',
      page.map(([id]) => id),
    )
    .select(columns);
  const known = new Map(rows.map((row) => [row.id, row]));
  return page.flatMap(([id, { times, lastAt, lastIp }]) => {
    const person = known.get(id);
    return person ? [{ ...person, times, at: lastAt, ip: lastIp }] : [];
  });
}

async function countSessions(
  work: Work,
  companyId: CompanyId,
  before: CompanyPolicy,
  after: CompanyPolicy,
): Promise<number> {
  const [was, will] = [sessionLimits(before.session, work.now), sessionLimits(after.session, work.now)];
  if (will.seenBefore <= was.seenBefore && will.begunBefore <= was.begunBefore) return 0;
  return work.store.of(companyId).sessions.countOver(will, work.now, reach + 1);
}
