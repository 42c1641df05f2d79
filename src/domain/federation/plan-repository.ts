import type { Database, Query } from '../../db/knex.ts';
import type { CompanyId, UserId } from '../../lib/ids.ts';
import { type Listed, likePattern, listed, offsetOf, type Paging, reach } from '../../lib/paging.ts';
import type { ConnectionId } from './connection.ts';
import { type Plan, type PlanAct, type PlanRow, planActs } from './plan.ts';

interface PlanDbRow {
  id: string;
  company_id: CompanyId;
  connection_id: ConnectionId;
  proposed: Plan['proposed'];
  present: Plan['present'];
  input_hash: string;
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
  undo_asked_by: UserId | null;
  undo_asked_by_name: string | null;
  undone_by_name: string | null;
  undone_at: Date | null;
  undo_task_id: string | null;
  undo_note: string | null;
  claims_hash: string | null;
}

const toPlan = (row: PlanDbRow): Plan => ({
  id: row.id,
  companyId: row.company_id,
  connectionId: row.connection_id,
  proposed: row.proposed,
  present: row.present,
  inputHash: row.input_hash,
  counts: row.counts,
  secondBecause: row.second_because,
  state: row.state,
  madeBy: row.made_by,
  madeByName: row.made_by_name,
  madeAt: row.made_at,
  askedByName: row.asked_by_name,
  askedAt: row.asked_at,
  appliedBy: row.applied_by,
  appliedByName: row.applied_by_name,
  appliedAt: row.applied_at,
  taskId: row.task_id,
  undoAskedBy: row.undo_asked_by,
  undoAskedByName: row.undo_asked_by_name,
  undoneByName: row.undone_by_name,
  undoneAt: row.undone_at,
  undoTaskId: row.undo_task_id,
  undoNote: row.undo_note,
  claimsHash: row.claims_hash,
});

interface RowRow {
  position: number;
  user_id: UserId;
  person: string;
  username: string;
  act: PlanAct;
  is_administrator: boolean;
  before_words: string;
  after_words: string;
  rule: string;
  seen_at: Date | null;
  change: PlanRow['change'];
  input_hash: string;
}

const toRow = (row: RowRow): PlanRow => ({
  position: row.position,
  userId: row.user_id,
  person: row.person,
  username: row.username,
  act: row.act,
  isAdministrator: row.is_administrator,
  before: row.before_words,
  after: row.after_words,
  rule: row.rule,
  seenAt: row.seen_at,
  change: row.change,
  inputHash: row.input_hash,
});

export interface PlanFilter {
  search: string;
  act: PlanAct | null;
}

interface By {
  id: UserId | null;
  name: string;
}

export function planRepository(db: Database, companyId: CompanyId) {
  const plans = () => db<PlanDbRow>('sso_plans').where({ company_id: companyId });
  const rowsOf = (planId: string): Query => db('sso_plan_rows').where({ company_id: companyId, plan_id: planId });

  function matching(planId: string, { search, act }: PlanFilter): Query {
    const query = rowsOf(planId);
    for (const word of search.toLowerCase().split(/\s+/).filter(Boolean).slice(0, 8))
      query.whereRaw('search_text like ?', [likePattern(word)]);
    return act === null ? query : query.where({ act });
  }

  return {
    /** The plan, whose rows follow; what is known of them at the end comes with `complete`. */
    async insert(plan: Plan): Promise<void> {
      await db('sso_plans').insert({
        id: plan.id,
        company_id: companyId,
        connection_id: plan.connectionId,
        proposed: JSON.stringify(plan.proposed),
        present: JSON.stringify(plan.present),
        input_hash: plan.inputHash,
        claims_hash: plan.claimsHash,
        counts: JSON.stringify(plan.counts),
        second_because: plan.secondBecause,
        state: plan.state,
        made_by: plan.madeBy,
        made_by_name: plan.madeByName,
        made_at: plan.madeAt,
      });
    },

    async insertRows(planId: string, rows: PlanRow[]): Promise<void> {
      if (rows.length === 0) return;
      await db.raw(
        `insert into sso_plan_rows (company_id, plan_id, position, user_id, person, username, act, is_administrator, before_words,
           after_words, rule, seen_at, change, input_hash, search_text)
         select ?, ?, i.position, i."userId", i.person, i.username, i.act, i."isAdministrator", i.before, i.after, i.rule, i."seenAt",
           case when json_typeof(i.change) = 'object' then i.change::jsonb end, i."inputHash", lower(i.person || ' ' || i.username)
         from json_to_recordset(?::json) as i (position int, "userId" uuid, person text, username text, act text,
           "isAdministrator" boolean, before text, after text, rule text, "seenAt" timestamptz, change json, "inputHash" text)`,
        [companyId, planId, JSON.stringify(rows)],
      );
    },

    async complete(id: string, plan: Pick<Plan, 'inputHash' | 'counts' | 'secondBecause'>): Promise<void> {
      await db('sso_plans')
        .where({ company_id: companyId, id })
        .update({
          input_hash: plan.inputHash,
          counts: JSON.stringify(plan.counts),
          second_because: plan.secondBecause,
        });
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

    async listLatest(connectionId: ConnectionId, limit: number): Promise<Plan[]> {
      const rows = await plans().where({ connection_id: connectionId }).orderBy('made_at', 'desc').limit(limit);
      return rows.map(toPlan);
    },

    async ask(id: string, by: By, now: Date): Promise<void> {
      await db('sso_plans')
        .where({ company_id: companyId, id })
        .update({ state: 'waiting', asked_by: by.id, asked_by_name: by.name, asked_at: now });
    },

    async apply(id: string, by: By & { taskId: string | null }, now: Date): Promise<void> {
      await db('sso_plans').where({ company_id: companyId, id }).update({
        state: 'applied',
        applied_by: by.id,
        applied_by_name: by.name,
        applied_at: now,
        task_id: by.taskId,
      });
    },

    async askUndo(id: string, by: By, now: Date): Promise<void> {
      await db('sso_plans')
        .where({ company_id: companyId, id })
        .update({ undo_asked_by: by.id, undo_asked_by_name: by.name, undo_asked_at: now });
    },

    async undo(id: string, by: { name: string; taskId: string | null; note: string | null }, now: Date): Promise<void> {
      await plans().where({ id }).update({
        state: 'undone',
        undone_by_name: by.name,
        undone_at: now,
        undo_task_id: by.taskId,
        undo_note: by.note,
      });
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

    /** What most matters first: who is deactivated, then who comes back, then who changes. */
    async list(planId: string, filter: PlanFilter, paging: Paging): Promise<Listed<PlanRow>> {
      const rows: RowRow[] = await matching(planId, filter)
        .orderByRaw('array_position(?::text[], act), position', [[...planActs]])
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

/** Old plans with their rows; that they were made, and by whom they were applied, stays in the audit log. @returns how many */
export async function purgePlans(db: Database, before: Date, limit: number): Promise<number> {
  const result: { rowCount: number } = await db.raw(
    'delete from sso_plans where id in (select id from sso_plans where made_at < ? order by made_at limit ? for update skip locked)',
    [before, limit],
  );
  return result.rowCount;
}
