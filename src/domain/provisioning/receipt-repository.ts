import type { Database } from '../../db/knex.ts';
import type { CompanyId, InstanceId, UserId } from '../../lib/ids.ts';
import type { Act, DeliveryState, Wanted } from './account.ts';

/** As many as are sent again by one act. */
const most = 10_000;

/** A delivery that somebody wants to go out again. */
export interface Resendable {
  id: string;
  state: DeliveryState;
  instanceId: InstanceId;
  instanceName: string;
  userId: UserId | null;
  externalId: string | null;
  act: Act;
  wanted: Wanted;
  /** Of a batch that was refused: what goes out of a batch leaves it first. */
  batchId: string | null;
}

/** What was given up (all of an instance), or one whatever its state; held until the transaction ends. */
export async function holdResendable(
  db: Database,
  companyId: CompanyId,
  which: { id: string } | { instanceId: InstanceId },
): Promise<Resendable[]> {
  const mine = db('deliveries').where('company_id', companyId);
  if ('id' in which) mine.where('id', which.id);
  else mine.where({ instance_id: which.instanceId, state: 'given-up', batch_id: null });
  return mine.orderBy('seq').limit(most).forUpdate().select({
    id: 'id',
    state: 'state',
    instanceId: 'instance_id',
    instanceName: 'instance_name',
    userId: 'user_id',
    externalId: 'external_id',
    act: 'act',
    wanted: 'wanted',
    batchId: 'batch_id',
  });
}

/**
 * Queues what was given up or waits for its next try again. What a later act for the same person has overtaken is marked so in place.
 * The lane's pause ends, so that it goes out now.
 */
export async function requeueDeliveries(
  db: Database,
  companyId: CompanyId,
  { ids, instanceId }: { ids: string[]; instanceId: InstanceId },
  now: Date,
): Promise<{ queued: number; outdated: number }> {
  const { rowCount: outdated }: { rowCount: number } = await db.raw(
    `update deliveries d set state = 'superseded', ended_at = ?
     where d.company_id = ? and d.id = any(?) and d.state in ('given-up', 'failed') and exists (
       select from deliveries l where l.instance_id = d.instance_id and l.user_id = d.user_id and l.channel = d.channel
         and l.seq > d.seq and l.state <> 'superseded')`,
    [now, companyId, ids],
  );
  const { rowCount: queued }: { rowCount: number } = await db.raw(
    `update deliveries set state = 'queued', next_at = ?, queued_at = ?, attempts = 0, ended_at = null, alerted_at = null
     where company_id = ? and id = any(?) and state in ('given-up', 'failed') and (claimed_until is null or claimed_until <= ?)`,
    [now, now, companyId, ids, now],
  );
  if (queued > 0)
    await db('delivery_lanes').where({ company_id: companyId, instance_id: instanceId }).update({ closed_until: null });
  return { queued, outdated };
}
