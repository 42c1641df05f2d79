// What is done with the rows of each kind of task.
import type { TaskHandler, TaskKind } from '../domain/tasks/task.ts';

export const taskHandlers: Partial<Record<TaskKind, TaskHandler>> = {};
