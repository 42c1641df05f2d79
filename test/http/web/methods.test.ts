// WEB-14: what is not offered is refused, and tells nothing about what runs here.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { homeRoutes } from '../../../src/web/home/home-routes.ts';
import { settingsRoutes } from '../../../src/web/home/settings-routes.ts';
import { installRoutes } from '../../../src/web/public/install-routes.ts';
import { recoveryRoutes } from '../../../src/web/public/recovery-routes.ts';
import { signInRoutes } from '../../../src/web/public/sign-in-routes.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import { makeCompany, makePerson, signIn } from '../../support/people.ts';
import { talk } from '../../support/raw.ts';
import type { Page } from '../../support/visitor.ts';

const own = [...signInRoutes, ...recoveryRoutes, ...installRoutes, ...homeRoutes, ...settingsRoutes];

const engine: Record<string, string[]> = {
  '/.well-known/openid-configuration': ['GET', 'HEAD'],
  '/.well-known/oauth-authorization-server': ['GET', 'HEAD'],
  '/jwks': ['GET', 'HEAD'],
  '/auth': ['GET', 'HEAD'],
  '/token': ['POST'],
  '/userinfo': ['GET', 'HEAD', 'POST'],
  '/token/introspection': ['POST'],
  '/token/revocation': ['POST'],
  '/request': ['POST'],
  '/session/end': ['GET', 'HEAD'],
  '/session/end/confirm': ['POST'],
};

describe('methods', () => {
  let app: TestApp;

  beforeAll(async () => {
    app = await startApp();
  });
  afterAll(() => app.stop());

  const other = ['PUT', 'PATCH', 'DELETE', 'TRACE', 'PROPFIND', 'SEARCH'];

  const expectRefused = (page: Page, what: string) => {
    expect(page.status, what).toBe(405);
    expect(page.headers.allow, what).toMatch(/GET|POST/);
    expect(page.headers.allow, what).not.toMatch(/PUT|DELETE|TRACE/);
  };

  it('WEB-14 other methods than those offered answer 405 and name what is offered', async () => {
    const paths = [
      ...new Set(own.map(({ path }) => path)),
      ...Object.keys(engine),
      '/interaction/abc',
      '/health/live',
      '/assets/x',
      '/nothing',
    ];
    for (const path of paths)
      for (const method of other) expectRefused(await app.visitor().send(path, { method }), `${method} ${path}`);
    for (const [path, offered] of Object.entries(engine)) {
      for (const method of ['GET', 'POST'].filter((method) => !offered.includes(method)))
        expectRefused(
          await app.visitor().send(path, { method, headers: { accept: 'application/json' } }),
          `${method} ${path}`,
        );
    }
  });

  it('WEB-14 a page that takes no form answers 405 to one', async () => {
    const visitor = app.visitor();
    const csrf = /name="csrf" value="([^"]+)"/.exec((await visitor.open('/forgot/company')).body)?.[1] ?? '';
    const posts = new Set(own.filter(({ method }) => method === 'post').map(({ path }) => path));
    const onlyShown = own.filter(({ method, path }) => method === 'get' && !posts.has(path));
    expect(onlyShown.length).toBeGreaterThan(8);
    for (const { path } of onlyShown) expectRefused(await visitor.send(path, { form: { csrf } }), path);
  });

  it('WEB-14 TRACE sends nothing back', async () => {
    const host = new URL(app.url).host;
    const answer = await talk(
      app.port,
      `TRACE / HTTP/1.1\r\nhost: ${host}\r\ncookie: ul_session=secret-canary\r\nconnection: close\r\n\r\n`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 405 /);
    expect(answer).not.toContain('secret-canary');
    expect(await talk(app.port, `CONNECT ${host} HTTP/1.1\r\nhost: ${host}\r\n\r\n`, 500)).not.toMatch(/^HTTP\/1\.1 2/);
  });

  it('WEB-14 HEAD is GET without its body', async () => {
    for (const path of ['/forgot', '/jwks', '/health/live', '/signed-out']) {
      const [get, head] = [await app.visitor().send(path), await app.visitor().send(path, { method: 'HEAD' })];
      expect(head.status, path).toBe(get.status);
      expect(head.body, path).toBe('');
      expect(head.headers['content-type'], path).toBe(get.headers['content-type']);
    }
  });

  it('WEB-14 no folder is listed, no source is served, nothing outside is reached', async () => {
    const paths = [
      '/assets/',
      '/assets',
      '/assets/css/',
      '/assets/css/base.css',
      '/assets/0123456789abcdef/../../package.json',
      '/assets/0123456789abcdef/..%2f..%2fpackage.json',
      '/assets/%2e%2e/package.json',
      '/assets/css/base.css.map',
      '/package.json',
      '/src/main.ts',
      '/.env',
      '/.git/HEAD',
      '/node_modules/koa/package.json',
      '/views/home/index.ejs',
      '/data/encryption-keys',
      '/debug',
      '/dev/mailbox',
      '/dev/authenticator',
    ];
    for (const path of paths) {
      const answer = await talk(
        app.port,
        `GET ${path} HTTP/1.1\r\nhost: ${new URL(app.url).host}\r\nconnection: close\r\n\r\n`,
      );
      expect(answer, path).toMatch(/^HTTP\/1\.1 404 /);
    }
    const page = await app.visitor().open('/login');
    for (const [, path = ''] of page.body.matchAll(/(?:href|src)="(\/assets\/[^"#]+\.(?:css|js))"/g)) {
      const file = await app.visitor().send(path);
      expect(file.status).toBe(200);
      expect(file.body, path).not.toContain('sourceMappingURL');
      expect((await app.visitor().send(`${path}.map`)).status).toBe(404);
    }
  });

  it('WEB-14 no answer says what runs here, not even to a signed-in person or in JSON', async () => {
    const person = await makePerson(app, await makeCompany(app));
    const visitor = app.visitor();
    await signIn(app, visitor, person, '/');
    for (const path of [
      '/',
      '/settings/sessions',
      '/nothing',
      '/token',
      '/userinfo',
      '/jwks',
      '/health/ready',
      '/interaction/x',
    ]) {
      for (const accept of ['text/html', 'application/json']) {
        const page = await visitor.send(path, { headers: { accept } });
        for (const name of ['server', 'x-powered-by', 'via', 'x-runtime', 'x-response-time'])
          expect(page.headers[name], path).toBeUndefined();
        const said = JSON.stringify(page.headers) + page.body;
        expect(said, path).not.toMatch(/koa|oidc-provider|postgres|node\.?js|v24\.|\/src\/|\.ts:\d|at \w+ \(/i);
      }
    }
  });
});
