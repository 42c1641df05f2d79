// Long work in tests: waits for its end, by the database.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Company } from '../../src/domain/companies/company.ts';
import type { Task } from '../../src/domain/tasks/task.ts';
import type { TestApp } from './app.ts';

/** @param address /admin/tasks/<id> */
export async function finishedTask(app: TestApp, company: Company, address: string, patience = 30_000): Promise<Task> {
  const id = address.split('/').at(-1) ?? '';
  for (const until = Date.now() + patience; Date.now() < until; await sleep(25)) {
    const task = await app.runtime.store.of(company.id).tasks.findById(id);
    if (task?.state === 'done' || task?.state === 'failed') return task;
  }
  throw new Error(`the task ${address} did not end`);
}
