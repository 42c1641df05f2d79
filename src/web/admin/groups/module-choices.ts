// Check boxes of the connected modules.
import type { InstanceRow } from '../../../domain/groups/list-queries.ts';
import { notFound } from '../../../lib/errors.ts';
import { type InstanceId, isId } from '../../../lib/ids.ts';
import { listWords } from './effect-words.ts';
import type { ModuleChoice } from './views.ts';

/** @param group name of the group that they are chosen for; it is left out where the others are named */
export function moduleChoices(instances: InstanceRow[], chosen: InstanceId[], group: string | null): ModuleChoice[] {
  return instances.map(({ id, name, module, icon, isEnabled, groups }) => {
    const others = groups.filter((one) => one !== group);
    const shown = others.length > 4 ? [...others.slice(0, 3), `${others.length - 3} more`] : others;
    return {
      id,
      name,
      module: module === name ? '' : module,
      icon,
      isEnabled,
      isChosen: chosen.includes(id),
      others: others.length === 0 ? '' : `Also in ${listWords(shown)}`,
    };
  });
}

/** Ids that a form sent; what is none names nothing. */
export function idsFrom<Id extends string>(values: string[] | undefined, what: string): Id[] {
  const ids = values ?? [];
  if (!ids.every(isId)) throw notFound(what);
  // The brand is only known to the compiler.
  return ids as Id[];
}
