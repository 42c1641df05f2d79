// Tasks: long work on many rows (imports, bulk acts, taking them back), done in the background, row by row, with an outcome for each.
// Owns tasks and their rows, progress and report; knows nothing of what is done with a row: the rooms below do that.
import type { CompanyId, UserId } from '../../lib/ids.ts';
import { days } from '../../lib/time.ts';
import type { Actor, Origin, Work } from '../../work.ts';

export type TaskKind = 'csv' | 'module' | 'bulk' | 'undo' | 'plan' | 'mapping';

export interface Task {
  id: string;
  companyId: CompanyId;
  kind: TaskKind;
  /** What people call it: "Deactivate 37 people". */
  title: string;
  params: Record<string, unknown>;
  state: 'waiting' | 'running' | 'done' | 'failed';
  total: number;
  succeeded: number;
  skipped: number;
  failed: number;
  actor: Actor;
  origin: Origin;
  inputHash: string | null;
  problem: string | null;
  createdAt: Date;
  startedAt: Date | null;
  finishedAt: Date | null;
  /** The task that took this one back. */
  undoneBy: string | null;
}

export interface TaskRow {
  position: number;
  label: string;
  data: Record<string, unknown>;
  userId: UserId | null;
  outcome: 'waiting' | Outcome['outcome'];
  field: string | null;
  message: string | null;
}

export type NewRow = Pick<TaskRow, 'position' | 'label' | 'data' | 'userId'>;

/** What became of a row; a sentence for all but the plain success. */
export type Outcome =
  | { outcome: 'succeeded'; userId: UserId | null; message?: string }
  | { outcome: 'skipped' | 'failed'; field?: string; message: string };

/** A batch that made people can be taken back for so long; those who have signed in since are kept. */
export const undoFor = days(14);

export const doneOf = ({ succeeded, skipped, failed }: Pick<Task, 'succeeded' | 'skipped' | 'failed'>): number =>
  succeeded + skipped + failed;

export function mayUndo(
  task: Pick<Task, 'kind' | 'state' | 'finishedAt' | 'succeeded' | 'undoneBy'>,
  now: Date,
): boolean {
  return (
    (task.kind === 'csv' || task.kind === 'module') &&
    task.state === 'done' &&
    task.succeeded > 0 &&
    task.undoneBy === null &&
    task.finishedAt !== null &&
    task.finishedAt.getTime() + undoFor > now.getTime()
  );
}

export interface TaskHandler {
  /**
   * Rows in one transaction. One where an act touches people who may be signing in right now: a lock on them ends with its row.
   */
  chunk: number | ((task: Task) => number);
  /** What becomes of the rows, in their order. A thrown AppError is the failure of the row, when it came alone. */
  run(work: Work, task: Task, rows: TaskRow[]): Promise<Outcome[]>;
  /** When the last row is done. */
  finished?(work: Work, task: Task): Promise<void>;
}
