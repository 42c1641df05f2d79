// The second administrator's word on a large batch. Whoever caused it cannot give it.
import { conflict, notFound } from '../../lib/errors.ts';
import type { CompanyId, UserId } from '../../lib/ids.ts';
import { transaction, type Work } from '../../work.ts';
import { record } from '../audit/commands.ts';
import { authorise } from '../roles/authority.ts';
import { approvalRefusal, type Batch } from './batch.ts';
import { listReceivers } from './facts-queries.ts';
import { chunk, pairsOf, write } from './reconcile-commands.ts';

/** @throws AppError 404, 409 when it is decided, or caused by the one who asks */
async function take(
  work: Work,
  companyId: CompanyId,
  batchId: string,
  actorId: UserId | null,
): Promise<{ batch: Batch; waiting: { id: string; userId: UserId | null }[] }> {
  const { batches, deliveries } = work.store.of(companyId);
  await deliveries.hold();
  const batch = await batches.lockById(batchId);
  if (!batch) throw notFound('batch');
  const refusal = approvalRefusal(batch, actorId);
  if (refusal) throw conflict(refusal);
  return { batch, waiting: await deliveries.holdWaiting(batchId) };
}

/**
 * Lets it go: everybody in it whose access is still gone is suspended now. Who has got it back meanwhile is left alone, and the last way
 * into the module stays, whoever confirms.
 * @returns how many are being suspended
 */
export async function approveBatch(work: Work, companyId: CompanyId, batchId: string): Promise<number> {
  const actorId = await authorise(work, companyId, 'modules.manage');
  return transaction(work, async (work) => {
    const { batch, waiting } = await take(work, companyId, batchId, actorId);
    const receivers = await listReceivers(work, companyId, [batch.instanceId]);
    const userIds = [...new Set(waiting.flatMap(({ userId }) => userId ?? []))];
    const cause = `${batch.cause}, confirmed by ${work.actor.name}`;
    let people = 0;
    for (let at = 0; at < userIds.length && receivers.length > 0; at += chunk) {
      const pairs = await pairsOf(work, companyId, receivers, userIds.slice(at, at + chunk));
      await write(work, companyId, pairs, { cause, isExplicit: true, waiting: new Map(), now: work.now });
      people += pairs.filter(({ step }) => step?.act === 'suspend').length;
    }
    await work.store.of(companyId).deliveries.confirm(
      waiting.map(({ id }) => id),
      work.actor.name,
    );
    await decide(work, batch, 'approved', people);
    return people;
  });
}

/** Nobody in it is suspended, until an act on somebody of them says so again. Their access through us stays as it is. */
export async function refuseBatch(work: Work, companyId: CompanyId, batchId: string): Promise<number> {
  const actorId = await authorise(work, companyId, 'modules.manage');
  return transaction(work, async (work) => {
    const { batch, waiting } = await take(work, companyId, batchId, actorId);
    await work.store.of(companyId).deliveries.refuse(
      waiting.map(({ id }) => id),
      `Refused by ${work.actor.name}: the account stays as it is.`,
      work.now,
    );
    const people = new Set(waiting.map(({ userId }) => userId)).size;
    await decide(work, batch, 'refused', people);
    return people;
  });
}

async function decide(work: Work, batch: Batch, state: 'approved' | 'refused', people: number): Promise<void> {
  await work.store.of(batch.companyId).batches.decide(batch.id, state, work.actor.name, work.now);
  await record(work, {
    action: state === 'approved' ? 'module.batch.approve' : 'module.batch.refuse',
    companyId: batch.companyId,
    target: { kind: 'module', id: batch.instanceId },
    details: { module: batch.instanceName, instanceId: batch.instanceId, batch: batch.id, cause: batch.cause, people },
  });
}
