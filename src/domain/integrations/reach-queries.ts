import type { CompanyId, UserId } from '../../lib/ids.ts';
import type { Work } from '../../work.ts';
import { listInstancesFor } from '../modules/queries.ts';
import type { InstanceToReach } from './reach.ts';
import { readSettings } from './repository.ts';
import type { Settings } from './settings.ts';

export interface ReachableInstance extends InstanceToReach {
  settings: Settings;
}

/** Every instance of the company with the groups through which this person gets at it, and what decides there. */
export async function listReachFor(work: Work, companyId: CompanyId, userId: UserId): Promise<ReachableInstance[]> {
  const instances = await listInstancesFor(work, companyId, userId);
  const read = await readSettings(
    work.store.db,
    instances.map(({ id }) => id),
  );
  const settings = new Map(read.map((one) => [one.instanceId, one]));
  return instances.flatMap((instance) => {
    const found = settings.get(instance.id);
    return found ? [{ ...instance, settings: found }] : [];
  });
}
