// The one guard of the last way in (issue: "Require is lock-out-proof"): asked by every surface, by provisioning before it suspends,
// disables, removes or demotes accounts, and by the clock before an exception ends.

import { notFound, standsInTheWay } from '../../lib/errors.ts';
import type { CompanyId, InstanceId } from '../../lib/ids.ts';
import { isInTransaction, type Work } from '../../work.ts';
import { getConnected } from './requirement-queries.ts';
import { isRequired } from './settings.ts';
import { lastWayLost, lastWaySentence, type WayIn, type WayInChange, waysIn } from './ways-in.ts';

/**
 * Refuses what would take away the last administrator of the module who can get in without us, while the login is required there.
 * Call it in the transaction that makes the change, before the change: it holds the instance until that ends, so that of two who each
 * take away one of the last two, one is refused. An account counts as lost once its `life` says that it is being ended.
 * Costs one short read where nothing is required.
 * @throws AppError 409 last_way_in, which names who it is
 */
export async function refuseLosingLastWayIn(
  work: Work,
  companyId: CompanyId,
  instanceId: InstanceId,
  change: WayInChange,
): Promise<void> {
  const lost = await findLostLastWay(work, companyId, instanceId, change);
  if (lost)
    throw standsInTheWay('last_way_in', lost.sentence, {
      way_in: { account_id: lost.wayIn.accountId, user_name: lost.wayIn.userName, kind: lost.wayIn.kind },
    });
}

/** The same as an answer, for whoever goes on with the others of a batch. */
export async function findLostLastWay(
  work: Work,
  companyId: CompanyId,
  instanceId: InstanceId,
  change: WayInChange,
): Promise<{ wayIn: WayIn; sentence: string } | null> {
  if (!isInTransaction(work)) throw new Error('the last way in is guarded in the transaction that changes it');
  if (change.what === 'accounts' && change.accountIds.length === 0) return null;
  const { integrations, exceptions } = work.store.of(companyId);
  const before = await integrations.find(instanceId);
  // Nothing is required, so nobody is locked out. A trial that begins meanwhile makes its own pre-flight.
  if (!before || !isRequired(before, work.now)) return null;
  // Held before exceptions are read: somebody may be exempting the very account at this moment, and ending the exceptions of others.
  const settings = await integrations.hold(instanceId);
  if (!settings || !isRequired(settings, work.now)) return null;
  const lost = lastWayLost(await exceptions.list(instanceId), change, work.now);
  if (!lost) return null;
  const { module } = await getConnected(work, companyId, instanceId);
  return { wayIn: lost, sentence: lastWaySentence(lost, change, { module, brand: work.config.brandName }) };
}

/**
 * Which of these accounts have to stay, one after the other, until a way in is left: with the sentence that says so. For whoever ends
 * the others.
 */
export async function findKeptBack(
  work: Work,
  companyId: CompanyId,
  instanceId: InstanceId,
  accountIds: Iterable<string>,
): Promise<Map<string, string>> {
  const ending = new Set(accountIds);
  const kept = new Map<string, string>();
  while (ending.size > 0) {
    const change = { what: 'accounts', accountIds: [...ending], act: 'suspend' } as const;
    const lost = await findLostLastWay(work, companyId, instanceId, change);
    if (!lost || !ending.delete(lost.wayIn.accountId)) break;
    kept.set(lost.wayIn.accountId, lost.sentence);
  }
  return kept;
}

/** Who can get into the module without us now. Asks for no permission: for pages and commands that have. */
export async function listWaysIn(work: Work, companyId: CompanyId, instanceId: InstanceId): Promise<WayIn[]> {
  const { integrations, exceptions } = work.store.of(companyId);
  if (!(await integrations.find(instanceId))) throw notFound('module');
  return waysIn(await exceptions.list(instanceId), work.now);
}
