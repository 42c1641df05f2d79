// What an account is, held against what it should be: pure, and by the same two questions that act (`desire`, `nextStep`), so that a
// report never calls wrong what would be left alone, nor right what is about to be changed.
import { isRequired, type Settings } from '../integrations/settings.ts';
import type { Profile } from '../modules/profile.ts';
import { fullName } from '../users/user.ts';
import type { ModuleAccount, Wanted } from './account.ts';
import { type Desire, desire, mayDeprovision, mayProvision, nextStep, type PersonFacts, type Step } from './desire.ts';
import type { Finding } from './drift.ts';
import type { Fitting } from './seen-repository.ts';

export type Judgement = Omit<Finding, 'isNew'>;

/** What all accounts of an instance are judged by. */
export interface Bench {
  profile: Profile;
  settings: Settings;
  /** Ids of accounts that may log in locally now although it is required otherwise. */
  exempt: ReadonlySet<string>;
  now: Date;
}

export const accountSubject = (externalId: string): string => `a${externalId}`;
export const personSubject = (userId: string): string => `p${userId}`;

/** A person, and the time zone that their account was made with; null: it was not made from here, or without one. */
export interface JudgedPerson extends PersonFacts {
  madeWithZone: string | null;
}

const list = new Intl.ListFormat('en');

export const permissionWords = (permissions: readonly string[]): string =>
  permissions.length === 0 ? 'No permission' : list.format(permissions);

export const standingWords = (account: Pick<ModuleAccount, 'isActive'>): string =>
  account.isActive ? 'Active' : 'Suspended';

/** "Active · Team Access · Europe/Berlin": what of an account counts here. */
export function accountWords(account: ModuleAccount): string {
  return [standingWords(account), permissionWords(account.permissions), account.timeZone].filter(Boolean).join(' · ');
}

/** The same of what is wanted; what is not said stays out. */
export function wantedWords({
  active,
  permissions,
  timeZone,
  userName,
  email,
  firstName,
  lastName,
  fields,
}: Wanted): string {
  return [
    active === undefined ? null : active ? 'Active' : 'Suspended',
    permissions && permissionWords(permissions),
    timeZone,
    userName,
    email !== userName && email,
    `${firstName ?? ''} ${lastName ?? ''}`.trim(),
    ...Object.values(fields ?? {}),
  ]
    .filter(Boolean)
    .join(' · ');
}

const labelOf = ({ userName, email, externalId }: ModuleAccount): string => userName || email || externalId;

function base(
  account: ModuleAccount,
  person: PersonFacts | null,
): Omit<Judgement, 'class' | 'before' | 'after' | 'why'> {
  return {
    subject: accountSubject(account.externalId),
    externalId: account.externalId,
    userId: person?.userId ?? null,
    account: labelOf(account),
    person: person ? fullName(person) : '',
    isAdministrator: account.isAdministrator,
  };
}

/**
 * What would be done next, and what only a plan does: an account that was made from here gets back the time zone that it was made with.
 * Whoever chose another one at the module may have meant it, and the settings of today are for new accounts only.
 */
export function plannedStep(
  { profile, settings, now }: Bench,
  wish: Desire,
  account: ModuleAccount | null,
  { madeWithZone }: Pick<JudgedPerson, 'madeWithZone'>,
): Step | null {
  const step = nextStep(wish, account, settings, profile, now);
  if (!wish.access || !account || account.linkedBy !== 'created' || !mayProvision(profile, settings)) return step;
  if (madeWithZone === null || madeWithZone === account.timeZone) return step;
  if (step) return step.act === 'create' ? step : { ...step, wanted: { ...step.wanted, timeZone: madeWithZone } };
  return account.isActive && account.life === 'live'
    ? { act: 'update', wanted: { timeZone: madeWithZone }, because: wish.because }
    : null;
}

/** An account that belongs to a person: everything that is wrong with it, or that nothing is. */
export function judgeLinked(bench: Bench, account: ModuleAccount, person: JudgedPerson): Judgement[] {
  const { profile, settings } = bench;
  const wish = desire(profile, settings, person);
  const step = plannedStep(bench, wish, account, person);
  const who = base(account, person);
  const wrong: Judgement[] = [];
  const status = judgeStatus(bench, wish, step, account);
  if (status) wrong.push({ ...who, class: 'status', ...status });
  if (step?.act === 'update' && step.wanted.permissions)
    wrong.push({
      ...who,
      class: 'permission',
      before: permissionWords(account.permissions),
      after: permissionWords(step.wanted.permissions),
      why: wish.because,
    });
  if (step?.act === 'update' && step.wanted.timeZone !== undefined)
    wrong.push({
      ...who,
      class: 'timeZone',
      before: account.timeZone ?? 'None',
      after: step.wanted.timeZone,
      why: 'It was made from here with this time zone. Only a plan brings it back.',
    });
  const local = judgeLocalLogin(bench, account, person);
  if (local) wrong.push(local);
  if (wrong.length > 0) return wrong;
  const words = accountWords(account);
  return [{ ...who, class: 'matched', before: words, after: words, why: wish.because }];
}

function judgeStatus(
  { profile, settings }: Bench,
  wish: Desire,
  step: Step | null,
  account: ModuleAccount,
): Pick<Judgement, 'before' | 'after' | 'why'> | null {
  const before = standingWords(account);
  if (wish.access) {
    if (account.isActive && account.life !== 'suspended') return null;
    if (step?.act === 'restore') return { before, after: 'Active', why: `${wish.because} It was suspended from here.` };
    return {
      before,
      after: 'Active',
      why: 'It was suspended at the module: only an administrator there lets it in again.',
    };
  }
  if (!account.isActive || wish.isPending || wish.kind === 'module') return null;
  const isOn = mayDeprovision(profile, settings);
  return { before, after: 'Suspended', why: isOn ? wish.because : `${wish.because} Automatic deprovisioning is off.` };
}

/** A local password that still opens the door while Log In with KaseyaOne is required. */
export function judgeLocalLogin(
  { settings, exempt, now }: Bench,
  account: ModuleAccount,
  person: PersonFacts | null,
): Judgement | null {
  if (account.hasLocalLogin !== true || !account.isActive || !isRequired(settings, now)) return null;
  if (exempt.has(account.externalId)) return null;
  return {
    ...base(account, person),
    class: 'localPassword',
    before: 'Local password works',
    after: 'Log In with KaseyaOne only',
    why: 'It is required, and this account is not exempt: the module does not keep to it.',
  };
}

/** An account that belongs to nobody: a stray one, or one that cannot be told apart. */
export function judgeUnlinked(bench: Bench, account: ModuleAccount, fitting: Fitting[]): Judgement[] {
  const isExplicit = bench.profile.linkMode === 'explicit';
  const certain = isExplicit ? [] : fitting.filter(({ byRule }) => byRule);
  const local = judgeLocalLogin(bench, account, null);
  const words = { before: accountWords(account), after: '' };
  const why = doubtWords(certain);
  const own: Judgement =
    why === null
      ? { ...base(account, null), class: 'orphan', ...words, why: strayWords(fitting, isExplicit) }
      : { ...base(account, null), person: nameOf(certain), class: 'duplicate', ...words, after: 'Not touched', why };
  return local ? [own, local] : [own];
}

/** C13, C28: accounts that mean one person alone, who has none; what is not clear stays nobody's. */
export function certainLinks(
  fitting: Fitting[],
  { linkMode, severalMatches }: Pick<Profile, 'linkMode' | 'severalMatches'>,
): Fitting[] {
  if (linkMode === 'explicit') return [];
  const mayBe = fitting.filter(
    ({ byRule, rivals, isFirst }) => byRule && (rivals === 0 || (severalMatches === 'firstUsername' && isFirst)),
  );
  const people = Map.groupBy(mayBe, ({ externalId }) => externalId);
  const accounts = Map.groupBy(mayBe, ({ userId }) => userId);
  return mayBe.filter(
    ({ externalId, userId, isLinked }) =>
      !isLinked && people.get(externalId)?.length === 1 && accounts.get(userId)?.length === 1,
  );
}

const nameOf = ([one]: Fitting[]): string => one?.name ?? '';

/** Why an account cannot be given to the one whom it seems to mean (C13); null: it seems to mean nobody. */
function doubtWords(certain: Fitting[]): string | null {
  const [one] = certain;
  if (!one) return null;
  if (certain.length > 1) return `${list.format(certain.map(({ name }) => name))} all have this address.`;
  if (one.isLinked) return `${one.name} has another account here already.`;
  return `${one.rivals + 1} accounts here have the address of ${one.name}.`;
}

function strayWords([one]: Fitting[], isExplicit: boolean): string {
  if (!one) return 'No person of the company has this address.';
  if (!one.byRule) return `${one.name} has this address, but it is not verified.`;
  return isExplicit
    ? `${one.name} has this address. Accounts of this module are tied by its own login only.`
    : `${one.name} has this address.`;
}

/** A person who may enter, and has no account. Null: none is wanted for them ahead of time. */
export function judgeMissing({ profile, settings, now }: Bench, person: PersonFacts): Judgement | null {
  const wish = desire(profile, settings, person);
  if (!wish.access || !mayProvision(profile, settings)) return null;
  const step = nextStep(wish, null, settings, profile, now);
  return {
    class: 'missing',
    subject: personSubject(person.userId),
    externalId: null,
    userId: person.userId,
    account: '',
    person: fullName(person),
    isAdministrator: false,
    before: 'No account',
    after: step ? wantedWords(step.wanted) : 'No account',
    why: step ? wish.because : 'Their e-mail address is not verified: no account is made for it.',
  };
}
