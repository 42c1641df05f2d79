import { notFound } from '../../lib/errors.ts';
import type { CompanyId } from '../../lib/ids.ts';
import { inStretches } from '../../lib/paging.ts';
import type { Work } from '../../work.ts';
import { authorise } from '../roles/authority.ts';
import type { Task, TaskRow } from './task.ts';

/** A task with the first rows that were not done, and the first that were, but with something to say; those once it is over. */
export async function getTask(
  work: Work,
  companyId: CompanyId,
  id: string,
  limit: number,
): Promise<{ task: Task; problems: TaskRow[]; remarks: TaskRow[] }> {
  await authorise(work, companyId, 'users.manage');
  const { tasks } = work.store.of(companyId);
  const task = await tasks.findById(id);
  if (!task) throw notFound('task');
  const problems = await tasks.listRows(id, ['skipped', 'failed'], { after: 0, limit });
  return { task, problems, remarks: task.state === 'done' ? await tasks.listRemarks(id, limit) : [] };
}

/** The latest tasks of some kinds, newest first. */
export async function listTasks(
  work: Work,
  companyId: CompanyId,
  kinds: Task['kind'][],
  limit: number,
): Promise<Task[]> {
  await authorise(work, companyId, 'users.manage');
  return work.store.of(companyId).tasks.listRecent(kinds, limit);
}

/** All rows of some outcomes, a thousand at a time, so that a report of any length fits into memory. */
export async function* eachRow(
  work: Work,
  companyId: CompanyId,
  id: string,
  outcomes: TaskRow['outcome'][],
): AsyncGenerator<TaskRow> {
  await authorise(work, companyId, 'users.manage');
  const { tasks } = work.store.of(companyId);
  for await (const rows of inStretches((after, limit) => tasks.listRows(id, outcomes, { after, limit }))) yield* rows;
}
