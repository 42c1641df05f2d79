// private_key_jwt (RFC 7523): assertions that clients sign, each good once.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TestApp } from '../../support/app.ts';
import { makeModule, pkce, type TestModule } from '../../support/people.ts';
import { createKey, type Json, signToken, signWithHmac } from '../../unit/sdk/issuer.ts';
import { call, codeFor, startWorld, tally, type World } from './relying-party.ts';

let world: World;
let second: TestApp;
beforeAll(async () => {
  world = await startWorld();
  second = await world.app.node();
});
afterAll(() => world.app.stop());

describe('private_key_jwt', () => {
  const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
  const rsa = createKey('client-rsa', 'RS256');
  const ec = createKey('client-ec', 'ES256');
  const ed = createKey('client-ed', 'EdDSA');
  const stranger = createKey('client-rsa', 'RS256');
  let module: TestModule;

  beforeAll(async () => {
    module = await makeModule(world.app, [world.company], {
      token_endpoint_auth_method: 'private_key_jwt',
      grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
      jwks: { keys: [rsa.jwk, ec.jwk, ed.jwk] },
    });
  });

  const now = () => Math.floor(Date.now() / 1000);
  const claims = (more: Json = {}): Json => ({
    iss: module.clientId,
    sub: module.clientId,
    aud: world.app.url,
    jti: randomUUID(),
    iat: now(),
    exp: now() + 60,
    ...more,
  });
  const send = (client_assertion: string, app = world.app) =>
    call(app, '/token', {
      form: { grant_type: 'client_credentials', client_assertion, client_assertion_type: assertionType },
    });
  const refused = async (assertion: string, why: string) => {
    const answer = await send(assertion);
    expect(answer, why).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
  };

  it('signs the client in with RS256, ES256 and EdDSA, and at all endpoints', async () => {
    for (const key of [rsa, ec, ed]) expect((await send(signToken(key, claims()))).status).toBe(200);
    const access = String((await send(signToken(rsa, claims()))).body.access_token);
    const authenticated = () => ({ client_assertion: signToken(ec, claims()), client_assertion_type: assertionType });
    const seen = await call(world.app, '/token/introspection', { form: { token: access, ...authenticated() } });
    expect(seen.body).toMatchObject({ active: true, client_id: module.clientId });
    const code = await codeFor(world.visitor, module);
    const tokens = await call(world.app, '/token', {
      form: {
        grant_type: 'authorization_code',
        code,
        redirect_uri: module.redirectUri,
        code_verifier: pkce.verifier,
        ...authenticated(),
      },
    });
    expect(tokens.status).toBe(200);
    const revoked = await call(world.app, '/token/revocation', { form: { token: access, ...authenticated() } });
    expect(revoked.status).toBe(200);
    const gone = await call(world.app, '/token/introspection', { form: { token: access, ...authenticated() } });
    expect(gone.body).toEqual({ active: false });
  });

  it('OAU-16 takes the issuer, the token endpoint and the endpoint called as audience, and nothing else', async () => {
    for (const aud of [world.app.url, `${world.app.url}/token`, [world.app.url]])
      expect((await send(signToken(rsa, claims({ aud })))).status).toBe(200);
    for (const aud of ['https://other.example', `${world.app.url}/`, `${world.app.url}/userinfo`, [], '', undefined, 1])
      await refused(signToken(rsa, claims({ aud })), `aud ${JSON.stringify(aud)}`);
  });

  it('OAU-16 wants exp, jti, iss and sub, and refuses what has run out or does not yet hold', async () => {
    for (const more of [
      { exp: undefined },
      { exp: now() - 60 },
      { exp: 'tomorrow' },
      { nbf: now() + 120 },
      { jti: undefined },
      { jti: '' },
      { jti: 7 },
      { iss: undefined },
      { iss: 'another' },
    ])
      await refused(signToken(rsa, claims(more)), JSON.stringify(more));
    const nobody = await send(signToken(rsa, claims({ sub: undefined })));
    expect(nobody.status).toBe(401);
  });

  it('OAU-16 OAU-20 refuses alg none, HMAC with the public key, other keys and other algorithms', async () => {
    const text = Buffer.from(JSON.stringify(rsa.jwk));
    const pem = rsa.publicKey.export({ type: 'spki', format: 'pem' });
    const unsigned = (alg: string) =>
      `${Buffer.from(JSON.stringify({ alg })).toString('base64url')}.${Buffer.from(JSON.stringify(claims())).toString('base64url')}.`;
    for (const alg of ['none', 'None', 'NONE', '']) await refused(unsigned(alg), `alg ${alg}`);
    await refused(signWithHmac(pem, claims(), {}), 'HS256 with the PEM');
    await refused(signWithHmac(text, claims(), { kid: rsa.kid }), 'HS256 with the JWK');
    await refused(signWithHmac(pem, claims(), { alg: 'RS256', kid: rsa.kid }), 'HMAC under the name of RS256');
    await refused(signToken(stranger, claims()), 'another key under the same kid');
    await refused(signToken(rsa, claims(), { alg: 'ES256', kid: ec.kid }), 'RSA under the name of ES256');
    await refused(signToken(rsa, claims(), { alg: 'RS1' }), 'an algorithm that is not offered');
    const [header, payload, signature = ''] = signToken(rsa, claims()).split('.');
    await refused(`${header}.${payload}.${signature.slice(0, -4)}AAAA`, 'a changed signature');
    await refused(
      `${header}.${Buffer.from(JSON.stringify(claims())).toString('base64url')}.${signature}`,
      'a changed payload',
    );
  });

  it('OAU-20 a key that the assertion brings along, or points to, is not believed', async () => {
    const evil = createKey('evil', 'RS256');
    for (const header of [
      { jwk: evil.jwk },
      { kid: rsa.kid, jwk: evil.jwk },
      { jku: 'https://evil.example/jwks' },
      { x5u: 'https://evil.example/cert.pem' },
      { x5c: [Buffer.from('x').toString('base64')] },
    ])
      await refused(signToken(evil, claims(), header), JSON.stringify(header).slice(0, 60));
  });

  it('OAU-20 an extension that must be understood and is not, is refused', async () => {
    await refused(signToken(rsa, claims(), { crit: ['exp'], exp: now() + 60 }), 'crit exp');
    await refused(
      signToken(rsa, claims(), { crit: ['https://example.com/x'], 'https://example.com/x': true }),
      'crit x',
    );
    await refused(signToken(rsa, claims(), { crit: [] }), 'empty crit');
  });

  it('OAU-20 two keys under one kid: only who holds one of the registered keys gets in', async () => {
    const twin = createKey('twin', 'RS256');
    const other = createKey('twin', 'ES256');
    const doubled = await makeModule(world.app, [], {
      token_endpoint_auth_method: 'private_key_jwt',
      grant_types: ['client_credentials'],
      redirect_uris: [],
      jwks: { keys: [twin.jwk, other.jwk] },
    }).catch((error: { code?: string }) => error);
    // Either such a set cannot be registered at all, or it opens to its own keys alone.
    if (!('clientId' in doubled)) return expect(doubled.code).toBe('invalid');
    const of = { iss: doubled.clientId, sub: doubled.clientId };
    expect((await send(signToken(twin, claims(of)))).status).toBe(200);
    expect((await send(signToken(other, claims(of)))).status).toBe(200);
    await refused(signToken(createKey('twin', 'RS256'), claims(of)), 'a third key under the kid');
    const [, payload = ''] = signToken(rsa, claims(of)).split('.');
    const header = Buffer.from(`{"alg":"RS256","kid":"twin","kid":"client-rsa"}`).toString('base64url');
    await refused(`${header}.${payload}.${signToken(rsa, claims(of)).split('.')[2]}`, 'kid twice in the header');
  });

  it('OAU-16 F2 an assertion works once: in series, in parallel on one node, and on two', async () => {
    const once = signToken(rsa, claims());
    expect((await send(once)).status).toBe(200);
    await refused(once, 'the second time');
    for (const nodes of [[world.app], [world.app, second]]) {
      const assertion = signToken(ec, claims());
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, i) => send(assertion, nodes[i % nodes.length] as TestApp)),
      );
      expect(tally(answers)).toEqual({ 200: 1, 401: 19 });
    }
  });

  it('OAU-16 F2 a used assertion is remembered until it runs out, which may not be far in the future', async () => {
    expect((await send(signToken(rsa, claims({ exp: now() + 3600 })))).status).toBe(200);
    const { rows } = await world.app.runtime.db.raw(
      `select extract(epoch from max(expires_at) - now())::float8 as kept from oidc_records where kind = 'ReplayDetection'`,
    );
    expect(rows[0].kept).toBeGreaterThan(3500);
    for (const exp of [now() + 2 * 86_400, 1e15, Number.MAX_SAFE_INTEGER, 1e300])
      await refused(signToken(rsa, claims({ exp })), `exp ${exp}`);
  });

  it('OAU-15 a client with keys is not let in with a secret, and one with a secret not with an assertion', async () => {
    const tried = await call(world.app, '/token', {
      form: { grant_type: 'client_credentials', client_id: module.clientId, client_secret: 'x' },
    });
    expect(tried).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
    const { clientId } = world.module;
    await refused(signToken(rsa, claims({ iss: clientId, sub: clientId })), 'an assertion for a client with a secret');
    await refused(
      signWithHmac(world.module.clientSecret, claims({ iss: clientId, sub: clientId }), {}),
      'client_secret_jwt',
    );
  });
});
