// What is done with the rows of each kind of task.
import { mappingHandler } from '../domain/federation/plan-handler.ts';
import { csvHandler } from '../domain/imports/csv-commands.ts';
import { moduleImport } from '../domain/imports/module-import.ts';
import { undoHandler } from '../domain/imports/undo-commands.ts';
import { planHandler } from '../domain/provisioning/plan-handler.ts';
import type { TaskHandler, TaskKind } from '../domain/tasks/task.ts';
import { bulkHandler } from '../domain/users/bulk-commands.ts';

export const taskHandlers: Partial<Record<TaskKind, TaskHandler>> = {
  bulk: bulkHandler,
  csv: csvHandler,
  mapping: mappingHandler,
  module: moduleImport,
  plan: planHandler,
  undo: undoHandler,
};
