// F4: a database that keeps its connections but says nothing (a frozen machine, a firewall that drops) holds nobody for long.

import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { isOutage } from '../../../src/db/errors.ts';
import { allowSilence, greets, watchForSilence } from '../../../src/db/silence.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import { testKey } from '../../support/keys.ts';
import {
  authorizeAddress,
  makeCompany,
  makeModule,
  makePerson,
  signIn,
  type TestModule,
  type TestPerson,
} from '../../support/people.ts';
import { type DatabaseProxy, startProxy } from '../../support/proxy.ts';
import { type Server, startServer } from '../../support/server.ts';
import type { Page } from '../../support/visitor.ts';

/** About ten seconds, on a machine that has other things to do. */
const patience = 12_000;

let app: TestApp;
let proxy: DatabaseProxy;

beforeAll(async () => {
  app = await startApp();
  proxy = await startProxy(app.databaseUrl);
});
afterAll(async () => {
  await proxy?.stop();
  await app?.stop();
});
afterEach(() => proxy.speak());

const start = () => startServer({ DATABASE_URL: proxy.url, ENCRYPTION_KEYS: testKey.toString('base64') });

describe('a server whose database falls silent', () => {
  let server: Server;
  let person: TestPerson;
  let module: TestModule;

  beforeAll(async () => {
    const company = await makeCompany(app, 'Northwind IT');
    person = await makePerson(app, company);
    module = await makeModule(app, [company], { grant_types: ['authorization_code', 'client_credentials'] });
    server = await start();
  });
  afterAll(async () => {
    await server?.stop();
  });

  const basic = () => Buffer.from(`${module.clientId}:${module.clientSecret}`).toString('base64');
  const token = () =>
    server.visitor().send('/token', {
      form: { grant_type: 'client_credentials' },
      headers: { authorization: `Basic ${basic()}`, accept: 'application/json' },
    });

  async function expectOutage(what: string, act: () => Promise<Page>): Promise<void> {
    const startedAt = Date.now();
    const page = await act();
    expect(page.status, what).toBe(503);
    expect(Number(page.headers['retry-after']), what).toBeGreaterThan(0);
    expect(Date.now() - startedAt, what).toBeLessThan(patience);
  }

  it('F4 503 with Retry-After within about ten seconds, for a crowd too, and all is back by itself', {
    timeout: 60_000,
  }, async () => {
    const visitor = server.visitor();
    await signIn(app, visitor, person, '/');
    // Several connections of each pool are open and idle: each of them is a trap from now on.
    for (const page of await Promise.all(Array.from({ length: 12 }, token))) expect(page.status).toBe(200);
    await Promise.all(Array.from({ length: 12 }, () => visitor.send('/settings/security')));

    proxy.silence();
    const wave = () => [
      ...Array.from({ length: 6 }, () => expectOutage('token', token)),
      ...Array.from({ length: 6 }, () => expectOutage('home', () => visitor.send('/'))),
      expectOutage('SSO', () => visitor.send(authorizeAddress(module, { prompt: 'none' }))),
      expectOutage('ready', () => server.visitor().send('/health/ready')),
    ];
    const first = wave();
    await sleep(1000);
    await Promise.all([...first, ...wave()]);
    await Promise.all(wave());
    expect((await server.visitor().send('/health/live')).status).toBe(200);

    proxy.speak();
    for (const until = Date.now() + 5000; (await visitor.send('/health/ready')).status !== 200; await sleep(50))
      expect(Date.now(), 'ready again').toBeLessThan(until);
    expect((await token()).status).toBe(200);
    expect((await visitor.send('/')).status, 'the session stands').toBe(200);
  });

  it('F4 an answer that takes its time is waited for, as long as nobody else is hurt', {
    timeout: 30_000,
  }, async () => {
    const visitor = server.visitor();
    await signIn(app, visitor, person, '/');
    proxy.silence();
    const answer = visitor.send('/');
    await sleep(3000);
    proxy.speak();
    expect((await answer).status).toBe(200);
  });
});

describe('a server that is told to stop while its database is silent', () => {
  it('F9 ends nevertheless', { timeout: 60_000 }, async () => {
    const server = await start();
    proxy.silence();
    const request = server
      .visitor()
      .send('/health/ready')
      .catch(() => undefined);
    await sleep(200);
    const startedAt = Date.now();
    await server.stop();
    expect(Date.now() - startedAt).toBeLessThan(25_000);
    await request;
  });
});

describe('watching connections for silence', () => {
  const limit = 300;
  let pool: pg.Pool;
  beforeAll(() => {
    pool = new pg.Pool({ connectionString: app.databaseUrl, max: 4 });
    pool.on('error', () => {});
    pool.on('connect', watchForSilence(limit));
  });
  afterAll(() => pool.end());

  const taken = async (): Promise<pg.PoolClient> => {
    const client = await pool.connect();
    client.on('error', () => {});
    return client;
  };

  it('ends what waits, and what is idle; not what stands in the middle of a transaction', async () => {
    const inside = await taken();
    await inside.query('begin');
    const [one, two] = await Promise.all([taken(), taken()]);
    two.release();
    await sleep(2 * limit);
    expect(pool.totalCount, 'nobody waited').toBe(3);

    const failure: unknown = await one.query('select pg_sleep(5)').catch((error) => error);
    expect(isOutage(failure)).toBe(true);
    one.release(true);
    await sleep(50);
    expect(pool.totalCount).toBe(1);
    expect((await inside.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    await inside.query('commit');
    inside.release();
  });

  it('leaves a statement alone that works for long, while the database speaks to others', async () => {
    const patient = new pg.Pool({ connectionString: app.databaseUrl, max: 1 });
    patient.on('connect', watchForSilence(limit, greets(app.databaseUrl)));
    await patient.query(`select pg_sleep(${(4 * limit) / 1000})`);
    await patient.end();
  });

  it('leaves statements alone that may take their time', async () => {
    const client = await taken();
    const limitSilence = allowSilence(client);
    await client.query('select pg_sleep(0.8)');
    limitSilence();
    expect(isOutage(await client.query('select pg_sleep(5)').catch((error) => error))).toBe(true);
    client.release(true);
  });

  it('waits for an answer as long as some of it arrives', async () => {
    const client = await taken();
    // About 10 KB each, so that each leaves the server at once.
    const { rows } = await client.query(`select repeat('x', 10000), pg_sleep(0.1) from generate_series(1, 8)`);
    expect(rows).toHaveLength(8);
    client.release();
  });
});
