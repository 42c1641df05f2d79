// F5, WEB-10: which names we answer to, and whose word counts about the client.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { homeRoutes } from '../../../src/web/home/home-routes.ts';
import { settingsRoutes } from '../../../src/web/home/settings-routes.ts';
import { recoveryRoutes } from '../../../src/web/public/recovery-routes.ts';
import { signInRoutes } from '../../../src/web/public/sign-in-routes.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import { givePassword, makeCompany, makePerson, type TestPerson } from '../../support/people.ts';
import { talk } from '../../support/raw.ts';

const enginePaths = [
  '/auth',
  '/auth/abc',
  '/token',
  '/userinfo',
  '/jwks',
  '/token/introspection',
  '/token/revocation',
  '/request',
  '/session/end',
  '/.well-known/openid-configuration',
];

describe('host names', () => {
  let app: TestApp;

  beforeAll(async () => {
    app = await startApp();
  });
  afterAll(() => app.stop());

  const foreign = [
    'evil.example',
    'localhost',
    'localhost:1',
    'localhost.evil.example',
    '',
    '127.0.0.1:{port}',
    'x@localhost:{port}',
    'localhost:{port}.',
  ];

  it('WEB-10, F5 a name that is not ours is refused on every route', async () => {
    const own = [...signInRoutes, ...recoveryRoutes, ...homeRoutes, ...settingsRoutes].map(({ path }) => path);
    const paths = [...new Set([...own, ...enginePaths, '/interaction/abc', '/assets/x', '/favicon.ico', '/nothing'])];
    expect(paths.length).toBeGreaterThan(35);
    for (const path of paths) {
      const page = await app.visitor().send(path, { headers: { host: 'evil.example' } });
      expect(page.status, path).toBe(421);
      expect(page.headers.location, path).toBeUndefined();
      expect(page.body, path).not.toContain('evil.example');
    }
    for (const host of foreign) {
      const named = host.replace('{port}', String(app.port));
      for (const path of ['/login', '/.well-known/openid-configuration', '/jwks']) {
        const page = await app.visitor().send(path, { headers: { host: named } });
        expect([400, 421], `${named} ${path}`).toContain(page.status);
      }
    }
    const ours = await app.visitor().send('/jwks', { headers: { host: `LOCALHOST:${app.port}` } });
    expect(ours.status, 'names have no case').toBe(200);
  });

  it('WEB-10 no host, two hosts, or a whole address in the request line do not get past it', async () => {
    const host = new URL(app.url).host;
    const answers = {
      none: await talk(app.port, 'GET /login HTTP/1.1\r\nconnection: close\r\n\r\n'),
      old: await talk(app.port, 'GET /login HTTP/1.0\r\n\r\n'),
      foreignFirst: await talk(
        app.port,
        `GET /login HTTP/1.1\r\nhost: evil.example\r\nhost: ${host}\r\nconnection: close\r\n\r\n`,
      ),
      absolute: await talk(
        app.port,
        `GET http://evil.example/login HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n`,
      ),
    };
    for (const [what, answer] of Object.entries(answers)) expect(answer, what).toMatch(/^HTTP\/1\.1 4(?:00|21) /);
    // The request line names another server, the header us: whatever we answer speaks of us only.
    const mixed = await talk(
      app.port,
      `GET http://evil.example/login HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`,
    );
    expect(mixed).not.toContain('evil.example');
    const document = await talk(
      app.port,
      `GET http://evil.example/.well-known/openid-configuration HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`,
    );
    expect(document).not.toContain('evil.example');
  });

  it('WEB-10, F5 forwarding headers of strangers change nothing', async () => {
    const lies = {
      'x-forwarded-host': 'evil.example',
      'x-forwarded-proto': 'https',
      'x-forwarded-for': '203.0.113.7',
      'x-forwarded-port': '444',
      'x-forwarded-prefix': '/evil',
      'x-forwarded-uri': '/evil',
      'x-forwarded-server': 'evil.example',
      'x-original-url': '/settings/profile',
      'x-rewrite-url': '/settings/profile',
      'x-http-method-override': 'DELETE',
      forwarded: 'for=203.0.113.7;host=evil.example;proto=https',
    };
    const visitor = app.visitor();
    const honest = (await visitor.send('/.well-known/openid-configuration')).body;
    expect((await visitor.send('/.well-known/openid-configuration', { headers: lies })).body).toBe(honest);
    // With an origin, the engine itself answers.
    const fresh = await visitor.send('/.well-known/openid-configuration', { headers: { ...lies, origin: app.url } });
    expect(fresh.body).toBe(honest);
    expect(honest).toContain(`"issuer":"${app.url}"`);
    const page = await visitor.send('/login', { headers: lies });
    expect(page.headers.location).toMatch(/^\/auth\?/);
    expect(page.headers.location).toContain(encodeURIComponent(`${app.url}/signed-in`));
    expect(page.headers['set-cookie']?.join()).not.toMatch(/evil|secure/i);
    const logout = await visitor.send('/session/end', { headers: lies });
    expect(logout.body).not.toContain('evil.example');
    expect(logout.body).toContain(`${app.url}/session/end/confirm`);
  });

  it('WEB-10, WEB-15 health answers under any name, since probes come by address', async () => {
    for (const path of ['/health/live', '/health/ready'])
      expect((await app.visitor().send(path, { headers: { host: '10.0.0.1:3000' } })).status).toBe(200);
  });
});

describe('addresses of clients', () => {
  async function addressNoted(environment: Record<string, string>, forwarded: string): Promise<string | null> {
    const app = await startApp({ environment });
    try {
      const company = await makeCompany(app);
      const person: TestPerson = await makePerson(app, company);
      const visitor = app.visitor();
      const send = visitor.send.bind(visitor);
      visitor.send = (address, options = {}) =>
        send(address, { ...options, headers: { ...options.headers, 'x-forwarded-for': forwarded } });
      await givePassword(visitor, await visitor.open('/login'), person, 'wrong password');
      const [event] = await app.runtime.store.audit.listRecent(1, { action: 'login.fail' });
      return event?.ip ?? null;
    } finally {
      await app.stop();
    }
  }

  it('AUT-08, WEB-10 are the peer, unless a proxy of ours says otherwise', async () => {
    expect(await addressNoted({}, '203.0.113.7')).toBe('127.0.0.1');
    expect(await addressNoted({ TRUSTED_PROXIES: '1' }, '198.51.100.9, 203.0.113.7')).toBe('203.0.113.7');
    expect(await addressNoted({ TRUSTED_PROXIES: '2' }, '198.51.100.9, 203.0.113.7, 10.0.0.3')).toBe('203.0.113.7');
  });
});
