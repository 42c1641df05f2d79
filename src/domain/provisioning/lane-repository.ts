// The queue's side of deliveries, across companies: who is due, who has claimed what, and how each module's lane is doing.
import type { Database } from '../../db/knex.ts';
import type { CompanyId, InstanceId } from '../../lib/ids.ts';
import type { Delivery } from './account.ts';
import { type DeliveryRow, toDelivery } from './delivery-repository.ts';
import type { ClaimedDelivery, Lane, Settled } from './lane.ts';

export function laneRepository(db: Database) {
  return {
    /** Instances with something to send or to read back now; a step through the index for each, however long the queues are. */
    async listDue(now: Date, limit: number): Promise<InstanceId[]> {
      const { rows }: { rows: { id: InstanceId }[] } = await db.raw(
        `with recursive lanes as (
           (select instance_id from deliveries where state in ('queued', 'sent', 'accepted', 'failed') order by instance_id limit 1)
           union all
           select (select d.instance_id from deliveries d
                   where d.state in ('queued', 'sent', 'accepted', 'failed') and d.instance_id > l.instance_id
                   order by d.instance_id limit 1)
           from lanes l where l.instance_id is not null)
         select l.instance_id as id from lanes l left join delivery_lanes s on s.instance_id = l.instance_id
         where l.instance_id is not null and (s.closed_until is null or s.closed_until <= :now) and exists (
           select from deliveries d where d.instance_id = l.instance_id and d.state in ('queued', 'sent', 'accepted', 'failed')
             and d.next_at <= :now and (d.claimed_until is null or d.claimed_until <= :now))
         limit :limit`,
        { now, limit },
      );
      return rows.map(({ id }) => id);
    },

    /**
     * Takes deliveries of one instance: first what is to be sent, and only when there is none, what is to be read back. Never one for
     * a person for whom another is under way. While the circuit is half open, one only, and it stays closed to all others meanwhile.
     */
    async claim(
      instanceId: InstanceId,
      { now, until, limit, inFlight }: { now: Date; until: Date; limit: number; inFlight: number },
    ): Promise<ClaimedDelivery[]> {
      return (
        (await take(instanceId, `('queued', 'sent', 'failed')`, { now, until, limit, inFlight })) ??
        (await take(instanceId, `('accepted')`, { now, until, limit, inFlight })) ??
        []
      );
    },

    async findLane(instanceId: InstanceId): Promise<Lane | null> {
      const { rows }: { rows: Lane[] } = await db.raw(
        `select instance_id as "instanceId", failures, closed_until as "closedUntil", last_success_at as "lastSuccessAt",
           last_failure_at as "lastFailureAt", last_problem as "lastProblem"
         from delivery_lanes where instance_id = ?`,
        [instanceId],
      );
      return rows[0] ?? null;
    },

    /** Of several who find the circuit half open, one may try. */
    async takeProbe(instanceId: InstanceId, now: Date, until: Date): Promise<boolean> {
      const { rows } = await db.raw(
        `update delivery_lanes set closed_until = ? where instance_id = ? and (closed_until is null or closed_until <= ?) returning 1`,
        [until, instanceId, now],
      );
      return rows.length > 0;
    },

    async saveLane(companyId: CompanyId, lane: Lane): Promise<void> {
      await db.raw(
        `insert into delivery_lanes (instance_id, company_id, failures, closed_until, last_success_at, last_failure_at, last_problem)
         select i.id, i.company_id, ?, ?, ?, ?, ? from module_instances i where i.id = ? and i.company_id = ?
         on conflict (instance_id) do update set failures = excluded.failures, closed_until = excluded.closed_until,
           last_success_at = coalesce(excluded.last_success_at, delivery_lanes.last_success_at),
           last_failure_at = coalesce(excluded.last_failure_at, delivery_lanes.last_failure_at),
           last_problem = coalesce(excluded.last_problem, delivery_lanes.last_problem)`,
        [
          lane.failures,
          lane.closedUntil,
          lane.lastSuccessAt,
          lane.lastFailureAt,
          lane.lastProblem,
          lane.instanceId,
          companyId,
        ],
      );
    },

    /**
     * What became of claimed deliveries. Only the claim that is still ours counts; one that was superseded meanwhile lets go and
     * stays superseded.
     * @returns ids of those that were superseded meanwhile
     */
    async settle(settled: Settled[], until: Date): Promise<string[]> {
      if (settled.length === 0) return [];
      const { rows }: { rows: { id: string; state: string }[] } = await db.raw(
        `update deliveries d set claimed_until = null,
           state = case when d.state = 'superseded' then d.state else s.state end,
           next_at = case when d.state = 'superseded' then null else s.next_at end,
           external_id = coalesce(s.external_id, d.external_id),
           accepted_at = coalesce(d.accepted_at, s.accepted_at),
           verified_at = s.verified_at,
           ended_at = case when d.state = 'superseded' then d.ended_at else s.ended_at end,
           answer = case when d.state = 'superseded' then d.answer else s.answer end
         from jsonb_to_recordset(?::jsonb) as s (id uuid, state text, next_at timestamptz, external_id text, accepted_at timestamptz,
           verified_at timestamptz, ended_at timestamptz, answer jsonb)
         where d.id = s.id and d.claimed_until = ? returning d.id, d.state`,
        [
          JSON.stringify(
            settled.map((one) => ({
              id: one.id,
              state: one.state,
              next_at: one.nextAt,
              external_id: one.externalId,
              accepted_at: one.acceptedAt,
              verified_at: one.verifiedAt,
              ended_at: one.endedAt,
              answer: one.answer,
            })),
          ),
          until,
        ],
      );
      return rows.filter(({ state }) => state === 'superseded').map(({ id }) => id);
    },

    /** What was claimed and not begun, when this process ends. */
    async letGo(ids: string[], until: Date): Promise<void> {
      await db.raw(
        `update deliveries set claimed_until = null,
           state = case when state <> 'sent' then state when attempts <= 1 then 'queued' else 'failed' end,
           attempts = case when state = 'sent' then greatest(attempts - 1, 0) else attempts end
         where id = any(?) and claimed_until = ?`,
        [ids, until],
      );
    },

    /** Undelivered for too long, and nobody has been told yet; marked as told. */
    async takeLate(before: Date, now: Date, limit: number): Promise<Delivery[]> {
      const { rows }: { rows: DeliveryRow[] } = await db.raw(
        `update deliveries d set alerted_at = ? from (
           select id from deliveries
           where alerted_at is null and state in ('queued', 'sent', 'failed') and queued_at <= ?
           order by queued_at limit ? for update skip locked) late
         where d.id = late.id returning d.*`,
        [now, before, limit],
      );
      return rows.map(toDelivery);
    },
  };

  async function take(
    instanceId: InstanceId,
    states: string,
    { now, until, limit, inFlight }: { now: Date; until: Date; limit: number; inFlight: number },
  ): Promise<ClaimedDelivery[] | null> {
    const isReading = states === `('accepted')`;
    const { rows }: { rows: (DeliveryRow & { claimed_until: Date })[] } = await db.raw(
      `with due as (
         select d.id from deliveries d
         where d.instance_id = :instanceId and d.state in ('queued', 'sent', 'accepted', 'failed') and d.state in ${states}
           and d.next_at <= :now and (d.claimed_until is null or d.claimed_until <= :now)
           and not exists (
             select from deliveries o where o.instance_id = d.instance_id and o.user_id = d.user_id and o.channel = d.channel
               and o.id <> d.id and o.claimed_until is not null and o.claimed_until > :now)
         order by d.next_at, d.seq
         limit least(cast(:limit as bigint), greatest(0, cast(:inFlight as bigint) - (
           select count(*) from deliveries c where c.instance_id = :instanceId and c.claimed_until is not null and c.claimed_until > :now)))
         for update of d skip locked)
       update deliveries d set claimed_until = :until, ${
         isReading
           ? 'state = d.state'
           : `state = 'sent', attempts = d.attempts + 1, sent_at = coalesce(d.sent_at, cast(:now as timestamptz))`
       }
       from due where d.id = due.id returning d.*`,
      { instanceId, now, until, limit, inFlight },
    );
    if (rows.length === 0) return null;
    return rows
      .map((row) => ({ ...toDelivery(row), claimedUntil: row.claimed_until, isReading, endpoint: row.endpoint }))
      .sort((one, other) => one.seq - other.seq);
  }
}
