// From names of groups, as people and files write them, to groups.
import { invalid } from '../../lib/errors.ts';
import type { CompanyId } from '../../lib/ids.ts';
import type { Work } from '../../work.ts';
import { effectiveMembership, type Group, noModuleAccess } from './group.ts';

/**
 * Reads all groups of these names at once, for one list of names or for many.
 * @returns a function from the names for one person to their groups (C19, C20); it throws AppError 422 naming each unknown one
 */
export async function groupsByName(
  work: Work,
  companyId: CompanyId,
  names: string[],
): Promise<(names: string[]) => Group[]> {
  const { groups } = work.store.of(companyId);
  // A group that is deleted now must not take the last membership of a person who is joining it now.
  await groups.holdMemberships('some');
  const found = new Map(
    (await groups.findByNames([...new Set([...names, noModuleAccess])])).map((group) => [group.name, group]),
  );
  return (names) => {
    const wanted = [...new Set(names)];
    const missing = wanted.filter((name) => !found.has(name));
    if (missing.length > 0) {
      const list = missing.map((name) => `"${name.slice(0, 80)}"`).join(', ');
      const sentence = `There is no group named ${list}. Names must match to the letter.`;
      throw invalid(sentence, { groups: sentence });
    }
    const { groups: chosen, fallback } = effectiveMembership(wanted.flatMap((name) => found.get(name) ?? []));
    return fallback ? [...found.values()].filter(({ kind }) => kind === 'system-none') : chosen;
  };
}

/**
 * The groups behind a list of names, which must match to the letter (A4.5).
 * @throws AppError 422 naming each unknown group
 */
export async function resolveGroups(work: Work, companyId: CompanyId, names: string[]): Promise<Group[]> {
  return (await groupsByName(work, companyId, names))(names);
}
