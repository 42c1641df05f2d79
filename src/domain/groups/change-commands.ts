// Changes of a whole group. Who loses a module by one of them is decided by the same function that the page asks before (effects.ts).
import { conflict, notFound } from '../../lib/errors.ts';
import type { CompanyId, GroupId, InstanceId } from '../../lib/ids.ts';
import { transaction, type Work } from '../../work.ts';
import type { AuditAction } from '../audit/audit-event.ts';
import { record } from '../audit/commands.ts';
import { authorise } from '../roles/authority.ts';
import { revokeLostAccess } from '../sessions/lost-access-commands.ts';
import { causeOf, standingChanged } from '../standing/commands.ts';
import { closedBy, type Effects, type GroupState, noEffects, type WholeGroupChange } from './effects.ts';
import { effectsOnMembers, modulesOf } from './effects-queries.ts';
import { systemGroupRefusal } from './group.ts';
import { findInstances, instanceIdsOf } from './list-queries.ts';
import { mostPeopleAtOnce } from './member-commands.ts';
import { rulesChanged } from './rule-commands.ts';

export type GroupAct =
  | { kind: 'activate' | 'deactivate' | 'delete' }
  /** Differences, so that two administrators do not undo each other's choice. */
  | { kind: 'modules'; open: InstanceId[]; close: InstanceId[] };

interface Plan {
  group: GroupState;
  states: GroupState[];
  change: WholeGroupChange;
  /** All instances of the group afterwards, those that are switched off included. */
  instanceIds: InstanceId[];
  before: InstanceId[];
}

export interface GroupPreview {
  group: GroupState;
  effects: Effects;
}

/** Who would gain or lose what; refuses what the act would refuse. */
export async function previewGroupAct(
  work: Work,
  companyId: CompanyId,
  groupId: GroupId,
  act: GroupAct,
): Promise<GroupPreview> {
  await authorise(work, companyId, 'groups.manage');
  const { group, states, change } = await plan(work, companyId, groupId, act);
  const isIdle = (act.kind === 'delete' || act.kind === 'modules') && !group.isActive;
  return { group, effects: isIdle ? noEffects() : await effectsOnMembers(work, companyId, change, states) };
}

export async function actOnGroup(
  work: Work,
  companyId: CompanyId,
  groupId: GroupId,
  act: GroupAct,
): Promise<GroupState> {
  await authorise(work, companyId, 'groups.manage');
  return transaction(work, async (work) => {
    const { groups } = work.store.of(companyId);
    await groups.holdMemberships('all');
    const planned = await plan(work, companyId, groupId, act);
    const { group, change } = planned;
    const moduleIds = await modulesOf(work, companyId, closedBy(change, group));
    const members = await groups.listMemberIds(groupId, mostPeopleAtOnce + 1);
    const areMany = members.length > mostPeopleAtOnce;
    if (!(await carryOut(work, companyId, planned, areMany ? null : members.length))) return group;
    await revokeLostAccess(work, { companyId, moduleIds, userIds: areMany ? null : members });
    const cause = causeOf(work, `the access group ${group.name} was ${done[act.kind]}`);
    await standingChanged(work, { companyId, userIds: areMany ? null : members, instanceIds: null, cause });
    return group;
  });
}

const done: Record<GroupAct['kind'], string> = {
  activate: 'activated',
  deactivate: 'deactivated',
  delete: 'deleted',
  modules: 'given other modules',
};

async function plan(work: Work, companyId: CompanyId, groupId: GroupId, act: GroupAct): Promise<Plan> {
  const states = await work.store.of(companyId).groups.listStates();
  const group = states.find(({ id }) => id === groupId);
  if (!group) throw notFound('group');
  const refusal = systemGroupRefusal(group, act.kind);
  if (refusal) throw conflict(refusal);
  if (act.kind !== 'modules') {
    const change = { kind: act.kind, groupId };
    return { group, states, change, instanceIds: [], before: [] };
  }
  const before = await instanceIdsOf(work, companyId, groupId);
  const chosen = [...before.filter((id) => !act.close.includes(id)), ...act.open];
  const found = await findInstances(work, companyId, chosen);
  const instances = found.filter(({ isEnabled }) => isEnabled).map(({ id }) => id);
  return {
    group,
    states,
    change: { kind: 'modules', groupId, instances },
    instanceIds: found.map(({ id }) => id),
    before,
  };
}

/** @param members null: too many to move out here. @returns false when all is so already. */
async function carryOut(work: Work, companyId: CompanyId, planned: Plan, members: number | null): Promise<boolean> {
  const { group, change, instanceIds, before } = planned;
  const { groups } = work.store.of(companyId);
  switch (change.kind) {
    case 'activate':
    case 'deactivate': {
      const isActive = change.kind === 'activate';
      if (group.isActive === isActive) return false;
      await groups.update(group.id, { isActive });
      await tell(work, companyId, group, isActive ? 'group.activate' : 'group.deactivate');
      return true;
    }
    case 'delete':
      await rulesChanged(work, companyId, group, 'deleted');
      if (members === null) {
        await groups.markRemoved(group.id, work.now);
        await work.jobs.enqueue(work, groupRemovalQueue, { companyId, groupId: group.id });
      } else {
        await groups.moveOut(group.id, await groups.listMemberIds(group.id, mostPeopleAtOnce));
        await groups.delete(group.id);
      }
      await tell(work, companyId, group, 'group.delete');
      return true;
    case 'modules': {
      if (instanceIds.length === before.length && instanceIds.every((id) => before.includes(id))) return false;
      await groups.setModules(group.id, instanceIds);
      const names = async (ids: InstanceId[]) => (await findInstances(work, companyId, ids)).map(({ name }) => name);
      const details = { before: { modules: await names(before) }, after: { modules: await names(instanceIds) } };
      await tell(work, companyId, group, 'group.edit', details);
      return true;
    }
  }
}

async function tell(
  work: Work,
  companyId: CompanyId,
  group: GroupState,
  action: AuditAction,
  details: Record<string, unknown> = {},
): Promise<void> {
  // The name stands in the event: a deleted group has none any more.
  const target = { kind: 'group' as const, id: group.id };
  await record(work, { action, companyId, target, details: { name: group.name, ...details } });
}

export const groupRemovalQueue = 'group-removal';

/** The rest of a deletion: members of a removed group move out in chunks, so that their rows are held for moments only. May run twice. */
export async function finishGroupRemoval(work: Work, companyId: CompanyId, groupId: GroupId): Promise<void> {
  for (;;) {
    const moved = await transaction(work, async (work) => {
      const { groups } = work.store.of(companyId);
      if (!(await groups.isRemoved(groupId))) return 0;
      await groups.holdMemberships('some');
      const ids = await groups.listMemberIds(groupId, mostPeopleAtOnce);
      await groups.moveOut(groupId, ids);
      if (ids.length === 0) await groups.delete(groupId);
      return ids.length;
    });
    if (moved === 0) return;
  }
}
