// Who is in which group. All ways to change that go through one function, so that the rules of B.4, C19, C20 and C21 hold for each.
import { conflict, invalid, notFound } from '../../lib/errors.ts';
import type { CompanyId, GroupId, InstanceId, UserId } from '../../lib/ids.ts';
import { transaction, type Work } from '../../work.ts';
import type { AuditEvent } from '../audit/audit-event.ts';
import { recordAll } from '../audit/commands.ts';
import { authorise } from '../roles/authority.ts';
import { revokeLostAccess } from '../sessions/lost-access-commands.ts';
import { causeOf, standingChanged } from '../standing/commands.ts';
import { type Effects, effectsOf, type GroupState, type MembershipChange, membershipAfter } from './effects.ts';
import { modulesOf } from './effects-queries.ts';
import { type Group, noneIsLeftByJoining, rootStays } from './group.ts';
import type { Member, MemberPair } from './repository.ts';

/** More people than this go through a job, in chunks: their rows are held until the transaction ends. */
export const mostPeopleAtOnce = 500;

export interface MembershipResult {
  /** People whose groups are others now. */
  changed: number;
  effects: Effects;
}

/** Any of the company's groups, in the order that people read. */
export async function listGroups(work: Work, companyId: CompanyId): Promise<Group[]> {
  await authorise(work, companyId, 'groups.manage');
  return work.store.of(companyId).groups.list();
}

/** Gives a person exactly these groups; none means No Module Access (C20). */
export function setGroupsOf(
  work: Work,
  companyId: CompanyId,
  userId: UserId,
  groupIds: GroupId[],
): Promise<MembershipResult> {
  return changeMemberships(work, companyId, [userId], { kind: 'set', groupIds });
}

export function addMembers(
  work: Work,
  companyId: CompanyId,
  groupId: GroupId,
  userIds: UserId[],
): Promise<MembershipResult> {
  return changeMemberships(work, companyId, userIds, { kind: 'add', groupId });
}

export function removeMembers(
  work: Work,
  companyId: CompanyId,
  groupId: GroupId,
  userIds: UserId[],
): Promise<MembershipResult> {
  return changeMemberships(work, companyId, userIds, { kind: 'remove', groupId });
}

/** What a change would do, before it is done; refuses what the act would refuse. */
export async function previewMemberships(
  work: Work,
  companyId: CompanyId,
  userIds: UserId[],
  change: MembershipChange,
): Promise<MembershipResult> {
  await authorise(work, companyId, 'groups.manage');
  const { moves, effects } = await plan(work, companyId, userIds, change, false);
  return { changed: moves.length, effects };
}

export async function changeMemberships(
  work: Work,
  companyId: CompanyId,
  userIds: UserId[],
  change: MembershipChange,
): Promise<MembershipResult> {
  await authorise(work, companyId, 'groups.manage');
  return transaction(work, async (work) => {
    const { groups } = work.store.of(companyId);
    await groups.holdMemberships('some');
    const { states, moves, effects } = await plan(work, companyId, userIds, change, true);
    await groups.changeMembers(
      moves.flatMap(({ member, added }) => pairs(member, added)),
      moves.flatMap(({ member, removed }) => pairs(member, removed)),
    );
    await revokeLostAccess(work, {
      companyId,
      moduleIds: await modulesOf(work, companyId, lostInstances(effects)),
      userIds: moves.filter(({ removed }) => removed.length > 0).map(({ member }) => member.id),
    });
    await recordAll(
      work,
      moves.map((move) => eventOf(companyId, move, states)),
    );
    await standingChanged(work, {
      companyId,
      userIds: moves.map(({ member }) => member.id),
      instanceIds: null,
      cause: causeOf(work, 'access groups changed'),
    });
    return { changed: moves.length, effects };
  });
}

interface Move {
  member: Member;
  after: GroupId[];
  added: GroupId[];
  removed: GroupId[];
}

interface Plan {
  states: GroupState[];
  moves: Move[];
  effects: Effects;
}

async function plan(
  work: Work,
  companyId: CompanyId,
  userIds: UserId[],
  change: MembershipChange,
  hold: boolean,
): Promise<Plan> {
  const wanted = [...new Set(userIds)];
  if (wanted.length === 0) throw invalid('Choose at least one person.', { people: 'Choose at least one person.' });
  if (wanted.length > mostPeopleAtOnce) throw invalid(`Choose ${mostPeopleAtOnce} people at most at once.`);
  const { groups } = work.store.of(companyId);
  const members = await groups.listPeople(wanted, hold);
  if (members.length < wanted.length) throw notFound('person');
  const states = await groups.listStates();
  refuseUnknown(change, states);
  const moves = members
    .map((member) => moveOf(member, change, states))
    .filter(({ added, removed }) => added.length + removed.length > 0);
  const people = moves.map(({ member }) => ({ ...member, people: 1, first: [member.id] }));
  return { states, moves, effects: effectsOf(change, states, people) };
}

function refuseUnknown(change: MembershipChange, states: GroupState[]): void {
  const named = change.kind === 'set' ? change.groupIds : [change.groupId];
  if (!named.every((id) => states.some((group) => group.id === id))) throw notFound('group');
  // C20: whoever is in No Module Access alone would fall back to it.
  if (change.kind === 'remove' && states.some(({ id, kind }) => id === change.groupId && kind === 'system-none'))
    throw conflict(noneIsLeftByJoining);
}

function moveOf(member: Member, change: MembershipChange, states: GroupState[]): Move {
  const after = membershipAfter(change, member.groups, states);
  const stays = states.filter(({ id, kind }) => kind === 'system-all' && after.includes(id));
  if (member.role === 'Root Admin' && stays.length === 0) throw conflict(rootStays, { groups: rootStays });
  return {
    member,
    after,
    added: after.filter((id) => !member.groups.includes(id)),
    removed: member.groups.filter((id) => !after.includes(id)),
  };
}

const pairs = (member: Member, groupIds: GroupId[]): MemberPair[] =>
  groupIds.map((groupId) => ({ groupId, userId: member.id }));

export const lostInstances = (effects: Effects): InstanceId[] =>
  effects.instances.filter(({ lose }) => lose.people > 0).map(({ instanceId }) => instanceId);

function eventOf(companyId: CompanyId, move: Move, states: GroupState[]): AuditEvent {
  const names = (ids: GroupId[]) => states.filter(({ id }) => ids.includes(id)).map(({ name }) => name);
  return {
    action: 'user.groupChange',
    companyId,
    target: { kind: 'user', id: move.member.id },
    details: { before: { groups: names(move.member.groups) }, after: { groups: names(move.after) } },
  };
}
