// Who gains and who loses which module when groups or memberships change. One pure function: the page that asks first and the act
// itself both go by it, so they cannot disagree.
import type { GroupId, InstanceId, UserId } from '../../lib/ids.ts';
import { effectiveMembership, type Group } from './group.ts';

/** A group with the enabled instances that it opens. */
export interface GroupState extends Group {
  instances: InstanceId[];
}

/** Changes of a group touch all its members; changes of membership touch the people they name. */
export type WholeGroupChange =
  | { kind: 'activate' | 'deactivate' | 'delete'; groupId: GroupId }
  | { kind: 'modules'; groupId: GroupId; instances: InstanceId[] };

export type MembershipChange =
  | { kind: 'add' | 'remove'; groupId: GroupId }
  /** Exactly these groups; none means No Module Access (C20). */
  | { kind: 'set'; groupIds: GroupId[] };

export type GroupChange = WholeGroupChange | MembershipChange;

/** People who are in the same groups, so that a change means the same for each of them. */
export interface PeopleAlike {
  groups: GroupId[];
  /** Only who is Active can enter anything (D.2). */
  isActive: boolean;
  people: number;
  /** A few of them. */
  first: UserId[];
}

interface Tally {
  people: number;
  /** A few of them, to be named. */
  first: UserId[];
}

export interface InstanceEffect {
  instanceId: InstanceId;
  gain: Tally;
  lose: Tally;
  /** People for whom one way in closes while others stay: how many, by the name of the group that still opens it. */
  stillThrough: Record<string, number>;
}

export interface Effects {
  instances: InstanceEffect[];
  /** Active people who lose one module or more. */
  losing: number;
  gaining: number;
  /** Members whom the change would touch if they were Active. */
  notActive: number;
}

export const namedAtMost = 5;

/** The groups as they are after a change. */
export function groupsAfter(change: GroupChange, groups: GroupState[]): GroupState[] {
  switch (change.kind) {
    case 'activate':
    case 'deactivate':
      return groups.map((one) => (one.id === change.groupId ? { ...one, isActive: change.kind === 'activate' } : one));
    case 'delete':
      return groups.filter(({ id }) => id !== change.groupId);
    case 'modules':
      return groups.map((one) => (one.id === change.groupId ? { ...one, instances: change.instances } : one));
    default:
      return groups;
  }
}

/** The groups of one person after a change (C19, C20). `groups` are those that exist afterwards. */
export function membershipAfter(change: GroupChange, present: GroupId[], groups: GroupState[]): GroupId[] {
  const wanted = groups.filter(({ id }) => wants(change, id, present));
  const joined = change.kind === 'add' ? wanted.find(({ id }) => id === change.groupId) : undefined;
  // Whoever joins a group leaves No Module Access; whoever joins No Module Access leaves all others.
  const chosen = joined && joined.kind !== 'system-none' ? wanted.filter(({ kind }) => kind !== 'system-none') : wanted;
  const { groups: effective, fallback } = effectiveMembership(chosen);
  const rest = fallback ? groups.filter(({ kind }) => kind === 'system-none') : effective;
  return rest.map(({ id }) => id);
}

function wants(change: GroupChange, id: GroupId, present: GroupId[]): boolean {
  if (change.kind === 'set') return change.groupIds.includes(id);
  if (change.kind === 'remove' && id === change.groupId) return false;
  if (change.kind === 'add' && id === change.groupId) return true;
  return present.includes(id);
}

/** Instances that people in these groups reach, each with the active groups that open it (A3.7, A1.10). */
export function reachOf(membership: GroupId[], groups: GroupState[]): Map<InstanceId, string[]> {
  const reach = new Map<InstanceId, string[]>();
  for (const group of groups) {
    if (!group.isActive || !membership.includes(group.id)) continue;
    for (const id of group.instances) reach.set(id, [...(reach.get(id) ?? []), group.name]);
  }
  return reach;
}

export const noEffects = (): Effects => ({ instances: [], losing: 0, gaining: 0, notActive: 0 });

/** What a change means for these people; `sum` carries on from people that were looked at before. */
export function effectsOf(
  change: GroupChange,
  groups: GroupState[],
  people: PeopleAlike[],
  sum: Effects = noEffects(),
): Effects {
  const later = groupsAfter(change, groups);
  for (const alike of people) {
    const before = reachOf(alike.groups, groups);
    const after = reachOf(membershipAfter(change, alike.groups, later), later);
    const lost = [...before.keys()].filter((id) => !after.has(id));
    const gained = [...after.keys()].filter((id) => !before.has(id));
    if (!alike.isActive) {
      if (lost.length + gained.length > 0) sum.notActive += alike.people;
      continue;
    }
    if (lost.length > 0) sum.losing += alike.people;
    if (gained.length > 0) sum.gaining += alike.people;
    for (const id of lost) tally(effectOn(sum, id).lose, alike);
    for (const id of gained) tally(effectOn(sum, id).gain, alike);
    for (const [id, through] of after) {
      if ((before.get(id) ?? []).every((name) => through.includes(name))) continue;
      const { stillThrough } = effectOn(sum, id);
      for (const name of through) stillThrough[name] = (stillThrough[name] ?? 0) + alike.people;
    }
  }
  return sum;
}

function effectOn(sum: Effects, instanceId: InstanceId): InstanceEffect {
  const known = sum.instances.find((one) => one.instanceId === instanceId);
  if (known) return known;
  const fresh: InstanceEffect = {
    instanceId,
    gain: { people: 0, first: [] },
    lose: { people: 0, first: [] },
    // Names are people's own words: none of them may reach what every object has.
    stillThrough: Object.create(null) as Record<string, number>,
  };
  sum.instances.push(fresh);
  return fresh;
}

function tally(to: Tally, { people, first }: PeopleAlike): void {
  to.people += people;
  to.first.push(...first.slice(0, namedAtMost - to.first.length));
}

/** Instances that a change of a whole group closes for it; who keeps them by another way is for each person to see. */
export function closedBy(change: WholeGroupChange, group: GroupState): InstanceId[] {
  if (!group.isActive || change.kind === 'activate') return [];
  if (change.kind !== 'modules') return group.instances;
  return group.instances.filter((id) => !change.instances.includes(id));
}
