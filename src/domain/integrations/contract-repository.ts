import { violatedConstraint } from '../../db/errors.ts';
import type { Database } from '../../db/knex.ts';
import type { CompanyId, InstanceId, ModuleId } from '../../lib/ids.ts';
import type { ContractRun } from './contract.ts';

interface Row {
  id: string;
  company_id: CompanyId;
  instance_id: InstanceId;
  module_id: ModuleId;
  target: ContractRun['target'];
  profile_hash: string;
  state: ContractRun['state'];
  results: ContractRun['results'];
  problem: string | null;
  actor: ContractRun['actor'];
  created_at: Date;
  beat_at: Date;
  finished_at: Date | null;
}

const toRun = (row: Row): ContractRun => ({
  id: row.id,
  companyId: row.company_id,
  instanceId: row.instance_id,
  moduleId: row.module_id,
  target: row.target,
  profileHash: row.profile_hash,
  state: row.state,
  results: row.results,
  problem: row.problem,
  actor: row.actor,
  createdAt: row.created_at,
  finishedAt: row.finished_at,
});

/** Runs that an instance keeps; what is older proves nothing any more. */
const kept = 20;

export function contractRepository(db: Database, companyId: CompanyId) {
  const all = () => db<Row>('contract_runs').where({ company_id: companyId });

  return {
    /** @returns false when one is running already. */
    async insert(run: ContractRun): Promise<boolean> {
      try {
        await db.transaction((trx) =>
          trx('contract_runs').insert({
            id: run.id,
            company_id: companyId,
            instance_id: run.instanceId,
            module_id: run.moduleId,
            target: run.target,
            profile_hash: run.profileHash,
            state: run.state,
            actor: JSON.stringify(run.actor),
            created_at: run.createdAt,
            beat_at: run.createdAt,
          }),
        );
        return true;
      } catch (error) {
        if (violatedConstraint(error) === 'contract_runs_open_unique') return false;
        throw error;
      }
    },

    async findById(id: string): Promise<ContractRun | null> {
      const row = await all().where({ id }).first();
      return row ? toRun(row) : null;
    },

    async findLatest(instanceId: InstanceId): Promise<ContractRun | null> {
      const row = await all().where({ instance_id: instanceId }).orderBy('created_at', 'desc').first();
      return row ? toRun(row) : null;
    },

    /** The newest first, and without their results, which are long. */
    async list(instanceId: InstanceId): Promise<Omit<ContractRun, 'results'>[]> {
      const rows: Omit<Row, 'results'>[] = await all()
        .where({ instance_id: instanceId })
        .orderBy('created_at', 'desc')
        .limit(kept)
        .select(
          'id',
          'company_id',
          'instance_id',
          'module_id',
          'target',
          'profile_hash',
          'state',
          'problem',
          'actor',
          'created_at',
          'beat_at',
          'finished_at',
        );
      return rows.map((row) => toRun({ ...row, results: [] }));
    },

    /** Its runner is alive. */
    async beat(id: string, now: Date): Promise<void> {
      await all().where({ id }).whereIn('state', ['waiting', 'running']).update({ beat_at: now });
    },

    /** The last test of this product in this company that was passed against the module itself. */
    async findPassed(moduleId: ModuleId, profileHash: string, since: Date): Promise<ContractRun | null> {
      const row = await all()
        .where({ module_id: moduleId, profile_hash: profileHash, target: 'module', state: 'passed' })
        .where('finished_at', '>', since)
        .orderBy('finished_at', 'desc')
        .first();
      return row ? toRun(row) : null;
    },

    /** Keeps what is known so far. @returns false when the run is over: somebody else has ended it. */
    async save(id: string, results: ContractRun['results'], now: Date): Promise<boolean> {
      const count: number = await all()
        .where({ id })
        .whereIn('state', ['waiting', 'running'])
        .update({ state: 'running', results: db.raw('?::jsonb', [JSON.stringify(results)]), beat_at: now });
      return count === 1;
    },

    /** @returns false when it was over already. */
    async finish(
      id: string,
      end: { state: 'passed' | 'failed' | 'stopped'; problem: string | null },
      now: Date,
    ): Promise<boolean> {
      const count = await all()
        .where({ id })
        .whereIn('state', ['waiting', 'running'])
        .update({ state: end.state, problem: end.problem, finished_at: now, beat_at: now });
      return count === 1;
    },

    async dropOld(instanceId: InstanceId): Promise<void> {
      const newest = all().where({ instance_id: instanceId }).orderBy('created_at', 'desc').limit(kept).select('id');
      await all().where({ instance_id: instanceId }).whereNotIn('id', newest).delete();
    },
  };
}

/** Runs whose runner went silent; crosses companies, for the clock. Each is handed out once in `quiet`. */
export async function takeSilentRuns(
  db: Database,
  now: Date,
  quietSince: Date,
): Promise<{ id: string; companyId: CompanyId }[]> {
  const rows: Pick<Row, 'id' | 'company_id'>[] = await db<Row>('contract_runs')
    .whereIn('state', ['waiting', 'running'])
    .where('beat_at', '<', quietSince)
    .update({ beat_at: now })
    .returning(['id', 'company_id']);
  return rows.map(({ id, company_id }) => ({ id, companyId: company_id }));
}
