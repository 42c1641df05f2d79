// The shared address for SAML answers (B.5): whose answer it is, that it counts once, and that it leads nowhere but to its own login.
import { deflateRawSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Company } from '../../../src/domain/companies/company.ts';
import type { StoredConnection } from '../../../src/domain/federation/connection-repository.ts';
import { createRequest, fetchTestResult } from '../../../src/domain/federation/request-commands.ts';
import { minutes } from '../../../src/lib/time.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import { makeCompany, makePerson } from '../../support/people.ts';
import { connectIdp, postAnswer, TestIdp, toUpstream, upstreamLink, upstreamPerson } from '../../support/saml-idp.ts';
import type { Page, Visitor } from '../../support/visitor.ts';

let app: TestApp;
let other: TestApp;
let company: Company;
let connection: StoredConnection;
const idp = new TestIdp();

beforeAll(async () => {
  app = await startApp();
  await makeCompany(app);
  company = await makeCompany(app, 'Northwind IT');
  connection = await connectIdp(app, company, idp, { saml: { allowIdpInitiated: true } });
  other = await app.node();
});
afterAll(() => app.stop());

const named = async (visitor: Visitor, username = 'mia', of = company): Promise<Page> =>
  visitor.submit(await visitor.open('/login'), { username, company: of.name });

const asked = async (visitor: Visitor, of = company) => toUpstream(visitor, await named(visitor, 'mia', of));

const problemOf = (page: Page): string | null =>
  page.headers.location?.startsWith('/sso/problem')
    ? new URL(page.headers.location, app.url).searchParams.get('problem')
    : `not refused: ${page.status} ${page.headers.location}`;

/** Where the upstream began, the browser's person says that they come from there. */
const agree = async (visitor: Visitor, posted: Page): Promise<Page> =>
  visitor.submit(await visitor.open(posted.headers.location ?? ''), {}, '/sso/arrive');

const inCompany = (of: Company) => upstreamPerson('mia', { CompanyIdentifier: of.identifier });

describe('an answer counts once', () => {
  it('replayed, one after the other: the page says so', async () => {
    const visitor = app.visitor();
    const { id } = await asked(visitor);
    const xml = await idp.answer(app, upstreamPerson('mia'), { inResponseTo: id });
    expect((await postAnswer(app, xml, id)).headers.location).toContain('/sso/finish?ticket=');
    const again = await postAnswer(app, xml, id);
    expect(problemOf(again)).toBe('replayed');
    const page = await visitor.open(again.headers.location ?? '');
    expect(page.status).toBe(403);
    expect(page.body).toContain('has been used already');
  });

  it('replayed in parallel and at another node: one is taken', async () => {
    const { id } = await asked(app.visitor());
    const xml = await idp.answer(app, upstreamPerson('mia'), { inResponseTo: id });
    const all = await Promise.all(
      Array.from({ length: 8 }, (_, i) => postAnswer(app, xml, id, i % 2 ? app.port : other.port)),
    );
    expect(all.filter(({ headers }) => headers.location?.includes('/sso/finish')).length).toBe(1);
    expect(all.filter((page) => problemOf(page) === 'replayed').length).toBe(7);
  });

  it('CVE-2020-5261 where the upstream began there is no request: the assertion alone counts once, also in parallel', async () => {
    const xml = await idp.answer(app, inCompany(company));
    const all = await Promise.all(
      Array.from({ length: 8 }, (_, i) => postAnswer(app, xml, '', i % 2 ? app.port : other.port)),
    );
    expect(all.filter(({ headers }) => headers.location?.startsWith('/sso/arrive')).length).toBe(1);
    expect(all.filter((page) => problemOf(page) === 'replayed').length).toBe(7);
    expect(problemOf(await postAnswer(app, xml))).toBe('replayed');
  });

  it('two assertions for one request: one is taken', async () => {
    const { id } = await asked(app.visitor());
    const say = () => idp.answer(app, upstreamPerson('mia'), { inResponseTo: id });
    expect((await postAnswer(app, await say(), id)).headers.location).toContain('/sso/finish');
    expect(problemOf(await postAnswer(app, await say(), id))).toBe('replayed');
  });

  it('a request that is older than a quarter of an hour is over', async () => {
    const own = await startApp();
    try {
      await makeCompany(own);
      const there = await makeCompany(own, 'Slow');
      await connectIdp(own, there, idp);
      const visitor = own.visitor();
      const page = await visitor.submit(await visitor.open('/login'), { username: 'mia', company: 'Slow' });
      const { id } = await toUpstream(visitor, page);
      own.clock.advance(minutes(16));
      const posted = await postAnswer(own, await idp.answer(own, upstreamPerson('mia'), { inResponseTo: id }), id);
      expect(problemOf(posted)).toBe('too-old-request');
    } finally {
      await own.stop();
    }
  });
});

describe('whose answer it is', () => {
  it('an assertion of company A with the identifier of company B is refused, asked for and not', async () => {
    const b = await makeCompany(app, 'Company B');
    await connectIdp(app, b, new TestIdp('idp-b'), { saml: { allowIdpInitiated: true } });
    const { id } = await asked(app.visitor());
    const crossed = await idp.answer(app, inCompany(b), { inResponseTo: id });
    expect(problemOf(await postAnswer(app, crossed, id))).toBe('unknown-company');
    expect(problemOf(await postAnswer(app, await idp.answer(app, inCompany(b))))).toBe('unknown-company');
  });

  it('an identity provider that names the issuer of another one is not believed', async () => {
    const thief = new TestIdp('thief');
    const { id } = await asked(app.visitor());
    const xml = await thief.answer(app, inCompany(company), { inResponseTo: id, issuer: idp.entityId });
    expect(problemOf(await postAnswer(app, xml, id))).toBe('certificate');
    expect(
      problemOf(await postAnswer(app, await thief.answer(app, inCompany(company), { issuer: idp.entityId }))),
    ).toBe('certificate');
  });

  it('one identity provider for two companies: the identifier decides, and each has its own people', async () => {
    const [one, two] = [await makeCompany(app), await makeCompany(app)];
    const shared = new TestIdp('shared');
    for (const of of [one, two]) await connectIdp(app, of, shared, { saml: { allowIdpInitiated: true } });
    for (const of of [one, two]) {
      const visitor = app.visitor();
      const posted = await postAnswer(app, await shared.answer(app, inCompany(of)));
      const home = await agree(visitor, posted);
      expect(home.status, home.body).toBe(200);
      expect(home.body).toContain(of.name);
    }
    // Nothing says whose it is.
    expect(problemOf(await postAnswer(app, await shared.answer(app, upstreamPerson('mia'))))).toBe('unknown-company');
  });

  it('C28 an address of another company opens nothing there, and the Root Admin is found by none', async () => {
    const victim = await makePerson(app, await makeCompany(app), { email: 'boss@example.com' });
    const root = await makePerson(app, company, { role: 'Root Admin', email: 'root@example.com' });
    const enter = async (email: string, name: string) => {
      const visitor = app.visitor();
      const { id } = await asked(visitor);
      const posted = await postAnswer(
        app,
        await idp.answer(app, upstreamPerson(name, { Email: email }), { inResponseTo: id }),
        id,
      );
      return visitor.open(posted.headers.location ?? '');
    };
    expect((await enter('boss@example.com', 'newcomer')).status).toBe(200);
    const { rows } = await app.runtime.db.raw('select user_id from sessions where user_id in (?, ?)', [
      victim.user.id,
      root.user.id,
    ]);
    expect(rows).toEqual([]);
    const refused = await enter('root@example.com', 'climber');
    expect(refused.status).toBe(403);
    expect(refused.body).toContain('logs in with its password');
  });

  it('an upstream may begin only where the connection allows it, and its RelayState leads nowhere', async () => {
    const closed = await makeCompany(app);
    const shut = new TestIdp('shut');
    await connectIdp(app, closed, shut);
    expect(problemOf(await postAnswer(app, await shut.answer(app, inCompany(closed))))).toBe('not-asked');
    const visitor = app.visitor();
    const posted = await postAnswer(app, await idp.answer(app, inCompany(company)), 'https://evil.example/');
    expect(posted.headers.location).toMatch(/^\/sso\/arrive\?ticket=[\w.-]+$/);
    const home = await agree(visitor, posted);
    expect([home.status, home.url]).toEqual([200, `${app.url}/`]);
  });
});

describe('the address itself', () => {
  it('RelayState of another request, or an address, is refused; nothing in it is ever followed', async () => {
    const { id } = await asked(app.visitor());
    const xml = await idp.answer(app, upstreamPerson('mia'), { inResponseTo: id });
    for (const relayState of ['https://evil.example/', '//evil.example', '/admin', '_0'])
      expect(problemOf(await postAnswer(app, xml, relayState))).toBe('not-asked');
    expect((await postAnswer(app, xml)).headers.location).toContain('/sso/finish');
  });

  it('sets no cookie and shows no page: it runs without the cookies of the browser', async () => {
    const { id } = await asked(app.visitor());
    const posted = await postAnswer(app, await idp.answer(app, upstreamPerson('mia'), { inResponseTo: id }), id);
    expect(posted.headers['set-cookie']).toBeUndefined();
    expect((await postAnswer(app, 'x')).headers['set-cookie']).toBeUndefined();
  });

  it.each([
    ['not a form', { body: '{}', headers: { 'content-type': 'application/json' } }, 415],
    [
      'too large',
      { body: `SAMLResponse=${'A'.repeat(600_000)}`, headers: { 'content-type': 'application/x-www-form-urlencoded' } },
      413,
    ],
    ['read', { method: 'GET' }, 405],
  ] as const)('%s', async (_, options, status) => {
    expect((await app.visitor().send('/sso/saml/callback', options)).status).toBe(status);
  });

  it.each([
    ['nothing', ''],
    ['no base64', '<xml>'],
    ['not UTF-8', Buffer.from([0xff, 0xfe, 0x3c]).toString('base64')],
    ['packed (CVE-2023-28119, CVE-2025-25293)', deflateRawSync(Buffer.alloc(1_000_000, 'a')).toString('base64')],
  ])('%s is no answer', async (_, value) => {
    const page = await app.visitor().send('/sso/saml/callback', {
      body: new URLSearchParams({ SAMLResponse: value }).toString(),
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    });
    expect(problemOf(page)).toBe('malformed');
  });

  it('the page of problems shows nothing of what an address says', async () => {
    const page = await app
      .visitor()
      .open('/sso/problem?problem=<b>evil</b>&code=<b>evil</b>&login=https://evil.example');
    expect(page.status).toBe(403);
    expect(page.body).not.toContain('evil');
  });

  it('metadata: our entity id, address and certificates, for signing and encryption', async () => {
    const page = await app.visitor().open('/sso/saml/metadata');
    expect(page.headers['content-type']).toContain('application/samlmetadata+xml');
    for (const part of [
      `entityID="${app.url}"`,
      `Location="${app.url}/sso/saml/callback"`,
      'use="signing"',
      'use="encryption"',
      'AuthnRequestsSigned="true"',
      'WantAssertionsSigned="true"',
    ])
      expect(page.body).toContain(part);
  });
});

describe('what is written', () => {
  it('each try is a line in the log of its connection, with the code that the page shows, and nothing that proves anything', async () => {
    const visitor = app.visitor();
    const { id } = await asked(visitor);
    const posted = await postAnswer(
      app,
      await idp.answer(app, upstreamPerson('mia'), { inResponseTo: id, audience: 'https://wrong.example' }),
      id,
    );
    const page = await visitor.open(posted.headers.location ?? '');
    const code = /<code>([A-Z0-9]{4}-[A-Z0-9]{4})<\/code>/.exec(page.body)?.[1];
    const { rows } = await app.runtime.db.raw(
      'select outcome, details::text as details from sso_attempts where connection_id = ? and code = ?',
      [connection.id, code ?? ''],
    );
    expect(rows[0].outcome).toBe('audience');
    expect(rows[0].details).toContain('wrong.example');
    const all = await app.runtime.db.raw('select details::text as details from sso_attempts');
    expect(all.rows.map(({ details }: { details: string }) => details).join()).not.toMatch(
      /SignatureValue|X509Certificate|<saml/,
    );
  });

  it('the last 200 tries of a connection are kept', async () => {
    const own = await connectIdp(app, company, new TestIdp('busy'), { name: 'Busy' });
    const note = (i: number) =>
      app.runtime.store.ssoRequests.noteAttempt({
        id: `00000000-0000-7000-8000-${String(i).padStart(12, '0')}`,
        companyId: company.id,
        connectionId: own.id,
        at: new Date(i * 1000),
        outcome: 'expired',
        code: null,
        userId: null,
        details: {},
        source: null,
      });
    for (let i = 0; i < 205; i += 1) await note(i);
    const { rows } = await app.runtime.db.raw(
      'select count(*)::int as n, min(at) as first from sso_attempts where connection_id = ?',
      [own.id],
    );
    expect(rows[0]).toEqual({ n: 200, first: new Date(5000) });
  });
});

describe('the way from the login', () => {
  it('leads only to enabled upstreams of the company that was named', async () => {
    const foreign = await makeCompany(app);
    const theirs = await connectIdp(app, foreign, new TestIdp('theirs'));
    const disabled = await connectIdp(app, company, new TestIdp('off'), { name: 'Off', enabled: false });
    const visitor = app.visitor();
    const page = await named(visitor);
    expect(page.body).not.toContain('Log in with Off');
    const base = upstreamLink(page).replace(/[^/]+$/, '');
    for (const id of [theirs.id, disabled.id, 'nonsense', '00000000-0000-7000-8000-000000000000'])
      expect((await visitor.open(`${base}${id}`)).status, id).toBe(404);
  });

  it('DOS-03 one sign-in begins so many ways to an upstream, and no more', async () => {
    const visitor = app.visitor();
    const link = upstreamLink(await named(visitor));
    for (let i = 0; i < 20; i += 1) expect((await visitor.send(link)).status).toBe(303);
    expect((await visitor.send(link)).status).toBe(429);
  });

  it('is closed to another browser', async () => {
    const page = await named(app.visitor());
    expect((await app.visitor().open(upstreamLink(page))).status).toBe(400);
  });

  it('a test from the console signs nobody in, and is shown to who began it alone', async () => {
    const admin = await makePerson(app, company, { role: 'Admin' });
    const id = `_${'a'.repeat(40)}`;
    await createRequest(
      app.operator(),
      connection,
      id,
      { purpose: 'test', interactionUid: null, startedBy: admin.user.id },
      {},
    );
    const posted = await postAnswer(app, await idp.answer(app, upstreamPerson('tester'), { inResponseTo: id }), id);
    const address = new URL(posted.headers.location ?? '', app.url);
    expect(address.pathname).toBe(`/admin/sso/${connection.id}/test/result`);
    const ticket = address.searchParams.get('ticket') ?? '';
    const of = { companyId: company.id, connectionId: connection.id, startedBy: admin.user.id };
    expect(await fetchTestResult(app.operator(), of, ticket)).toMatchObject({
      outcome: 'arrived',
      claims: { username: 'tester' },
    });
    const stranger = await makePerson(app, company, { role: 'Admin' });
    expect(await fetchTestResult(app.operator(), { ...of, startedBy: stranger.user.id }, ticket)).toBeNull();
    expect(await fetchTestResult(app.operator(), of, `${ticket.slice(0, -1)}x`)).toBeNull();
    const { rows } = await app.runtime.db.raw(`select 1 from users where username = 'tester'`);
    expect(rows).toEqual([]);
  });
});
