// The seal of an emergency account is broken: the module says that it has logged in with its own password.
import { notFound } from '../../lib/errors.ts';
import type { CompanyId, InstanceId } from '../../lib/ids.ts';
import { after, minutes } from '../../lib/time.ts';
import { transaction, type Work } from '../../work.ts';
import { record } from '../audit/commands.ts';
import { authoriseInstance } from '../roles/authority.ts';
import { tellAdministrators } from '../users/administrators.ts';
import { getConnected } from './requirement-queries.ts';

/** Every use goes on record; mails are for the first one within this time. */
const toldAgain = minutes(60);

/** @throws AppError 404 for what is no sealed account of this instance */
export async function reportEmergency(
  work: Work,
  companyId: CompanyId,
  instanceId: InstanceId,
  { accountId, at }: { accountId: string; at: Date },
): Promise<void> {
  await authoriseInstance(work, companyId, instanceId);
  await transaction(work, async (work) => {
    const { instance, moduleId } = await getConnected(work, companyId, instanceId);
    const times = { now: work.now, toldBefore: after(work.now, -toldAgain) };
    const used = await work.store.of(companyId).exceptions.noteUse(instanceId, accountId, times);
    if (!used) throw notFound('emergency account');
    await record(work, {
      action: 'module.emergency',
      companyId,
      target: { kind: 'module', id: instanceId },
      details: { name: instance, moduleId, accountId, account: used.userName, at: at.toISOString() },
    });
    const href = `/admin/modules/${instanceId}/exceptions`;
    const data = { module: instance, account: used.userName, at: at.toISOString(), href };
    if (used.isNews) await tellAdministrators(work, companyId, 'emergencyUsed', data);
  });
}
