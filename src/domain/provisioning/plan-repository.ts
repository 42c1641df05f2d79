import type { Database, Query } from '../../db/knex.ts';
import type { CompanyId, InstanceId, UserId } from '../../lib/ids.ts';
import { type Listed, likePattern, listed, offsetOf, type Paging, reach } from '../../lib/paging.ts';
import type { Wanted } from './account.ts';
import type { Plan, PlanAct, PlanRow } from './plan.ts';

interface PlanDbRow {
  id: string;
  company_id: CompanyId;
  instance_id: InstanceId;
  read_id: string;
  scope: Plan['scope'];
  input_hash: string;
  settings_hash: string;
  counts: Plan['counts'];
  second_because: string | null;
  state: Plan['state'];
  made_by: UserId | null;
  made_by_name: string;
  made_at: Date;
  asked_by_name: string | null;
  asked_at: Date | null;
  applied_by: UserId | null;
  applied_by_name: string | null;
  applied_at: Date | null;
  task_id: string | null;
}

const toPlan = (row: PlanDbRow): Plan => ({
  id: row.id,
  companyId: row.company_id,
  instanceId: row.instance_id,
  readId: row.read_id,
  scope: row.scope,
  inputHash: row.input_hash,
  settingsHash: row.settings_hash,
  counts: row.counts,
  secondBecause: row.second_because,
  state: row.state,
  madeBy: row.made_by,
  madeByName: row.made_by_name,
  madeAt: row.made_at,
  askedByName: row.asked_by_name,
  askedAt: row.asked_at,
  appliedByName: row.applied_by_name,
  appliedAt: row.applied_at,
  taskId: row.task_id,
});

interface RowRow {
  position: number;
  subject: string;
  external_id: string | null;
  user_id: UserId | null;
  account: string;
  person: string;
  act: PlanAct;
  is_administrator: boolean;
  before_words: string;
  after_words: string;
  rule: string;
  wanted: Wanted;
  input_hash: string;
}

const toRow = (row: RowRow): PlanRow => ({
  position: row.position,
  subject: row.subject,
  externalId: row.external_id,
  userId: row.user_id,
  account: row.account,
  person: row.person,
  act: row.act,
  isAdministrator: row.is_administrator,
  before: row.before_words,
  after: row.after_words,
  rule: row.rule,
  wanted: row.wanted,
  inputHash: row.input_hash,
});

export interface PlanFilter {
  search: string;
  act: PlanAct | null;
}

export function planRepository(db: Database, companyId: CompanyId) {
  const plans = () => db<PlanDbRow>('provisioning_plans').where({ company_id: companyId });
  const rowsOf = (planId: string): Query =>
    db('provisioning_plan_rows').where({ company_id: companyId, plan_id: planId });

  function matching(planId: string, { search, act }: PlanFilter): Query {
    const query = rowsOf(planId);
    for (const word of search.toLowerCase().split(/\s+/).filter(Boolean).slice(0, 8))
      query.whereRaw('search_text like ?', [likePattern(word)]);
    return act === null ? query : query.where({ act });
  }

  return {
    /** The plan, whose rows follow; what is known of them at the end comes with `complete`. */
    async insert(plan: Plan): Promise<void> {
      await db('provisioning_plans').insert({
        id: plan.id,
        company_id: companyId,
        instance_id: plan.instanceId,
        read_id: plan.readId,
        scope: JSON.stringify(plan.scope),
        input_hash: plan.inputHash,
        settings_hash: plan.settingsHash,
        counts: JSON.stringify(plan.counts),
        second_because: plan.secondBecause,
        state: plan.state,
        made_by: plan.madeBy,
        made_by_name: plan.madeByName,
        made_at: plan.madeAt,
      });
    },

    async complete(id: string, plan: Pick<Plan, 'inputHash' | 'counts' | 'secondBecause'>): Promise<void> {
      await plans()
        .where({ id })
        .update({
          input_hash: plan.inputHash,
          // jsonb takes text.
          counts: JSON.stringify(plan.counts) as unknown as Plan['counts'],
          second_because: plan.secondBecause,
        });
    },

    async insertRows(planId: string, rows: PlanRow[]): Promise<void> {
      if (rows.length === 0) return;
      await db.raw(
        `insert into provisioning_plan_rows (company_id, plan_id, position, subject, external_id, user_id, account, person, act,
           is_administrator, before_words, after_words, rule, wanted, input_hash, search_text)
         select ?, ?, i.position, i.subject, i."externalId", i."userId", i.account, i.person, i.act, i."isAdministrator", i.before, i.after,
           i.rule, i.wanted, i."inputHash", lower(i.account || ' ' || i.person)
         from jsonb_to_recordset(?::jsonb) as i (position int, subject text, "externalId" text, "userId" uuid, account text, person text,
           act text, "isAdministrator" boolean, before text, after text, rule text, wanted jsonb, "inputHash" text)`,
        [companyId, planId, JSON.stringify(rows)],
      );
    },

    async findById(id: string): Promise<Plan | null> {
      const row = await plans().where({ id }).first();
      return row ? toPlan(row) : null;
    },

    /** Held until the transaction ends: of two who press Apply, one applies it. */
    async lockById(id: string): Promise<Plan | null> {
      const row = await plans().where({ id }).forUpdate().first();
      return row ? toPlan(row) : null;
    },

    async listLatest(instanceId: InstanceId, limit: number): Promise<Plan[]> {
      return (await plans().where({ instance_id: instanceId }).orderBy('made_at', 'desc').limit(limit)).map(toPlan);
    },

    async ask(id: string, by: { id: UserId | null; name: string }, now: Date): Promise<void> {
      await plans().where({ id }).update({ state: 'waiting', asked_by_name: by.name, asked_at: now });
    },

    async apply(id: string, by: { id: UserId | null; name: string; taskId: string }, now: Date): Promise<void> {
      await plans()
        .where({ id })
        .update({ state: 'applied', applied_by: by.id, applied_by_name: by.name, applied_at: now, task_id: by.taskId });
    },

    async drop(id: string): Promise<void> {
      await plans().where({ id }).whereIn('state', ['ready', 'waiting']).update({ state: 'dropped' });
    },

    /** Rows in their order, after a position. */
    async listAfter(planId: string, after: number, limit: number): Promise<PlanRow[]> {
      const rows: RowRow[] = await rowsOf(planId).where('position', '>', after).orderBy('position').limit(limit);
      return rows.map(toRow);
    },

    async listByPositions(planId: string, positions: number[]): Promise<PlanRow[]> {
      const rows: RowRow[] = await rowsOf(planId).whereRaw('position = any(?)', [positions]).orderBy('position');
      return rows.map(toRow);
    },

    async list(planId: string, filter: PlanFilter, paging: Paging): Promise<Listed<PlanRow>> {
      const rows: RowRow[] = await matching(planId, filter)
        .orderBy('position')
        .offset(offsetOf(paging))
        .limit(paging.size);
      const some = matching(planId, filter)
        .select(db.raw('1'))
        .limit(reach + 1);
      const [count]: { count: string }[] = await db.from(some.as('some')).count({ count: '*' });
      return listed(rows.map(toRow), Number(count?.count ?? 0), paging);
    },
  };
}
