// Exceptions from the requirement (A8.6): what may be entered. Pure.
import { z } from 'zod';
import { after, days, hours } from '../../lib/time.ts';
import type { Exception } from './settings.ts';

/** An exception as lists show it. */
export interface ExceptionRow extends Exception {
  createdAt: Date;
  createdBy: string;
  /** It has ended, and exempts nobody any more. */
  isOver: boolean;
  /** What the module told of the account; null: nothing, or it is gone there. */
  account: { isActive: boolean; hasLocalLogin: boolean | null; isAdministrator: boolean; email: string } | null;
  /** It can get in without us, as an administrator. */
  isWayIn: boolean;
}

const line = (limit: number, empty: string, what: string) =>
  z
    .string()
    .trim()
    .min(1, empty)
    .max(limit, `${what} has ${limit} characters at most.`)
    .regex(/^[^\p{Cc}\p{Zl}\p{Zp}]*$/u, `${what} is one line.`);

/** The end, or none by explicit choice. */
const ending = {
  reason: line(200, 'Enter a reason: others want to know why.', 'A reason'),
  endsAt: z.date('Enter the day on which it ends.').nullable(),
  noEnd: z.boolean(),
};

export const exceptionInput = z.strictObject({
  accountId: line(200, 'Choose an account of the module.', 'An account id'),
  /** As the module calls it; without it what the module told at its last reading. */
  userName: z.string().trim().max(200).optional(),
  kind: z.enum(['person', 'emergency']),
  ...ending,
});

export type ExceptionInput = z.input<typeof exceptionInput>;

export const exceptionChange = z.strictObject({ kind: z.enum(['person', 'emergency']), ...ending });

export type ExceptionChange = z.input<typeof exceptionChange>;

/** Shorter, and nobody could be told before it ends. */
const leastLife = hours(1);
/** What is longer is no exception with an end. */
const longestLife = days(366);

/** Why this end is none, by field; empty when it may be. */
export function endProblems(
  { endsAt, noEnd }: { endsAt: Date | null; noEnd: boolean },
  now: Date,
): Record<string, string> {
  if (endsAt === null) return noEnd ? {} : { endsAt: 'Enter the day on which it ends, or choose "No end".' };
  if (noEnd) return { endsAt: 'Either a day on which it ends, or "No end".' };
  if (endsAt < after(now, leastLife)) return { endsAt: 'The end must be an hour from now, or later.' };
  if (endsAt > after(now, longestLife))
    return { endsAt: 'The end is a year from now at the latest. For longer choose "No end".' };
  return {};
}

export const mostExceptions = 500;

/** Days before the end on which the administrators are reminded, first to last. */
export const reminderDays = [7, 1] as const;

/** The reminder that is due now: the last one whose time has come, unless it or a later one went out already. */
export function dueReminder(
  { endsAt, remindedDays }: { endsAt: Date | null; remindedDays: number | null },
  now: Date,
): number | null {
  if (endsAt === null || endsAt <= now) return null;
  const due = reminderDays.findLast((daysBefore) => endsAt <= after(now, days(daysBefore)));
  return due === undefined || (remindedDays !== null && remindedDays <= due) ? null : due;
}
