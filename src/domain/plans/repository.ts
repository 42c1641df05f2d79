// Plans of any kind in the database: each kind has two tables of its own with the columns that stand here, and some more.
import type { Database, Query } from '../../db/knex.ts';
import { countUpTo, searchIn } from '../../db/lists.ts';
import type { CompanyId, UserId } from '../../lib/ids.ts';
import { type Listed, listed, offsetOf, type Paging } from '../../lib/paging.ts';
import type { PlanFilter, PlanHead, PlanLine } from './plan.ts';

export interface HeadRow<Act extends string> {
  id: string;
  company_id: CompanyId;
  input_hash: string;
  counts: Record<Act, number>;
  second_because: string | null;
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

export const toHead = <Act extends string>(row: HeadRow<Act>): PlanHead<Act> => ({
  id: row.id,
  companyId: row.company_id,
  inputHash: row.input_hash,
  counts: row.counts,
  secondBecause: row.second_because,
  madeBy: row.made_by,
  madeByName: row.made_by_name,
  madeAt: row.made_at,
  askedByName: row.asked_by_name,
  askedAt: row.asked_at,
  appliedBy: row.applied_by,
  appliedByName: row.applied_by_name,
  appliedAt: row.applied_at,
  taskId: row.task_id,
});

export interface LineRow<Act extends string> {
  position: number;
  person: string;
  act: Act;
  is_administrator: boolean;
  before_words: string;
  after_words: string;
  rule: string;
  input_hash: string;
}

export const toLine = <Act extends string>(row: LineRow<Act>): PlanLine<Act> => ({
  position: row.position,
  person: row.person,
  act: row.act,
  isAdministrator: row.is_administrator,
  before: row.before_words,
  after: row.after_words,
  rule: row.rule,
  inputHash: row.input_hash,
});

/** How plans of one kind stand there. */
export interface PlanTables<Act extends string, P, PRow extends HeadRow<Act>, L, LRow extends LineRow<Act>> {
  plans: string;
  rows: string;
  /** The column that says what a plan is about. */
  about: string;
  /** Columns that a new one has besides those of every plan. */
  columns: (plan: P) => Record<string, unknown>;
  toPlan: (row: PRow) => P;
  toLine: (row: LRow) => L;
  /** Whose rows are listed first; left out: rows stand in their order. */
  actsFirst?: readonly Act[];
}

interface By {
  id: UserId | null;
  name: string;
}

export function planStore<
  Act extends string,
  P extends PlanHead<Act> & { state: string },
  PRow extends HeadRow<Act>,
  L,
  LRow extends LineRow<Act>,
>(db: Database, companyId: CompanyId, tables: PlanTables<Act, P, PRow, L, LRow>) {
  const plans = (): Query => db(tables.plans).where({ company_id: companyId });
  const rowsOf = (planId: string): Query => db(tables.rows).where({ company_id: companyId, plan_id: planId });

  function matching(planId: string, { search, act }: PlanFilter<Act>): Query {
    const query = rowsOf(planId);
    searchIn(query, 'search_text', search);
    return act === null ? query : query.where({ act });
  }

  async function linesOf(query: Query): Promise<L[]> {
    const rows: LRow[] = await query;
    return rows.map(tables.toLine);
  }

  return {
    /** The plan, whose rows follow; what is known of them at the end comes with `complete`. */
    async insert(plan: P): Promise<void> {
      await db(tables.plans).insert({
        id: plan.id,
        company_id: companyId,
        input_hash: plan.inputHash,
        counts: JSON.stringify(plan.counts),
        second_because: plan.secondBecause,
        state: plan.state,
        made_by: plan.madeBy,
        made_by_name: plan.madeByName,
        made_at: plan.madeAt,
        ...tables.columns(plan),
      });
    },

    async complete(id: string, plan: Pick<P, 'inputHash' | 'counts' | 'secondBecause'>): Promise<void> {
      await plans()
        .where({ id })
        .update({
          input_hash: plan.inputHash,
          counts: JSON.stringify(plan.counts),
          second_because: plan.secondBecause,
        });
    },

    async findById(id: string): Promise<P | null> {
      const row: PRow | undefined = await plans().where({ id }).first();
      return row ? tables.toPlan(row) : null;
    },

    /** Held until the transaction ends: of two who press Apply, one applies it. */
    async lockById(id: string): Promise<P | null> {
      const row: PRow | undefined = await plans().where({ id }).forUpdate().first();
      return row ? tables.toPlan(row) : null;
    },

    async listLatest(about: string, limit: number): Promise<P[]> {
      const rows: PRow[] = await plans()
        .where({ [tables.about]: about })
        .orderBy('made_at', 'desc')
        .limit(limit);
      return rows.map(tables.toPlan);
    },

    async ask(id: string, by: By, now: Date): Promise<void> {
      await plans().where({ id }).update({ state: 'waiting', asked_by: by.id, asked_by_name: by.name, asked_at: now });
    },

    async apply(id: string, by: By & { taskId: string | null }, now: Date): Promise<void> {
      await plans()
        .where({ id })
        .update({ state: 'applied', applied_by: by.id, applied_by_name: by.name, applied_at: now, task_id: by.taskId });
    },

    async drop(id: string): Promise<void> {
      await plans().where({ id }).whereIn('state', ['ready', 'waiting']).update({ state: 'dropped' });
    },

    /** Rows in their order, after a position. */
    listAfter: (planId: string, after: number, limit: number): Promise<L[]> =>
      linesOf(rowsOf(planId).where('position', '>', after).orderBy('position').limit(limit)),

    listByPositions: (planId: string, positions: number[]): Promise<L[]> =>
      linesOf(rowsOf(planId).whereRaw('position = any(?)', [positions]).orderBy('position')),

    async list(planId: string, filter: PlanFilter<Act>, paging: Paging): Promise<Listed<L>> {
      const query = matching(planId, filter);
      if (tables.actsFirst) query.orderByRaw('array_position(?::text[], act)', [[...tables.actsFirst]]);
      const rows = await linesOf(query.orderBy('position').offset(offsetOf(paging)).limit(paging.size));
      return listed(rows, await countUpTo(db, matching(planId, filter)), paging);
    },
  };
}
