// Signing in with password and second factor (D.5): pure decisions from facts, with reasons. Enforcement and explanation share them.

import type { CompanyId, UserId } from '../../lib/ids.ts';
import { isWithin } from '../../lib/networks.ts';
import { after, minutes } from '../../lib/time.ts';
import type { CompanyPolicy } from '../companies/company.ts';
import { isPasswordExpired } from '../credentials/password.ts';
import type { BaseStatus, User } from './user.ts';

/** One read answers all that signing in asks. Absent company or person: null, never an error. */
export interface SignInFacts {
  company: { id: CompanyId; name: string; policy: CompanyPolicy } | null;
  user:
    | (Pick<
        User,
        | 'id'
        | 'username'
        | 'email'
        | 'firstName'
        | 'lastName'
        | 'role'
        | 'mustSetPassword'
        | 'mustEnrol2fa'
        | 'failures'
        | 'lockedUntil'
      > & {
        baseStatus: BaseStatus;
      })
    | null;
  credential: { hash: string; setAt: Date; isSingleUse: boolean } | null;
  factor: { sealedSecret: string; confirmedAt: Date; lastStep: number } | null;
  recoveryCodesLeft: number;
  /** The browser has signed in before as this very person (AUT-07). */
  browser: { failures: number; lockedUntil: Date | null } | null;
  /** Where the try comes from, and from where alone people of the company may log in; null: from anywhere (B.3). */
  from: { ip: string; allowed: string[] | null };
  /** The company enforces single sign-on, and this name is not excepted from it (C26); the same for a name that nobody has (AUT-05). */
  mustUseSso: boolean;
  /** Failures from this network address in the running window (AUT-08). */
  address: { failures: number; windowEndsAt: Date } | null;
}

export type RefusalReason =
  | 'unknown-company'
  /** The company's IP access list is on, and this address is not on it (B.3). */
  | 'address'
  | 'unknown-user'
  /** Single sign-on is enforced: no password counts (C26). */
  | 'sso'
  | 'not-signed-up'
  | 'deactivated'
  | 'locked'
  | 'no-password'
  | 'wrong-password'
  | 'no-factor'
  | 'wrong-code'
  | 'used-code'
  /** Asked again for the password or the code in the middle of a session (AUT-19). */
  | 'wrong-proof';

export type Refusal = { outcome: 'refused'; reason: RefusalReason; counts: boolean };

/** What may stand against a person before anything is typed: of a sign-in now, or of one that is played again under another policy. */
export interface StandingFacts extends Pick<SignInFacts, 'from' | 'browser'> {
  company: object | null;
  user: Pick<NonNullable<SignInFacts['user']>, 'baseStatus' | 'lockedUntil'> | null;
  credential: object | null;
  mustUseSso?: boolean;
}

/** How somebody begins to prove who they are: here, or at the identity provider of their company, which has been believed. */
export type SignInWay = 'password' | 'upstream';

/** Why this person could not sign in now whatever they type; null when nothing stands against it. Order of D.5 step 3. */
export function standingRefusal(facts: StandingFacts, now: Date, way: SignInWay = 'password'): RefusalReason | null {
  if (!facts.company) return 'unknown-company';
  if (!isAllowedFrom(facts.from)) return 'address';
  if (!facts.user) return 'unknown-user';
  if (facts.user.baseStatus === 'Deactivated' || facts.user.baseStatus === 'Deleted') return 'deactivated';
  if (way === 'password' && facts.mustUseSso) return 'sso';
  if (isLocked(facts, now)) return 'locked';
  if (way === 'password' && !facts.credential)
    return facts.user.baseStatus === 'Invited' ? 'not-signed-up' : 'no-password';
  return null;
}

/** For whoever asks without saying from where: then the list of addresses has nothing to say either. */
export const fromAnywhere = (facts: SignInFacts): SignInFacts => ({ ...facts, from: { ip: '', allowed: null } });

/** B.3, D.5 step 3. A session that lives already is not asked: the list is about logging in. */
export function isAllowedFrom({ ip, allowed }: SignInFacts['from']): boolean {
  return allowed === null || isWithin(allowed, ip);
}

/**
 * A lock earned by strangers does not hold a browser that has signed in before as this person (AUT-07);
 * such a browser has a count of its own.
 */
export function isLocked(facts: Pick<StandingFacts, 'user' | 'browser'>, now: Date): boolean {
  const until = facts.browser ? facts.browser.lockedUntil : (facts.user?.lockedUntil ?? null);
  return until !== null && until > now;
}

/** Reasons that count towards the lock (C7). */
export const countingReasons: readonly RefusalReason[] = ['wrong-password', 'wrong-code', 'used-code', 'wrong-proof'];

export interface Count {
  failures: number;
  lockedUntil: Date | null;
}

export const noFailures: Count = { failures: 0, lockedUntil: null };

/**
 * T10, T11: the count after one more failure. The statement that counts at signing in does the same with rows, since no failure
 * may be lost; a test holds the two against each other.
 */
export function afterFailure({ failures, lockedUntil }: Count, lock: CompanyPolicy['lock'], at: Date): Count {
  // A lock that has run out begins a new count.
  const next = lockedUntil !== null && lockedUntil <= at ? 1 : failures + 1;
  if (lockedUntil !== null && lockedUntil > at) return { failures: next, lockedUntil };
  return { failures: next, lockedUntil: next < lock.threshold ? null : after(at, minutes(lock.minutes)) };
}

export function decidePassword(facts: SignInFacts, matches: boolean, now: Date): Refusal | { outcome: 'accepted' } {
  const standing = standingRefusal(facts, now);
  // Only a wrong password counts: a try during a lock must not make it longer.
  if (standing) return { outcome: 'refused', reason: standing, counts: false };
  if (!matches) return { outcome: 'refused', reason: 'wrong-password', counts: true };
  return { outcome: 'accepted' };
}

export type Step = 'set-password' | 'enrol' | 'code';

/** What a person with the right password has to do next; none of these can be skipped. */
export function stepAfterPassword(
  facts: SignInFacts,
  now: Date,
  way: SignInWay = 'password',
): { step: Step; reason: 'first' | 'expired' | 'reset' } {
  const { user, credential, company, factor } = facts;
  const isLocal = way === 'password';
  if (isLocal && (user?.mustSetPassword || credential?.isSingleUse)) return { step: 'set-password', reason: 'first' };
  if (isLocal && credential && company && isPasswordExpired(credential.setAt, company.policy.password, now))
    return { step: 'set-password', reason: 'expired' };
  if (!factor || user?.mustEnrol2fa)
    return { step: 'enrol', reason: user?.baseStatus === 'Invited' ? 'first' : 'reset' };
  return { step: 'code', reason: 'first' };
}

/** Seconds that this network address has to wait, or null (AUT-08). Browsers that signed in before as this person go on. */
export function addressWait(facts: SignInFacts, limit: number, now: Date): number | null {
  if (facts.browser || !facts.address || facts.address.failures < limit || facts.address.windowEndsAt <= now)
    return null;
  return Math.ceil((facts.address.windowEndsAt.getTime() - now.getTime()) / 1000);
}

/** The one thing that every refused sign-in says, whatever the reason (AUT-05). */
export const refusedSentence =
  'That did not work. Check company, username and password. After several failed tries, logging in is paused for a while; you then get a mail that says until when.';
/** Said of everybody in a company that enforces it, whether there is such a person or not. */
export const ssoSentence =
  'Your company logs in with single sign-on, so no password is taken here. Go on with the button below.';
export const refusedCodeSentence = 'That code did not work. Enter the code that your app shows now.';
export const refusedRecoverySentence = 'That code did not work. Enter a recovery code that you have not used yet.';

export interface SignedIn {
  userId: UserId;
  companyId: CompanyId;
}

/** Authentication context class of password and second factor (OpenID Connect Core 2, acr). */
export const acrMultiFactor = 'urn:unified-login:mfa';

/** The identity provider of the company was believed, and no factor of ours was asked for (C25). */
export const acrUpstream = 'urn:unified-login:upstream';

export const acrOf = (amr: readonly string[]): string => (amr.includes('mfa') ? acrMultiFactor : acrUpstream);
