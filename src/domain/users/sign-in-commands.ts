// The steps of signing in that ask the database. A refusal is a value, not an exception: its counter and audit event are committed.
import { randomBytes } from 'node:crypto';
import { addressKey } from '../../lib/addresses.ts';
import { cut } from '../../lib/cut.ts';
import { tooManyRequests } from '../../lib/errors.ts';
import type { CompanyId, UserId } from '../../lib/ids.ts';
import { tokenHash } from '../../lib/secrets.ts';
import { after, minutes } from '../../lib/time.ts';
import { transaction, type Work } from '../../work.ts';
import { supportCode } from '../audit/audit-event.ts';
import { record } from '../audit/commands.ts';
import { companyKey } from '../companies/company.ts';
import { matchTotp, newRecoveryCodes, recoveryCodeHash } from '../credentials/totp.ts';
import { sendMail } from '../mails/commands.ts';
import { standingChanged } from '../standing/commands.ts';
import { factorPurpose, storePassword } from './password-commands.ts';
import {
  addressWait,
  decidePassword,
  isLocked,
  type Refusal,
  type RefusalReason,
  type SignedIn,
  type SignInFacts,
  type SignInWay,
  type Step,
  standingRefusal,
  stepAfterPassword,
} from './sign-in.ts';
import { fullName, usernameKey } from './user.ts';

/** Who is trying, from which browser. `browserToken` is the long-lived cookie, hashed at rest. */
export interface Attempt {
  company: string;
  username: string;
  browserToken: string;
}

/** Names a stored value in the browser's ticket: hashes and boxes of secrets do not leave the server, not even sealed. */
const digest = tokenHash;

const addressWindow = minutes(10);

const defaultLock = { threshold: 5, minutes: 10 };

/** @throws AppError 429 when the network address has to wait. */
export async function readFacts(work: Work, attempt: Attempt): Promise<SignInFacts> {
  const facts = await work.store.signIns.read({
    companyKey: companyKey(attempt.company),
    usernameKey: usernameKey(attempt.username),
    browserHash: tokenHash(attempt.browserToken),
    address: addressKey(work.origin.ip),
    ip: work.origin.ip,
    now: work.now,
  });
  const wait = addressWait(facts, work.config.failuresPerAddress, work.now);
  // Before any hashing, and the same for every name (AUT-08).
  if (wait !== null) throw tooManyRequests(wait);
  return facts;
}

export type Refused = { outcome: 'refused'; code: string; mustUseSso: boolean };

/** Counts and records a failed try; tells the person once when it locked them (T10). */
export async function refuse(work: Work, attempt: Attempt, facts: SignInFacts, refusal: Refusal): Promise<Refused> {
  const { user, company, browser } = facts;
  const lock = company?.policy.lock ?? defaultLock;
  const code = supportCode(randomBytes(8));
  const lockEndsAt = after(work.now, minutes(lock.minutes));
  const locks = await work.store.signIns.fail({
    userId: user?.id ?? null,
    companyId: company?.id ?? null,
    browserHash: browser ? tokenHash(attempt.browserToken) : null,
    counts: refusal.counts,
    threshold: lock.threshold,
    lockEndsAt,
    address: addressKey(work.origin.ip),
    windowEndsAt: after(work.now, addressWindow),
    details: {
      reason: refusal.reason,
      company: cut(attempt.company, 100),
      username: cut(attempt.username, 100),
    },
    code,
    by: work,
  });
  if (locks && user && company) await tellLocked(work, company, user, lockEndsAt);
  return { outcome: 'refused', code, mustUseSso: facts.mustUseSso };
}

async function tellLocked(
  work: Work,
  company: NonNullable<SignInFacts['company']>,
  user: NonNullable<SignInFacts['user']>,
  until: Date,
): Promise<void> {
  await sendMail(work, {
    kind: 'locked',
    companyId: company.id,
    userId: user.id,
    recipient: user.email,
    data: {
      name: fullName(user),
      company: company.name,
      username: user.username,
      until: until.toISOString(),
      ip: work.origin.ip,
    },
  });
}

export type PasswordResult =
  | Refused
  | {
      outcome: 'accepted';
      userId: UserId;
      companyId: CompanyId;
      proved: string;
      step: Step;
      reason: 'first' | 'expired' | 'reset';
      /** A recovery code may stand in for the app. */
      mayRecover: boolean;
    };

/** Screen 2 of D.5. Unknown, deactivated, locked and wrong all take one hash and one answer (AUT-05). */
export function tryPassword(work: Work, attempt: Attempt, password: string): Promise<PasswordResult> {
  return work.hasher.admit(() => checkPassword(work, attempt, password));
}

async function checkPassword(work: Work, attempt: Attempt, password: string): Promise<PasswordResult> {
  const facts = await readFacts(work, attempt);
  const hash = facts.credential?.hash ?? null;
  const decision = decidePassword(facts, await work.hasher.verify(hash, password), work.now);
  if (decision.outcome === 'refused') return refuse(work, attempt, facts, decision);
  // Hashing took its time, and others did not wait: many tries at once must not outrun the lock that they earn (AUT-06).
  const present = await readFacts(work, attempt);
  const { user, company, credential } = present;
  const matches = credential?.hash === hash || (await work.hasher.verify(credential?.hash ?? null, password));
  const confirmed = decidePassword(present, matches, work.now);
  if (confirmed.outcome === 'refused') return refuse(work, attempt, present, confirmed);
  if (!user || !company || !credential) throw new Error('accepted without a person');
  const ids = { userId: user.id, companyId: company.id };
  const proved = digest(await strengthened(work, ids, credential.hash, password));
  const { mfa } = company.policy;
  return {
    outcome: 'accepted',
    ...ids,
    proved,
    ...stepAfterPassword(present, work.now),
    mayRecover: mfa.recoveryCodes,
  };
}

/** A weaker hash is replaced (AUT-04). @returns the hash that this password is kept as from now on. */
async function strengthened(work: Work, who: SignedIn, hash: string, password: string): Promise<string> {
  if (!work.hasher.needsRehash(hash)) return hash;
  const { credentials } = work.store.of(who.companyId);
  const stronger = await work.hasher.hash(password);
  if (await credentials.rehash(who.userId, hash, stronger)) return stronger;
  // Another sign-in was faster, or another password was set.
  const present = (await credentials.findPassword(who.userId))?.hash ?? null;
  return present !== null && (await work.hasher.verify(present, password)) ? present : hash;
}

/** What the second half of a sign-in knows from the first: sealed into the browser's ticket, checked again here. */
export interface Half extends Attempt {
  userId: UserId;
  /** Digest of the password's hash that was proved. Not the time: nodes have clocks of their own. */
  proved: string;
  /** Digest of the factor that was just enrolled, behind its first code. */
  enrolled: string;
  /** The connection whose identity provider was believed instead of a password. */
  upstream: string | null;
  /** Its answer: it counts until the person is logged out there. */
  arrival: string | null;
}

const wayOf = ({ upstream }: Half): SignInWay => (upstream === null ? 'password' : 'upstream');

export interface Answer {
  /** Id of the engine's waiting request, hashed as the adapter does. */
  interactionId: string;
  /** Builds the engine's answer from how the person proved themselves. */
  result: (proof: { userId: UserId; amr: string[] }) => object;
}

/** Something changed since the password was typed, or the person was logged out at their identity provider: back to the first screen. */
export type Overtaken = { outcome: 'start-again' } | { outcome: 'logged-out' };

export type CodeResult = Refused | ({ outcome: 'signed-in' } & SignedIn) | Overtaken;

const isLoggedOut = async (work: Work, { arrival }: Half): Promise<boolean> =>
  arrival !== null && (await work.store.signIns.isLoggedOut(arrival));

const overtaken = async (work: Work, half: Half): Promise<Overtaken> => ({
  outcome: (await isLoggedOut(work, half)) ? 'logged-out' : 'start-again',
});

/** For the audit log. */
const howOf = ({ upstream }: Half, method: string) =>
  upstream === null ? { method } : { method: `sso-${method}`, connection: upstream };

async function readHalf(work: Work, half: Half): Promise<{ facts: SignInFacts; stands: boolean }> {
  const facts = await readFacts(work, half);
  // A password that was set since then is not the one that was proved: whoever knew the old one starts again (AUT-13).
  const isProved =
    half.upstream === null
      ? facts.credential === null || digest(facts.credential.hash) === half.proved
      : !(await isLoggedOut(work, half));
  return { facts, stands: facts.user?.id === half.userId && isProved };
}

/** The person at a step behind the password, or null when something stands against it or another step is due. */
async function placeAt(work: Work, half: Half, step: Step) {
  const { facts, stands } = await readHalf(work, half);
  const { user, company } = facts;
  const way = wayOf(half);
  if (!stands || !user || !company || standingRefusal(facts, work.now, way)) return null;
  return stepAfterPassword(facts, work.now, way).step === step ? { facts, user, company } : null;
}

/** RFC 8176 names: password, or another identity provider, and one-time code, hence more than one factor. */
const methods: Record<SignInWay, string[]> = { password: ['pwd', 'otp', 'mfa'], upstream: ['fed', 'otp', 'mfa'] };

export async function tryCode(
  work: Work,
  half: Half,
  method: 'totp' | 'recovery',
  typed: string,
  answer: Answer,
): Promise<CodeResult> {
  const { facts, stands } = await readHalf(work, half);
  if (!stands) return overtaken(work, half);
  const { user, company, credential, factor } = facts;
  const way = wayOf(half);
  const standing = standingRefusal(facts, work.now, way);
  if (standing || !user || !company || (way === 'password' && !credential))
    return refuse(work, half, facts, { outcome: 'refused', reason: standing ?? 'unknown-user', counts: false });
  if (stepAfterPassword(facts, work.now, way).step !== 'code' || !factor) return { outcome: 'start-again' };

  const proof = checkProof(work, factor, method, typed);
  const wrong = (reason: RefusalReason) => refuse(work, half, facts, { outcome: 'refused', reason, counts: true });
  if (!proof || (method === 'recovery' && !company.policy.mfa.recoveryCodes)) return wrong('wrong-code');
  const result = await work.store.signIns.complete({
    userId: user.id,
    passwordHash: credential?.hash ?? '',
    proof,
    upstream: half.upstream,
    arrival: half.arrival,
    isKnownBrowser: facts.browser !== null && !isLocked(facts, work.now),
    browserHash: tokenHash(half.browserToken),
    interactionId: answer.interactionId,
    result: answer.result({ userId: user.id, amr: methods[wayOf(half)] }),
    details: howOf(half, method),
    by: { ...work, actor: { kind: 'user', id: user.id, name: user.username } },
  });
  if (!result.proved) return overtaken(work, half);
  if (!result.taken) return wrong(method === 'totp' ? 'used-code' : 'wrong-code');
  if (!result.completed) return refuse(work, half, facts, { outcome: 'refused', reason: 'locked', counts: false });
  if (method === 'recovery') await tellRecoveryCodeUsed(work, facts, company.id);
  if (!result.answered) return { outcome: 'start-again' };
  return { outcome: 'signed-in', userId: user.id, companyId: company.id };
}

function checkProof(
  work: Work,
  factor: NonNullable<SignInFacts['factor']>,
  method: 'totp' | 'recovery',
  typed: string,
) {
  if (method === 'recovery') return { recoveryCodeHash: recoveryCodeHash(typed) };
  const secret = work.keyring.open(factorPurpose, factor.sealedSecret);
  const step = matchTotp(secret, typed, work.now, factor.lastStep);
  return step === null ? null : { step };
}

async function tellRecoveryCodeUsed(work: Work, facts: SignInFacts, companyId: CompanyId): Promise<void> {
  const { user, company } = facts;
  if (!user || !company) return;
  await transaction(work, async (work) => {
    await record(work, {
      action: 'user.recoveryCode.used',
      companyId,
      target: { kind: 'user', id: user.id },
      details: { left: facts.recoveryCodesLeft - 1 },
    });
    await sendMail(work, {
      kind: 'recoveryCodeUsed',
      companyId,
      userId: user.id,
      recipient: user.email,
      data: {
        name: fullName(user),
        company: company.name,
        left: facts.recoveryCodesLeft - 1,
        ip: work.origin.ip,
        at: work.now.toISOString(),
      },
    });
  });
}

export type SetPasswordResult =
  | { outcome: 'done'; proved: string; step: Step; reason: 'first' | 'expired' | 'reset' }
  | { outcome: 'refused'; problems: string[] }
  | { outcome: 'start-again' };

/** A password that must be replaced before anything else (D.5 step 3, C39). */
export async function setPasswordDuringSignIn(work: Work, half: Half, password: string): Promise<SetPasswordResult> {
  const place = await placeAt(work, half, 'set-password');
  if (!place) return { outcome: 'start-again' };
  const { facts, user, company } = place;
  const stored = await storePassword(work, {
    companyId: company.id,
    userId: user.id,
    password,
    keepBrowser: tokenHash(half.browserToken),
    proved: facts.credential?.hash ?? null,
  });
  if (stored.outcome === 'overtaken') return { outcome: 'start-again' };
  if (stored.outcome === 'refused') return stored;
  const next = await readFacts(work, half);
  return { outcome: 'done', proved: digest(stored.hash), ...stepAfterPassword(next, work.now) };
}

export type EnrolResult = Refused | { outcome: 'enrolled'; enrolled: string; recoveryCodes: string[] } | Overtaken;

/** The first right code makes the factor active (AUT-20), and an invited person Active (T6, C1). */
export async function enrolDuringSignIn(work: Work, half: Half, secret: string, typed: string): Promise<EnrolResult> {
  const place = await placeAt(work, half, 'enrol');
  if (!place) return overtaken(work, half);
  const { facts, user, company } = place;
  const step = matchTotp(secret, typed, work.now, 0);
  if (step === null) return refuse(work, half, facts, { outcome: 'refused', reason: 'wrong-code', counts: true });
  const recoveryCodes = company.policy.mfa.recoveryCodes ? newRecoveryCodes() : [];
  const sealedSecret = work.keyring.seal(factorPurpose, secret);
  const enrolled = await transaction(work, async (tx) => {
    const { users, credentials } = tx.store.of(company.id);
    const present = await users.lockById(user.id);
    // Another browser may have enrolled meanwhile: its factor must not be replaced by one that a thief of the password brings.
    if (!present || (!present.mustEnrol2fa && (await credentials.findTotp(user.id)))) return false;
    // And a deactivation since the facts were read must not be undone by the line that makes them Active.
    if (present.baseStatus !== user.baseStatus) return false;
    await credentials.setTotp(user.id, sealedSecret, tx.now, step);
    await credentials.replaceRecoveryCodes(user.id, recoveryCodes.map(recoveryCodeHash));
    await users.update(user.id, { mustEnrol2fa: false, baseStatus: 'Active' });
    const by: Work = { ...tx, actor: { kind: 'user', id: user.id, name: user.username } };
    const target = { kind: 'user' as const, id: user.id };
    await record(by, { action: 'user.2fa.enrol', companyId: company.id, target, details: { kind: 'totp' } });
    if (present.baseStatus === 'Invited')
      await record(by, { action: 'user.activate', companyId: company.id, target, details: { by: 'sign-up' } });
    if (present.baseStatus === 'Invited')
      await standingChanged(by, { companyId: company.id, userIds: [user.id], instanceIds: null, cause: 'signed up' });
    await sendMail(by, {
      kind: 'secondFactorEnrolled',
      companyId: company.id,
      userId: user.id,
      recipient: user.email,
      data: { name: fullName(user), company: company.name, ip: work.origin.ip, at: work.now.toISOString() },
    });
    return true;
  });
  return enrolled ? { outcome: 'enrolled', enrolled: digest(sealedSecret), recoveryCodes } : { outcome: 'start-again' };
}

/** After the recovery codes were shown: the proof was the password and the first code, minutes ago. */
export async function finishEnrolment(work: Work, half: Half, answer: Answer): Promise<CodeResult> {
  const place = await placeAt(work, half, 'code');
  if (!place) return overtaken(work, half);
  const { facts, user, company } = place;
  const { credential, factor } = facts;
  // The first code was proof for the factor that it confirmed, and for no other that took its place since (AUT-24).
  const isWhole = credential !== null || half.upstream !== null;
  if (!isWhole || !factor || digest(factor.sealedSecret) !== half.enrolled) return { outcome: 'start-again' };
  const result = await work.store.signIns.complete({
    userId: user.id,
    passwordHash: credential?.hash ?? '',
    proof: 'given',
    upstream: half.upstream,
    arrival: half.arrival,
    isKnownBrowser: facts.browser !== null,
    browserHash: tokenHash(half.browserToken),
    interactionId: answer.interactionId,
    result: answer.result({ userId: user.id, amr: methods[wayOf(half)] }),
    details: howOf(half, 'enrolment'),
    by: { ...work, actor: { kind: 'user', id: user.id, name: user.username } },
  });
  if (!result.completed || !result.answered) return overtaken(work, half);
  return { outcome: 'signed-in', userId: user.id, companyId: company.id };
}

export type UpstreamResult =
  | ({ outcome: 'signed-in' } & SignedIn)
  /** C25: our own second factor is asked for as well. */
  | { outcome: 'second-factor'; step: 'code' | 'enrol'; reason: 'first' | 'reset'; mayRecover: boolean }
  | Overtaken;

/** The identity provider of the company was believed: nothing more, or the second factor, stands between. */
export async function finishUpstream(
  work: Work,
  half: Half & { upstream: string; arrival: string },
  asksSecondFactor: boolean,
  answer: Answer,
): Promise<UpstreamResult> {
  const { facts, stands } = await readHalf(work, half);
  const { user, company } = facts;
  if (!stands || !user || !company) return overtaken(work, half);
  if (asksSecondFactor) {
    const { step, reason } = stepAfterPassword(facts, work.now, 'upstream');
    const mayRecover = company.policy.mfa.recoveryCodes;
    return {
      outcome: 'second-factor',
      step: step === 'enrol' ? 'enrol' : 'code',
      reason: reason === 'reset' ? 'reset' : 'first',
      mayRecover,
    };
  }
  const result = await work.store.signIns.complete({
    userId: user.id,
    passwordHash: '',
    proof: 'given',
    upstream: half.upstream,
    arrival: half.arrival,
    isKnownBrowser: facts.browser !== null,
    browserHash: tokenHash(half.browserToken),
    interactionId: answer.interactionId,
    result: answer.result({ userId: user.id, amr: ['fed'] }),
    details: { method: 'sso', connection: half.upstream },
    by: { ...work, actor: { kind: 'user', id: user.id, name: user.username } },
  });
  if (!result.completed || !result.answered) return overtaken(work, half);
  return { outcome: 'signed-in', userId: user.id, companyId: company.id };
}
