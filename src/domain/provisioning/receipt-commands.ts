// Sending again what was given up, or waits for its next try. What others have refused, and what would take the last way in away, stays.
import { conflict, notFound } from '../../lib/errors.ts';
import type { CompanyId, InstanceId } from '../../lib/ids.ts';
import { transaction, type Work } from '../../work.ts';
import { record } from '../audit/commands.ts';
import type { WayInChange } from '../integrations/ways-in.ts';
import { findKeptBack, refuseLosingLastWayIn } from '../integrations/ways-in-commands.ts';
import { demotes, type Profile } from '../modules/profile.ts';
import { authorise } from '../roles/authority.ts';
import { listReceivers } from './facts-queries.ts';
import { holdResendable, type Resendable, requeueDeliveries } from './receipt-repository.ts';

/** @throws AppError 409 when a later act says otherwise, another administrator has refused it, or there is nothing to send again */
export async function resendDelivery(work: Work, companyId: CompanyId, id: string): Promise<void> {
  await authorise(work, companyId, 'modules.manage');
  await transaction(work, async (work) => {
    await work.store.of(companyId).deliveries.hold();
    const [one] = await holdResendable(work.store.db, companyId, { id });
    if (!one) throw notFound('delivery');
    if (one.batchId !== null)
      throw conflict('It belongs to a change that a second administrator decides about, so it is not sent from here.');
    const change = changeOf(await profileOf(work, companyId, one.instanceId), one);
    if (change) await refuseLosingLastWayIn(work, companyId, one.instanceId, change);
    const { queued, outdated } = await requeueDeliveries(
      work.store.db,
      companyId,
      { ids: [id], instanceId: one.instanceId },
      work.now,
    );
    if (outdated > 0) throw conflict('A later act for this person says otherwise, so this one is not sent any more.');
    if (queued === 0) throw conflict('It is on its way already, or through.');
    await tell(work, companyId, one, queued);
  });
}

/** Everything of an instance that was given up, but for what was refused, what a later act has overtaken, and the last way in. */
export async function resendGivenUp(
  work: Work,
  companyId: CompanyId,
  instanceId: InstanceId,
): Promise<{ queued: number; outdated: number }> {
  await authorise(work, companyId, 'modules.manage');
  return transaction(work, async (work) => {
    // Comparing and this take turns.
    await work.store.of(companyId).deliveries.hold();
    const found = await holdResendable(work.store.db, companyId, { instanceId });
    const [first] = found;
    if (!first) return { queued: 0, outdated: 0 };
    const kept = await keptBack(work, companyId, instanceId, found);
    const ids = found.filter(({ externalId }) => externalId === null || !kept.has(externalId)).map(({ id }) => id);
    const { queued, outdated } = await requeueDeliveries(work.store.db, companyId, { ids, instanceId }, work.now);
    if (queued > 0) await tell(work, companyId, first, queued);
    return { queued, outdated };
  });
}

/** Null: it is not connected any more. */
const profileOf = async (work: Work, companyId: CompanyId, instanceId: InstanceId): Promise<Profile | null> =>
  (await listReceivers(work, companyId, [instanceId]))[0]?.profile ?? null;

/** What it would take away from its account; null: nothing. */
function changeOf(
  profile: Profile | null,
  { externalId, act, wanted }: Resendable,
): (WayInChange & { what: 'accounts' }) | null {
  if (profile === null || externalId === null) return null;
  const accountIds = [externalId];
  if (act === 'suspend' || act === 'disable' || act === 'remove') return { what: 'accounts', accountIds, act };
  const isDemotion = wanted.permissions !== undefined && demotes(profile, wanted.permissions);
  return isDemotion ? { what: 'accounts', accountIds, act: 'demote' } : null;
}

/** Accounts that are the last way in: they are taken out until another one stays. */
async function keptBack(
  work: Work,
  companyId: CompanyId,
  instanceId: InstanceId,
  found: Resendable[],
): Promise<ReadonlyMap<string, string>> {
  const profile = await profileOf(work, companyId, instanceId);
  const ending = found.flatMap((one) => changeOf(profile, one)?.accountIds ?? []);
  return findKeptBack(work, companyId, instanceId, ending);
}

async function tell(
  work: Work,
  companyId: CompanyId,
  { instanceId, instanceName }: Pick<Resendable, 'instanceId' | 'instanceName'>,
  count: number,
): Promise<void> {
  await record(work, {
    action: 'module.delivery.resend',
    companyId,
    target: { kind: 'module', id: instanceId },
    details: { module: instanceName, instanceId, count },
  });
  await work.store.announce('deliveries');
}
