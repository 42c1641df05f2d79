import { conflict, invalid, notFound } from '../../lib/errors.ts';
import { type CompanyId, type GroupId, type InstanceId, newId } from '../../lib/ids.ts';
import { transaction, type Work } from '../../work.ts';
import { record } from '../audit/commands.ts';
import { authorise } from '../roles/authority.ts';
import { allModuleAccess, type Group, groupNameSchema, noModuleAccess, systemGroupRefusal } from './group.ts';
import { findInstances } from './list-queries.ts';
import { rulesChanged } from './rule-commands.ts';

/** The two groups that every company has from its first second (B.4). */
export async function createSystemGroups(work: Work, companyId: CompanyId): Promise<void> {
  const { groups } = work.store.of(companyId);
  await groups.insert({ id: newId(), name: allModuleAccess, kind: 'system-all', isActive: true });
  await groups.insert({ id: newId(), name: noModuleAccess, kind: 'system-none', isActive: true });
}

function parseName(given: string): string {
  const name = groupNameSchema.safeParse(given);
  if (name.success) return name.data;
  const problem = name.error.issues[0]?.message ?? 'That name will not do.';
  throw invalid(problem, { name: problem });
}

export interface NewGroup {
  name: string;
  isActive: boolean;
  /** Modules that it opens from the first moment. */
  instanceIds?: InstanceId[];
}

export async function createGroup(work: Work, companyId: CompanyId, input: NewGroup): Promise<Group> {
  await authorise(work, companyId, 'groups.manage');
  const group: Group = { id: newId(), name: parseName(input.name), kind: 'custom', isActive: input.isActive };
  await transaction(work, async (work) => {
    const { groups } = work.store.of(companyId);
    await groups.insert(group);
    const modules = await findInstances(work, companyId, input.instanceIds ?? []);
    if (modules.length > 0)
      await groups.setModules(
        group.id,
        modules.map(({ id }) => id),
      );
    await record(work, {
      action: 'group.create',
      companyId,
      target: { kind: 'group', id: group.id },
      details: { name: group.name, isActive: group.isActive, modules: modules.map(({ name }) => name) },
    });
  });
  return group;
}

/** @throws AppError 404 for a group of another company, 409 for a system group */
export async function renameGroup(work: Work, companyId: CompanyId, groupId: GroupId, given: string): Promise<Group> {
  await authorise(work, companyId, 'groups.manage');
  const name = parseName(given);
  return transaction(work, async (work) => {
    const { groups } = work.store.of(companyId);
    const group = await groups.findById(groupId);
    if (!group) throw notFound('group');
    const refusal = systemGroupRefusal(group, 'rename');
    if (refusal) throw conflict(refusal);
    if (group.name === name) return group;
    await groups.update(groupId, { name });
    await rulesChanged(work, companyId, group, 'renamed');
    await record(work, {
      action: 'group.edit',
      companyId,
      target: { kind: 'group', id: groupId },
      details: { name, before: { name: group.name }, after: { name } },
    });
    return { ...group, name };
  });
}
