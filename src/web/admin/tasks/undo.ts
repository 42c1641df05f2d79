// What can be had from a finished import: its failed rows as a file, and everything as it was before.
import { Readable } from 'node:stream';
import { failedRows } from '../../../domain/imports/csv-report.ts';
import { startUndo } from '../../../domain/imports/undo-commands.ts';
import { previewUndo } from '../../../domain/imports/undo-queries.ts';
import { type Route, seeOther } from '../../routes.ts';
import { type DeskHandler, deskOf, idParam, showDesk } from '../console.ts';
import { taskPath } from './task.ts';

const path = '/admin/tasks/:task';
const number = new Intl.NumberFormat('en');
const people = (n: number) => (n === 1 ? '1 person' : `${number.format(n)} people`);

/** As many of those who stay are named on the page; the report of the act names all. */
const namedAtMost = 100;

const ask: DeskHandler = async (ctx, runtime, desk) => {
  const id = idParam<string>(ctx, 'task', 'task');
  const { task, toDelete, kept } = await previewUndo(desk.work, desk.companyId, id);
  const more = kept.length - namedAtMost;
  const title = 'Take this import back?';
  await showDesk(
    ctx,
    runtime,
    desk,
    { view: 'admin/tasks/undo', title, place: 'users' },
    {
      title,
      action: `${taskPath(id)}/undo`,
      cancel: taskPath(id),
      sentences:
        toDelete === 0
          ? ['There is nobody to delete: everybody of this import has logged in since, or is gone already.']
          : [
              `“${task.title}” has made ${people(task.succeeded)}. Taking it back deletes ${people(toDelete)}, with ${toDelete === 1 ? 'the invitation' : 'their invitations'}. This cannot be undone.`,
              'The usernames are free again at once, so the file can be mended and uploaded anew.',
              kept.length === 0
                ? 'Nobody of them has logged in yet. Whoever does in the meantime is kept.'
                : `${people(kept.length)} of this import ${kept.length === 1 ? 'is' : 'are'} kept, and so is whoever logs in meanwhile.`,
              ...(more > 0 ? [`The first ${namedAtMost} of them are named here; the report names all.`] : []),
            ],
      kept: kept.slice(0, namedAtMost),
      button: toDelete === 0 ? null : `Delete ${people(toDelete)}`,
    },
  );
};

const undo: DeskHandler = async (ctx, _runtime, desk) => {
  const id = idParam<string>(ctx, 'task', 'task');
  const task = await startUndo(desk.work, desk.companyId, id);
  seeOther(ctx, taskPath(task.id));
};

const download: DeskHandler = async (ctx, _runtime, desk) => {
  const id = idParam<string>(ctx, 'task', 'task');
  const file = await failedRows(desk.work, desk.companyId, id);
  ctx.set('content-disposition', 'attachment; filename="failed-rows.csv"');
  ctx.type = 'text/csv; charset=utf-8';
  ctx.body = Readable.from(file);
};

export const taskUndoRoutes: Route[] = [
  { method: 'get', path: `${path}/undo`, handle: deskOf('users.manage', ask) },
  { method: 'post', path: `${path}/undo`, handle: deskOf('users.manage', undo) },
  { method: 'get', path: `${path}/failed-rows`, handle: deskOf('users.manage', download) },
];
