import type { Database } from '../../db/knex.ts';
import type { CompanyId, UserId } from '../../lib/ids.ts';
import { type HeadRow, type LineRow, planStore, toHead, toLine } from '../plans/repository.ts';
import type { ConnectionId } from './connection.ts';
import { type Plan, type PlanAct, type PlanRow, planActs } from './plan.ts';

interface PlanDbRow extends HeadRow<PlanAct> {
  connection_id: ConnectionId;
  proposed: Plan['proposed'];
  present: Plan['present'];
  state: Plan['state'];
  undo_asked_by: UserId | null;
  undo_asked_by_name: string | null;
  undone_by_name: string | null;
  undone_at: Date | null;
  undo_task_id: string | null;
  undo_note: string | null;
  claims_hash: string | null;
}

const toPlan = (row: PlanDbRow): Plan => ({
  ...toHead(row),
  connectionId: row.connection_id,
  proposed: row.proposed,
  present: row.present,
  state: row.state,
  undoAskedBy: row.undo_asked_by,
  undoAskedByName: row.undo_asked_by_name,
  undoneByName: row.undone_by_name,
  undoneAt: row.undone_at,
  undoTaskId: row.undo_task_id,
  undoNote: row.undo_note,
  claimsHash: row.claims_hash,
});

interface RowRow extends LineRow<PlanAct> {
  user_id: UserId;
  username: string;
  seen_at: Date | null;
  change: PlanRow['change'];
}

const toRow = (row: RowRow): PlanRow => ({
  ...toLine(row),
  userId: row.user_id,
  username: row.username,
  seenAt: row.seen_at,
  change: row.change,
});

export function planRepository(db: Database, companyId: CompanyId) {
  const one = (id: string) => db('sso_plans').where({ company_id: companyId, id });

  return {
    ...planStore<PlanAct, Plan, PlanDbRow, PlanRow, RowRow>(db, companyId, {
      plans: 'sso_plans',
      rows: 'sso_plan_rows',
      about: 'connection_id',
      columns: ({ connectionId, proposed, present, claimsHash }) => ({
        connection_id: connectionId,
        proposed: JSON.stringify(proposed),
        present: JSON.stringify(present),
        claims_hash: claimsHash,
      }),
      toPlan,
      toLine: toRow,
      // What most matters: who is deactivated, then who comes back, then who changes.
      actsFirst: planActs,
    }),

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

    async askUndo(id: string, by: { id: UserId; name: string }, now: Date): Promise<void> {
      await one(id).update({ undo_asked_by: by.id, undo_asked_by_name: by.name, undo_asked_at: now });
    },

    async undo(id: string, by: { name: string; taskId: string | null; note: string | null }, now: Date): Promise<void> {
      await one(id).update({
        state: 'undone',
        undone_by_name: by.name,
        undone_at: now,
        undo_task_id: by.taskId,
        undo_note: by.note,
      });
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
