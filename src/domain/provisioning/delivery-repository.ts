import type { Database } from '../../db/knex.ts';
import type { CompanyId, InstanceId, UserId } from '../../lib/ids.ts';
import type { Act, Answer, Delivery, DeliveryState, Endpoint, Wanted } from './account.ts';

export interface DeliveryRow {
  id: string;
  seq: string;
  company_id: CompanyId;
  instance_id: InstanceId;
  instance_name: string;
  user_id: UserId | null;
  person: string;
  external_id: string | null;
  channel: 'scim' | 'event';
  act: Act;
  reason: string;
  batch_id: string | null;
  wanted: Wanted;
  state: DeliveryState;
  attempts: number;
  queued_at: Date;
  next_at: Date | null;
  claimed_until: Date | null;
  sent_at: Date | null;
  accepted_at: Date | null;
  verified_at: Date | null;
  ended_at: Date | null;
  alerted_at: Date | null;
  answer: Answer | null;
  endpoint: Endpoint | null;
}

export const toDelivery = (row: DeliveryRow): Delivery => ({
  id: row.id,
  seq: Number(row.seq),
  companyId: row.company_id,
  instanceId: row.instance_id,
  instanceName: row.instance_name,
  userId: row.user_id,
  person: row.person,
  externalId: row.external_id,
  channel: row.channel,
  act: row.act,
  reason: row.reason,
  batchId: row.batch_id,
  wanted: row.wanted,
  state: row.state,
  attempts: row.attempts,
  queuedAt: row.queued_at,
  nextAt: row.next_at,
  sentAt: row.sent_at,
  acceptedAt: row.accepted_at,
  verifiedAt: row.verified_at,
  endedAt: row.ended_at,
  answer: row.answer,
});

export interface NewDelivery
  extends Pick<
    Delivery,
    | 'id'
    | 'instanceId'
    | 'instanceName'
    | 'userId'
    | 'person'
    | 'externalId'
    | 'channel'
    | 'act'
    | 'reason'
    | 'batchId'
    | 'wanted'
  > {
  state: 'waiting' | 'queued';
  /** Why it waits. */
  words?: string;
  endpoint?: Endpoint;
}

/** What reconciliation has to know of a delivery that stands already. */
export interface Standing {
  id: string;
  instanceId: InstanceId;
  userId: UserId;
  channel: 'scim' | 'event';
  act: Act;
  wanted: Wanted;
  state: DeliveryState;
  batchId: string | null;
  isClaimed: boolean;
}

const lockKey = 7_304_815;

const open = `('waiting', 'queued', 'sent', 'accepted', 'failed')`;

export function deliveryRepository(db: Database, companyId: CompanyId) {
  return {
    async findById(id: string): Promise<Delivery | null> {
      const row = await db<DeliveryRow>('deliveries').where({ company_id: companyId, id }).first();
      return row ? toDelivery(row) : null;
    },

    /** One comparison of a company's people at a time: of two, the second sees what the first has queued. */
    async hold(): Promise<void> {
      await db.raw('select pg_advisory_xact_lock(?, hashtext(?))', [lockKey, companyId]);
    },

    async insert(deliveries: NewDelivery[], now: Date): Promise<void> {
      if (deliveries.length === 0) return;
      const rows = deliveries.map((one) => ({
        id: one.id,
        instance_id: one.instanceId,
        instance_name: one.instanceName,
        user_id: one.userId,
        person: one.person,
        external_id: one.externalId,
        channel: one.channel,
        act: one.act,
        reason: one.reason,
        batch_id: one.batchId,
        wanted: one.wanted,
        state: one.state,
        endpoint: one.endpoint ?? null,
        answer: one.words === undefined ? null : { status: null, words: one.words },
      }));
      await db.raw(
        `insert into deliveries (id, company_id, instance_id, instance_name, user_id, person, external_id, channel, act, reason,
           batch_id, wanted, state, queued_at, next_at, endpoint, answer)
         select id, ?, instance_id, instance_name, user_id, person, external_id, channel, act, reason, batch_id, wanted, state, ?::timestamptz,
           case when state = 'queued' then ?::timestamptz end, endpoint, answer
         from jsonb_to_recordset(?::jsonb) as r (id uuid, instance_id uuid, instance_name text, user_id uuid, person text,
           external_id text, channel text, act text, reason text, batch_id uuid, wanted jsonb, state text, endpoint jsonb, answer jsonb)`,
        [companyId, now, now, JSON.stringify(rows)],
      );
    },

    /** Of these people in these instances: what is open, and the newest of all, by which a refusal is known. */
    async listStanding(userIds: UserId[], instanceIds: InstanceId[], now: Date): Promise<Standing[]> {
      const { rows }: { rows: Standing[] } = await db.raw(
        `select id, instance_id as "instanceId", user_id as "userId", channel, act, wanted, state, batch_id as "batchId",
           coalesce(claimed_until > :now, false) as "isClaimed"
         from (
           select d.*, row_number() over (partition by instance_id, user_id, channel order by seq desc) as age
           from deliveries d
           where d.company_id = :companyId and d.user_id = any(:userIds) and d.instance_id = any(:instanceIds)
             and d.act <> 'end-sessions') d
         where age = 1 or state in ${open}
         order by seq desc`,
        { companyId, userIds, instanceIds, now },
      );
      return rows;
    },

    /** A later act says otherwise. One that is under way right now ends as superseded whatever the module answers. */
    async supersede(ids: string[], words: string, now: Date): Promise<void> {
      if (ids.length === 0) return;
      await db.raw(
        `update deliveries set state = 'superseded', ended_at = ?, next_at = null,
           answer = jsonb_build_object('status', answer -> 'status', 'words', ?::text)
         where company_id = ? and id = any(?) and state in ${open}`,
        [now, words, companyId, ids],
      );
    },

    /** All that is on its way to an instance. */
    async supersedeAll(instanceId: InstanceId, words: string, now: Date): Promise<void> {
      await db.raw(
        `update deliveries set state = 'superseded', ended_at = ?, next_at = null,
           answer = jsonb_build_object('status', answer -> 'status', 'words', ?::text)
         where company_id = ? and instance_id = ? and state in ${open}`,
        [now, words, companyId, instanceId],
      );
    },

    /** An older message of the kind that has not gone out yet says nothing more than a newer one. */
    async supersedeKind(instanceId: InstanceId, act: Act, now: Date): Promise<void> {
      await db.raw(
        `update deliveries set state = 'superseded', ended_at = ?, next_at = null
         where company_id = ? and instance_id = ? and act = ? and user_id is null and state in ('queued', 'failed')
           and (claimed_until is null or claimed_until <= ?)`,
        [now, companyId, instanceId, act, now],
      );
    },

    /** People whose suspension went out for this reason since then. */
    async countSuspended(instanceId: InstanceId, reason: string, since: Date): Promise<number> {
      const { rows }: { rows: { count: number }[] } = await db.raw(
        `select count(distinct user_id)::int as count from deliveries
         where company_id = ? and instance_id = ? and act = 'suspend' and reason = ? and queued_at > ?
           and state not in ('waiting', 'superseded')`,
        [companyId, instanceId, reason, since],
      );
      return rows[0]?.count ?? 0;
    },

    /** The time zone with which somebody's account was made from here, by its newest receipt; nobody else's is in it. */
    async listMadeWithZone(instanceId: InstanceId, userIds: UserId[]): Promise<Map<UserId, string>> {
      const { rows }: { rows: { userId: UserId; zone: string | null }[] } = await db.raw(
        `select distinct on (user_id) user_id as "userId", wanted ->> 'timeZone' as zone from deliveries
         where company_id = ? and instance_id = ? and user_id = any(?) and act = 'create' and channel = 'scim'
           and state in ('accepted', 'verified')
         order by user_id, seq desc`,
        [companyId, instanceId, userIds],
      );
      return new Map(rows.flatMap(({ userId, zone }) => (zone ? [[userId, zone] as const] : [])));
    },

    /** A batch's deliveries that still wait, and their people; held until the transaction ends. */
    async holdWaiting(batchId: string): Promise<{ id: string; userId: UserId | null }[]> {
      return db<DeliveryRow>('deliveries')
        .where({ company_id: companyId, batch_id: batchId, state: 'waiting' })
        .orderBy('seq')
        .forUpdate()
        .select({ id: 'id', userId: 'user_id' });
    },

    /** What waited and was confirmed: which delivery went out in its place. Others stay superseded, such as whose access is back. */
    async confirm(ids: string[], by: string): Promise<void> {
      await db.raw(
        `update deliveries d set answer = jsonb_build_object('status', null, 'words', ?::text || n.seq || '.', 'sentAs', n.id)
         from deliveries n
         where d.company_id = ? and d.id = any(?) and d.state = 'superseded' and n.company_id = d.company_id
           and n.instance_id = d.instance_id and n.user_id = d.user_id and n.channel = d.channel and n.act = d.act
           and n.seq > d.seq and n.state = 'queued'`,
        [`Confirmed by ${by}; sent as number `, companyId, ids],
      );
    },

    /** What has come of a refusal since then, in place of what was said of it before. */
    async addWords(ids: string[], words: string): Promise<void> {
      if (ids.length === 0) return;
      await db.raw(
        `update deliveries set answer = jsonb_build_object('status', answer -> 'status',
           'words', split_part(coalesce(answer ->> 'words', ''), ' Since then: ', 1) || ' Since then: ' || ?::text)
         where company_id = ? and id = any(?) and state = 'given-up'`,
        [words, companyId, ids],
      );
    },

    async refuse(ids: string[], words: string, now: Date): Promise<void> {
      await db.raw(
        `update deliveries set state = 'given-up', ended_at = ?, next_at = null, answer = ?
         where company_id = ? and id = any(?) and state = 'waiting'`,
        [now, JSON.stringify({ status: null, words }), companyId, ids],
      );
    },
  };
}
