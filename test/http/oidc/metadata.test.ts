// What the provider says of itself, what it refuses although libraries offer it, and to whom it answers.
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { nodesStarted } from '../../support/app.ts';
import { answerOf, authorizeAddress, makeModule, token } from '../../support/people.ts';
import { call, type Json, startWorld, tokensFor, userinfo, type World } from './relying-party.ts';

const spies = (['log', 'info', 'warn', 'error', 'debug', 'trace'] as const).map((name) => vi.spyOn(console, name));
const warnings: Error[] = [];
const onWarning = (warning: Error) => warnings.push(warning);

let world: World;
beforeAll(async () => {
  // Libraries say some things once in the life of a process: the sequence of vitest.config.ts has this file begin one.
  expect(nodesStarted).toBe(0);
  process.on('warning', onWarning);
  world = await startWorld();
});
afterAll(async () => {
  await world.app.stop();
  process.off('warning', onWarning);
  for (const spy of spies) spy.mockRestore();
});

const discovery = '/.well-known/openid-configuration';

describe('discovery', () => {
  it('says what there is, at the public address', async () => {
    const { status, body } = await call(world.app, discovery);
    const at = (path: string) => `${world.app.url}${path}`;
    expect(status).toBe(200);
    expect(body).toMatchObject({
      issuer: world.app.url,
      authorization_endpoint: at('/auth'),
      token_endpoint: at('/token'),
      userinfo_endpoint: at('/userinfo'),
      jwks_uri: at('/jwks'),
      introspection_endpoint: at('/token/introspection'),
      revocation_endpoint: at('/token/revocation'),
      pushed_authorization_request_endpoint: at('/request'),
      end_session_endpoint: at('/session/end'),
      backchannel_logout_supported: true,
      backchannel_logout_session_supported: true,
      response_modes_supported: expect.arrayContaining(['form_post', 'query']),
      acr_values_supported: ['urn:unified-login:mfa', 'urn:unified-login:upstream'],
      subject_types_supported: ['public', 'pairwise'],
    });
    expect(body.id_token_signing_alg_values_supported).toEqual(['RS256', 'ES256', 'EdDSA']);
    expect(body.token_endpoint_auth_methods_supported).toEqual([
      'client_secret_basic',
      'client_secret_post',
      'private_key_jwt',
      'none',
    ]);
    expect(body.scopes_supported).toEqual([
      ...['openid', 'offline_access', 'profile', 'email', 'phone', 'address'],
      'module.connect',
    ]);
  });

  it('F10 OAU-13 offers the code flow alone: no implicit, no hybrid, no password grant', async () => {
    const { body } = await call(world.app, discovery);
    expect(body.response_types_supported).toEqual(['code']);
    expect([...(body.grant_types_supported as string[])].sort()).toEqual([
      'authorization_code',
      'client_credentials',
      'refresh_token',
    ]);
    const text = JSON.stringify(body);
    for (const absent of ['implicit', 'password', 'device', 'ciba', 'registration_endpoint', '"none","HS256"', 'HS256'])
      expect(text).not.toContain(absent);
  });

  it('OAU-09 says that answers carry iss (RFC 9207)', async () => {
    const { body } = await call(world.app, discovery);
    expect(body.authorization_response_iss_parameter_supported).toBe(true);
  });

  it('F5 a forged Host changes nothing and gets nothing; forged forwarding headers change nothing', async () => {
    const { body: honest } = await call(world.app, discovery);
    const plain = new URL(world.app.url).host;
    for (const headers of [
      { 'x-forwarded-host': 'evil.example' },
      { 'x-forwarded-proto': 'https' },
      { 'x-forwarded-for': '1.2.3.4' },
      { forwarded: 'host=evil.example;proto=https' },
      { 'x-forwarded-host': 'evil.example', origin: 'https://spa.example' },
      { 'x-original-host': 'evil.example', 'x-host': 'evil.example' },
      { host: plain.toUpperCase() },
    ]) {
      const { status, body } = await call(world.app, discovery, { headers });
      expect(status).toBe(200);
      expect(body).toEqual(honest);
    }
    for (const host of ['evil.example', `${plain}.evil.example`, 'localhost', `${plain}@evil.example`, '']) {
      for (const path of [discovery, '/jwks', '/auth', '/token']) {
        const { status, body } = await call(world.app, path, { headers: { host } });
        expect([400, 421]).toContain(status);
        expect(JSON.stringify(body)).not.toContain('evil.example');
      }
    }
  });

  it('F5 a forged Host at the very first question is not remembered for the others', async () => {
    const fresh = await world.app.node();
    await call(fresh, discovery, { headers: { host: 'evil.example', 'x-forwarded-host': 'evil.example' } });
    await call(fresh, discovery, { headers: { 'x-forwarded-host': 'evil.example' } });
    const { body } = await call(fresh, discovery);
    expect(body.issuer).toBe(world.app.url);
    expect(JSON.stringify(body)).not.toContain('evil.example');
  });
});

describe('OAU-13 what is refused', () => {
  it.each([
    'token',
    'id_token',
    'id_token token',
    'code id_token',
    'code token',
    'code id_token token',
    'none',
    'x',
    '',
  ])('OAU-13 response_type "%s" gives no code and no token', async (response_type) => {
    for (const response_mode of [undefined, 'query', 'fragment']) {
      const page = await world.visitor.send(authorizeAddress(world.module, { response_type, response_mode }));
      expect(page.headers.location ?? '').toMatch(/error=(unsupported_response_type|invalid_request)/);
      expect(page.headers.location ?? '').not.toMatch(/[?#&](code|access_token|id_token)=/);
    }
  });

  it.each([
    'password',
    'implicit',
    'urn:ietf:params:oauth:grant-type:device_code',
    'urn:ietf:params:oauth:grant-type:jwt-bearer',
    'urn:ietf:params:oauth:grant-type:token-exchange',
    'urn:openid:params:grant-type:ciba',
    'x',
    '',
  ])('OAU-13 grant_type "%s" gives no token', async (grant_type) => {
    const { status, body } = await token(world.app, world.module, {
      grant_type,
      username: world.person.user.username,
      password: world.person.password,
      scope: 'openid',
    });
    expect(status).toBe(400);
    expect(body.error).toMatch(/^(unsupported_grant_type|invalid_request)$/);
    expect(body).not.toHaveProperty('access_token');
  });

  it('OAU-13 request objects by value or by foreign address, and dynamic registration, are refused', async () => {
    const byValue = await world.visitor.send(authorizeAddress(world.module, { request: 'eyJhbGciOiJub25lIn0.e30.' }));
    expect(answerOf(byValue).get('error')).toBe('request_not_supported');
    const byAddress = await world.visitor.send(
      authorizeAddress(world.module, { request_uri: 'https://evil.example/r' }),
    );
    expect(byAddress.headers.location ?? byAddress.body).toContain('request_uri_not_supported');
    for (const path of ['/reg', '/register', '/registration', '/device/auth', '/backchannel'])
      expect((await call(world.app, path, { form: {} })).status).toBeGreaterThanOrEqual(400);
  });
});

describe('OAU-14 a client may use what it was registered with', () => {
  it('OAU-14 no scope outside of its registration', async () => {
    const small = await makeModule(world.app, [world.company], { scope: 'openid email' });
    for (const scope of ['openid profile', 'openid email phone']) {
      const page = await world.visitor.send(authorizeAddress(small, { scope }));
      expect(answerOf(page).get('error')).toBe('invalid_scope');
    }
    const { access_token } = await tokensFor(world.app, world.visitor, small, { scope: 'openid email' });
    const { body } = await userinfo(world.app, access_token);
    expect(body).toHaveProperty('email');
    expect(body).not.toHaveProperty('given_name');
  });

  it('OAU-14 no claim through the claims parameter that its scopes would not give', async () => {
    const small = await makeModule(world.app, [world.company], { scope: 'openid' });
    const claims = JSON.stringify({
      id_token: { email: null, phone_number: null },
      userinfo: { email: null, family_name: null },
    });
    const tokens = await tokensFor(world.app, world.visitor, small, { scope: 'openid', claims });
    const { body } = await userinfo(world.app, tokens.access_token);
    expect(body).not.toHaveProperty('email');
    expect(body).not.toHaveProperty('family_name');
    const inToken: Json = JSON.parse(Buffer.from(tokens.id_token.split('.')[1] ?? '', 'base64url').toString());
    expect(inToken).not.toHaveProperty('email');
    const allowed = await tokensFor(world.app, world.visitor, world.module, { scope: 'openid', claims });
    expect((await userinfo(world.app, allowed.access_token)).body).toMatchObject({ email: world.person.user.email });
  });

  it('OAU-14 no grant type outside of its registration', async () => {
    const refused = await token(world.app, world.module, { grant_type: 'client_credentials' });
    expect(refused.status).toBe(400);
    const worker = await makeModule(world.app, [world.company], {
      grant_types: ['client_credentials'],
      redirect_uris: [],
    });
    const granted = await token(world.app, worker, { grant_type: 'client_credentials' });
    expect(granted).toMatchObject({ status: 200, body: { token_type: 'Bearer' } });
    expect(granted.body).not.toHaveProperty('refresh_token');
    const page = await world.visitor.send(
      authorizeAddress({ ...worker, redirectUri: 'https://module.example/callback' }),
    );
    expect(page.status).toBe(400);
    expect(page.headers.location).toBeUndefined();
  });

  it('OAU-14 no response mode that is unknown, or made for other response types', async () => {
    for (const response_mode of ['web_message', 'jwt', 'query.jwt', 'x', '']) {
      const page = await world.visitor.send(authorizeAddress(world.module, { response_mode }));
      if (response_mode !== '') expect(page.headers.location ?? page.body).toContain('error=unsupported_response_mode');
      expect(page.body).not.toContain('postMessage');
    }
  });
});

it('prints nothing beside the log: no notice and no warning of a library', () => {
  for (const spy of spies) expect(spy).not.toHaveBeenCalled();
  expect(warnings).toEqual([]);
});
