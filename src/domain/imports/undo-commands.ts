// Taking an import back (for 14 days): everybody whom it made is deleted, but for those who have signed in since.
import { conflict } from '../../lib/errors.ts';
import type { CompanyId } from '../../lib/ids.ts';
import { transaction, type Work } from '../../work.ts';
import { record } from '../audit/commands.ts';
import { authorise } from '../roles/authority.ts';
import { causeOf, standingChanged } from '../standing/commands.ts';
import { startTask } from '../tasks/commands.ts';
import { eachRow } from '../tasks/queries.ts';
import type { NewRow, Task, TaskHandler } from '../tasks/task.ts';
import { deleteUser } from '../users/admin-commands.ts';
import { keptBecause } from './undo.ts';
import { getUndoable } from './undo-queries.ts';

/** @throws AppError 409 for what is undone already, is too old, or has made nobody */
export async function startUndo(work: Work, companyId: CompanyId, taskId: string): Promise<Task> {
  await authorise(work, companyId, 'users.manage');
  return transaction(work, async (work) => {
    const task = await getUndoable(work, companyId, taskId);
    const rows: NewRow[] = [];
    for await (const { position, label, userId } of eachRow(work, companyId, taskId, ['succeeded']))
      rows.push({ position, label, userId, data: {} });
    const undo = await startTask(work, companyId, {
      kind: 'undo',
      title: `Take back: ${task.title}`,
      params: { taskId },
      rows,
    });
    // Of two at once, one is too late and leaves nothing behind.
    if (!(await work.store.of(companyId).tasks.markUndone(taskId, undo.id)))
      throw conflict('This import was taken back already.');
    return undo;
  });
}

export const undoHandler: TaskHandler = {
  // They may be signing in right now: a lock ends with its row.
  chunk: 1,
  run(work, { companyId }, rows) {
    const { users } = work.store.of(companyId);
    return Promise.all(
      rows.map(async ({ userId }) => {
        const user = userId && (await users.lockById(userId));
        const why = keptBecause(user || null);
        if (!user || why !== null) return { outcome: 'skipped', message: why ?? '' };
        await deleteUser({ ...work, isPartOfMore: true }, companyId, user.id);
        return { outcome: 'succeeded', userId: user.id };
      }),
    );
  },
  async finished(work, { companyId, params, succeeded, skipped, failed }) {
    await record(work, {
      action: 'import.undo',
      companyId,
      target: { kind: 'task', id: String(params.taskId) },
      details: { deleted: succeeded, kept: skipped + failed },
    });
    if (succeeded > 0)
      await standingChanged(work, {
        companyId,
        userIds: null,
        instanceIds: null,
        cause: causeOf(work, 'import undone'),
      });
  },
};
