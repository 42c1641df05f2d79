// WEB-06: forms are ours only. The list of posts comes from the routers themselves, so that a new one is tried by itself.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accessRoutes } from '../../../src/web/home/access-routes.ts';
import { homeRoutes } from '../../../src/web/home/home-routes.ts';
import { settingsRoutes } from '../../../src/web/home/settings-routes.ts';
import { interactionRouter } from '../../../src/web/interaction/router.ts';
import { installRoutes } from '../../../src/web/public/install-routes.ts';
import { recoveryRoutes } from '../../../src/web/public/recovery-routes.ts';
import { signInRoutes } from '../../../src/web/public/sign-in-routes.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import {
  authorizeAddress,
  givePassword,
  goodPassword,
  makeCompany,
  makeModule,
  makePerson,
  signIn,
  type TestPerson,
} from '../../support/people.ts';
import { isSignedIn } from '../../support/sessions.ts';
import { formsOf, type Page, type Visitor, wordsOf } from '../../support/visitor.ts';

const csrfOf = (page: Page) => /name="csrf" value="([^"]+)"/.exec(page.body)?.[1] ?? '';

/** All rows of all tables, to see that nothing changed. */
async function contents(app: TestApp): Promise<string> {
  const { rows }: { rows: { name: string }[] } = await app.runtime.db.raw(
    `select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname in ('public', 'pgboss')
       and tablename not in ('oidc_records') and tablename !~ '^(version|bam|warning|queue|schedule|subscription)' order by 1`,
  );
  const parts = [];
  for (const { name } of rows) {
    const result: { rows: { all: string }[] } = await app.runtime.db.raw(
      `select coalesce(string_agg(t::text, '\n' order by t::text), '') as all from ${name} t`,
    );
    parts.push(`${name}\n${result.rows[0]?.all}`);
  }
  return parts.join('\n\n');
}

const fields = { password: 'Another-Harbour-43', currentPassword: goodPassword, theme: 'dark', firstName: 'Mallory' };

describe('posts from elsewhere', () => {
  let app: TestApp;
  let person: TestPerson;
  let visitor: Visitor;
  let posts: string[];
  let token: string;

  beforeAll(async () => {
    app = await startApp();
    const company = await makeCompany(app, 'Northwind IT');
    await makeCompany(app);
    person = await makePerson(app, company);
    visitor = app.visitor();
    await signIn(app, visitor, person, '/');
    const waiting = await givePassword(
      visitor,
      await visitor.open(authorizeAddress(await makeModule(app, [company]), { prompt: 'login' })),
      person,
    );
    const uid = new URL(waiting.url).pathname.split('/')[2] ?? '';
    token = csrfOf(await visitor.open('/settings/profile'));
    const tables = [
      ...homeRoutes,
      ...settingsRoutes,
      ...accessRoutes,
      ...installRoutes,
      ...recoveryRoutes,
      ...signInRoutes,
    ];
    const interaction = interactionRouter(app.runtime).stack.filter(({ methods }) => methods.includes('POST'));
    posts = [
      ...tables.filter(({ method }) => method === 'post').map(({ path }) => path),
      ...interaction.map(({ path }) => String(path).replace(':uid', uid)),
    ].map((path) => path.replace(':token', 'some-token'));
  });
  afterAll(() => app.stop());

  it('WEB-06 the list of posts is complete', () => {
    expect(posts.length).toBeGreaterThan(22);
    expect(posts.filter((path) => path.includes(':'))).toEqual([]);
    for (const known of [
      '/sign-out',
      '/settings/password',
      '/settings/access/revoke',
      '/forgot/password',
      '/reset-password/some-token',
      '/install/some-token',
    ])
      expect(posts).toContain(known);
    expect(posts.some((path) => /^\/interaction\/[\w-]+\/code$/.test(path))).toBe(true);
    expect(posts.some((path) => /^\/interaction\/[\w-]+\/consent$/.test(path))).toBe(true);
  });

  it('WEB-06 without a token, with a wrong one, with that of another browser, from another site: 403 and nothing changed', async () => {
    const strange = app.visitor();
    const strangeToken = csrfOf(await strange.open('/login'));
    const before = await contents(app);
    const tries: [string, Record<string, string>, Record<string, string>][] = [
      ['no token', {}, {}],
      ['empty token', { csrf: '' }, {}],
      ['wrong token', { csrf: `${token.slice(0, -1)}${token.endsWith('A') ? 'B' : 'A'}` }, {}],
      ["another browser's token", { csrf: strangeToken }, {}],
      ['another origin', { csrf: token }, { origin: 'https://evil.example' }],
      ['an origin that begins like ours', { csrf: token }, { origin: `${app.url}.evil.example` }],
      ['another site', { csrf: token }, { origin: 'null', 'sec-fetch-site': 'cross-site' }],
      ['a neighbour', { csrf: token }, { origin: 'null', 'sec-fetch-site': 'same-site' }],
    ];
    for (const path of posts) {
      for (const [what, form, headers] of tries) {
        const page = await visitor.send(path, { form: { ...fields, ...form }, headers });
        expect(page.status, `${what}: ${path}`).toBe(403);
      }
    }
    expect(await contents(app)).toBe(before);
    expect(await isSignedIn(visitor)).toBe(true);
  });

  it('WEB-06 as text, JSON or nothing at all: refused, though the token is right', async () => {
    const before = await contents(app);
    const body = new URLSearchParams({ ...fields, csrf: token }).toString();
    for (const path of posts) {
      for (const type of ['text/plain', 'application/json', 'application/xml', '']) {
        const headers: Record<string, string> = type === '' ? {} : { 'content-type': type };
        const page = await visitor.send(path, { body, headers });
        expect([403, 415], `${type}: ${path}`).toContain(page.status);
      }
    }
    expect(await contents(app)).toBe(before);
  });

  it('WEB-06 a visit changes nothing: each of these addresses by GET and HEAD', async () => {
    const before = await contents(app);
    const query = new URLSearchParams({ ...fields, csrf: token });
    for (const path of posts) {
      for (const method of ['GET', 'HEAD']) {
        const page = await visitor.send(`${path}?${query}`, { method });
        expect([200, 303, 400, 404, 405, 410], `${method} ${path}`).toContain(page.status);
      }
    }
    expect(await contents(app)).toBe(before);
    expect(await isSignedIn(visitor)).toBe(true);
  });

  it('WEB-06 the same posts with the right token are heard', async () => {
    const page = await visitor.send('/settings/theme', { form: { csrf: token, theme: 'dark' } });
    expect(page.status).toBe(303);
    expect((await visitor.open('/settings/profile')).body).toContain('dark');
    for (const headers of [{ origin: 'null' }, { 'sec-fetch-site': 'same-origin' }, { 'sec-fetch-site': 'none' }])
      expect((await visitor.send('/settings/theme', { form: { csrf: token, theme: 'auto' }, headers })).status).toBe(
        303,
      );
  });

  it('WEB-06 login CSRF: a stranger cannot make this browser sign in as somebody else', async () => {
    const victim = app.visitor();
    const waiting = await victim.open('/login');
    const [form] = formsOf(waiting);
    const posted = await victim.send(form?.action ?? '', {
      form: { username: person.user.username, company: person.company.name },
      headers: { origin: 'https://evil.example' },
    });
    expect(posted.status).toBe(403);
    expect((await victim.open(waiting.url)).body).toContain('name="username"');
  });

  it("WEB-06 the engine's own logout form is refused without its token, and nobody is logged out", async () => {
    for (const form of [{ logout: 'yes' }, { logout: 'yes', xsrf: 'x'.repeat(43) }] as Record<string, string>[]) {
      const page = await visitor.send('/session/end/confirm', { form });
      expect(page.status).toBe(400);
      expect(wordsOf(page)).not.toContain('Logged out');
    }
    expect(await isSignedIn(visitor)).toBe(true);
    await visitor.open('/session/end');
    expect(await isSignedIn(visitor), 'a visit logs nobody out').toBe(true);
  });
});
