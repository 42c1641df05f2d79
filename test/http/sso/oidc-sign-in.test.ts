// From the login page over an OpenID provider that nobody here wrote, and back: B.5, T3, C26, C27.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Company } from '../../../src/domain/companies/company.ts';
import type { ConnectionId } from '../../../src/domain/federation/connection.ts';
import { editConnection } from '../../../src/domain/federation/connection-commands.ts';
import { oidcRedirectUri } from '../../../src/web/sso/oidc-connector.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import { getConnection, makeConnection, oidcAttributes } from '../../support/federation.ts';
import {
  answerOf,
  authorizeAddress,
  makeCompany,
  makeModule,
  makePerson,
  redeem,
  signIn,
  type TestModule,
  type TestPerson,
} from '../../support/people.ts';
import { upstreamLink } from '../../support/saml-idp.ts';
import { type Liar, type ProviderUpstream, startLiar, startProvider } from '../../support/upstream-oidc.ts';
import { type Page, type Visitor, wordsOf } from '../../support/visitor.ts';

let app: TestApp;
let company: Company;
let module: TestModule;
let upstream: ProviderUpstream;
let admin: TestPerson;
let connectionId: ConnectionId;

const person = (name: string) => ({
  email: `${name}@northwind.example`,
  email_verified: true,
  given_name: name,
  family_name: 'Upstream',
  preferred_username: name,
  groups: ['Engineers'],
});

beforeAll(async () => {
  app = await startApp();
  // With one company alone nobody would be asked for its name.
  await makeCompany(app);
  company = await makeCompany(app, 'Northwind IT');
  module = await makeModule(app, [company]);
  admin = await makePerson(app, company, { role: 'Admin', email: 'ada@northwind.example' });
  const people = { mia: person('mia'), ada: person('ada') };
  upstream = await startProvider([oidcRedirectUri(app.url, company.id)], people);
  ({ id: connectionId } = await makeConnection(app, company, {
    name: 'Northwind OIDC',
    settings: { kind: 'oidc', issuer: upstream.issuer, clientId: upstream.clientId, scopes: 'openid email profile' },
    clientSecret: upstream.clientSecret,
    attributes: oidcAttributes,
  }));
}, 60_000);
afterAll(async () => {
  await upstream?.stop();
  await app.stop();
});

/** To the upstream: the address that the browser is sent to. */
async function leave(visitor: Visitor, username: string, start = '/login', of = company): Promise<Page> {
  const page = await visitor.submit(await visitor.open(start), { username, company: of.name });
  return page.status >= 300 ? page : visitor.open(upstreamLink(page));
}

/** Back from the upstream, to wherever it ends. */
async function comeBack(visitor: Visitor, left: Page, who: string): Promise<Page> {
  const back = await upstream.authorize(left.headers.location ?? '', who);
  return visitor.open(`${back.pathname}${back.search}`);
}

describe('signing in through an OpenID provider', () => {
  it('T3 the first login creates the person, and ends in the module with amr fed', async () => {
    const visitor = app.visitor();
    const left = await leave(visitor, 'mia', authorizeAddress(module));
    expect(new URL(left.headers.location ?? '').searchParams.get('login_hint')).toBe('mia');
    const page = await comeBack(visitor, left, 'mia');
    expect(page.status, page.body).toBe(303);
    const tokens = await redeem(app, module, answerOf(page).get('code') ?? '');
    const claims = JSON.parse(Buffer.from(String(tokens.body.id_token).split('.')[1] ?? '', 'base64url').toString());
    expect(claims).toMatchObject({ amr: ['fed'] });
    const [user] = await app.runtime.db('users').where({ company_id: company.id, email_key: 'mia@northwind.example' });
    expect(user).toMatchObject({ base_status: 'Active', source: 'sso', first_name: 'mia' });
    const [identity] = await app.runtime.db('idp_identities').where({ user_id: user.id });
    expect(identity).toMatchObject({ issuer: upstream.issuer, subject: 'mia', groups: ['Engineers'] });
    // What enforcing goes by.
    expect(identity.signed_in_at).not.toBeNull();
  });

  it('who logs out here, logs out at the upstream, too', async () => {
    const visitor = app.visitor();
    await comeBack(visitor, await leave(visitor, 'mia'), 'mia');
    const left = await visitor.submitOnce(await visitor.open('/'), {}, '/sign-out');
    const address = new URL(left.headers.location ?? '');
    expect(`${address.origin}${address.pathname}`).toBe(`${upstream.issuer}/session/end`);
    expect(address.searchParams.get('client_id')).toBe(upstream.clientId);
    const hint = JSON.parse(
      Buffer.from(address.searchParams.get('id_token_hint')?.split('.')[1] ?? '', 'base64url').toString(),
    );
    expect(hint.sub).toBe('mia');
  });

  it('an answer that is brought twice, or by another browser, signs nobody in', async () => {
    const [mine, theirs] = [app.visitor(), app.visitor()];
    const left = await leave(mine, 'mia');
    const back = await upstream.authorize(left.headers.location ?? '', 'mia');
    const address = `${back.pathname}${back.search}`;
    const stolen = await theirs.open(address);
    expect(stolen.body).not.toContain('Upstream');
    expect(theirs.cookie('_session')).toBeUndefined();
    const again = await mine.open(address);
    expect(again.status).toBe(403);
    expect(again.body).toContain('has been used already');
  });

  it('the callback of another company leads nowhere, and neither does one without an answer', async () => {
    const visitor = app.visitor();
    const left = await leave(visitor, 'mia');
    const back = await upstream.authorize(left.headers.location ?? '', 'mia');
    const other = await makeCompany(app);
    const page = await visitor.open(`/sso/oidc/callback/${other.id}${back.search}`);
    expect(page.status).toBe(403);
    expect(page.body).toContain('another identity provider');
    for (const address of ['/sso/oidc/callback', `/sso/oidc/callback/${company.id}?state=x`, '/sso/oidc/callback/x'])
      expect((await visitor.open(address)).status, address).toBeGreaterThanOrEqual(403);
    const [attempt] = await app.runtime
      .db('sso_attempts')
      .where({ connection_id: connectionId })
      .orderBy('at', 'desc')
      .limit(1);
    expect(attempt).toMatchObject({ outcome: 'issuer', code: expect.stringMatching(/^[A-Z2-9]{4}-[A-Z2-9]{4}$/) });
  });

  it('an upstream that is down is a page with a code, not an error of ours', async () => {
    const gone = await makeCompany(app);
    const liar: Liar = await startLiar();
    await makeConnection(app, gone, {
      settings: { kind: 'oidc', issuer: liar.issuer, clientId: 'x', scopes: 'openid' },
      clientSecret: 'x',
      attributes: oidcAttributes,
    });
    await liar.stop();
    const visitor = app.visitor();
    const left = await leave(visitor, 'mia', '/login', gone);
    const page = await visitor.open(left.headers.location ?? left.url);
    expect(page.status).toBe(403);
    expect(page.body).toContain('cannot be reached right now');
    expect(page.body).toMatch(/[A-Z2-9]{4}-[A-Z2-9]{4}/);
  });
});

describe('the Test button', () => {
  it('shows every claim to the administrator who began it, and makes the connection ready; nobody is signed in by it', async () => {
    const visitor = app.visitor();
    await signIn(app, visitor, admin, '/login');
    await app.runtime.db('idp_connections').where({ id: connectionId }).update({ tested_at: null, tested_hash: null });
    const asked = await visitor.open(`/admin/sso/${connectionId}/test`);
    const left = await visitor.submit(asked, {}, '/test');
    expect(new URL(left.headers.location ?? '').origin).toBe(upstream.issuer);
    const before = await app.runtime.db('idp_identities').count().first();
    const page = await comeBack(visitor, left, 'mia');
    expect(page.status, page.body).toBe(200);
    for (const text of ['mia@northwind.example', 'Engineers', 'given_name']) expect(page.body).toContain(text);
    expect((await getConnection(app, company, connectionId)).testedAt).not.toBeNull();
    expect(await app.runtime.db('idp_identities').count().first()).toEqual(before);
    // What was tested is what stood there: a change meanwhile, and it says nothing.
    await app.runtime.db('idp_connections').where({ id: connectionId }).update({ tested_at: null, tested_hash: null });
    const second = await visitor.submit(await visitor.open(`/admin/sso/${connectionId}/test`), {}, '/test');
    const { version } = await getConnection(app, company, connectionId);
    await editConnection(app.operator(), company.id, connectionId, { version, asksSecondFactor: false });
    await comeBack(visitor, second, 'mia');
    expect((await getConnection(app, company, connectionId)).testedAt).toBeNull();
    // The same address, in the hands of another administrator.
    const other = await makePerson(app, company, { role: 'Admin' });
    const stranger = app.visitor();
    await signIn(app, stranger, other, '/login');
    const stolen = await stranger.open(page.url);
    expect(stolen.body).not.toContain('mia@northwind.example');
  });

  it('of a wrong issuer says where there is no configuration, and blames nobody for a refusal', async () => {
    const issuer = `${upstream.issuer}/nowhere`;
    const { id } = await makeConnection(app, company, {
      name: 'Mistyped',
      settings: { kind: 'oidc', issuer, clientId: 'x', scopes: 'openid' },
      clientSecret: 'x',
      attributes: oidcAttributes,
    });
    const visitor = app.visitor();
    await signIn(app, visitor, admin, '/login');
    const page = await visitor.submit(await visitor.open(`/admin/sso/${id}/test`), {}, '/test');
    const words = wordsOf(page);
    expect(words).toContain(`There is no OpenID configuration at ${issuer}/.well-known/openid-configuration.`);
    expect(words).toContain('Compare Issuer in the settings');
    expect(words).not.toContain('refused');
    expect(wordsOf(await visitor.open(`/admin/sso/${id}/log`))).toContain('No configuration there');
  });
});
