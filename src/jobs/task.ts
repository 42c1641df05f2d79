// Runs tasks: takes rows, does them, writes down what became of them, in one transaction each time. A process that is killed in the
// middle loses what was not committed; the rows still wait, and the clock hands the task to somebody else.
import { z } from 'zod';
import { isOutage } from '../db/errors.ts';
import { record } from '../domain/audit/commands.ts';
import { taskJob } from '../domain/tasks/commands.ts';
import { takeStalled } from '../domain/tasks/repository.ts';
import type { Outcome, Task, TaskHandler, TaskKind } from '../domain/tasks/task.ts';
import { AppError, invalid } from '../lib/errors.ts';
import type { CompanyId } from '../lib/ids.ts';
import { after, seconds } from '../lib/time.ts';
import { transaction, type Work } from '../work.ts';
import type { JobDefinition } from './queue.ts';

const payload = z.object({ taskId: z.string(), companyId: z.string() });

/** A job runs so long, then lets others have a turn and comes back. */
const turn = seconds(20);

/** @param nowOf the clock: a task outlives the moment in which its job began. */
export function runTaskJob(
  handlers: Partial<Record<TaskKind, TaskHandler>>,
  nowOf: () => Date,
): JobDefinition<z.infer<typeof payload>> {
  return {
    name: taskJob,
    payload,
    retryLimit: 5,
    retryDelay: 2,
    concurrency: 2,
    async handle(work, { taskId, companyId: company }) {
      // The queue's payload is what startTask wrote.
      const companyId = company as CompanyId;
      const task = await work.store.of(companyId).tasks.findById(taskId);
      const handler = task && handlers[task.kind];
      if (!task || !handler || task.state === 'done' || task.state === 'failed') return;
      const ends = Date.now() + turn;
      const inName = (): Work => ({ ...work, actor: task.actor, origin: task.origin, now: nowOf() });
      while (Date.now() < ends) {
        if (await doSome(inName(), task, handler)) continue;
        await finish(inName(), task, handler);
        return;
      }
      await work.jobs.enqueue(work, taskJob, { taskId, companyId });
    },
  };
}

const maxTries = 3;
const tries = new Map<string, number>();

/** How often this process has tried a row, this time included. */
function triesOf(task: Task, position: number): number {
  const key = `${task.id} ${position}`;
  const count = (tries.get(key) ?? 0) + 1;
  if (count >= maxTries) tries.delete(key);
  else tries.set(key, count);
  return count;
}

/** @returns false when nothing waits any more. */
async function doSome(work: Work, task: Task, handler: TaskHandler): Promise<boolean> {
  let tried: number | undefined;
  const limit = typeof handler.chunk === 'number' ? handler.chunk : handler.chunk(task);
  const run: TaskHandler['run'] = (work, task, rows) => {
    tried = rows[0]?.position;
    return handler.run(work, task, rows);
  };
  try {
    return await doChunk(work, task, run, { limit });
  } catch (error) {
    // Something in the chunk cannot be done, and took the others' work with it: one by one, so that only it fails.
    if (limit > 1) return doSome(work, task, { ...handler, chunk: 1 });
    if (tried === undefined) throw error;
    if (error instanceof AppError && error.status < 500) return failOne(work, task, error, tried);
    // An outage passes, and the queue tries again later; a row that fails every time must not keep the others waiting for ever.
    if (isOutage(error) || triesOf(task, tried) < maxTries) throw error;
    work.log.error({ err: error, taskId: task.id, position: tried }, 'a row of a task fails every time');
    return failOne(work, task, invalid('Something went wrong on our side with this row. It has been noted.'), tried);
  }
}

/** @param which.position this row and no other */
async function doChunk(
  work: Work,
  task: Task,
  run: TaskHandler['run'],
  which: { limit: number; position?: number },
): Promise<boolean> {
  return transaction(work, async (work) => {
    const { tasks } = work.store.of(task.companyId);
    const rows = await tasks.takeWaiting(task.id, which);
    if (rows.length === 0) return false;
    const outcomes = await run(work, task, rows);
    await tasks.finishRows(
      task.id,
      rows.map(({ position }, i) => ({ position, outcome: outcomes[i] ?? unanswered })),
      work.now,
    );
    return true;
  });
}

const unanswered: Outcome = { outcome: 'failed', message: 'Nothing was done with this row.' };

/**
 * The row that has just been refused, alone. It was let go with the refusal: another runner may have it by now, and then the
 * outcome is that one's to write, so that no other row gets this one's.
 */
async function failOne(
  work: Work,
  task: Task,
  { message, fields, status }: AppError,
  position: number,
): Promise<boolean> {
  const [field] = Object.keys(fields);
  // What a rule leaves out (409) is skipped; what is wrong with the row itself is a failure.
  const outcome: Outcome = {
    outcome: status === 409 ? 'skipped' : 'failed',
    message,
    ...(field === undefined ? {} : { field }),
  };
  await doChunk(work, task, async (_work, _task, rows) => rows.map(() => outcome), { limit: 1, position });
  return true;
}

async function finish(work: Work, task: Task, handler: TaskHandler): Promise<void> {
  await transaction(work, async (work) => {
    const done = await work.store.of(task.companyId).tasks.finish(task.id, work.now);
    if (!done) return;
    const { kind, title, succeeded, skipped, failed } = done;
    await record(work, {
      action: 'import.done',
      companyId: task.companyId,
      target: { kind: 'task', id: task.id },
      details: { kind, title, succeeded, skipped, failed },
    });
    await handler.finished?.(work, done);
  });
}

/** Hands tasks that nobody has touched for a while to whoever takes the job: their runner was killed. */
export async function reviveTasks(work: Work): Promise<void> {
  await transaction(work, async (work) => {
    for (const { id, companyId } of await takeStalled(work.store.db, work.now, after(work.now, -seconds(30))))
      await work.jobs.enqueue(work, taskJob, { taskId: id, companyId });
  });
}
