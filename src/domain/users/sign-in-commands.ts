// The steps of signing in: password, a new one in its place, code, or the word of another identity provider. A refusal is a value, not an
// exception: its counter and audit event are committed.
import type { CompanyId, UserId } from '../../lib/ids.ts';
import { tokenHash } from '../../lib/secrets.ts';
import { transaction, type Work } from '../../work.ts';
import { record } from '../audit/commands.ts';
import { matchTotp, recoveryCodeHash } from '../credentials/totp.ts';
import { sendMail } from '../mails/commands.ts';
import { type Attempt, type Refused, readFacts, refuse } from './attempt-commands.ts';
import { factorPurpose, storePassword } from './password-commands.ts';
import {
  type Answer,
  type CodeResult,
  completeSignIn,
  digest,
  type Half,
  howOf,
  type Overtaken,
  overtaken,
  placeAt,
  readHalf,
  wayOf,
} from './second-half-commands.ts';
import {
  decidePassword,
  isLocked,
  type RefusalReason,
  type SignedIn,
  type SignInFacts,
  type Step,
  standingRefusal,
  stepAfterPassword,
} from './sign-in.ts';
import { fullName } from './user.ts';

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
  const isKnownBrowser = facts.browser !== null && !isLocked(facts, work.now);
  const result = await completeSignIn(
    work,
    half,
    { user, credential },
    { proof, ...howOf(half, method), isKnownBrowser },
    answer,
  );
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
  const how = { proof: 'given' as const, amr: ['fed'], method: 'sso', isKnownBrowser: facts.browser !== null };
  const result = await completeSignIn(work, half, { user, credential: null }, how, answer);
  if (!result.completed || !result.answered) return overtaken(work, half);
  return { outcome: 'signed-in', userId: user.id, companyId: company.id };
}
