// Enforce Log In with SSO (C26) without locking anybody out: who is exempt, the pre-flight, and the trial that ends by itself. Pure.
import type { UserId } from '../../lib/ids.ts';
import { relative } from '../../lib/time.ts';
import { isBinding, isJustNow, trialMinutes } from '../../lib/trial.ts';
import { canMend, type SsoWayIn } from '../users/sso-ways-in.ts';

/** `trial`: in force until `trialEndsAt`, and for good once a second sign-in has confirmed it. */
export type EnforceState = 'off' | 'trial' | 'on';

interface Switches {
  enabled: boolean;
  enforce: { state: EnforceState; trialEndsAt: Date | null };
}

export const isEnforced = ({ enabled, enforce }: Switches, now: Date): boolean => enabled && isBinding(enforce, now);

/** How it stands right now; `over`: the trial has run out, and is about to be reverted. */
export type EnforceStanding = 'off' | 'trial' | 'over' | 'on';

export function standingOf(switches: Switches, now: Date): EnforceStanding {
  if (!switches.enabled || switches.enforce.state === 'off') return 'off';
  if (switches.enforce.state === 'on') return 'on';
  return isEnforced(switches, now) ? 'trial' : 'over';
}

export interface BreakGlass {
  userId: UserId;
  endsAt: Date | null;
}

export const isInForce = ({ endsAt }: Pick<BreakGlass, 'endsAt'>, now: Date): boolean =>
  endsAt === null || now < endsAt;

/** Two people, and one of them at least can turn it off again. */
export const isEnough = (ways: readonly SsoWayIn[]): boolean => ways.length >= 2 && ways.some(canMend);

export function waysSentence(ways: readonly SsoWayIn[]): string {
  const names = ways.map(({ name }) => name);
  if (isEnough(ways)) return `${listed(names)} can log in with a password whatever is enforced.`;
  const instead =
    'Add an active administrator who has a password to the break-glass people: two ways in are needed, one of them an administrator.';
  if (ways.length === 0) return `Nobody could log in without single sign-on. ${instead}`;
  if (ways.length === 1) return `Only ${names[0]} could log in without single sign-on. ${instead}`;
  return `${listed(names)} could log in without single sign-on, but no administrator. ${instead}`;
}

const shown = 4;

function listed(names: readonly string[]): string {
  const head = names.length > shown ? [...names.slice(0, shown - 1), `${names.length - shown + 1} others`] : [...names];
  const last = head.pop() ?? '';
  return head.length === 0 ? last : `${head.join(', ')} and ${last}`;
}

export type EnforceCheckName = 'signed_in' | 'tested' | 'ways_in';

export interface EnforceCheck {
  name: EnforceCheckName;
  passed: boolean;
  sentence: string;
}

/** Why people lose the password, and what is left to them. */
export type LossReason = 'known' | 'unseen';

/** The worst first. */
export const lossReasons: readonly LossReason[] = ['unseen', 'known'];

export const lossWords: Record<LossReason, string> = {
  unseen: 'has never logged in through this connection: make sure that it knows this person',
  known: 'has logged in through this connection before',
};

export interface LosesPassword {
  userId: UserId;
  username: string;
  name: string;
  reason: LossReason;
}

export interface EnforceFacts {
  connection: string;
  /** Who asks; null: the operator. */
  acting: UserId | null;
  /** When the acting person came in through this connection last. */
  signedInAt: Date | null;
  /** The acting person is the Root Admin, whom no address finds, and has bound no account there yet (C27). */
  mustBind: boolean;
  /** A test sign-in with the present settings has passed then. */
  testedAt: Date | null;
  waysIn: SsoWayIn[];
  /** Active people in all. */
  of: number;
  counts: Record<LossReason, number>;
  sample: LosesPassword[];
}

export interface EnforcePreflight {
  ready: boolean;
  checks: EnforceCheck[];
  mustBind: boolean;
  waysIn: SsoWayIn[];
  losesPassword: {
    count: number;
    of: number;
    reasons: { reason: LossReason; count: number; sentence: string }[];
    sample: (Omit<LosesPassword, 'reason'> & { reason: LossReason; sentence: string })[];
  };
  trialMinutes: number;
}

export const sampleSize = 10;

export function judgeEnforce(facts: EnforceFacts, now: Date): EnforcePreflight {
  const checks = [signedInCheck(facts, now), testedCheck(facts, now), waysCheck(facts)];
  return {
    ready: checks.every(({ passed }) => passed),
    checks,
    mustBind: facts.mustBind,
    waysIn: facts.waysIn,
    losesPassword: {
      count: facts.counts.known + facts.counts.unseen,
      of: facts.of,
      reasons: lossReasons
        .filter((reason) => facts.counts[reason] > 0)
        .map((reason) => ({ reason, count: facts.counts[reason], sentence: lossWords[reason] })),
      sample: facts.sample.map((one) => ({ ...one, sentence: lossWords[one.reason] })),
    },
    trialMinutes,
  };
}

function signedInCheck({ connection, acting, signedInAt, mustBind }: EnforceFacts, now: Date): EnforceCheck {
  const name = 'signed_in';
  if (isJustNow(signedInAt, now)) {
    const at = signedInAt < now ? signedInAt : now;
    return { name, passed: true, sentence: `You logged in through ${connection} ${relative(at, now)}.` };
  }
  if (mustBind) {
    const sentence = `The Root Admin is never found by an e-mail address. Test ${connection} first and choose “This is me” on its result; then log in through it in another window, and come back.`;
    return { name, passed: false, sentence };
  }
  const sentence =
    acting === null
      ? `Only an administrator who has just logged in through ${connection} can enforce it: log in to the console.`
      : `You have not logged in through ${connection} in the last 10 minutes. Do it now in another window, to see that it works, and come back.`;
  return { name, passed: false, sentence };
}

function testedCheck({ connection, testedAt }: EnforceFacts, now: Date): EnforceCheck {
  const name = 'tested';
  return testedAt === null
    ? { name, passed: false, sentence: `${connection} has not passed a test with its present settings. Test it first.` }
    : {
        name,
        passed: true,
        sentence: `${connection} passed its test ${relative(testedAt < now ? testedAt : now, now)}.`,
      };
}

const waysCheck = ({ waysIn }: EnforceFacts): EnforceCheck => ({
  name: 'ways_in',
  passed: isEnough(waysIn),
  sentence: waysSentence(waysIn),
});
