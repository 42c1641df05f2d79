// What runs by the clock of module accounts: differences that no hint has told of, held times that are over, and deliveries that nobody
// takes. Each node asks every minute; the database lets one of them do each part.

import { record } from '../domain/audit/commands.ts';
import { listHeldOver } from '../domain/provisioning/account-repository.ts';
import { type SweepPlace, saveSweep, takeSweeps } from '../domain/provisioning/endpoint-queries.ts';
import { listConcernedAfter, listReceivers } from '../domain/provisioning/facts-queries.ts';
import { lanes } from '../domain/provisioning/lane.ts';
import { chunk, foundWords, reconcileSome } from '../domain/provisioning/reconcile-commands.ts';
import { tellAdministrators } from '../domain/users/administrators.ts';
import { type CompanyId, newId, type UserId } from '../lib/ids.ts';
import { after, seconds } from '../lib/time.ts';
import { transaction, type Work } from '../work.ts';

/** Companies and, of each, chunks of people that are looked at in one go: some thousands a minute, whatever their number. */
const companiesAtOnce = 20;
const chunksAtOnce = 4;
const heldAtOnce = 500;
const lateAtOnce = 5000;

export async function sweepStanding(work: Work): Promise<void> {
  // First, so that its receipts say why.
  await endHeldTimes(work);
  for (const place of await takeSweeps(work, after(work.now, -seconds(50)), companiesAtOnce)) {
    try {
      await sweepCompany(work, place);
    } catch (err) {
      // The next round looks again; one company's trouble is not another's.
      work.log.warn({ err, companyId: place.companyId }, 'a company could not be swept');
    }
  }
  await alertLate(work);
}

const foundBy = (companyId: CompanyId, cause: string) => ({
  companyId,
  cause,
  actId: newId(),
  actorId: null,
  isExplicit: false,
  isFound: true,
});

async function sweepCompany(work: Work, { companyId, lastUserId }: SweepPlace): Promise<void> {
  await work.store.of(companyId).batches.voidEmpty(work.now);
  const receivers = (await listReceivers(work, companyId, null)).filter(
    ({ settings: { enabled, provisioning, deprovisioning, accessGroups } }) =>
      enabled && (provisioning.on || deprovisioning.on || accessGroups.on),
  );
  if (receivers.length === 0) return;
  let last: UserId | null = lastUserId;
  for (let i = 0; i < chunksAtOnce; i += 1) {
    const userIds = await listConcernedAfter(work, companyId, last, chunk);
    if (userIds.length > 0) {
      const found = await reconcileSome(work, foundBy(companyId, foundWords), receivers, userIds);
      if (found > 0) work.log.info({ companyId, found }, 'differences at modules were found by comparing');
    }
    last = userIds.length < chunk ? null : (userIds.at(-1) ?? null);
    if (last === null) break;
  }
  await saveSweep(work, { companyId, lastUserId: last });
}

/** Removed, or disabled for good. Approved when it was suspended, so nobody is asked again. */
async function endHeldTimes(work: Work): Promise<void> {
  const over = await listHeldOver(work.store.db, work.now, heldAtOnce);
  for (const [companyId, some] of Map.groupBy(over, (one) => one.companyId)) {
    const receivers = await listReceivers(work, companyId, [...new Set(some.map(({ instanceId }) => instanceId))]);
    const userIds = [...new Set(some.map(({ userId }) => userId))];
    const cause = foundBy(companyId, 'the time to take it back is over');
    if (receivers.length > 0) await reconcileSome(work, cause, receivers, userIds);
  }
}

/** One mail an instance, however many deliveries are late. */
async function alertLate(work: Work): Promise<void> {
  await transaction(work, async (work) => {
    const late = await work.store.lanes.takeLate(after(work.now, -lanes.alertMs), work.now, lateAtOnce);
    for (const some of Map.groupBy(late, (one) => one.instanceId).values()) {
      const [first] = some;
      if (!first) continue;
      const { companyId, instanceId, instanceName } = first;
      const people = new Set(some.map(({ userId, id }) => userId ?? id)).size;
      const problem = some.find(({ answer }) => answer)?.answer?.words ?? 'It has not answered yet.';
      const href = `/admin/modules/${instanceId}/deliveries`;
      await tellAdministrators(work, companyId, 'deliveriesLate', { module: instanceName, people, problem, href });
      await record(work, {
        action: 'module.delivery.late',
        companyId,
        target: { kind: 'module', id: instanceId },
        details: { module: instanceName, instanceId, people, problem },
      });
    }
  });
}
