// A deadlock is no error of the person whose statement PostgreSQL undid: it begins anew, and nobody sees a thing.
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startApp, type TestApp } from '../../support/app.ts';
import { until } from '../../support/attempts.ts';

let app: TestApp;
let other: pg.Client;

beforeAll(async () => {
  app = await startApp();
  other = new pg.Client({ connectionString: app.databaseUrl });
  await other.connect();
  await app.runtime.db.raw('create table tangle (id int primary key, n int not null)');
  await app.runtime.db.raw('insert into tangle values (1, 0), (2, 0)');
});
afterAll(async () => {
  await other.end();
  await app.stop();
});

const both = {
  name: 'test_tangle',
  text: `
    with first as (update tangle set n = n + 1 where id = $1 returning id)
    update tangle set n = n + 1 where id = $2 and exists (select from first) returning n`,
};

/** @returns whether the statement was the one that PostgreSQL undid: who has waited for longer looks first, unless that was too early. */
async function tangled(): Promise<boolean> {
  await app.runtime.db('tangle').update({ n: 0 });
  await other.query('begin');
  await other.query('update tangle set n = n + 10 where id = 2');
  // Holds the first row, and waits for the second.
  const running = app.runtime.store.prepared.run<{ n: number }>(both, [1, 2]);
  await until(async () => (await app.runtime.db.raw('select from pg_locks where not granted')).rows.length > 0);
  const lost = await other.query('update tangle set n = n + 10 where id = 1').then(
    () => false,
    () => true,
  );
  await other.query('commit');
  expect((await running).rows).toEqual([{ n: lost ? 1 : 11 }]);
  return !lost;
}

it('F4 a statement that lost a deadlock runs again, once, and counts once', async () => {
  await until(tangled);
  expect((await app.runtime.db('tangle').orderBy('id')).map(({ n }) => n)).toEqual([11, 11]);
});

it('what is wrong with a statement is told at once', async () => {
  const wrong = { name: 'test_wrong', text: 'select 1 / $1::int' };
  await expect(app.runtime.store.prepared.run(wrong, [0])).rejects.toMatchObject({ code: '22012' });
});
