import { conflict, notFound } from '../../lib/errors.ts';
import type { CompanyId, UserId } from '../../lib/ids.ts';
import type { Work } from '../../work.ts';
import { authorise } from '../roles/authority.ts';
import { mayUndo, type Task } from '../tasks/task.ts';
import { fullName } from '../users/user.ts';
import { keptBecause, type UndoFacts } from './undo.ts';

export interface UndoPreview {
  task: Task;
  toDelete: number;
  /** Who still exists and is not deleted. */
  kept: { name: string; username: string; why: string }[];
}

type Row = UndoFacts & { id: UserId; firstName: string; lastName: string; username: string };

export async function getUndoable(work: Work, companyId: CompanyId, taskId: string): Promise<Task> {
  const task = await work.store.of(companyId).tasks.findById(taskId);
  if (!task) throw notFound('task');
  if (task.undoneBy !== null) throw conflict('This import was taken back already.');
  if (!mayUndo(task, work.now))
    throw conflict('Only an import that is done and has made people can be taken back, for 14 days.');
  return task;
}

/** What taking an import back would do now. */
export async function previewUndo(work: Work, companyId: CompanyId, taskId: string): Promise<UndoPreview> {
  await authorise(work, companyId, 'users.manage');
  const task = await getUndoable(work, companyId, taskId);
  const rows: Row[] = await work.store
    .db('task_rows as r')
    .join('users as u', (on) => on.on('u.company_id', 'r.company_id').on('u.id', 'r.user_id'))
    .where({ 'r.company_id': companyId, 'r.task_id': taskId, 'r.outcome': 'succeeded' })
    .whereNot('u.base_status', 'Deleted')
    .orderBy('r.position')
    .select(
      'u.id',
      'u.first_name as firstName',
      'u.last_name as lastName',
      'u.username',
      'u.base_status as baseStatus',
      'u.last_login_at as lastLoginAt',
    );
  const kept = rows.flatMap((row) => {
    const why = keptBecause(row);
    return why === null ? [] : [{ name: fullName(row), username: row.username, why }];
  });
  return { task, toDelete: rows.length - kept.length, kept };
}
