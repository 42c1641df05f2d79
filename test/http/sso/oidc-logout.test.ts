// Logging out towards an OpenID provider that nobody here wrote and back, and its own logouts that it tells us of (Back-Channel Logout 1.0).
import { createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Company } from '../../../src/domain/companies/company.ts';
import type { StoredConnection } from '../../../src/domain/federation/connection-repository.ts';
import { oidcRedirectUri } from '../../../src/web/sso/oidc-connector.ts';
import { freePort, startApp, type TestApp } from '../../support/app.ts';
import { makeConnection, oidcAttributes } from '../../support/federation.ts';
import { answerOf, authorizeAddress, makeCompany, makeModule, redeem, type TestModule } from '../../support/people.ts';
import { upstreamLink } from '../../support/saml-idp.ts';
import { type ProviderUpstream, startProvider } from '../../support/upstream-oidc.ts';
import type { Page, Visitor } from '../../support/visitor.ts';

let app: TestApp;
let module: TestModule;

const person = (name: string) => ({
  email: `${name}@northwind.example`,
  email_verified: true,
  given_name: name,
  family_name: 'Upstream',
  preferred_username: name,
});

const bye = 'https://module.example/bye';

beforeAll(async () => {
  app = await startApp();
  await makeCompany(app);
});
afterAll(() => app.stop());

const isIn = async (visitor: Visitor): Promise<boolean> =>
  (await visitor.send(authorizeAddress(module, { prompt: 'none' }))).headers.location?.includes('code=') === true;

async function signIn(
  of: Company,
  upstream: ProviderUpstream,
  start = '/login',
): Promise<{ visitor: Visitor; page: Page }> {
  const visitor = app.visitor();
  const page = await visitor.submit(await visitor.open(start), { username: 'mia', company: of.name });
  const left = page.status >= 300 ? page : await visitor.open(upstreamLink(page));
  const back = await upstream.authorize(left.headers.location ?? '', 'mia');
  return { visitor, page: await visitor.open(`${back.pathname}${back.search}`) };
}

describe('an OpenID provider that nobody here wrote', () => {
  let company: Company;
  let upstream: ProviderUpstream;
  let connection: StoredConnection;

  beforeAll(async () => {
    company = await makeCompany(app, 'Northwind IT');
    module = await makeModule(app, [company], { post_logout_redirect_uris: [bye] });
    upstream = await startProvider(
      [oidcRedirectUri(app.url, company.id)],
      { mia: person('mia') },
      { afterLogout: [`${app.url}/sso/logged-out`] },
    );
    connection = await makeConnection(app, company, {
      name: 'Northwind OIDC',
      settings: { kind: 'oidc', issuer: upstream.issuer, clientId: upstream.clientId, logoutReturns: true },
      clientSecret: upstream.clientSecret,
      attributes: oidcAttributes,
    });
    await upstream.tellLogouts(`${app.url}/sso/oidc/logout/${connection.id}`);
  }, 60_000);
  afterAll(() => upstream.stop());

  /** Logs out as the module asks for it. @returns where the browser is sent */
  async function endSession(visitor: Visitor, page: Page, more: Record<string, string> = {}): Promise<Page> {
    const tokens = await redeem(app, module, answerOf(page).get('code') ?? '');
    const query = new URLSearchParams({ id_token_hint: String(tokens.body.id_token), ...more });
    return visitor.submitOnce(await visitor.send(`/session/end?${query}`), { logout: 'yes' }, '/session/end/confirm');
  }

  it('/session/end goes on upstream and comes back to where the module asked, which the upstream never hears of', async () => {
    const { visitor, page } = await signIn(company, upstream, authorizeAddress(module));
    const left = await endSession(visitor, page, { post_logout_redirect_uri: bye, state: 'left & gone' });
    expect(await isIn(visitor)).toBe(false);
    const address = left.headers.location ?? '';
    expect(address.startsWith(`${upstream.issuer}/session/end?`)).toBe(true);
    expect(decodeURIComponent(address)).not.toContain('module.example');
    const query = new URL(address).searchParams;
    expect(query.get('post_logout_redirect_uri')).toBe(`${app.url}/sso/logged-out`);
    expect(query.get('id_token_hint')).toMatch(/^ey/);
    const back = await upstream.logOut(address);
    expect(`${back?.origin}${back?.pathname}`).toBe(`${app.url}/sso/logged-out`);
    const home = await visitor.send(`${back?.pathname}${back?.search}`);
    expect([home.status, home.headers.location]).toEqual([303, `${bye}?state=left+%26+gone`]);
    // Once.
    expect((await visitor.send(`${back?.pathname}${back?.search}`)).headers.location).toBe('/signed-out');
  });

  it('our own log-out goes the same way, and ends at our page', async () => {
    const { visitor } = await signIn(company, upstream);
    const left = await visitor.submitOnce(await visitor.open('/'), {}, '/sign-out');
    const back = await upstream.logOut(left.headers.location ?? '');
    const end = await visitor.open(`${back?.pathname}${back?.search}`);
    expect(end.url).toMatch(/\/signed-out$/);
    expect(end.body).toContain('You are logged out');
  });

  it('no open redirect: a state that is not this browser’s leads to our own page', async () => {
    const { visitor, page } = await signIn(company, upstream, authorizeAddress(module));
    const left = await endSession(visitor, page, { post_logout_redirect_uri: bye });
    const state = new URL(left.headers.location ?? '').searchParams.get('state') ?? '';
    const tries: [Visitor, string][] = [
      [app.visitor(), state],
      [visitor, 'https://evil.example/'],
      [visitor, ''],
    ];
    for (const [who, said] of tries)
      expect((await who.send(`/sso/logged-out?${new URLSearchParams({ state: said })}`)).headers.location).toBe(
        '/signed-out',
      );
    expect((await visitor.send(`/sso/logged-out?${new URLSearchParams({ state })}`)).headers.location).toBe(bye);
  });

  it('where it does not know our address, nothing to come back to is named, and a module is not left waiting', async () => {
    const settings = { ...connection.settings, logoutReturns: false };
    const row = app.runtime.db('idp_connections').where({ id: connection.id });
    await row.clone().update({ settings: JSON.stringify(settings) });
    const one = await signIn(company, upstream, authorizeAddress(module));
    const straight = await endSession(one.visitor, one.page, { post_logout_redirect_uri: bye });
    expect(straight.headers.location).toBe(bye);
    const two = await signIn(company, upstream, authorizeAddress(module));
    const left = new URL((await endSession(two.visitor, two.page)).headers.location ?? '');
    expect(left.origin).toBe(upstream.issuer);
    expect(left.searchParams.has('post_logout_redirect_uri')).toBe(false);
    await row.clone().update({ settings: JSON.stringify(connection.settings) });
  });

  it('who logs out there is logged out here at once, by its own token, in every browser of that session', async () => {
    const { visitor } = await signIn(company, upstream);
    expect(await isIn(visitor)).toBe(true);
    const left = await visitor.submitOnce(await visitor.open('/'), {}, '/sign-out');
    const again = await signIn(company, upstream);
    expect(await isIn(again.visitor)).toBe(true);
    await upstream.logOut(new URL(left.headers.location ?? '').origin.concat('/session/end'));
    await vi.waitFor(async () => expect(await isIn(again.visitor)).toBe(false), { timeout: 5000, interval: 50 });
    const attempt = await app.runtime
      .db('sso_attempts')
      .where({ connection_id: connection.id, outcome: 'logged-out' })
      .orderBy('at', 'desc')
      .first();
    expect(attempt.details).toMatchObject({ logout: 'back-channel', ended: 1 });
  });

  it('when nobody answers there, the person is logged out here, and reads so', async () => {
    const other = await makeCompany(app);
    const gone = await startProvider([oidcRedirectUri(app.url, other.id)], { mia: person('mia') });
    await makeConnection(app, other, {
      name: 'Gone OIDC',
      settings: { kind: 'oidc', issuer: gone.issuer, clientId: gone.clientId, logoutReturns: true },
      clientSecret: gone.clientSecret,
      attributes: oidcAttributes,
    });
    const { visitor } = await signIn(other, gone);
    const home = await visitor.open('/');
    await gone.stop();
    const page = await visitor.submit(home, {}, '/sign-out');
    expect(page.status).toBe(200);
    expect(page.body).toContain('You are logged out here');
    expect(page.body).toContain('Gone OIDC cannot be reached right now');
    expect(page.body).toContain(`href="${gone.issuer}/session/end`);
    expect((await visitor.open('/')).body).toContain('name="username"');
  });
});

describe('logout tokens that end nothing', () => {
  const client = { id: 'unified-login', secret: 'a-secret-of-ours' };
  const own = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const jwk = { ...own.publicKey.export({ format: 'jwk' }), kid: 'one', use: 'sig', alg: 'RS256' };
  let server: Server;
  let issuer: string;
  let connection: StoredConnection;
  let visitor: Visitor;

  beforeAll(async () => {
    const company = await makeCompany(app);
    module = await makeModule(app, [company]);
    const port = await freePort();
    issuer = `http://localhost:${port}`;
    let nonce = '';
    server = createServer((request, response) => {
      const json = (value: object) =>
        void response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value));
      if (request.url === '/jwks') return json({ keys: [jwk] });
      if (request.url === '/token')
        return json({
          access_token: 'a',
          token_type: 'Bearer',
          id_token: token({ ...idClaims(), nonce }),
        });
      json({
        issuer,
        authorization_endpoint: `${issuer}/authorize`,
        token_endpoint: `${issuer}/token`,
        jwks_uri: `${issuer}/jwks`,
        response_types_supported: ['code'],
        subject_types_supported: ['public'],
        id_token_signing_alg_values_supported: ['RS256'],
      });
    });
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    connection = await makeConnection(app, company, {
      name: 'Liar',
      settings: { kind: 'oidc', issuer, clientId: client.id },
      clientSecret: client.secret,
      attributes: oidcAttributes,
    });
    visitor = app.visitor();
    const page = await visitor.submit(await visitor.open('/login'), { username: 'ada', company: company.name });
    const asked = new URL((await visitor.open(upstreamLink(page))).headers.location ?? '');
    nonce = asked.searchParams.get('nonce') ?? '';
    const back = new URL(asked.searchParams.get('redirect_uri') ?? '');
    const state = asked.searchParams.get('state') ?? '';
    await visitor.open(`${back.pathname}?${new URLSearchParams({ code: 'c', state })}`);
    expect(await isIn(visitor)).toBe(true);
  }, 60_000);
  afterAll(() => new Promise((resolve) => server.close(resolve)));

  const now = () => Math.floor(app.clock.now().getTime() / 1000);
  const idClaims = () => ({
    iss: issuer,
    sub: 'ada',
    aud: client.id,
    iat: now(),
    exp: now() + 300,
    sid: 'session-of-ada',
    email: 'ada@northwind.example',
    email_verified: true,
    given_name: 'Ada',
    family_name: 'Upstream',
  });
  const claims = (more: Record<string, unknown> = {}) => ({
    iss: issuer,
    aud: client.id,
    iat: now(),
    exp: now() + 120,
    jti: crypto.randomUUID(),
    sub: 'ada',
    sid: 'session-of-ada',
    events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
    ...more,
  });
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  function token(
    payload: object,
    header: object = { alg: 'RS256', kid: 'one', typ: 'logout+jwt' },
    key: KeyObject = own.privateKey,
  ): string {
    const input = `${encode(header)}.${encode(payload)}`;
    return `${input}.${sign('sha256', Buffer.from(input), key).toString('base64url')}`;
  }
  const send = (body: string, id: string = connection.id, port = app.port) =>
    app
      .visitor()
      .at(port)
      .send(`/sso/oidc/logout/${id}`, { body, headers: { 'content-type': 'application/x-www-form-urlencoded' } });
  const tell = (of: string, id?: string) => send(new URLSearchParams({ logout_token: of }).toString(), id);

  const without = (name: string) => {
    const { [name]: _, ...rest } = claims() as Record<string, unknown>;
    return rest;
  };

  it.each<[string, string, () => string]>([
    ['of another issuer', 'issuer', () => token(claims({ iss: 'https://other.example' }))],
    ['for another client', 'audience', () => token(claims({ aud: ['somebody-else'] }))],
    ['with a nonce, as ID tokens have one', 'malformed', () => token(claims({ nonce: 'n' }))],
    ['an ID token', 'malformed', () => token({ ...idClaims(), jti: 'x' })],
    ['without events', 'malformed', () => token(without('events'))],
    ['of another event', 'malformed', () => token(claims({ events: { 'https://other.example': {} } }))],
    [
      'whose event is no object',
      'malformed',
      () => token(claims({ events: { 'http://schemas.openid.net/event/backchannel-logout': 'x' } })),
    ],
    ['without jti', 'malformed', () => token(without('jti'))],
    ['without iat', 'malformed', () => token(without('iat'))],
    ['with neither sub nor sid', 'malformed', () => token(claims({ sub: undefined, sid: undefined }))],
    ['run out', 'expired', () => token(claims({ iat: now() - 900, exp: now() - 600 }))],
    ['old, and without an end', 'expired', () => token({ ...without('exp'), iat: now() - 900 })],
    ['of the future', 'clock-skew', () => token(claims({ iat: now() + 600, exp: now() + 900 }))],
    ['signed by nobody', 'algorithm', () => `${encode({ alg: 'none' })}.${encode(claims())}.x`],
    [
      'signed with our own secret',
      'algorithm',
      () => {
        const input = `${encode({ alg: 'HS256' })}.${encode(claims())}`;
        return `${input}.${createHmac('sha256', client.secret).update(input).digest('base64url')}`;
      },
    ],
    [
      'signed with another key',
      'signature',
      () => token(claims(), undefined, generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey),
    ],
    ['with another algorithm than the key is for', 'signature', () => token(claims(), { alg: 'PS256', kid: 'one' })],
    ['of another type', 'malformed', () => token(claims(), { alg: 'RS256', kid: 'one', typ: 'at+jwt' })],
    ['with something critical', 'malformed', () => token(claims(), { alg: 'RS256', kid: 'one', crit: ['x'] })],
    [
      'changed after signing',
      'signature',
      () => token(claims({ sub: 'x' })).replace(/\.[^.]+\./, `.${encode(claims())}.`),
    ],
    ['no token', 'malformed', () => 'x'],
    ['nothing', 'malformed', () => ''],
  ])('%s: %s', async (_, problem, made) => {
    const page = await tell(made());
    expect(page.status).toBe(400);
    expect(page.headers['cache-control']).toBe('no-store');
    expect(JSON.parse(page.body)).toMatchObject({ error: 'invalid_request' });
    expect(page.body).toContain(problem);
    expect(await isIn(visitor)).toBe(true);
  });

  it('at the address of another connection, of none, or of a SAML one it is nothing', async () => {
    const other = await makeConnection(app, await makeCompany(app));
    for (const id of [other.id, crypto.randomUUID()]) expect((await tell(token(claims()), id)).status).toBe(404);
    expect((await app.visitor().send('/sso/oidc/logout', { form: { logout_token: 'x' } })).status).toBe(404);
    expect((await app.visitor().send(`/sso/oidc/logout/${connection.id}`)).status).toBe(405);
    expect((await send(`logout_token=${token(claims())}&logout_token=x`)).status).toBe(400);
    expect(await isIn(visitor)).toBe(true);
  });

  it('with an end that no calendar has it is good for a day from when it was issued, and never a 500', async () => {
    const nobody = { sub: 'nobody', exp: 1e15 };
    expect((await tell(token(claims(nobody)))).status).toBe(200);
    const { rows } = await app.runtime.db.raw(
      `select max(expires_at) as ends from sso_assertions where connection_id = ?`,
      [connection.id],
    );
    expect(rows[0].ends.getTime()).toBeLessThan(app.clock.now().getTime() + 25 * 3_600_000);
    expect((await tell(token(claims({ ...nobody, iat: now() - 90_000 })))).status).toBe(400);
  });

  it('of another person, or of another session, it ends none of this one', async () => {
    expect((await tell(token(claims({ sub: 'somebody', sid: undefined })))).status).toBe(200);
    expect((await tell(token(claims({ sub: undefined, sid: 'another' })))).status).toBe(200);
    expect((await tell(token(claims({ sid: 'another' })))).status).toBe(200);
    expect(await isIn(visitor)).toBe(true);
  });

  it('a right one counts once, in parallel and at another node, and sid alone is enough', async () => {
    const node = await app.node();
    const right = token(claims({ sub: undefined }));
    const body = new URLSearchParams({ logout_token: right }).toString();
    const pages = await Promise.all([send(body), send(body), send(body, connection.id, node.port)]);
    expect(pages.map(({ status }) => status).sort()).toEqual([200, 400, 400]);
    expect(await isIn(visitor)).toBe(false);
  });
});
