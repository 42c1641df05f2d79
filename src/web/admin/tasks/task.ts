// Progress and report of long work. The page has an address of its own: one can leave it and come back (A5.5, A5.6).
import { getTask } from '../../../domain/tasks/queries.ts';
import { doneOf, mayUndo, type Task, type TaskRow, undoFor } from '../../../domain/tasks/task.ts';
import { after } from '../../../lib/time.ts';
import type { Route } from '../../routes.ts';
import type { ConsolePlace } from '../../views.ts';
import { type DeskHandler, deskOf, idParam, showDesk } from '../console.ts';
import { usersPath } from '../users/list.ts';
import type { StatusWords } from '../views.ts';
import type { TaskLine } from './views.ts';

export const taskPath = (id: string) => `/admin/tasks/${id}`;

/** As many as a page shows; the file of failed rows has them all. */
const shownRows = 500;

const number = new Intl.NumberFormat('en');

export const taskStates: Record<Task['state'], StatusWords> = {
  waiting: { tone: 'wait', word: 'Waiting', more: '' },
  running: { tone: 'wait', word: 'Running', more: '' },
  done: { tone: 'good', word: 'Done', more: '' },
  failed: { tone: 'danger', word: 'Stopped', more: '' },
};

/** "1,204 of 10,000, about 20 seconds left", from the speed so far. */
export function progressWords(task: Task, now: Date): string {
  const done = doneOf(task);
  const words = `${number.format(done)} of ${number.format(task.total)}`;
  if (task.startedAt === null || done === 0 || done >= task.total) return words;
  const left = Math.ceil((((now.getTime() - task.startedAt.getTime()) / done) * (task.total - done)) / 1000);
  if (left < 1) return words;
  return `${words}, about ${left < 90 ? `${left} seconds` : `${Math.round(left / 60)} minutes`} left`;
}

/** What success and being left out are called. */
const countWords: Record<Task['kind'], [succeeded: string, skipped: string]> = {
  csv: ['Imported', 'Skipped'],
  module: ['Imported', 'Skipped'],
  bulk: ['Succeeded', 'Skipped'],
  undo: ['Deleted', 'Kept'],
  plan: ['Queued', 'Skipped'],
  mapping: ['Changed', 'Skipped'],
};

function countsOf({ kind, succeeded, skipped, failed }: Task): { label: string; value: string }[] {
  const [done, left] = countWords[kind];
  return [
    { label: done, value: number.format(succeeded) },
    { label: left, value: number.format(skipped) },
    { label: 'Failed', value: number.format(failed) },
  ];
}

interface From {
  place: ConsolePlace;
  href: string;
  label: string;
  /** What leads back there at the end. */
  button: string;
}

/** Where the work was asked for. */
function fromOf({ kind, params }: Task): From {
  const plan = { label: 'Plan', button: 'Back to the plan' };
  if (kind === 'mapping' && typeof params.connectionId === 'string' && typeof params.planId === 'string')
    return { place: 'sso', href: `/admin/sso/${params.connectionId}/plans/${params.planId}`, ...plan };
  return kind === 'plan' && typeof params.instanceId === 'string' && typeof params.planId === 'string'
    ? { place: 'instances', href: `/admin/modules/${params.instanceId}/accounts/plans/${params.planId}`, ...plan }
    : { place: 'users', href: usersPath, label: 'Users', button: 'Done' };
}

const lineOf = ({ position, label, field, message }: TaskRow): TaskLine => ({
  position,
  label,
  field: field ?? '',
  message: message ?? '',
});

const logLine = ({ position, label, outcome, field, message }: TaskRow) =>
  [`Line ${position}`, label, outcome, field, message].filter(Boolean).join('\t');

const show: DeskHandler = async (ctx, runtime, desk) => {
  const id = idParam<string>(ctx, 'task', 'task');
  const { task, problems, remarks } = await getTask(desk.work, desk.companyId, id, shownRows);
  const here = taskPath(task.id);
  const { place, ...back } = fromOf(task);
  const isRunning = task.state === 'waiting' || task.state === 'running';
  const counts = countsOf(task);
  const hidden = task.skipped + task.failed - problems.length;
  await showDesk(
    ctx,
    runtime,
    desk,
    { view: 'admin/tasks/page', title: task.title, place },
    {
      title: task.title,
      isRunning,
      here,
      state: taskStates[task.state],
      by: 'name' in task.actor ? task.actor.name : '',
      startedAt: desk.moment(task.createdAt),
      finishedAt: task.finishedAt && desk.moment(task.finishedAt),
      done: doneOf(task),
      total: task.total,
      progress: progressWords(task, desk.work.now),
      counts,
      stoppedBecause: task.problem,
      lines: problems.map(lineOf),
      remarks: remarks.map(lineOf),
      more: hidden > 0 ? `And ${number.format(hidden)} more, in the file of failed rows.` : '',
      log: [
        task.title,
        ...counts.map(({ label, value }) => `${label}\t${value}`),
        ...[...problems, ...remarks].map(logLine),
      ].join('\n'),
      failedRows: task.kind === 'csv' && task.failed > 0 ? `${here}/failed-rows` : null,
      undo:
        mayUndo(task, desk.work.now) && task.finishedAt
          ? { href: `${here}/undo`, until: desk.moment(after(task.finishedAt, undoFor)) }
          : null,
      undone: task.undoneBy && taskPath(task.undoneBy),
      back,
    },
  );
};

export const taskRoutes: Route[] = [
  { method: 'get', path: '/admin/tasks/:task', handle: deskOf('users.manage', show) },
];
