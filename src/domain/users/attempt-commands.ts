// Each try to sign in: what is known of who is named, and how a refused one is counted and told.
import { addressKey } from '../../lib/addresses.ts';
import { cut } from '../../lib/cut.ts';
import { tooManyRequests } from '../../lib/errors.ts';
import { tokenHash } from '../../lib/secrets.ts';
import { after, minutes } from '../../lib/time.ts';
import type { Work } from '../../work.ts';
import { newSupportCode } from '../audit/audit-event.ts';
import { companyKey } from '../companies/company.ts';
import { sendMail } from '../mails/commands.ts';
import { addressWait, type Refusal, type SignInFacts } from './sign-in.ts';
import { fullName, usernameKey } from './user.ts';

/** Who is trying, from which browser. `browserToken` is the long-lived cookie, hashed at rest. */
export interface Attempt {
  company: string;
  username: string;
  browserToken: string;
}

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
  const code = newSupportCode();
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
