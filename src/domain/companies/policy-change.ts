// What an administrator may change of the company's policy (B.3), and what a change comes to. The IP access list has commands of its own.
import { z } from 'zod';
import { type CompanyPolicy, policySchema } from './company.ts';

const whole = (what: string, least: number, most: number, unit = '') => {
  const sentence = `${what} is a whole number from ${least} to ${most}${unit}.`;
  return z.number(sentence).int(sentence).min(least, sentence).max(most, sentence);
};

const lockSentence = 'The lock lasts from 1 minute to 23 hours and 59 minutes.';
const lasting = (sentence: string, least: number, most: number) =>
  z.number(sentence).int(sentence).min(least, sentence).max(most, sentence);
const sessionTime = (what: string) => lasting(`${what} is from 5 minutes to 24 hours.`, 5, 1440);

export const policyChangeSchema = z.object({
  password: z
    .object({
      minLength: whole('The minimum password length', 8, 64),
      requireLower: z.boolean(),
      requireUpper: z.boolean(),
      requireDigit: z.boolean(),
      requireSymbol: z.boolean(),
      history: whole('The number of passwords that may not come again', 0, 24),
      maxAgeDays: whole('The life of a password', 0, 365, ' days'),
    })
    .partial()
    .optional(),
  lock: z
    .object({
      threshold: whole('The number of failed logins', 5, 100),
      minutes: lasting(lockSentence, 1, 1439),
    })
    .partial()
    .optional(),
  session: z
    .object({
      idleMinutes: sessionTime('The time without use'),
      absoluteMinutes: sessionTime('The time in all'),
    })
    .partial()
    .optional(),
  mfa: z.object({ recoveryCodes: z.boolean() }).partial().optional(),
  notices: z.object({ deactivated: z.boolean() }).partial().optional(),
  reactivate: z.enum(['immediate', 'reinvite'], 'Choose how people come back.').optional(),
});

export type PolicyChange = z.input<typeof policyChangeSchema>;

const sections = ['password', 'lock', 'session', 'mfa', 'notices'] as const;

/** The policy with a change made to it; what the change does not name stays. */
export function withChange(policy: CompanyPolicy, change: PolicyChange): CompanyPolicy {
  const named = (values: object = {}) => Object.entries(values).filter(([, value]) => value !== undefined);
  const parts = sections.map((section) => [
    section,
    { ...policy[section], ...Object.fromEntries(named(change[section])) },
  ]);
  return policySchema.parse({
    ...policy,
    ...Object.fromEntries(parts),
    reactivate: change.reactivate ?? policy.reactivate,
  });
}

/** C37: being idle for longer than a session lasts in all would be a setting that means nothing. */
export function contradiction({ session }: CompanyPolicy): Record<string, string> | null {
  if (session.idleMinutes <= session.absoluteMinutes) return null;
  return { 'session.idleMinutes': 'The time without use cannot be longer than the time in all.' };
}

type Leaf = string | number | boolean;

function leaves(policy: object, prefix = ''): [path: string, value: Leaf][] {
  return Object.entries(policy).flatMap(([name, value]): [string, Leaf][] =>
    typeof value === 'object' ? leaves(value, `${prefix}${name}.`) : [[`${prefix}${name}`, value as Leaf]],
  );
}

/** What differs, for the audit log: before and after, by path. Null: nothing. */
export function differences(
  before: CompanyPolicy,
  after: CompanyPolicy,
): { before: Record<string, Leaf>; after: Record<string, Leaf> } | null {
  const was = new Map(leaves(before));
  const changed = leaves(after).filter(([path, value]) => was.get(path) !== value);
  if (changed.length === 0) return null;
  return {
    before: Object.fromEntries(changed.map(([path]) => [path, was.get(path) ?? ''])),
    after: Object.fromEntries(changed),
  };
}
