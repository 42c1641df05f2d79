import { invalid } from '../../lib/errors.ts';
import { type CompanyId, newId } from '../../lib/ids.ts';
import { transaction, type Work } from '../../work.ts';
import { record } from '../audit/commands.ts';
import { allModuleAccess, effectiveMembership, type Group, groupNameSchema, noModuleAccess } from './group.ts';

/** The two groups that every company has from its first second (B.4). */
export async function createSystemGroups(work: Work, companyId: CompanyId): Promise<void> {
  const { groups } = work.store.of(companyId);
  await groups.insert({ id: newId(), name: allModuleAccess, kind: 'system-all', isActive: true });
  await groups.insert({ id: newId(), name: noModuleAccess, kind: 'system-none', isActive: true });
}

export async function createGroup(
  work: Work,
  companyId: CompanyId,
  input: { name: string; isActive: boolean },
): Promise<Group> {
  const name = groupNameSchema.safeParse(input.name);
  if (!name.success)
    throw invalid(name.error.issues[0]?.message ?? 'That name will not do.', {
      name: name.error.issues[0]?.message ?? '',
    });
  const group: Group = { id: newId(), name: name.data, kind: 'custom', isActive: input.isActive };
  await transaction(work, async (work) => {
    await work.store.of(companyId).groups.insert(group);
    await record(work, {
      action: 'group.create',
      companyId,
      target: { kind: 'group', id: group.id },
      details: { name: group.name },
    });
  });
  return group;
}

/**
 * The groups behind a list of names, which must match to the letter (A4.5).
 * @throws AppError 422 naming each unknown group
 */
export async function resolveGroups(work: Work, companyId: CompanyId, names: string[]): Promise<Group[]> {
  const { groups } = work.store.of(companyId);
  const found = await groups.findByNames(names);
  const missing = names.filter((name) => !found.some((group) => group.name === name));
  if (missing.length > 0) {
    const sentence = `There is no group named ${missing.map((name) => `"${name}"`).join(', ')}. Names must match to the letter.`;
    throw invalid(sentence, { groups: sentence });
  }
  const membership = effectiveMembership(found);
  return membership.fallback ? [await groups.getSystem('system-none')] : membership.groups;
}
