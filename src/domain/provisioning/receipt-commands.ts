// Sending again what was given up, or waits for its next try.
import { conflict, notFound } from '../../lib/errors.ts';
import type { CompanyId, InstanceId } from '../../lib/ids.ts';
import { transaction, type Work } from '../../work.ts';
import { record } from '../audit/commands.ts';
import { authorise } from '../roles/authority.ts';
import { requeueDeliveries } from './receipt-repository.ts';

/** @throws AppError 409 when a later act says otherwise, or there is nothing to send again */
export async function resendDelivery(work: Work, companyId: CompanyId, id: string): Promise<void> {
  await authorise(work, companyId, 'modules.manage');
  await transaction(work, async (work) => {
    const { queued, outdated, instance } = await requeueDeliveries(work.store.db, companyId, { id }, work.now);
    if (instance === null) throw notFound('delivery');
    if (outdated > 0) throw conflict('A later act for this person says otherwise, so this one is not sent any more.');
    if (queued === 0) throw conflict('It is on its way already, or through.');
    await tell(work, companyId, instance, queued);
  });
}

/** Everything of an instance that was given up, but for what a later act has overtaken. */
export async function resendGivenUp(
  work: Work,
  companyId: CompanyId,
  instanceId: InstanceId,
): Promise<{ queued: number; outdated: number }> {
  await authorise(work, companyId, 'modules.manage');
  return transaction(work, async (work) => {
    const { queued, outdated, instance } = await requeueDeliveries(work.store.db, companyId, { instanceId }, work.now);
    if (instance && queued > 0) await tell(work, companyId, instance, queued);
    return { queued, outdated };
  });
}

async function tell(
  work: Work,
  companyId: CompanyId,
  instance: { id: InstanceId; name: string },
  count: number,
): Promise<void> {
  await record(work, {
    action: 'module.delivery.resend',
    companyId,
    target: { kind: 'module', id: instance.id },
    details: { module: instance.name, instanceId: instance.id, count },
  });
  await work.store.announce('deliveries');
}
