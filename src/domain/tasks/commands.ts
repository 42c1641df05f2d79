import { type CompanyId, newId } from '../../lib/ids.ts';
import { transaction, type Work } from '../../work.ts';
import { record } from '../audit/commands.ts';
import type { PeopleQuery } from './repository.ts';
import type { NewRow, Task } from './task.ts';

export const taskJob = 'task';

export interface TaskRequest {
  kind: Task['kind'];
  title: string;
  params: Record<string, unknown>;
  /** The rows, or a query that selects `label` and `user_id` of people. */
  rows: NewRow[] | PeopleQuery;
  inputHash?: string;
}

/**
 * Keeps the rows and queues the work. The caller has authorised; each row's own command authorises again when its turn comes,
 * so an administrator who is no longer one stops the rest.
 * @returns the task; for an input that is being worked on already, that one (C17)
 */
export async function startTask(work: Work, companyId: CompanyId, request: TaskRequest): Promise<Task> {
  return transaction(work, async (work) => {
    const { tasks } = work.store.of(companyId);
    const task: Task = {
      id: newId(),
      companyId,
      kind: request.kind,
      title: request.title,
      params: request.params,
      state: 'waiting',
      total: 0,
      succeeded: 0,
      skipped: 0,
      failed: 0,
      actor: work.actor,
      origin: work.origin,
      inputHash: request.inputHash ?? null,
      problem: null,
      createdAt: work.now,
      startedAt: null,
      finishedAt: null,
      undoneBy: null,
    };
    // The twin may end between our insert and our look at it: then there is room for this one.
    while (!(await tasks.insert(task))) {
      const running = await tasks.findUnfinishedByInput(task.inputHash ?? '');
      if (running) return running;
    }
    if (Array.isArray(request.rows)) await tasks.insertRows(task.id, request.rows);
    else await tasks.insertRowsOf(task.id, request.rows);
    task.total = await tasks.countRows(task.id);
    await record(work, {
      action: 'import.start',
      companyId,
      target: { kind: 'task', id: task.id },
      details: { kind: task.kind, title: task.title, rows: task.total, params: task.params },
    });
    await work.jobs.enqueue(work, taskJob, { taskId: task.id, companyId });
    return task;
  });
}
