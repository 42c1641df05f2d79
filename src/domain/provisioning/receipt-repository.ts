import type { Database } from '../../db/knex.ts';
import type { CompanyId, InstanceId } from '../../lib/ids.ts';

/** As many as are sent again by one act. */
const most = 10_000;

/**
 * Queues what was given up (all of an instance) or waits for its next try (one) again. What a later act for the same person has
 * overtaken is marked so in place. The lane's pause ends, so that it goes out now.
 */
export async function requeueDeliveries(
  db: Database,
  companyId: CompanyId,
  which: { id: string } | { instanceId: InstanceId },
  now: Date,
): Promise<{ queued: number; outdated: number; instance: { id: InstanceId; name: string } | null }> {
  const mine = db('deliveries').where('company_id', companyId);
  if ('id' in which) mine.where('id', which.id);
  else mine.where({ instance_id: which.instanceId, state: 'given-up' });
  const found: { id: string; state: string; instance_id: InstanceId; instance_name: string }[] = await mine
    .orderBy('seq')
    .limit(most)
    .forUpdate()
    .select('id', 'state', 'instance_id', 'instance_name');
  const [first] = found;
  if (!first) return { queued: 0, outdated: 0, instance: null };
  const ids = found.filter(({ state }) => state === 'given-up' || state === 'failed').map(({ id }) => id);
  const { rowCount: outdated }: { rowCount: number } = await db.raw(
    `update deliveries d set state = 'superseded', ended_at = ? where d.company_id = ? and d.id = any(?) and exists (
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
    await db('delivery_lanes')
      .where({ company_id: companyId, instance_id: first.instance_id })
      .update({ closed_until: null });
  return { queued, outdated, instance: { id: first.instance_id, name: first.instance_name } };
}
