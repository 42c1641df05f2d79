// Requiring Log In with KaseyaOne without locking anybody out: the pre-flight, and the trial that ends by itself (C30). Pure.
import type { CompanyId, InstanceId, UserId } from '../../lib/ids.ts';
import { after, hours, minutes, relative } from '../../lib/time.ts';
import { isJustNow, trialMinutes } from '../../lib/trial.ts';
import { isRequired, type Settings } from './settings.ts';
import { isEnough, type WayIn, waysSentence } from './ways-in.ts';

export type CheckName = 'signed_in' | 'ways_in' | 'accounts';

export interface Check {
  name: CheckName;
  passed: boolean;
  sentence: string;
  /** Only time is missing: the accounts are being read just now. */
  isUnderWay: boolean;
}

export interface LosesLocal {
  accountId: string;
  userName: string;
  reason: string;
}

/** Why accounts lose the local login, and what is left to them. */
export type LossReason = 'linked' | 'matching' | 'stranded';

export interface Preflight {
  ready: boolean;
  checks: Check[];
  waysIn: WayIn[];
  losesLocal: {
    count: number;
    /** Active accounts in all. */
    of: number;
    /** How many of them by reason. */
    reasons: { reason: LossReason; count: number; sentence: string }[];
    sample: LosesLocal[];
  };
  trialMinutes: number;
}

/** What the pre-flight goes by. */
export interface PreflightFacts {
  module: string;
  brand: string;
  /** Who asks; null: nobody whom we know (a local session of the module, or the operator). */
  acting: UserId | null;
  /** When the acting person redeemed a sign-in for this module last. */
  signedInAt: Date | null;
  waysIn: WayIn[];
  /** The address at which accounts are read is known. */
  isReadable: boolean;
  /** When the newest whole reading began. */
  readAt: Date | null;
  isBeingRead: boolean;
  /** Why the last reading came to nothing, if that was just now. */
  problem: string | null;
  counts: { of: number } & Record<LossReason, number>;
  sample: { accountId: string; userName: string; reason: LossReason }[];
}

export const readWithin = minutes(15);
export const sampleSize = 10;

export function judgePreflight(facts: PreflightFacts, now: Date): Preflight {
  const checks = [signedInCheck(facts, now), waysCheck(facts), accountsCheck(facts, now)];
  const { of, ...counts } = facts.counts;
  return {
    ready: checks.every(({ passed }) => passed),
    checks,
    waysIn: facts.waysIn,
    losesLocal: {
      count: counts.linked + counts.matching + counts.stranded,
      of,
      reasons: lossReasons
        .filter((reason) => counts[reason] > 0)
        .map((reason) => ({ reason, count: counts[reason], sentence: lossWords(reason, facts.brand) })),
      sample: facts.sample.map(({ reason, ...one }) => ({ ...one, reason: lossWords(reason, facts.brand) })),
    },
    trialMinutes,
  };
}

/** The worst first. */
export const lossReasons: readonly LossReason[] = ['stranded', 'matching', 'linked'];

export function lossWords(reason: LossReason, brand: string): string {
  switch (reason) {
    case 'linked':
      return `not exempt; enters through ${brand}`;
    case 'matching':
      return `not exempt; somebody in ${brand} has the same address and is linked at the first entry`;
    default:
      return `not exempt, and nobody in ${brand} belongs to it: it cannot get in at all`;
  }
}

function signedInCheck({ module, brand, acting, signedInAt }: PreflightFacts, now: Date): Check {
  const name = 'signed_in';
  if (isJustNow(signedInAt, now))
    return {
      name,
      passed: true,
      isUnderWay: false,
      sentence: `You entered ${module} through ${brand} ${relative(signedInAt < now ? signedInAt : now, now)}.`,
    };
  const sentence =
    acting === null
      ? `You are not in ${module} through ${brand}. Log out there, log in with ${brand}, and come back within 10 minutes.`
      : `You have not entered ${module} through ${brand} in the last 10 minutes. Do it now in another window, to see that it works, and come back.`;
  return { name, passed: false, isUnderWay: false, sentence };
}

function waysCheck({ waysIn, module, brand }: PreflightFacts): Check {
  return {
    name: 'ways_in',
    passed: isEnough(waysIn),
    isUnderWay: false,
    sentence: waysSentence(waysIn, { module, brand }),
  };
}

function accountsCheck({ module, isReadable, readAt, isBeingRead, problem }: PreflightFacts, now: Date): Check {
  const name = 'accounts';
  if (readAt !== null && readAt > after(now, -readWithin))
    return { name, passed: true, isUnderWay: false, sentence: `The list of accounts is ${age(readAt, now)} old.` };
  if (!isReadable)
    return {
      name,
      passed: false,
      isUnderWay: false,
      sentence: `${module} has given no address for its accounts, so nobody can say who would be locked out.`,
    };
  if (isBeingRead || problem === null)
    return {
      name,
      passed: false,
      isUnderWay: true,
      sentence: 'The list of accounts is being read. Look again in a minute.',
    };
  return {
    name,
    passed: false,
    isUnderWay: false,
    sentence: `The accounts of ${module} could not be read. ${problem}`,
  };
}

/** Whether a reading is to be asked for: one is needed, possible, and neither under way nor just failed. */
export const needsReading = ({ isReadable, readAt, isBeingRead, problem }: PreflightFacts, now: Date): boolean =>
  isReadable && !isBeingRead && problem === null && (readAt === null || readAt <= after(now, -readWithin));

function age(at: Date, now: Date): string {
  const passed = Math.max(0, now.getTime() - at.getTime());
  if (passed < minutes(1)) return 'less than a minute';
  const format = (n: number, unit: string) => `${n} ${unit}${n === 1 ? '' : 's'}`;
  return passed < hours(2)
    ? format(Math.floor(passed / minutes(1)), 'minute')
    : format(Math.floor(passed / hours(1)), 'hour');
}

/** How the requirement stands right now; `over`: the trial has run out, and is about to be reverted. */
export type Standing = 'off' | 'trial' | 'over' | 'on';

export function standingOf(settings: Settings, now: Date): Standing {
  const { state } = settings.require;
  if (!settings.enabled || state === 'off') return 'off';
  if (state === 'on') return 'on';
  return isRequired(settings, now) ? 'trial' : 'over';
}

export interface Trial {
  companyId: CompanyId;
  instanceId: InstanceId;
  began: Date;
  ends: Date;
}
