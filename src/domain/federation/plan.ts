// A plan: what a change of rules or switches would make of everybody, row by row, with the rule that decides each. Nothing is changed
// by making one. Its rows are decided by the function that signing in asks; each keeps a hash of what it was decided from. Pure.
import { hash } from 'node:crypto';
import type { GroupId, UserId } from '../../lib/ids.ts';
import { days } from '../../lib/time.ts';
import type { Group } from '../groups/group.ts';
import type { PlanHead, PlanLine } from '../plans/plan.ts';
import { fullName } from '../users/user.ts';
import type { Connection, ConnectionId } from './connection.ts';
import { decideMapping, type MappingRule } from './mapping.ts';
import {
  administers,
  decidePerson,
  isAdministrator,
  type LastSeen,
  type MappedPerson,
  type MappingBench,
  type PersonAct,
  type PersonChange,
  type PersonState,
} from './person-mapping.ts';

export type PlanAct = PersonAct;

export const planActs = ['deactivate', 'reactivate', 'change', 'none', 'unknown'] as const satisfies PlanAct[];

/** Rules and switches together: what a plan would save. */
export interface MappingSetup {
  enabled: boolean;
  mapping: boolean;
  rules: MappingRule[];
}

/** What is kept of a change: enough to tell whether it came out so, and to take it back. */
export type KnownChange = Pick<PersonChange, 'act' | 'before' | 'after' | 'was'>;

export interface PlanRow extends PlanLine<PlanAct> {
  userId: UserId;
  username: string;
  /** When the groups were said that it is decided from; null: never. */
  seenAt: Date | null;
  /** Exactly; null where nothing is done. */
  change: KnownChange | null;
}

export type PlanState = 'ready' | 'waiting' | 'applied' | 'dropped' | 'undone';

export interface Plan extends PlanHead<PlanAct> {
  connectionId: ConnectionId;
  proposed: MappingSetup;
  present: MappingSetup;
  state: PlanState;
  /** The first of two who take it back. */
  undoAskedBy: UserId | null;
  undoAskedByName: string | null;
  undoneByName: string | null;
  undoneAt: Date | null;
  undoTaskId: string | null;
  /** What did not become as it was when it was taken back. */
  undoNote: string | null;
  /** Of the names of the claims by which it was made; null: made before it was kept. */
  claimsHash: string | null;
}

/** A plan that was applied can be taken back for so long. */
export const undoFor = days(14);

export const mayUndo = ({ state, appliedAt }: Pick<Plan, 'state' | 'appliedAt'>, now: Date): boolean =>
  state === 'applied' && appliedAt !== null && appliedAt.getTime() + undoFor > now.getTime();

/** In place of a hash. */
export const unseen = 'unseen';

export interface Subject extends MappedPerson {
  identity: LastSeen | null;
}

const sha256 = (value: unknown): string => hash('sha256', JSON.stringify(value), 'base64url');

/**
 * What all rows are decided from. Names of groups are words only; that one is there, and of which kind, decides.
 * @param upstream of the settings and names of claims: what was seen means something by them, and a test was passed with them
 */
export const setupHashOf = (
  present: MappingSetup,
  proposed: MappingSetup,
  groups: readonly Group[],
  upstream = '',
): string =>
  sha256([setupParts(present), setupParts(proposed), groups.map(({ id, kind }) => `${id} ${kind}`).sort(), upstream]);

/** What rules are about is read from claims by their names. */
export const claimsHashOf = ({ attributes }: Pick<Connection, 'attributes'>): string =>
  sha256(Object.entries(attributes).sort(([one], [other]) => (one < other ? -1 : 1)));

/** PostgreSQL gives the keys of an object back in an order of its own. */
const setupParts = ({ enabled, mapping, rules }: MappingSetup) => [
  enabled,
  mapping,
  [...rules]
    .sort((one, other) => one.position - other.position)
    .map(({ id, position, when, role, groupIds, stops }) => [
      id,
      position,
      when.kind === 'group' ? ['group', when.value] : ['claim', when.name, when.test, when.values],
      role,
      groupIds,
      stops,
    ]),
];

/** What the rules make of a person by what was said of them last. */
export function decideSubject(bench: MappingBench, person: Subject, othersAdministering: number): PersonChange {
  const { identity } = person;
  const mapping =
    identity &&
    decideMapping(
      bench.rules,
      {
        groups:
          identity.groups !== null
            ? { state: 'list', values: identity.groups }
            : { state: identity.groupsState === 'overage' ? 'overage' : 'missing' },
        other: identity.other,
      },
      // This is the last list that counts, not one after it.
      { hadGroups: false },
    );
  return decidePerson(bench, person, mapping, othersAdministering);
}

/** Decides people one after the other: who comes later counts on what became of the administrators before. */
export function planner(
  bench: MappingBench,
  administering: number,
): (person: Subject & Pick<PlanRow, 'inputHash'>) => Omit<PlanRow, 'position'> {
  let left = administering;
  const names = new Map(bench.groups.map(({ id, name }) => [id, name]));
  return (person) => {
    const change = decideSubject(bench, person, left - (administers(person) ? 1 : 0));
    left += Number(administers(change.after)) - Number(administers(change.before));
    const isDone = change.act !== 'none' && change.act !== 'unknown';
    return {
      userId: person.id,
      person: fullName(person),
      username: person.username,
      act: change.act,
      isAdministrator: isAdministrator(person.role),
      before: stateWords(change.before, names),
      after: isDone ? stateWords(change.after, names) : 'As they are',
      rule: change.rule,
      seenAt: person.identity?.at ?? null,
      change: isDone ? { act: change.act, before: change.before, after: change.after, was: change.was } : null,
      inputHash: person.inputHash,
    };
  };
}

export function stateWords(
  { baseStatus, deactivatedReason, role, groups }: PersonState,
  names: ReadonlyMap<GroupId, string>,
): string {
  const status =
    baseStatus === 'Deactivated' && deactivatedReason === 'mapping' ? 'Deactivated by mapping' : baseStatus;
  const listed = groups.map((id) => names.get(id) ?? 'a deleted group').sort();
  return [status, role, listed.join(', ')].filter(Boolean).join(' · ');
}

export function countActs(rows: Iterable<Pick<PlanRow, 'act'>>): Record<PlanAct, number> {
  const counts: Record<PlanAct, number> = { deactivate: 0, reactivate: 0, change: 0, none: 0, unknown: 0 };
  for (const { act } of rows) counts[act] += 1;
  return counts;
}

export const doneCount = ({ deactivate, reactivate, change }: Record<PlanAct, number>): number =>
  deactivate + reactivate + change;

export interface PlanSize {
  /** People who are deactivated. */
  people: number;
  /** Administrators who are not any more: deactivated, or given another role. */
  administrators: number;
  /** Active people of the company. */
  active: number;
}

const atOnce = 10;
const share = 0.05;

/** More than 10 people and 5 % of all, or any administrator: two have to agree. Null: one is enough. */
export function needsSecond({ people, administrators, active }: PlanSize): string | null {
  if (administrators > 0)
    return `It takes ${administrators === 1 ? 'an administrator' : `${administrators} administrators`} away.`;
  if (people <= atOnce || people <= active * share) return null;
  return `It deactivates ${people} of ${active} active people.`;
}

/** Somebody who administers, or is about to when they sign up, and does not any more. */
export const endsAdministrator = ({ change }: Pick<PlanRow, 'change'>): boolean =>
  change !== null &&
  isAdministrator(change.before.role) &&
  change.before.baseStatus !== 'Deactivated' &&
  (change.after.baseStatus === 'Deactivated' || !isAdministrator(change.after.role));

/** Of the rows in the order of people's ids. */
export const peopleHashOf = (rows: readonly Pick<PlanRow, 'userId' | 'inputHash'>[]): string =>
  hash(
    'sha256',
    rows.flatMap(({ userId, inputHash }) => (inputHash === unseen ? [] : `${userId} ${inputHash}`)).join('\n'),
    'hex',
  );

export const planHashOf = (setupHash: string, peopleHash: string): string =>
  hash('sha256', `${setupHash}\n${peopleHash}`, 'hex');

/** A row that would not be the same any more. */
export interface PlanDifference {
  person: string;
  username: string;
  was: string;
  now: string;
}
