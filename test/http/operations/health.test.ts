// Health, numbers and the log: what operators see, and what nobody sees.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApp, type TestApp } from '../../support/app.ts';
import { type CapturedLog, captureLog } from '../../support/log.ts';
import { makeCompany, makePerson, signIn, type TestPerson } from '../../support/people.ts';

const token = 'metrics-token-0123456789';

describe('health and numbers', () => {
  let app: TestApp;
  let person: TestPerson;
  let captured: CapturedLog;

  beforeAll(async () => {
    captured = captureLog();
    app = await startApp({ environment: { METRICS_TOKEN: token }, log: captured.log });
    person = await makePerson(app, await makeCompany(app));
    await signIn(app, app.visitor(), person, '/');
  });
  afterAll(() => app.stop());

  const metrics = (authorization?: string) =>
    app.visitor().send('/metrics', { headers: authorization === undefined ? {} : { authorization } });

  it('WEB-15 health says that it lives and whether it can work, and nothing else', async () => {
    for (const path of ['/health/live', '/health/ready']) {
      const page = await app.visitor().send(path);
      expect([page.status, page.body], path).toEqual([200, 'ok']);
      expect(page.headers['set-cookie'], path).toBeUndefined();
    }
    expect((await app.visitor().send('/health')).status).toBe(404);
  });

  it('WEB-15 numbers are for whoever has the token; for all others there is no such address', async () => {
    for (const authorization of [
      undefined,
      '',
      'Bearer',
      'Bearer wrong',
      `Bearer ${token}x`,
      `Basic ${token}`,
      token,
      `bearer ${token.toUpperCase()}`,
    ])
      expect((await metrics(authorization)).status, String(authorization)).toBe(404);
    const page = await metrics(`Bearer ${token}`);
    expect(page.status).toBe(200);
    expect(page.headers['content-type']).toMatch(/^text\/plain/);
    expect(page.body).toMatch(/^ul_http_requests_total\{.*route="\/interaction\/:uid\/password".*\} 1$/m);
    expect(page.body).toMatch(/^process_resident_memory_bytes \d+/m);
    const without = await startApp();
    try {
      expect((await without.visitor().send('/metrics')).status).toBe(404);
      expect(
        (await without.visitor().send('/metrics', { headers: { authorization: 'Bearer undefined' } })).status,
      ).toBe(404);
    } finally {
      await without.stop();
    }
  });

  it('WEB-15 numbers name routes, never what strangers put into an address, and do not grow with it', async () => {
    const visitor = app.visitor();
    const before = (await metrics(`Bearer ${token}`)).body;
    for (let i = 0; i < 50; i += 1) {
      const odd = `needle-${i}`;
      for (const path of [
        `/${odd}`,
        `/token/${odd}`,
        `/jwks/${odd}`,
        `/auth/${odd}`,
        `/login/${odd}`,
        `/reset-password/${odd}`,
        `/.well-known/${odd}`,
        `/assets/${odd}`,
        `/interaction/${odd}`,
      ])
        await visitor.send(path);
    }
    const after = (await metrics(`Bearer ${token}`)).body;
    expect(after).not.toContain('needle');
    expect(after).not.toContain(person.user.username);
    expect(after).not.toContain(new URL(app.databaseUrl).password || 'no password');
    // Each of the nine addresses may have added its series once: a counter and the buckets of a histogram.
    expect(after.split('\n').length - before.split('\n').length).toBeLessThan(9 * 15);
  });

  it('one log line a request, prepared documents included: route, status, time, id, address', async () => {
    const requests = () => captured.lines().filter(({ msg }) => msg === 'request');
    const visitor = app.visitor();
    const cases: [string, string, number][] = [
      ['/jwks', '/jwks', 200],
      ['/jwks', '/jwks', 200],
      ['/.well-known/openid-configuration', '/.well-known/openid-configuration', 200],
      ['/.well-known/openid-configuration', '/.well-known/openid-configuration', 200],
      ['/health/live', '/health/live', 200],
      ['/reset-password/secret-of-a-mail', '/reset-password/:token', 410],
      ['/auth/some-uid', '/auth/:uid', 400],
      ['/no/such/page', 'other', 404],
      ['/forgot', '/forgot', 200],
    ];
    for (const [path, route, status] of cases) {
      const before = requests().length;
      await visitor.send(path);
      const added = requests().slice(before);
      expect(added, path).toHaveLength(1);
      expect(added[0], path).toMatchObject({ level: 'info', method: 'GET', route, status, ip: '127.0.0.1' });
      expect(added[0]?.requestId, path).toMatch(/^[0-9a-f-]{36}$/);
      expect(added[0]?.ms, path).toEqual(expect.any(Number));
    }
    const refused = await visitor.send('/', { headers: { host: 'evil.example' } });
    expect(refused.status).toBe(421);
    expect(requests().at(-1)).toMatchObject({ status: 421, ip: '127.0.0.1' });
    expect(captured.text()).not.toContain('secret-of-a-mail');
    const known = await visitor.send('/jwks', {
      headers: { 'if-none-match': String((await visitor.send('/jwks')).headers.etag) },
    });
    expect(known.status).toBe(304);
    expect(requests().at(-1)).toMatchObject({ route: '/jwks', status: 304 });
  });

  it('a failure of ours stands in the log with its trace, under the number that the page shows', async () => {
    const broken = captureLog();
    const other = await startApp({ log: broken.log });
    try {
      await other.runtime.db.raw('alter table companies rename column login_slug to gone');
      const page = await other.visitor().send('/login/anything');
      const id = /[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/.exec(page.body)?.[0];
      const found = broken.lines().find(({ msg }) => msg === 'request failed');
      expect(found).toMatchObject({ level: 'error', requestId: id });
      expect(JSON.stringify(found)).toContain('login_slug');
      expect(JSON.stringify(found)).toContain('stack');
      // Inside the engine, too.
      await other.runtime.db.raw('alter table oidc_records rename column payload to gone');
      const login = await other.visitor().open('/login');
      expect(login.status).toBe(500);
      expect(broken.lines().filter(({ msg }) => msg === 'request failed').length).toBeGreaterThan(1);
    } finally {
      await other.stop();
    }
  });
});
