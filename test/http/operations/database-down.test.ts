// F4: without its database the server says so at once, blames nobody, and is back by itself.

import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
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
import { type Page, type Visitor, wordsOf } from '../../support/visitor.ts';

/** The browser waits for the connection of the pool: 5 seconds at most, and a little. */
const patience = 6500;

describe('a server that loses its database', () => {
  let app: TestApp;
  let proxy: DatabaseProxy;
  let server: Server;
  let person: TestPerson;
  let module: TestModule;

  beforeAll(async () => {
    app = await startApp();
    const company = await makeCompany(app, 'Northwind IT');
    await makeCompany(app);
    person = await makePerson(app, company);
    module = await makeModule(app, [company], { grant_types: ['authorization_code', 'client_credentials'] });
    proxy = await startProxy(app.databaseUrl);
    server = await startServer({ DATABASE_URL: proxy.url, ENCRYPTION_KEYS: testKey.toString('base64') });
  });
  afterAll(async () => {
    await server?.stop();
    await proxy?.stop();
    await app?.stop();
  });
  afterEach(async () => {
    for (
      const until = Date.now() + 10_000;
      (await server.visitor().send('/health/ready')).status !== 200;
      await sleep(100)
    )
      expect(Date.now(), 'ready again').toBeLessThan(until);
  });

  function expectOutage(page: Page, what: string): void {
    expect(page.status, what).toBe(503);
    expect(Number(page.headers['retry-after']), what).toBeGreaterThan(0);
    expect(wordsOf(page), what).not.toMatch(/did not work\. Check|wrong|password is not right/i);
    expect(page.headers.location, what).toBeUndefined();
  }

  const timed = async (act: () => Promise<Page>): Promise<Page> => {
    const startedAt = Date.now();
    const page = await act();
    expect(Date.now() - startedAt, page.url).toBeLessThan(patience);
    return page;
  };

  const failures = async () => {
    const { rows }: { rows: { failures: number }[] } = await app.runtime.db.raw(
      'select failures from users where id = ?',
      [person.user.id],
    );
    return rows[0]?.failures;
  };

  async function atPassword(): Promise<{ visitor: Visitor; page: Page }> {
    const visitor = server.visitor();
    const page = await visitor.submit(await visitor.open('/login'), {
      username: person.user.username,
      company: person.company.name,
    });
    expect(page.body).toContain('name="password"');
    return { visitor, page };
  }

  const basic = () => Buffer.from(`${module.clientId}:${module.clientSecret}`).toString('base64');
  const token = () =>
    server.visitor().send('/token', {
      form: { grant_type: 'client_credentials' },
      headers: { authorization: `Basic ${basic()}`, accept: 'application/json' },
    });

  it('F4 503 with Retry-After on every surface while it is away, never "wrong password"; and all is back by itself', async () => {
    const { visitor, page } = await atPassword();
    const signedIn = server.visitor();
    await signIn(app, signedIn, person, '/');
    expect((await token()).status).toBe(200);
    const fresh = server.visitor();
    await fresh.send('/jwks');
    await fresh.send('/.well-known/openid-configuration');
    const before = await failures();

    await proxy.cut();
    expectOutage(await timed(() => visitor.submitOnce(page, { password: person.password })), 'right password');
    expectOutage(await timed(() => visitor.submitOnce(page, { password: 'wrong' })), 'wrong password');
    expectOutage(await timed(() => signedIn.send('/')), 'home');
    expectOutage(await timed(() => signedIn.send('/settings/security')), 'settings');
    expectOutage(await timed(() => fresh.send(authorizeAddress(module))), 'authorization');
    expectOutage(await timed(() => signedIn.send(authorizeAddress(module, { prompt: 'none' }))), 'SSO');
    expectOutage(
      await timed(() =>
        fresh.send('/userinfo', { headers: { authorization: 'Bearer abc', accept: 'application/json' } }),
      ),
      'userinfo',
    );
    const refused = await timed(token);
    expectOutage(refused, 'token');
    expect(JSON.parse(refused.body)).toMatchObject({ error: 'temporarily_unavailable' });
    const ready = await timed(() => fresh.send('/health/ready'));
    expectOutage(ready, 'ready');
    for (const path of ['/health/live', '/jwks', '/.well-known/openid-configuration', '/forgot', '/signed-out'])
      expect((await fresh.send(path)).status, path).toBe(200);

    await proxy.mend();
    for (const until = Date.now() + 5000; (await fresh.send('/health/ready')).status !== 200; await sleep(50))
      expect(Date.now()).toBeLessThan(until);
    expect(await failures(), 'nothing was counted').toBe(before);
    const next = await visitor.submit(page, { password: person.password });
    expect(next.body, 'the same form goes on').toContain('name="code"');
    expect((await signedIn.send('/')).status, 'the session stands').toBe(200);
    expect((await token()).status).toBe(200);
  });

  it('F4 a query that is cut off in the middle is an outage, not a refusal', async () => {
    for (const cut of [
      async () => {
        await proxy.cut();
        await proxy.mend();
      },
      // 57P01: an administrator ends the connections.
      () =>
        app.runtime.db.raw(
          `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name like 'unified-login%' and wait_event_type = 'Lock'`,
        ),
    ]) {
      const { visitor, page } = await atPassword();
      const holder = new pg.Client({ connectionString: app.databaseUrl });
      await holder.connect();
      try {
        await holder.query('begin');
        await holder.query('lock table known_browsers in access exclusive mode');
        const answer = visitor.submitOnce(page, { password: person.password });
        await sleep(300);
        await cut();
        expectOutage(await answer, 'in flight');
      } finally {
        await holder.end();
      }
      expect((await visitor.submit(page, { password: person.password })).body).toContain('name="code"');
    }
  });

  it('F4 when all connections are busy, the rest is told so within seconds, and health stays alive', async () => {
    const waiting = await Promise.all(Array.from({ length: 14 }, atPassword));
    const holder = new pg.Client({ connectionString: app.databaseUrl });
    await holder.connect();
    await holder.query('begin');
    await holder.query('lock table known_browsers in access exclusive mode');
    const answers = waiting.map(({ visitor, page }) => visitor.submitOnce(page, { password: person.password }));
    await sleep(500);
    expect((await server.visitor().send('/health/live')).status).toBe(200);
    await sleep(5500);
    await holder.end();
    const pages = await Promise.all(answers);
    const refused = pages.filter(({ status }) => status === 503);
    expect(refused.length).toBeGreaterThanOrEqual(4);
    for (const page of refused) expectOutage(page, 'no connection');
    expect(pages.filter(({ status }) => status === 303).length).toBe(pages.length - refused.length);
  });

  it('F4 what other nodes announce is heard again afterwards, and jobs go on', async () => {
    await proxy.cut();
    await sleep(300);
    const visitor = server.visitor();
    const unheard = await makeModule(app, [person.company]);
    await proxy.mend();
    for (const until = Date.now() + 5000; (await visitor.send('/health/ready')).status !== 200; await sleep(50))
      expect(Date.now()).toBeLessThan(until);
    // Registered while it was deaf, and registered now: it knows both.
    for (const known of [unheard, await makeModule(app, [person.company])]) {
      let page = await visitor.send(authorizeAddress(known));
      for (const until = Date.now() + 6000; page.status !== 303 && Date.now() < until; await sleep(100))
        page = await visitor.send(authorizeAddress(known));
      expect(page.headers.location).toMatch(/^\/interaction\//);
    }
    const form = await visitor.open('/forgot/password');
    expect((await visitor.submit(form, { username: person.user.username, company: person.company.name })).status).toBe(
      200,
    );
    const mailed = async () =>
      (await app.runtime.store.mails.listRecent(10)).some(
        ({ kind, state }) => kind === 'passwordReset' && state === 'kept',
      );
    for (const until = Date.now() + 12_000; !(await mailed()); await sleep(100))
      expect(Date.now(), 'the mail of the job').toBeLessThan(until);
  });
});
