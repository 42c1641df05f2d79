import type { Moment, Shell } from '../../views.ts';

export interface TaskLine {
  /** Line of the file or place in the selection. */
  position: number;
  label: string;
  field: string;
  message: string;
}

export interface TaskViews {
  'admin/tasks/page': {
    shell: Shell;
    title: string;
    /** The page looks again by itself while this is so. */
    isRunning: boolean;
    here: string;
    state: { tone: 'good' | 'wait' | 'danger' | 'off'; word: string; more: string };
    by: string;
    startedAt: Moment;
    finishedAt: Moment | null;
    done: number;
    total: number;
    /** "1,204 of 10,000, about 20 seconds left" */
    progress: string;
    /** The three counts, in the words of this kind of work (A5.6). */
    counts: { label: string; value: string }[];
    stoppedBecause: string | null;
    /** Rows that were skipped or failed: the first of them, and how many there are. */
    lines: TaskLine[];
    more: string;
    /** Rows that were done, with something to say about them. */
    remarks: TaskLine[];
    /** The whole log as text, for Copy. */
    log: string;
    failedRows: string | null;
    undo: { href: string; until: Moment } | null;
    /** The task that took this one back. */
    undone: string | null;
    back: { href: string; label: string; button: string };
  };
  'admin/tasks/undo': {
    shell: Shell;
    title: string;
    action: string;
    cancel: string;
    /** What happens when one says yes. */
    sentences: string[];
    kept: { name: string; username: string; why: string }[];
    /** Null: there is nobody to delete. */
    button: string | null;
  };
}
