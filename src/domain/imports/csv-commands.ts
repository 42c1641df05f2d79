// Bulk Invite CSV (A.4): a file becomes a task, each row of it an invitation by the same rule as one by the form.
import { createHash } from 'node:crypto';
import { cut } from '../../lib/cut.ts';
import type { CompanyId, UserId } from '../../lib/ids.ts';
import type { Work } from '../../work.ts';
import { authorise } from '../roles/authority.ts';
import { startTask } from '../tasks/commands.ts';
import type { Outcome, Task, TaskHandler, TaskRow } from '../tasks/task.ts';
import { type Invited, inviteUsers, type TypedUser } from '../users/invite-commands.ts';
import { remarksOnInvited } from '../users/new-user-queries.ts';
import { type CsvCells, groupNamesOf, headOf, roleOf } from './csv-columns.ts';
import { type CsvRow, readCsv } from './csv-file.ts';
import { tellWhoBegan } from './finished.ts';

const number = new Intl.NumberFormat('en');

/**
 * Reads the file, keeps its rows and queues the work. The same file twice while it is being worked on is one task (C17).
 * @throws AppError 422 when the file as a whole will not do: then nobody is invited
 */
export async function startCsvImport(
  work: Work,
  companyId: CompanyId,
  { name, bytes }: { name: string; bytes: Uint8Array },
): Promise<Task> {
  await authorise(work, companyId, 'users.manage');
  const rows = await readCsv(bytes);
  const people = rows.length === 1 ? '1 person' : `${number.format(rows.length)} people`;
  const file = fileName(name);
  return startTask(work, companyId, {
    kind: 'csv',
    title: `Invite ${people} from ${file}`,
    params: { file },
    inputHash: createHash('sha256').update(bytes).digest('hex'),
    rows: rows.map((row) => ({ position: row.line, label: labelOf(row), data: { ...row }, userId: null })),
  });
}

/** As the browser tells it, without what could break a line or hide the end. */
const fileName = (name: string) => cut(name.replace(/[\p{C}/\\]/gu, ''), 100).trim() || 'a file';

const labelOf = ({ cells }: CsvRow) => (cells.username.trim() || cells.email.trim()).replace(/\s+/g, ' ').slice(0, 100);

const typedOf = (cells: CsvCells): TypedUser => ({
  username: cells.username,
  email: cells.email,
  role: roleOf(cells.role),
  groups: groupNamesOf(cells.groups),
  firstName: cells.firstName,
  lastName: cells.lastName,
});

/** What the row held when the task began; the column is JSON, and we wrote it. */
export const csvRowOf = ({ data }: TaskRow): CsvRow => data as unknown as CsvRow;

export const csvHandler: TaskHandler = {
  // Nobody else knows of these people yet, so no sign-in waits for a chunk.
  chunk: 200,
  async run(work, task, rows) {
    const sound = rows.map(csvRowOf).filter(({ problem }) => problem === null);
    const answers = await inviteUsers(
      work,
      task.companyId,
      sound.map(({ cells }) => typedOf(cells)),
      'csv',
    );
    const made = answers.flatMap((answer) => ('user' in answer ? [answer.user] : []));
    const remarks = await remarksOnInvited(work, task.companyId, made);
    const byLine = new Map(sound.map(({ line }, i) => [line, answers[i]]));
    return rows.map(csvRowOf).map(({ line, problem }) => {
      if (problem) return { outcome: 'failed', field: problem.column, message: problem.message };
      return outcomeOf(byLine.get(line), remarks);
    });
  },
  finished: tellWhoBegan,
};

/** What a report can show of a sentence that quotes a long cell. */
const maxMessage = 500;

/** C18: a username that exists is skipped, whatever else would be wrong is a failure of the row. */
function outcomeOf(invited: Invited | undefined, remarks: Map<UserId, string>): Outcome {
  if (!invited) return { outcome: 'failed', message: 'Nothing was done with this row.' };
  if ('user' in invited) {
    const { id } = invited.user;
    const message = remarks.get(id);
    return { outcome: 'succeeded', userId: id, ...(message === undefined ? {} : { message }) };
  }
  const { status, message, fields } = invited.refused;
  return {
    outcome: status === 409 ? 'skipped' : 'failed',
    field: Object.keys(fields).map(headOf).join(', '),
    message: message.length > maxMessage ? `${message.slice(0, maxMessage)}…` : message,
  };
}
