// A plan: what would be done about the findings of a report, row by row, with the rule that decides each. Nothing is changed by making
// one. Its rows are computed by the same functions that act, and each keeps a hash of what it was decided from: where that has changed
// by the time the plan is applied, the row is not done. Pure.
import { createHash } from 'node:crypto';
import type { InstanceId, UserId } from '../../lib/ids.ts';
import type { Settings } from '../integrations/settings.ts';
import type { Profile } from '../modules/profile.ts';
import type { PlanHead, PlanLine } from '../plans/plan.ts';
import { fullName } from '../users/user.ts';
import type { ModuleAccount, Wanted } from './account.ts';
import { type BatchSize, mustWait } from './batch.ts';
import { type Desire, desire, nextStep, type PersonAct, type Step } from './desire.ts';
import type { plannable } from './drift.ts';
import { accountWords, type Bench, type JudgedPerson, permissionWords, plannedStep } from './drift-judge.ts';

export type PlannableClass = (typeof plannable)[number];

export interface PlanScope {
  classes: PlannableClass[];
  /** Of accounts that belong to nobody; never removed by a plan. */
  orphans: 'ignore' | 'suspend';
}

/** What a plan may do; removing is nothing that a plan does. */
export type PlanAct = Exclude<PersonAct, 'remove' | 'disable'> | 'none';

export const planActs = ['create', 'update', 'suspend', 'restore', 'none'] as const satisfies PlanAct[];

export interface PlanRow extends PlanLine<PlanAct> {
  subject: string;
  externalId: string | null;
  userId: UserId | null;
  account: string;
  wanted: Wanted;
}

export type PlanState = 'ready' | 'waiting' | 'applied' | 'dropped';

export interface Plan extends PlanHead<PlanAct> {
  instanceId: InstanceId;
  readId: string;
  scope: PlanScope;
  settingsHash: string;
  state: PlanState;
}

/** One account or person of a plan, with all that decides about it. */
export interface Subject {
  /** As the report names it. */
  key: string;
  account: ModuleAccount | null;
  person: JudgedPerson | null;
  /** It seems to be somebody's, and cannot be told apart (C13). */
  isDoubtful: boolean;
}

const sha256 = (value: unknown): string => createHash('sha256').update(JSON.stringify(value)).digest('base64url');

/** Settings that decide; their version grows with much that does not. */
export const settingsHashOf = (
  { enabled, provisioning, deprovisioning, accessGroups }: Settings,
  profile: Profile,
): string => sha256([enabled, provisioning, deprovisioning, accessGroups, profile]);

function inputHashOf({ exempt }: Bench, { orphans }: PlanScope, { account, person, isDoubtful }: Subject): string {
  const known = account && {
    ...account,
    // When it was confirmed, and with which version, says nothing about what it is.
    confirmedAt: null,
    etag: null,
  };
  return sha256([
    known,
    person,
    isDoubtful,
    account !== null && exempt.has(account.externalId),
    person ? null : orphans,
  ]);
}

/** What would be done about one subject. */
export function planRow(bench: Bench, scope: PlanScope, subject: Subject): Omit<PlanRow, 'position'> {
  const { key, account, person } = subject;
  const decided = decide(bench, scope, subject);
  const isDone = decided.act !== 'none';
  return {
    subject: key,
    externalId: account?.externalId ?? null,
    userId: person?.userId ?? null,
    account: account ? account.userName || account.email || account.externalId : '',
    person: person ? fullName(person) : '',
    isAdministrator: account?.isAdministrator ?? false,
    before: account ? accountWords(account) : 'No account',
    after: isDone ? afterWords(account, decided.wanted) : 'As it is',
    inputHash: inputHashOf(bench, scope, subject),
    ...decided,
  };
}

/** The account as it is afterwards. The effect of an act, for its words and for the proof that they are true. */
export function accountAfter(
  account: ModuleAccount | null,
  wanted: Wanted,
): Pick<ModuleAccount, 'isActive' | 'permissions' | 'timeZone' | 'email' | 'firstName' | 'lastName' | 'userName'> {
  return {
    isActive: wanted.active ?? account?.isActive ?? true,
    permissions: wanted.permissions ?? account?.permissions ?? [],
    timeZone: wanted.timeZone ?? account?.timeZone ?? null,
    email: wanted.email ?? account?.email ?? '',
    firstName: wanted.firstName ?? account?.firstName ?? '',
    lastName: wanted.lastName ?? account?.lastName ?? '',
    userName: wanted.userName ?? account?.userName ?? '',
  };
}

function afterWords(account: ModuleAccount | null, wanted: Wanted): string {
  const next = accountAfter(account, wanted);
  const told = [next.isActive ? 'Active' : 'Suspended', permissionWords(next.permissions), next.timeZone];
  if (!account || next.email !== account.email) told.push(next.email);
  if (account && `${next.firstName} ${next.lastName}` !== `${account.firstName} ${account.lastName}`)
    told.push(`${next.firstName} ${next.lastName}`);
  return told.filter(Boolean).join(' · ');
}

type Decided = Pick<PlanRow, 'act' | 'rule' | 'wanted'>;

const none = (rule: string): Decided => ({ act: 'none', rule, wanted: {} });

function decide(bench: Bench, scope: PlanScope, { account, person, isDoubtful }: Subject): Decided {
  if (isDoubtful) return none('More than one fits: who it belongs to is for an administrator to say.');
  if (!person) return account ? decideOrphan(bench, scope, account) : none('It is gone by now.');
  const wish = desire(bench.profile, bench.settings, person);
  const step = scope.classes.includes('timeZone')
    ? plannedStep(bench, wish, account, person)
    : nextStep(wish, account, bench.settings, bench.profile, bench.now);
  if (!step) return none(whyNothing(wish, account));
  if (step.act === 'remove' || step.act === 'disable')
    return none('Its time is over: it ends by itself, not by a plan.');
  const isLoss = step.act === 'suspend' || (account?.isAdministrator === true && demotes(step.wanted, bench.profile));
  if (isLoss && account && bench.exempt.has(account.externalId)) return none(exemptWords);
  return { act: step.act, rule: ruleOf(step, wish), wanted: step.wanted };
}

const exemptWords = 'It is exempt, so that somebody can get in without us: end the exception first.';

function decideOrphan({ exempt }: Bench, { orphans }: PlanScope, account: ModuleAccount): Decided {
  if (orphans === 'ignore') return none('It belongs to nobody here, and is left alone, as you chose.');
  if (!account.isActive) return none('It is suspended already.');
  if (exempt.has(account.externalId)) return none(exemptWords);
  return {
    act: 'suspend',
    rule: 'It belongs to nobody here, and you chose to suspend those.',
    wanted: { active: false },
  };
}

function whyNothing(wish: Desire, account: ModuleAccount | null): string {
  if (!account) return wish.access && !wish.isVerified ? 'Their e-mail address is not verified.' : wish.because;
  if (wish.access && !account.isActive)
    return 'It was suspended at the module: only an administrator there lets it in again.';
  return wish.access || !account.isActive ? 'It is as it should be by now.' : 'Automatic deprovisioning is off.';
}

function ruleOf({ act, because, wanted }: Step, wish: Desire): string {
  if (act === 'create') return `Has access and no account. ${because}`;
  if (act === 'suspend') return `Has no access any more. ${because}`;
  if (act === 'restore') return `Has access again while it was held. ${because}`;
  const from = wish.access && wanted.permissions ? 'Access groups decide the permission. ' : '';
  const zone = wanted.timeZone === undefined ? '' : 'It was made from here with this time zone. ';
  return `${from}${zone}${because}`;
}

/** Counts by act. */
export function countActs(rows: Iterable<Pick<PlanRow, 'act'>>): Record<PlanAct, number> {
  const counts: Record<PlanAct, number> = { create: 0, update: 0, suspend: 0, restore: 0, none: 0 };
  for (const { act } of rows) counts[act] += 1;
  return counts;
}

export const doneCount = ({ none: _, ...done }: Record<PlanAct, number>): number =>
  Object.values(done).reduce((sum, one) => sum + one, 0);

/** More than 10 people and more than 5 % of the active accounts, or any administrator: two have to agree. Null: one is enough. */
export function needsSecond({ people, administrators, active }: BatchSize): string | null {
  if (administrators > 0)
    return `It takes ${administrators === 1 ? 'an administrator' : `${administrators} administrators`} of the module away.`;
  return mustWait({ people, administrators, active }) ? `It suspends ${people} of ${active} active accounts.` : null;
}

/** Whose power at the module a row ends. */
export const endsAdministrator = (
  { isAdministrator, act, wanted }: Pick<PlanRow, 'isAdministrator' | 'act' | 'wanted'>,
  profile: Profile,
): boolean => isAdministrator && (act === 'suspend' || demotes(wanted, profile));

const demotes = ({ permissions }: Wanted, { administrators }: Profile): boolean =>
  permissions !== undefined && administrators.length > 0 && !permissions.some((one) => administrators.includes(one));

export const planHashOf = (settingsHash: string, rows: Iterable<Pick<PlanRow, 'subject' | 'inputHash'>>): string => {
  const hash = createHash('sha256').update(settingsHash);
  for (const { subject, inputHash } of rows) hash.update(`\n${subject} ${inputHash}`);
  return hash.digest('hex');
};

/** A row that would not be the same any more. */
export interface PlanDifference {
  account: string;
  person: string;
  was: string;
  now: string;
}
