import type { Database } from '../../db/knex.ts';
import type { CompanyId, InstanceId, UserId } from '../../lib/ids.ts';
import type { Batch, BatchState } from './batch.ts';

interface BatchRow {
  id: string;
  company_id: CompanyId;
  instance_id: InstanceId;
  instance_name: string;
  act_id: string;
  cause: string;
  caused_by: UserId | null;
  people: number;
  administrators: number;
  active: number;
  state: BatchState;
  created_at: Date;
  decided_at: Date | null;
  decided_by: string | null;
}

const toBatch = (row: BatchRow): Batch => ({
  id: row.id,
  companyId: row.company_id,
  instanceId: row.instance_id,
  instanceName: row.instance_name,
  actId: row.act_id,
  cause: row.cause,
  causedBy: row.caused_by,
  people: row.people,
  administrators: row.administrators,
  active: row.active,
  state: row.state,
  createdAt: row.created_at,
  decidedAt: row.decided_at,
  decidedBy: row.decided_by,
});

export function batchRepository(db: Database, companyId: CompanyId) {
  const all = () => db<BatchRow>('deprovision_batches').where({ company_id: companyId });

  return {
    async findById(id: string): Promise<Batch | null> {
      const row = await all().where({ id }).first();
      return row ? toBatch(row) : null;
    },

    async lockById(id: string): Promise<Batch | null> {
      const row = await all().where({ id }).forUpdate().first();
      return row ? toBatch(row) : null;
    },

    /** The batch of an act in one instance, if it has been judged before. */
    async findOfAct(actId: string, instanceId: InstanceId): Promise<Batch | null> {
      const row = await all().where({ act_id: actId, instance_id: instanceId }).first();
      return row ? toBatch(row) : null;
    },

    async insert(batch: Omit<Batch, 'companyId' | 'state' | 'decidedAt' | 'decidedBy'>): Promise<void> {
      await db('deprovision_batches').insert({
        id: batch.id,
        company_id: companyId,
        instance_id: batch.instanceId,
        instance_name: batch.instanceName,
        act_id: batch.actId,
        cause: batch.cause,
        caused_by: batch.causedBy,
        people: batch.people,
        administrators: batch.administrators,
        active: batch.active,
        created_at: batch.createdAt,
      });
    },

    async countSince(instanceId: InstanceId, since: Date): Promise<number> {
      const [row] = await all()
        .where({ instance_id: instanceId })
        .where('created_at', '>', since)
        .count<{ count: string }[]>({ count: '*' });
      return Number(row?.count ?? 0);
    },

    async decide(id: string, state: BatchState, by: string, now: Date): Promise<void> {
      await all().where({ id }).update({ state, decided_at: now, decided_by: by });
    },

    /** Somebody waits in them after all. */
    async reopen(ids: string[]): Promise<void> {
      if (ids.length === 0) return;
      await all().whereIn('id', ids).where({ state: 'void' }).update({ state: 'waiting', decided_at: null });
    },

    async listWaiting(limit: number): Promise<Batch[]> {
      return (await all().where({ state: 'waiting' }).orderBy('created_at', 'desc').limit(limit)).map(toBatch);
    },

    /** Of an instance that is gone. */
    async voidOf(instanceId: InstanceId, now: Date): Promise<void> {
      await all().where({ instance_id: instanceId, state: 'waiting' }).update({ state: 'void', decided_at: now });
    },

    /** Nobody of them waits any more: what they lost they have again, or the connection is gone. */
    async voidEmpty(now: Date): Promise<void> {
      await db.raw(
        `update deprovision_batches b set state = 'void', decided_at = ?, decided_by = null
         where b.company_id = ? and b.state = 'waiting' and b.created_at < ?::timestamptz - interval '1 minute' and not exists (
           select from deliveries d where d.batch_id = b.id and d.state = 'waiting')`,
        [now, companyId, now],
      );
    },
  };
}
