// Could somebody log in now, and what would be asked of them on the way: the rules of the sign-in, before anything is typed. Pure.
import { type RefusalReason, type SignInFacts, type SignInWay, standingRefusal, stepAfterPassword } from './sign-in.ts';
import type { User } from './user.ts';

export interface Comer {
  /** As a login reads them. */
  signIn: SignInFacts;
  /** How they prove who they are: an upstream is believed in place of the password (C26, C9). */
  way: SignInWay;
  /** Behind an upstream, our own second factor is asked for as well (C25). */
  asksFactor: boolean;
}

export interface Standing {
  refusal: RefusalReason | null;
  /** What has to be done on the way; null when they are refused, or nothing is. */
  step: 'set-password' | 'enrol' | null;
}

/** Password and second factor are the matter of their identity provider alone. */
export const isBelieved = ({ way, asksFactor }: Pick<Comer, 'way' | 'asksFactor'>): boolean =>
  way === 'upstream' && !asksFactor;

export function standingOf(comer: Comer, now: Date): Standing {
  const { signIn, way } = comer;
  const refusal = standingRefusal(signIn, now, way);
  // C9: a lock is of the password and of our codes.
  if (refusal !== null && !(refusal === 'locked' && isBelieved(comer))) return { refusal, step: null };
  if (isBelieved(comer)) return { refusal: null, step: null };
  const { step } = stepAfterPassword(signIn, now, way);
  return { refusal: null, step: step === 'code' ? null : step };
}

/** T9: the word of their identity provider activates whoever was invited, and verifies the address they were invited at. */
export const asArrived = <U extends Pick<User, 'baseStatus' | 'emailVerifiedAt'>>(
  user: U,
  { way }: Pick<Comer, 'way'>,
  now: Date,
): U =>
  way === 'upstream' && user.baseStatus === 'Invited'
    ? { ...user, emailVerifiedAt: user.emailVerifiedAt ?? now }
    : user;
