// Modules keep rules that name groups (D.7): a group that is renamed or goes makes their copies old.
import type { CompanyId, GroupId } from '../../lib/ids.ts';
import type { Work } from '../../work.ts';
import { causeOf, settingsChanged } from '../standing/commands.ts';

/** In the transaction of the act, before the group is gone. */
export async function rulesChanged(
  work: Work,
  companyId: CompanyId,
  group: { id: GroupId; name: string },
  act: 'renamed' | 'deleted',
): Promise<void> {
  const cause = causeOf(work, `the access group ${group.name} was ${act}`);
  for (const instanceId of await work.store.of(companyId).integrations.bumpByGroup(group.id))
    await settingsChanged(work, { companyId, instanceId, cause });
}
