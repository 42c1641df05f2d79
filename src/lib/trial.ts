// A switch that could lock people out is on trial first: it reverts by itself unless somebody comes in through it again (C30, C26). Pure.
import { after, minutes } from './time.ts';

export const trialMinutes = 30;

/** So recently somebody must have come in through what is to be required. */
export const signedInWithin = minutes(10);

/** Nodes whose clocks differ by a minute or two must not refuse what happened just now. */
const skew = minutes(2);

export const isJustNow = (at: Date | null, now: Date): at is Date =>
  at !== null && at > after(now, -signedInWithin) && at <= after(now, skew);

/**
 * An entry later than the beginning confirms. The beginning is never earlier than the entry that the pre-flight saw, whichever node's
 * clock is fast, so that this one alone confirms nothing. Tokens count in whole seconds: one of the same second is no later one.
 */
export const trialBegins = (now: Date, seen: Date | null): Date => (seen !== null && seen > now ? seen : now);

export const confirms = (enteredAt: Date, began: Date): boolean =>
  Math.floor(enteredAt.getTime() / 1000) > Math.floor(began.getTime() / 1000);

/** A trial that is over binds nobody, whether or not the clock has been there to take it back. */
export const isBinding = (
  { state, trialEndsAt }: { state: 'off' | 'trial' | 'on'; trialEndsAt: Date | null },
  now: Date,
): boolean => state === 'on' || (state === 'trial' && trialEndsAt !== null && now < trialEndsAt);
