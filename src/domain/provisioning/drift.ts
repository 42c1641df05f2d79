// Drift: where the accounts of a module differ from what they should be (A8.7, C28, C32). A reading takes in the module's whole list,
// a report says of each account what it is; nothing is changed by either.
import type { CompanyId, InstanceId, UserId } from '../../lib/ids.ts';
import { minutes } from '../../lib/time.ts';
import type { Profile } from '../modules/profile.ts';

/** An account as the module tells of it. */
export interface SeenAccount {
  externalId: string;
  username: string;
  email: string;
  firstName: string;
  lastName: string;
  isActive: boolean;
  /** The one that counts stands first. */
  permissions: string[];
  timeZone: string | null;
  /** Our name for the person, if the module keeps one. */
  knownAs: string | null;
  /** Null: it does not say. */
  hasLocalLogin: boolean | null;
  isAdministrator: boolean | null;
  etag: string | null;
}

/** Where the module does not say who administers it, the permission does (C36). */
export const withAdministrator = (
  account: SeenAccount,
  { administrators }: Pick<Profile, 'administrators'>,
): SeenAccount => ({
  ...account,
  isAdministrator: account.isAdministrator ?? account.permissions.some((one) => administrators.includes(one)),
});

export const driftClasses = [
  'matched',
  'orphan',
  'missing',
  'status',
  'permission',
  'timeZone',
  'duplicate',
  'localPassword',
] as const;

export type DriftClass = (typeof driftClasses)[number];

/** Those that a plan can do something about, and the others, which are listed. */
export const plannable = ['orphan', 'missing', 'status', 'permission', 'timeZone'] as const satisfies DriftClass[];

/** `fresh`: not in the report before; `gone`: in that one only. */
export type DriftCounts = Partial<Record<DriftClass, { count: number; fresh: number; gone: number }>>;

export type ReadingCause = 'page' | 'clock' | 'require';

export interface Reading {
  id: string;
  companyId: CompanyId;
  instanceId: InstanceId;
  cause: ReadingCause;
  askedBy: string;
  state: 'reading' | 'judging' | 'done' | 'failed';
  nextIndex: number;
  read: number;
  announced: number | null;
  judgedAccount: string | null;
  judgedPerson: UserId | null;
  isWhole: boolean;
  problem: string | null;
  counts: DriftCounts;
  askedAt: Date;
  changedAt: Date;
  finishedAt: Date | null;
}

export const isUnderWay = ({ state }: Pick<Reading, 'state'>): boolean => state === 'reading' || state === 'judging';

export interface Finding {
  class: DriftClass;
  /** An account ("a" and its id there) or a person without one ("p" and their id here). */
  subject: string;
  externalId: string | null;
  userId: UserId | null;
  account: string;
  person: string;
  isAdministrator: boolean;
  before: string;
  after: string;
  why: string;
  isNew: boolean;
}

export const readAccountsJob = 'read-accounts';

/** More accounts than any module of one company has. */
export const mostAccounts = 200_000;

/** A reading that has not moved for so long has lost its reader. */
export const silence = minutes(1);
