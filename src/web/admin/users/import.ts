// Bulk Invite Users (A.4): the template, the file that starts by itself, and the imports so far.
import { maxFileBytes, maxRows } from '../../../domain/imports/csv-columns.ts';
import { startCsvImport } from '../../../domain/imports/csv-commands.ts';
import { tooLarge } from '../../../domain/imports/csv-file.ts';
import { templateZip } from '../../../domain/imports/csv-template.ts';
import { refuseFile } from '../../../domain/imports/csv-text.ts';
import { listTasks } from '../../../domain/tasks/queries.ts';
import type { Task } from '../../../domain/tasks/task.ts';
import type { Runtime } from '../../../runtime.ts';
import type { Context } from '../../context.ts';
import { type Route, seeOther } from '../../routes.ts';
import type { FormProblem } from '../../views.ts';
import { type Desk, type DeskHandler, deskOf, orRedraw, showDesk } from '../console.ts';
import { taskPath, taskStates } from '../tasks/task.ts';
import { usersPath } from './list.ts';

const path = `${usersPath}/import`;
const templatePath = `${path}/users.zip`;

const number = new Intl.NumberFormat('en');

/** "1,200 imported, 1 skipped, 3 failed" */
const countsOf = ({ succeeded, skipped, failed }: Task): string =>
  [`${number.format(succeeded)} imported`, `${number.format(skipped)} skipped`, `${number.format(failed)} failed`].join(
    ', ',
  );

async function draw(ctx: Context, runtime: Runtime, desk: Desk, problem: FormProblem | null): Promise<void> {
  const recent = await listTasks(desk.work, desk.companyId, ['csv', 'module'], 5);
  await showDesk(
    ctx,
    runtime,
    desk,
    { view: 'admin/users/import', title: 'Bulk Invite Users', place: 'users' },
    {
      problem,
      action: path,
      back: usersPath,
      template: templatePath,
      maxBytes: maxFileBytes,
      tooLarge,
      maxRows: number.format(maxRows),
      recent: recent.map((task) => ({
        href: taskPath(task.id),
        title: task.title,
        state: taskStates[task.state],
        counts: countsOf(task),
        at: desk.moment(task.createdAt),
      })),
    },
  );
}

const show: DeskHandler = (ctx, runtime, desk) => draw(ctx, runtime, desk, null);

const upload: DeskHandler = (ctx, runtime, desk) =>
  orRedraw(
    ctx,
    async () => {
      const { upload } = ctx.state;
      if (!upload || upload.name === '') throw refuseFile('Choose a CSV file first.');
      const bytes = await upload.read(maxFileBytes);
      if (!bytes) throw refuseFile(tooLarge);
      const task = await startCsvImport(desk.work, desk.companyId, { name: upload.name, bytes });
      seeOther(ctx, taskPath(task.id));
    },
    (problem) => draw(ctx, runtime, desk, problem),
  );

/** A4.1 */
const template: DeskHandler = async (ctx, _runtime, desk) => {
  ctx.set('content-disposition', 'attachment; filename="users.zip"');
  ctx.type = 'application/zip';
  ctx.body = Buffer.from(templateZip(desk.work.now));
};

export const userImportRoutes: Route[] = [
  { method: 'get', path, handle: deskOf('users.manage', show) },
  { method: 'post', path, handle: deskOf('users.manage', upload) },
  { method: 'get', path: templatePath, handle: deskOf('users.manage', template) },
];
