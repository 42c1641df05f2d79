import { violatedConstraint } from '../../db/errors.ts';
import type { Database, Query } from '../../db/knex.ts';
import type { CompanyId, UserId } from '../../lib/ids.ts';
import type { NewRow, Outcome, Task, TaskRow } from './task.ts';

interface Row {
  id: string;
  company_id: CompanyId;
  kind: Task['kind'];
  title: string;
  params: Task['params'];
  state: Task['state'];
  total: number;
  succeeded: number;
  skipped: number;
  failed: number;
  actor: Task['actor'];
  origin: Task['origin'];
  input_hash: string | null;
  problem: string | null;
  created_at: Date;
  started_at: Date | null;
  finished_at: Date | null;
  undone_by: string | null;
  beat_at: Date;
}

const toTask = (row: Row): Task => ({
  id: row.id,
  companyId: row.company_id,
  kind: row.kind,
  title: row.title,
  params: row.params,
  state: row.state,
  total: row.total,
  succeeded: row.succeeded,
  skipped: row.skipped,
  failed: row.failed,
  actor: row.actor,
  origin: row.origin,
  inputHash: row.input_hash,
  problem: row.problem,
  createdAt: row.created_at,
  startedAt: row.started_at,
  finishedAt: row.finished_at,
  undoneBy: row.undone_by,
});

interface StoredRow {
  company_id: CompanyId;
  task_id: string;
  position: number;
  label: string;
  data: Record<string, unknown>;
  user_id: UserId | null;
  outcome: TaskRow['outcome'];
  field: string | null;
  message: string | null;
}

const toRow = (row: StoredRow): TaskRow => ({
  position: row.position,
  label: row.label,
  data: row.data,
  userId: row.user_id,
  outcome: row.outcome,
  field: row.field,
  message: row.message,
});

/** knex's types know no null inside an array; PostgreSQL does. */
const array = (values: (string | null | undefined)[]) => values.map((value) => value ?? null) as string[];

/** Selects `label` and `user_id` of people. */
export type PeopleQuery = Query;

export function taskRepository(db: Database, companyId: CompanyId) {
  const all = () => db<Row>('tasks').where({ company_id: companyId });
  const rowsOf = (taskId: string) => db<StoredRow>('task_rows').where({ company_id: companyId, task_id: taskId });

  return {
    /** @returns false when the very same input is being worked on already (C17). */
    async insert(task: Task): Promise<boolean> {
      try {
        await db.transaction((trx) =>
          trx('tasks').insert({
            id: task.id,
            company_id: companyId,
            kind: task.kind,
            title: task.title,
            params: JSON.stringify(task.params),
            state: task.state,
            total: task.total,
            actor: JSON.stringify(task.actor),
            origin: JSON.stringify(task.origin),
            input_hash: task.inputHash,
            created_at: task.createdAt,
            beat_at: task.createdAt,
          }),
        );
        return true;
      } catch (error) {
        if (violatedConstraint(error) === 'tasks_input_unique') return false;
        throw error;
      }
    },

    /** Rows as one statement for each thousand of them. */
    async insertRows(taskId: string, rows: NewRow[]): Promise<void> {
      for (let at = 0; at < rows.length; at += 1000) {
        const some = rows.slice(at, at + 1000);
        await db.raw(
          `insert into task_rows (company_id, task_id, position, label, data, user_id)
           select ?, ?, i.position, i.label, i.data::jsonb, i.user_id
           from unnest(?::int[], ?::text[], ?::text[], ?::uuid[]) as i (position, label, data, user_id)`,
          [
            companyId,
            taskId,
            some.map(({ position }) => position),
            some.map(({ label }) => label),
            some.map(({ data }) => JSON.stringify(data)),
            array(some.map(({ userId }) => userId)),
          ],
        );
      }
    },

    /** Rows from a query that selects `label` and `user_id`, without bringing them here. */
    async insertRowsOf(taskId: string, people: PeopleQuery): Promise<void> {
      await db.raw(
        `insert into task_rows (company_id, task_id, position, label, data, user_id)
         select ?, ?, row_number() over (order by p.label), p.label, '{}', p.user_id from (?) p`,
        [companyId, taskId, people],
      );
    },

    /** Counts the rows, once all are there, and keeps the number. */
    async countRows(taskId: string): Promise<number> {
      const rows: { total: number }[] = await all()
        .where({ id: taskId })
        .update({ total: db.raw('(select count(*) from task_rows r where r.task_id = tasks.id)') })
        .returning('total');
      return rows[0]?.total ?? 0;
    },

    async findById(id: string): Promise<Task | null> {
      const row = await all().where({ id }).first();
      return row ? toTask(row) : null;
    },

    async findUnfinishedByInput(inputHash: string): Promise<Task | null> {
      const row = await all().where({ input_hash: inputHash }).whereIn('state', ['waiting', 'running']).first();
      return row ? toTask(row) : null;
    },

    async listRecent(kinds: Task['kind'][], limit: number): Promise<Task[]> {
      return (await all().whereIn('kind', kinds).orderBy('created_at', 'desc').limit(limit)).map(toTask);
    },

    /** The next rows to do, held until the transaction ends; rows that another runner holds are left to it. */
    async takeWaiting(taskId: string, { limit, position }: { limit: number; position?: number }): Promise<TaskRow[]> {
      const rows = await rowsOf(taskId)
        .where({ outcome: 'waiting', ...(position === undefined ? {} : { position }) })
        .orderBy('position')
        .limit(limit)
        .forUpdate()
        .skipLocked();
      return rows.map(toRow);
    },

    /** Writes down what became of rows, and counts it: in the transaction of the act itself, so that nothing is done twice. */
    async finishRows(taskId: string, outcomes: { position: number; outcome: Outcome }[], now: Date): Promise<void> {
      await db.raw(
        `update task_rows r set outcome = i.outcome, field = i.field, message = i.message, user_id = coalesce(i.user_id, r.user_id)
         from unnest(?::int[], ?::text[], ?::text[], ?::text[], ?::uuid[]) as i (position, outcome, field, message, user_id)
         where r.company_id = ? and r.task_id = ? and r.position = i.position`,
        [
          outcomes.map(({ position }) => position),
          outcomes.map(({ outcome }) => outcome.outcome),
          array(outcomes.map(({ outcome }) => ('field' in outcome ? outcome.field : null))),
          array(outcomes.map(({ outcome }) => outcome.message)),
          array(outcomes.map(({ outcome }) => ('userId' in outcome ? outcome.userId : null))),
          companyId,
          taskId,
        ],
      );
      const count = (wanted: Outcome['outcome']) => outcomes.filter(({ outcome }) => outcome.outcome === wanted).length;
      await all()
        .where({ id: taskId })
        .update({
          state: 'running',
          succeeded: db.raw('succeeded + ?', [count('succeeded')]),
          skipped: db.raw('skipped + ?', [count('skipped')]),
          failed: db.raw('failed + ?', [count('failed')]),
          started_at: db.raw('coalesce(started_at, ?)', [now]),
          beat_at: now,
        });
    },

    /** Done, if no row waits any more. @returns the finished task, once; null for whoever comes second or too early. */
    async finish(taskId: string, now: Date): Promise<Task | null> {
      const rows: Row[] = await all()
        .where({ id: taskId })
        .whereIn('state', ['waiting', 'running'])
        .whereRaw(`not exists (select from task_rows r where r.task_id = tasks.id and r.outcome = 'waiting')`)
        .update({ state: 'done', finished_at: now, beat_at: now })
        .returning('*');
      return rows[0] ? toTask(rows[0]) : null;
    },

    /** @returns false when somebody was faster: what is undone twice would be undone wrongly. */
    async markUndone(taskId: string, by: string): Promise<boolean> {
      return (await all().where({ id: taskId }).whereNull('undone_by').update({ undone_by: by })) === 1;
    },

    async fail(taskId: string, problem: string, now: Date): Promise<void> {
      await all()
        .where({ id: taskId })
        .whereIn('state', ['waiting', 'running'])
        .update({ state: 'failed', problem, finished_at: now });
    },

    /** Rows that were done, but with a sentence. */
    async listRemarks(taskId: string, limit: number): Promise<TaskRow[]> {
      const rows = await rowsOf(taskId)
        .where({ outcome: 'succeeded' })
        .whereNotNull('message')
        .orderBy('position')
        .limit(limit);
      return rows.map(toRow);
    },

    /** Rows of one outcome in their order, after a position: for the report and its files. */
    async listRows(
      taskId: string,
      outcomes: TaskRow['outcome'][],
      { after, limit }: { after: number; limit: number },
    ): Promise<TaskRow[]> {
      const rows = await rowsOf(taskId)
        .whereIn('outcome', outcomes)
        .where('position', '>', after)
        .orderBy('position')
        .limit(limit);
      return rows.map(toRow);
    },
  };
}

/** Tasks whose runner went silent; crosses companies, for the clock. Each is handed out once in `quiet`. */
export async function takeStalled(
  db: Database,
  now: Date,
  quietSince: Date,
): Promise<{ id: string; companyId: CompanyId }[]> {
  const rows: { id: string; company_id: CompanyId }[] = await db<Row>('tasks')
    .whereIn('state', ['waiting', 'running'])
    .where('beat_at', '<', quietSince)
    .update({ beat_at: now })
    .returning(['id', 'company_id']);
  return rows.map(({ id, company_id }) => ({ id, companyId: company_id }));
}

/** Old tasks with their rows: what was typed or uploaded is not kept for ever. */
export async function purgeTasks(db: Database, before: Date, limit: number): Promise<number> {
  const result: { rowCount: number } = await db.raw(
    'delete from tasks where id in (select id from tasks where finished_at < ? order by finished_at limit ? for update skip locked)',
    [before, limit],
  );
  return result.rowCount;
}
