// kill -9 in the middle of an import: what was committed is there once, what was not is done by whoever comes next, and the report is true.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Company } from '../../../src/domain/companies/company.ts';
import { startCsvImport } from '../../../src/domain/imports/csv-commands.ts';
import { reviveTasks } from '../../../src/jobs/task.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import { testKey } from '../../support/keys.ts';
import { makeCompany } from '../../support/people.ts';
import { type Server, startServer } from '../../support/server.ts';
import { finishedTask } from '../../support/tasks.ts';

const total = 4000;
/** Each 40th names a group that is not there. */
const wrong = total / 40;

describe('an import whose process is killed', () => {
  let app: TestApp;
  let company: Company;
  let server: Server | null = null;

  beforeAll(async () => {
    // Runs no jobs itself: only the process that is killed does.
    app = await startApp();
    company = await makeCompany(app);
  });
  afterAll(async () => {
    server?.signal('SIGKILL');
    await server?.ended;
    await app.stop();
  });

  const start = async () => {
    server = await startServer({
      DATABASE_URL: app.databaseUrl,
      ENCRYPTION_KEYS: testKey.toString('base64'),
      LOG_LEVEL: 'warn',
    });
    return server;
  };
  const count = async (table: string, where: Record<string, unknown>) =>
    Number((await app.runtime.db(table).where(where).count('* as n'))[0]?.n);
  const imported = { source: 'csv' };

  it('goes on after each death: no person twice, none lost, and the counts are those of the table', async () => {
    const rows = Array.from(
      { length: total },
      (_, i) => `p${i},p${i}@mail.example,User,${i % 40 === 39 ? 'Nowhere' : 'All Module Access'},Per,Son ${i}`,
    );
    const bytes = Buffer.from(['Username,Email,Role,Groups,First Name,Last Name', ...rows].join('\n'));
    const { id } = await startCsvImport(app.operator(), company.id, { name: 'users.csv', bytes });
    const task = () => app.runtime.store.of(company.id).tasks.findById(id);

    for (const until of [total / 8, total / 2]) {
      const running = await start();
      // A job that died is noticed when its task has been silent for a while; here nobody waits for that.
      await reviveTasks({ ...app.operator(), now: new Date(Date.now() + 31_000) });
      for (const end = Date.now() + 30_000; ((await task())?.succeeded ?? 0) < until; await sleep(5))
        if (Date.now() > end) throw new Error('the import did not begin');
      running.signal('SIGKILL');
      expect(await running.ended).toEqual({ code: null, signal: 'SIGKILL' });
      // What the database had begun for the dead it takes back by itself.
      await sleep(300);
      const now = await task();
      expect(now?.state, 'killed in the middle').toBe('running');
      expect(await count('users', imported)).toBe(now?.succeeded);
      expect(await count('task_rows', { task_id: id, outcome: 'succeeded' })).toBe(now?.succeeded);
    }

    await start();
    await reviveTasks({ ...app.operator(), now: new Date(Date.now() + 31_000) });
    const done = await finishedTask(app, company, id, 60_000);
    expect(done).toMatchObject({ state: 'done', total, succeeded: total - wrong, skipped: 0, failed: wrong });
    const made = total - wrong;
    expect(await count('users', imported)).toBe(made);
    expect(await count('links', { kind: 'invitation' })).toBe(made);
    expect(await count('mails', { kind: 'invitation' })).toBe(made);
    expect(await count('audit_events', { action: 'user.create' })).toBe(made);
    expect(await count('task_rows', { task_id: id, outcome: 'waiting' })).toBe(0);
    expect(await count('audit_events', { action: 'import.done' })).toBe(1);
  }, 150_000);
});
