// What the rules make of one person: role, access groups, and whether they may be here at all (C22 to C24, T15, T18). One pure
// function: signing in, the plan over all people, and its being applied ask it alike, so that they cannot disagree.
import type { GroupId } from '../../lib/ids.ts';
import type { Group } from '../groups/group.ts';
import { can, type Role } from '../roles/role.ts';
import type { User } from '../users/user.ts';
import type { UpstreamGroups } from './claims.ts';
import type { ConnectionId } from './connection.ts';
import type { Mapping, MappingRule } from './mapping.ts';

/** Who gave a membership, besides or instead of a hand. */
export interface MembershipSource {
  groupId: GroupId;
  connectionId: ConnectionId;
  ruleIds: string[];
  /** It was there by hand before, and stays when the rule goes. */
  wasByHand: boolean;
}

/** Whose rule gave a role; it counts only while the person still has that very role. */
export interface RoleSource {
  connectionId: ConnectionId;
  ruleId: string;
  role: Role;
  before: Exclude<Role, 'Root Admin'>;
}

export interface MappedPerson
  extends Pick<User, 'id' | 'username' | 'firstName' | 'lastName' | 'role' | 'baseStatus' | 'deactivatedReason'> {
  /** On the list of those whom neither enforcement nor mapping touches (C26). */
  isBreakGlass: boolean;
  groups: GroupId[];
  sources: MembershipSource[];
  roleSource: RoleSource | null;
}

/** What this upstream said of a person when it last said it. */
export interface LastSeen {
  /** Null: never said. */
  groups: string[] | null;
  groupsState: UpstreamGroups['state'];
  other: Record<string, string[]>;
  /** When `groups` were said, or, without any, when the person was last seen. */
  at: Date;
}

/** What is the same for all people who are looked at together. */
export interface MappingBench {
  connectionId: ConnectionId;
  enabled: boolean;
  /** Enable Mapping Rules: whoever is in no mapped group is deactivated. */
  mapping: boolean;
  rules: readonly MappingRule[];
  groups: readonly Group[];
}

export type PersonAct = 'change' | 'deactivate' | 'reactivate' | 'none' | 'unknown';

/** A person as a plan and its undo name them. */
export interface PersonState {
  role: Role;
  baseStatus: User['baseStatus'];
  deactivatedReason: User['deactivatedReason'];
  groups: GroupId[];
}

export interface PersonChange {
  act: PersonAct;
  before: PersonState;
  after: PersonState;
  /** Of this connection, as they are afterwards. */
  sources: MembershipSource[];
  roleSource: RoleSource | null;
  /** The same before. */
  was: { sources: MembershipSource[]; roleSource: RoleSource | null };
  /** What decided, in words. */
  rule: string;
}

export const stateOf = ({ role, baseStatus, deactivatedReason, groups }: MappedPerson): PersonState => ({
  role,
  baseStatus,
  deactivatedReason,
  groups: [...groups].sort(),
});

const sourcesOf = ({ connectionId }: MappingBench, { sources, roleSource }: MappedPerson): PersonChange['was'] => ({
  sources: sources.filter((one) => one.connectionId === connectionId),
  roleSource,
});

export const isAdministrator = (role: Role): boolean => can(role, 'users.manage');

/** Whether somebody with this standing can still administer the company. */
export const administers = ({ role, baseStatus }: Pick<PersonState, 'role' | 'baseStatus'>): boolean =>
  baseStatus === 'Active' && isAdministrator(role);

/** @param othersAdministering active administrators besides this person: the last one is left as they are. */
export function decidePerson(
  bench: MappingBench,
  person: MappedPerson,
  mapping: Mapping | null,
  othersAdministering: number,
): PersonChange {
  const stays = (rule: string, act: 'none' | 'unknown' = 'none'): PersonChange => ({
    act,
    before: stateOf(person),
    after: stateOf(person),
    ...sourcesOf(bench, person),
    was: sourcesOf(bench, person),
    rule,
  });
  if (!bench.enabled) return stays('The connection is off: its rules touch nobody.');
  if (person.role === 'Root Admin') return stays('The Root Admin is exempt.');
  if (person.isBreakGlass) return stays('Exempt: on the break-glass list.');
  if (person.baseStatus === 'Deactivated' && person.deactivatedReason !== 'mapping')
    return stays('Deactivated by an administrator: no rule brings them back.');
  if (mapping === null) return stays('Not seen through this connection yet.', 'unknown');
  if (mapping.outcome === 'stop') return stays(stopWords[mapping.because], 'unknown');
  const change = mapping.outcome === 'unmapped' ? unmapped(bench, person, stays) : mapped(bench, person, mapping);
  if (administers(change.before) && !administers(change.after) && othersAdministering === 0)
    return stays('The last administrator is left as they are.');
  return change;
}

export const stopWords: Record<Extract<Mapping, { outcome: 'stop' }>['because'], string> = {
  'groups-missing': 'Their groups were not sent: nothing is changed.',
  'groups-emptied': 'An empty list of groups came where there was one: nothing is changed.',
  'groups-overage': 'Too many groups to be sent (a link came instead): nothing is changed.',
};

function unmapped(bench: MappingBench, person: MappedPerson, stays: (rule: string) => PersonChange): PersonChange {
  const isSwitchedOn = bench.mapping && bench.rules.length > 0;
  if (person.baseStatus === 'Deactivated') return stays('In no mapped group: stays deactivated.');
  if (!isSwitchedOn) return changed(bench, person, { role: null, groups: [] }, 'No rule fits.');
  if (person.baseStatus !== 'Active') return stays('In no mapped group, and has not signed up.');
  const kept = stays('In no mapped group: Enable Mapping Rules deactivates.');
  return {
    ...kept,
    act: 'deactivate',
    after: { ...kept.before, baseStatus: 'Deactivated', deactivatedReason: 'mapping' },
  };
}

function mapped(
  bench: MappingBench,
  person: MappedPerson,
  mapping: Extract<Mapping, { outcome: 'mapped' }>,
): PersonChange {
  const change = changed(bench, person, mapping, fittingWords(bench.rules, mapping));
  if (person.baseStatus !== 'Deactivated') return change;
  return { ...change, act: 'reactivate', after: { ...change.after, baseStatus: 'Active', deactivatedReason: null } };
}

type Given = Pick<Extract<Mapping, { outcome: 'mapped' }>, 'role' | 'groups'>;

function changed(bench: MappingBench, person: MappedPerson, given: Given, rule: string): PersonChange {
  const before = stateOf(person);
  const { role, roleSource } = roleAfter(bench, person, given.role);
  const { groups, sources } = groupsAfter(bench, person, given.groups);
  const after = { ...before, role, groups };
  const isSame = role === before.role && groups.join() === before.groups.join();
  const was = sourcesOf(bench, person);
  return { act: isSame ? 'none' : 'change', before, after, sources, roleSource, was, rule };
}

/** Rules decide the role while one fits; what a rule of this connection gave goes back to what was there by hand. */
function roleAfter(
  { connectionId }: MappingBench,
  { role, roleSource }: MappedPerson,
  given: Given['role'],
): Pick<PersonChange, 'roleSource'> & { role: Role } {
  const inForce = roleSource?.role === role ? roleSource : null;
  if (role === 'Root Admin') return { role, roleSource: null };
  if (given) {
    const { value, ruleId } = given;
    // What a hand has given already, a rule neither gives nor takes.
    if (!inForce && value === role) return { role, roleSource: null };
    return { role: value, roleSource: { connectionId, ruleId, role: value, before: inForce?.before ?? role } };
  }
  if (inForce?.connectionId !== connectionId) return { role, roleSource: inForce };
  return { role: inForce.before, roleSource: null };
}

/** C19, C20 with rules: a rule takes away only what a rule of its connection gave, and nobody is without a group. */
function groupsAfter(
  bench: MappingBench,
  person: MappedPerson,
  given: Given['groups'],
): { groups: GroupId[]; sources: MembershipSource[] } {
  const { connectionId } = bench;
  const { real, none } = givenGroups(bench, given);
  const present = new Set(person.groups);
  const mine = new Map(person.sources.filter((one) => one.connectionId === connectionId).map((s) => [s.groupId, s]));
  const others = new Map(person.sources.filter((one) => one.connectionId !== connectionId).map((s) => [s.groupId, s]));
  const isTaken = (id: GroupId) => {
    const source = mine.get(id);
    return source !== undefined && !source.wasByHand && !others.has(id) && !real.has(id);
  };
  const after = new Set([...person.groups.filter((id) => !isTaken(id)), ...real.keys()]);
  // No Module Access stands alone: whoever is in another group has left it, and whoever is in no other one is in it.
  if (none && after.size > 1) after.delete(none.id);
  if (none && after.size === 0) after.add(none.id);
  const sources = [...real].map(([groupId, ruleIds]): MembershipSource => {
    const known = mine.get(groupId) ?? others.get(groupId);
    return { groupId, connectionId, ruleIds, wasByHand: present.has(groupId) && (known?.wasByHand ?? true) };
  });
  return { groups: [...after].sort(), sources };
}

/** The groups that rules give and that still exist; with No Module Access among them, they give no other (C19). */
export function givenGroups(
  { groups }: Pick<MappingBench, 'groups'>,
  given: Given['groups'],
): { real: Map<GroupId, string[]>; none: Group | undefined } {
  const none = groups.find(({ kind }) => kind === 'system-none');
  const real = new Map<GroupId, string[]>();
  if (none && given.some(({ groupId }) => groupId === none.id)) return { real, none };
  for (const { groupId, ruleIds } of given) {
    const group = groups.find(({ id }) => id === groupId);
    if (group) real.set(group.id, ruleIds);
  }
  return { real, none };
}

/** "Rule 2 (group “Sales”)" */
function ruleWords(rules: readonly MappingRule[], id: string): string {
  const rule = rules.find((one) => one.id === id);
  return rule ? `Rule ${rule.position} (${conditionWords(rule)})` : 'A rule';
}

export function conditionWords({ when }: Pick<MappingRule, 'when'>): string {
  if (when.kind === 'group') return `group “${when.value}”`;
  const test = when.test === 'one-of' ? 'is one of' : when.test === 'equals' ? 'is' : 'contains';
  return `${when.name} ${test} ${when.values.map((value) => `“${value}”`).join(', ')}`;
}

/** More than these are counted. */
const named = 5;

function fittingWords(
  rules: readonly MappingRule[],
  { role, fitting }: Extract<Mapping, { outcome: 'mapped' }>,
): string {
  const first = fitting.slice(0, named);
  // The one that gives the role is always named.
  if (role && !first.includes(role.ruleId)) first.splice(-1, 1, role.ruleId);
  const told = first.map((id) => {
    const words = ruleWords(rules, id);
    return role?.ruleId === id ? `${words} gives ${role.value}` : words;
  });
  const more = fitting.length - first.length;
  return `${told.join('; ')}${more > 0 ? `; and ${more} more` : ''}.`;
}
