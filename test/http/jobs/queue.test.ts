import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createJobs, type Jobs } from '../../../src/jobs/queue.ts';
import { announcements } from '../../../src/store.ts';
import { startApp, type TestApp } from '../../support/app.ts';

describe('jobs of one batch', () => {
  let app: TestApp;
  let jobs: Jobs;
  const runs = new Map<string, number>();

  beforeAll(async () => {
    app = await startApp();
    const job = {
      name: 'sample',
      payload: z.object({ name: z.string() }),
      retryLimit: 2,
      retryDelay: 1,
      concurrency: 10,
      async handle(_work: unknown, { name }: { name: string }) {
        runs.set(name, (runs.get(name) ?? 0) + 1);
        if (name === 'bad' && runs.get(name) === 1) throw new Error('not yet');
      },
    };
    jobs = createJobs(app.runtime.db, [job], { channel: announcements, log: app.runtime.log });
    await jobs.prepare();
  });
  afterAll(async () => {
    await jobs.stop();
    await app.stop();
  });

  it('fail alone: the others are not done twice, and the failed one is tried again', async () => {
    const work = { ...app.operator(), jobs };
    for (const name of ['good', 'bad', 'fine']) await jobs.enqueue(work, 'sample', { name });
    await jobs.run(() => work);
    await expect
      .poll(
        () => {
          jobs.wake('sample');
          return runs.get('bad');
        },
        { timeout: 15_000, interval: 200 },
      )
      .toBe(2);
    expect(Object.fromEntries(runs)).toEqual({ good: 1, bad: 2, fine: 1 });
  });

  it('belong to the transaction that asks for them', async () => {
    const before = await count();
    await app.runtime.db
      .transaction(async (trx) => {
        const { createStore } = await import('../../../src/store.ts');
        const work = { ...app.operator(), jobs, store: createStore(trx, app.runtime.store.prepared) };
        await jobs.enqueue(work, 'sample', { name: 'never' });
        throw new Error('roll back');
      })
      .catch(() => {});
    expect(await count()).toBe(before);
  });

  async function count(): Promise<number> {
    const { rows }: { rows: { n: number }[] } = await app.runtime.db.raw(
      `select count(*)::int as n from pgboss.job where name = 'sample'`,
    );
    return rows[0]?.n ?? 0;
  }
});
