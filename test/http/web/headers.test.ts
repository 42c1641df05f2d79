// Headers of every answer: nothing may be framed, sniffed, cached or told to other sites.
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApp, type TestApp } from '../../support/app.ts';
import {
  answerOf,
  authorizeAddress,
  givePassword,
  makeCompany,
  makeModule,
  makePerson,
  redeem,
  signIn,
  type TestModule,
  type TestPerson,
} from '../../support/people.ts';
import type { Page, Visitor } from '../../support/visitor.ts';

const publicUrl = 'https://login.example';

/** Directives of a policy, by name. */
function policyOf(page: Page): Map<string, string[]> {
  const header = String(page.headers['content-security-policy'] ?? '');
  return new Map(
    header.split(';').map((directive) => {
      const [name = '', ...values] = directive.trim().split(/\s+/);
      return [name, values];
    }),
  );
}

function expectGuarded(page: Page): void {
  const where = `${page.status} ${page.url}`;
  const policy = policyOf(page);
  expect(policy.get('default-src'), where).toEqual(["'none'"]);
  expect(policy.get('object-src'), where).toEqual(["'none'"]);
  expect(policy.get('base-uri'), where).toEqual(["'none'"]);
  expect(policy.get('frame-ancestors'), where).toEqual(["'none'"]);
  for (const [name, values] of policy) {
    expect(values, `${where} ${name}`).not.toContain("'unsafe-inline'");
    expect(values, `${where} ${name}`).not.toContain("'unsafe-eval'");
    expect(values, `${where} ${name}`).not.toContain('*');
  }
  // F6: browsers apply form-action to the redirect after a form post, and sign-in forms lead to modules.
  expect(policy.has('form-action'), where).toBe(false);
  expect(page.headers, where).toMatchObject({
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'referrer-policy': 'no-referrer',
    'cross-origin-opener-policy': 'same-origin',
    'cache-control': 'no-store',
  });
  const hsts = /max-age=(\d+)/.exec(String(page.headers['strict-transport-security']))?.[1];
  expect(Number(hsts), where).toBeGreaterThanOrEqual(31_536_000);
  for (const banner of ['server', 'x-powered-by', 'x-aspnet-version'])
    expect(page.headers[banner], where).toBeUndefined();
  expect(page.body, where).not.toMatch(/<script(?![^>]*\ssrc=)[^>]*>|<style|\sstyle=|\son[a-z]+=/i);
}

/** Keeps every answer that this browser gets. */
function watch(visitor: Visitor, seen: Page[]): Visitor {
  const send = visitor.send.bind(visitor);
  visitor.send = async (...args) => {
    const page = await send(...args);
    seen.push(page);
    return page;
  };
  return visitor;
}

const isHtml = (page: Page) => String(page.headers['content-type']).startsWith('text/html');

describe('headers', () => {
  let app: TestApp;
  let person: TestPerson;
  let module: TestModule;

  beforeAll(async () => {
    app = await startApp({ environment: { PUBLIC_URL: publicUrl } });
    const company = await makeCompany(app, 'Northwind IT');
    await makeCompany(app);
    person = await makePerson(app, company);
    module = await makeModule(app, [company]);
  });
  afterAll(() => app.stop());

  it('WEB-05, F6 on every page of signing in and of home, redirects included', async () => {
    const seen: Page[] = [];
    const visitor = watch(app.visitor(), seen);
    await signIn(app, visitor, person, '/');
    for (const path of [
      '/',
      '/support',
      '/settings/profile',
      '/settings/security',
      '/settings/sessions',
      '/session/end',
    ])
      expect((await visitor.open(path)).status, path).toBe(200);
    await visitor.submit(await visitor.open('/'), {}, '/sign-out');
    const newcomer = await makePerson(app, person.company, { totpSecret: null, mustChangePassword: true });
    await givePassword(visitor, await visitor.open('/login'), newcomer);
    for (const path of [
      '/login',
      '/forgot',
      '/forgot/password',
      '/forgot/company',
      '/signed-out',
      '/login/northwind-it',
    ])
      await visitor.open(path);
    expect(seen.filter(isHtml).length).toBeGreaterThan(20);
    for (const page of seen) expectGuarded(page);
  });

  it('WEB-05, F6 on every kind of error', async () => {
    const visitor = app.visitor();
    const form = { a: 'b' };
    const errors: [number, Page][] = [
      [400, await visitor.send('/auth?client_id=nobody')],
      [400, await visitor.send('/auth/no-such-interaction')],
      [400, await visitor.send('/interaction/no-such-interaction')],
      [400, await visitor.send(authorizeAddress(module, { redirect_uri: 'https://evil.example/' }))],
      [403, await visitor.send('/forgot/password', { form })],
      [404, await visitor.send('/no/such/page')],
      [404, await visitor.send('/login/%00')],
      [404, await visitor.send('/assets/0123456789abcdef/css/base.css')],
      [405, await visitor.send('/login', { method: 'DELETE' })],
      [405, await visitor.send('/token')],
      [410, await visitor.send('/reset-password/unknown')],
      [413, await visitor.send('/forgot/password', { form: { a: 'x'.repeat(200_000) } })],
      [415, await visitor.send('/forgot/password', { body: '{}', headers: { 'content-type': 'application/json' } })],
      [421, await visitor.send('/', { headers: { host: 'evil.example' } })],
    ];
    for (const [status, page] of errors) {
      expect(page.status, page.url).toBe(status);
      expect(isHtml(page), page.url).toBe(true);
      expectGuarded(page);
    }
  });

  it('WEB-05, WEB-14 on a page for a bug of ours, which tells nothing but a number that the log knows', async () => {
    const broken = await startApp({ environment: { PUBLIC_URL: publicUrl } });
    try {
      await broken.runtime.db.raw('alter table companies rename column login_slug to gone');
      const page = await broken.visitor().send('/login/anything');
      expect(page.status).toBe(500);
      expectGuarded(page);
      expect(page.body).not.toMatch(/login_slug|column|select|\.ts\b|node_modules|at \w+ \(/);
      expect(page.body).toMatch(/[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-/);
    } finally {
      await broken.stop();
    }
  });

  it('WEB-05 the form_post page may run its own script, and only that', async () => {
    const page = await signIn(app, app.visitor(), person, authorizeAddress(module, { response_mode: 'form_post' }));
    expect(page.status).toBe(200);
    const script = /<script>([\s\S]*?)<\/script>/.exec(page.body)?.[1] ?? '';
    expect(script).toContain('submit');
    const hash = `'sha256-${createHash('sha256').update(script).digest('base64')}'`;
    expect(policyOf(page).get('script-src')).toEqual(["'self'", hash]);
    expect(policyOf(page).has('form-action')).toBe(false);
    expect(page.headers['cache-control']).toBe('no-store');
    expect(page.headers).toMatchObject({ 'referrer-policy': 'no-referrer', 'x-content-type-options': 'nosniff' });
  });

  it('WEB-11 tokens and what they open are not kept; fingerprinted files are, for a year', async () => {
    const code = answerOf(await signIn(app, app.visitor(), person, authorizeAddress(module))).get('code') ?? '';
    const visitor = app.visitor();
    const { body } = await redeem(app, module, code);
    const basic = Buffer.from(`${module.clientId}:${module.clientSecret}`).toString('base64');
    const token = String(body.access_token);
    const answers = [
      await visitor.send('/token', { form: { grant_type: 'x' }, headers: { authorization: `Basic ${basic}` } }),
      await visitor.send('/userinfo', { headers: { authorization: `Bearer ${token}` } }),
      await visitor.send('/token/introspection', { form: { token }, headers: { authorization: `Basic ${basic}` } }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([400, 200, 200]);
    for (const answer of answers) expect(answer.headers['cache-control'], answer.url).toBe('no-store');

    const page = await visitor.open('/login');
    const files = [...page.body.matchAll(/(?:href|src)="(\/assets\/[^"#]+)/g)].map(([, path = '']) => path);
    expect(files.length).toBeGreaterThan(2);
    for (const path of files) {
      const file = await visitor.send(path);
      expect(file.status, path).toBe(200);
      expect(file.headers['cache-control'], path).toBe('public, max-age=31536000, immutable');
      expect(file.headers['x-content-type-options'], path).toBe('nosniff');
      expect(file.headers['set-cookie'], path).toBeUndefined();
    }
  });

  it('WEB-05 no promise of https where there is none', async () => {
    const plain = await startApp();
    try {
      const page = await plain.visitor().open('/login');
      expect(page.status).toBe(200);
      expect(page.headers['strict-transport-security']).toBeUndefined();
    } finally {
      await plain.stop();
    }
  });
});
