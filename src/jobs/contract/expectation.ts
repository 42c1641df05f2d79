// What the cases work with: the bench, what they say, the accounts that they make, and how an account is held against what was wanted.
import { type Profile, permissionField } from '../../domain/modules/profile.ts';
import type { Wanted } from '../../domain/provisioning/account.ts';
import type { SeenAccount } from '../../domain/provisioning/drift.ts';
import type { AccountClient } from './client.ts';
import type { Wire } from './wire.ts';

export interface Bench {
  profile: Profile;
  /** Waits and tries again as deliveries do. */
  client: AccountClient;
  wire: Wire;
  /** Begins the names of all accounts of this run. */
  prefix: string;
  /** Id of the account that most cases are about; null until it is made. */
  account: string | null;
  /** Milliseconds that were waited since the last look. */
  waited(): number;
}

export type Verdict = { outcome: 'passed' | 'failed' | 'skipped'; sentence: string; advice: string };

export const passed = (sentence: string): Verdict => ({ outcome: 'passed', sentence, advice: '' });
export const failed = (sentence: string, advice: string): Verdict => ({ outcome: 'failed', sentence, advice });
export const skipped = (sentence: string): Verdict => ({ outcome: 'skipped', sentence, advice: '' });

export const testNames = ['a', 'b', 'c', 'd', 'renamed'] as const;
export type TestName = (typeof testNames)[number];

export const addressOf = ({ prefix }: Pick<Bench, 'prefix'>, name: TestName): string => `${prefix}-${name}@example.com`;

/** The user name is an address: many modules take nothing else. */
export const userNameOf = addressOf;

/** A whole new account, with everything that the profile asks for. */
export function wantedOf(bench: Pick<Bench, 'profile' | 'prefix'>, name: TestName): Wanted {
  const { fields } = bench.profile;
  const values = fields
    .filter(({ type }) => type === 'choice' || type === 'text')
    .map(({ name, choices }): [string, string] => [name, choices[0] ?? 'Contract test']);
  const permission = permissionField(bench.profile)?.choices[0];
  return {
    active: true,
    userName: userNameOf(bench, name),
    email: addressOf(bench, name),
    firstName: 'Unified',
    lastName: 'Login Test',
    knownAs: `${bench.prefix}-${name}`,
    ...(permission === undefined ? {} : { permissions: [permission] }),
    ...(fields.some(({ type }) => type === 'timeZone') ? { timeZone: 'Europe/Berlin' } : {}),
    ...(values.length > 0 ? { fields: Object.fromEntries(values) } : {}),
  };
}

const same = (one: string, other: string): boolean => one.toLowerCase() === other.toLowerCase();

/** What of an account is other than wanted, in words; empty: nothing. */
function differences(wanted: Wanted, seen: SeenAccount): string[] {
  const differs: [string, unknown, unknown][] = [];
  const look = (label: string, is: unknown, should: unknown, isSame = is === should) => {
    if (should !== undefined && !isSame) differs.push([label, is, should]);
  };
  look('active', seen.isActive, wanted.active);
  look('userName', seen.username, wanted.userName, same(seen.username, wanted.userName ?? ''));
  look('emails', seen.email, wanted.email, same(seen.email, wanted.email ?? ''));
  look('name.givenName', seen.firstName, wanted.firstName);
  look('name.familyName', seen.lastName, wanted.lastName);
  look('timezone', seen.timeZone, wanted.timeZone);
  look('externalId', seen.knownAs, wanted.knownAs);
  const permissions = (list: string[] | undefined) => list?.toSorted().join(', ');
  look('roles', permissions(seen.permissions), permissions(wanted.permissions));
  return differs.map(([label, is, should]) => `${label} is ${shown(is)} and should be ${shown(should)}`);
}

const shown = (value: unknown): string => (value === null || value === '' ? 'not there' : JSON.stringify(value));

const sentenceOf = (all: string[]): string => `Read back: ${all.join('; ')}.`;

/** Changes the account, reads it back, and holds it against what was wanted. */
export async function changeAndLook(
  bench: Bench,
  id: string,
  wanted: Wanted,
  done: string,
  advice: string,
): Promise<Verdict> {
  await bench.client.change(id, wanted, null);
  return look(bench, id, wanted, done, advice);
}

export async function look(bench: Bench, id: string, wanted: Wanted, done: string, advice: string): Promise<Verdict> {
  const seen = await bench.client.read(id);
  if (!seen) return failed('The account is not there any more.', advice);
  const wrong = differences(wanted, seen);
  return wrong.length === 0 ? passed(done) : failed(sentenceOf(wrong), advice);
}
