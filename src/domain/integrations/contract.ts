// The contract test: does a module keep its part of the protocol (docs/module-protocol.md section 4)? Runs and their results, and
// which run speaks for which settings. What is sent to a module is of jobs/contract.
import { createHash } from 'node:crypto';
import type { CompanyId, InstanceId, ModuleId } from '../../lib/ids.ts';
import { days } from '../../lib/time.ts';
import type { Actor } from '../../work.ts';
import type { Profile } from '../modules/profile.ts';

/** `fake`: the built-in module that does everything right; shows what we send, and proves nothing about another. */
export type ContractTarget = 'module' | 'fake';

/** One request with its answer as they went over the wire: cut, and without secrets. */
export interface Exchange {
  method: string;
  address: string;
  sent: string;
  /** Null: there was no answer. */
  status: number | null;
  /** Headers that matter, such as Retry-After and ETag. */
  headers: Record<string, string>;
  received: string;
  /** It was answered by us in place of the module, to see what happens then. */
  isInjected: boolean;
}

export interface CaseResult {
  name: string;
  title: string;
  outcome: 'passed' | 'failed' | 'skipped';
  /** What was seen. */
  sentence: string;
  /** What the module has to do; empty when there is nothing. */
  advice: string;
  exchanges: Exchange[];
}

export interface ContractRun {
  id: string;
  companyId: CompanyId;
  instanceId: InstanceId;
  moduleId: ModuleId;
  target: ContractTarget;
  profileHash: string;
  state: 'waiting' | 'running' | 'passed' | 'failed' | 'stopped';
  results: CaseResult[];
  /** Why it stopped before its end. */
  problem: string | null;
  actor: Actor;
  createdAt: Date;
  finishedAt: Date | null;
}

/** What a test that was passed says about the settings of today (A8.7). */
export interface ContractStanding {
  passed: boolean;
  /** When it was passed. */
  at: Date | null;
  /** Why it counts, or why none does: a sentence for people. */
  because: string;
}

export const contractQueue = 'contract';

/** In the order in which they run; what is done in each stands in jobs/contract. */
export const contractCases = [
  { name: 'create', title: 'Create' },
  { name: 'read-back', title: 'Read back, and find by name and address' },
  { name: 'update', title: 'Update the name' },
  { name: 'permission', title: 'Change the permission' },
  { name: 'time-zone', title: 'Change the time zone' },
  { name: 'rename', title: 'Rename' },
  { name: 'non-ascii', title: 'Names beyond ASCII' },
  { name: 'duplicate', title: 'Duplicate e-mail address' },
  { name: 'concurrent', title: 'Concurrent update' },
  { name: 'too-many', title: 'Too many requests (429)' },
  { name: 'outage', title: 'Outage (5xx), also after the work was done' },
  { name: 'suspend', title: 'Suspend' },
  { name: 'reactivate', title: 'Reactivate' },
  { name: 'delete', title: 'Delete, or disable for good' },
] as const;

export type CaseName = (typeof contractCases)[number]['name'];

/** A module changes behind our back: what it could do long ago proves little. */
export const contractGoodFor = days(90);

export const isOver = ({ state }: Pick<ContractRun, 'state'>): boolean => state !== 'waiting' && state !== 'running';

/** Whatever the profile says, in one order of its keys. */
export function profileHashOf(profile: Profile): string {
  return createHash('sha256')
    .update(JSON.stringify(sorted(profile)))
    .digest('base64url');
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, sorted(inner)]),
  );
}
