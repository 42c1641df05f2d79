// What all steps behind the password (or the upstream's yes) share: is it still true, and the statement that lets somebody in.
import type { UserId } from '../../lib/ids.ts';
import { tokenHash } from '../../lib/secrets.ts';
import type { Work } from '../../work.ts';
import { type Attempt, type Refused, readFacts } from './attempt-commands.ts';
import {
  type SignedIn,
  type SignInFacts,
  type SignInWay,
  type Step,
  standingRefusal,
  stepAfterPassword,
} from './sign-in.ts';
import type { Completion } from './sign-in-repository.ts';

/** Names a stored value in the browser's ticket: hashes and boxes of secrets do not leave the server, not even sealed. */
export const digest = tokenHash;

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

export const wayOf = ({ upstream }: Half): SignInWay => (upstream === null ? 'password' : 'upstream');

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

export const overtaken = async (work: Work, half: Half): Promise<Overtaken> => ({
  outcome: (await isLoggedOut(work, half)) ? 'logged-out' : 'start-again',
});

export async function readHalf(work: Work, half: Half): Promise<{ facts: SignInFacts; stands: boolean }> {
  const facts = await readFacts(work, half);
  // A password that was set since then is not the one that was proved: whoever knew the old one starts again (AUT-13).
  const isProved =
    half.upstream === null
      ? facts.credential === null || digest(facts.credential.hash) === half.proved
      : !(await isLoggedOut(work, half));
  return { facts, stands: facts.user?.id === half.userId && isProved };
}

/** The person at a step behind the password, or null when something stands against it or another step is due. */
export async function placeAt(work: Work, half: Half, step: Step) {
  const { facts, stands } = await readHalf(work, half);
  const { user, company } = facts;
  const way = wayOf(half);
  if (!stands || !user || !company || standingRefusal(facts, work.now, way)) return null;
  return stepAfterPassword(facts, work.now, way).step === step ? { facts, user, company } : null;
}

/** How they proved themselves with a code besides: for the module in RFC 8176 names, and for the audit log. */
export const howOf = (half: Half, method: string) =>
  wayOf(half) === 'password'
    ? { amr: ['pwd', 'otp', 'mfa'], method }
    : { amr: ['fed', 'otp', 'mfa'], method: `sso-${method}` };

interface Proof extends Pick<Completion, 'proof' | 'isKnownBrowser'> {
  /** RFC 8176 names of how they proved themselves. */
  amr: string[];
  /** For the audit log. */
  method: string;
}

/** The one statement that lets somebody in, unless something has come between since the facts were read. */
export function completeSignIn(
  work: Work,
  half: Half,
  { user, credential }: { user: NonNullable<SignInFacts['user']>; credential: SignInFacts['credential'] },
  { amr, method, ...proof }: Proof,
  answer: Answer,
) {
  const { upstream, arrival } = half;
  return work.store.signIns.complete({
    ...proof,
    userId: user.id,
    passwordHash: credential?.hash ?? '',
    upstream,
    arrival,
    browserHash: tokenHash(half.browserToken),
    interactionId: answer.interactionId,
    result: answer.result({ userId: user.id, amr }),
    details: upstream === null ? { method } : { method, connection: upstream },
    by: { ...work, actor: { kind: 'user', id: user.id, name: user.username } },
  });
}
