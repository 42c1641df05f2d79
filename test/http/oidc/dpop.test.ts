// DPoP (RFC 9449): tokens that are worth something only with the key that they were issued for.
import { createHash, type JsonWebKey, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TestApp } from '../../support/app.ts';
import { makeModule, pkce, type TestModule } from '../../support/people.ts';
import { createKey, type Json, type SigningKey, signToken, signWithHmac } from '../../unit/sdk/issuer.ts';
import {
  type Answer,
  basicOf,
  call,
  codeFor,
  introspect,
  s256,
  startWorld,
  tally,
  tokensFor,
  userinfo,
  type World,
} from './relying-party.ts';

let world: World;
let second: TestApp;
let spa: TestModule;
let worker: TestModule;
beforeAll(async () => {
  world = await startWorld();
  const { app, company } = world;
  spa = await makeModule(app, [company], { token_endpoint_auth_method: 'none' });
  worker = await makeModule(app, [], { grant_types: ['client_credentials'], redirect_uris: [] });
  second = await app.node();
});
afterAll(() => world.app.stop());

const key = createKey('dpop', 'ES256');
const thief = createKey('dpop', 'ES256');
const now = () => Math.floor(Date.now() / 1000);

/** RFC 7638: the members that the standard names, in its order. */
function thumbprint({ crv, kty, x, y }: JsonWebKey): string {
  return createHash('sha256').update(JSON.stringify({ crv, kty, x, y })).digest('base64url');
}

function publicJwk({ jwk }: SigningKey): Json {
  const { kid: _kid, alg: _alg, use: _use, ...bare } = jwk;
  return bare;
}

const claims = (path: string, method: string, more: Json = {}): Json => ({
  jti: randomUUID(),
  htm: method,
  htu: `${world.app.url}${path}`,
  iat: now(),
  ...more,
});

function proof(path: string, method = 'POST', more: Json = {}, header: Json = {}, by = key): string {
  return signToken(by, claims(path, method, more), { typ: 'dpop+jwt', kid: undefined, jwk: publicJwk(by), ...header });
}

const redeemWith = async (dpop: string | undefined, code: string, app = world.app) =>
  call(app, '/token', {
    form: {
      grant_type: 'authorization_code',
      code,
      redirect_uri: spa.redirectUri,
      code_verifier: pkce.verifier,
      client_id: spa.clientId,
    },
    headers: dpop === undefined ? {} : { dpop },
  });

async function boundTokens(): Promise<Answer['body']> {
  const { status, body } = await redeemWith(proof('/token'), await codeFor(world.visitor, spa));
  expect(status).toBe(200);
  return body;
}

const userinfoWith = (accessToken: string, dpop: string, scheme = 'DPoP') =>
  call(world.app, '/userinfo', { headers: { authorization: `${scheme} ${accessToken}`, dpop } });

const clientToken = (dpop: string, app = world.app) =>
  call(app, '/token', { form: { grant_type: 'client_credentials' }, headers: { ...basicOf(worker), dpop } });

describe('tokens', () => {
  it('are of the type DPoP, name the key at introspection, and open userinfo with a proof of that key', async () => {
    const body = await boundTokens();
    expect(body.token_type).toBe('DPoP');
    const access = String(body.access_token);
    const watcher = await makeModule(world.app, [], { may_introspect_all: true });
    expect((await introspect(world.app, watcher, access)).body).toMatchObject({
      active: true,
      token_type: 'DPoP',
      cnf: { jkt: thumbprint(publicJwk(key)) },
    });
    const answer = await userinfoWith(access, proof('/userinfo', 'GET', { ath: s256(access) }));
    expect(answer).toMatchObject({ status: 200, body: { sub: world.person.user.id } });
  });

  it('are worth nothing without the proof, with that of another key, or with one for another token', async () => {
    const access = String((await boundTokens()).access_token);
    expect((await userinfo(world.app, access)).status).toBe(401);
    const ath = s256(access);
    for (const [name, dpop] of Object.entries({
      'another key': proof('/userinfo', 'GET', { ath }, {}, thief),
      'no ath': proof('/userinfo', 'GET'),
      'the ath of another token': proof('/userinfo', 'GET', { ath: s256('x') }),
      'another method': proof('/userinfo', 'POST', { ath }),
      'another address': proof('/token', 'GET', { ath }),
      'another host': proof('/userinfo', 'GET', { ath, htu: 'https://evil.example/userinfo' }),
    })) {
      const { status, body } = await userinfoWith(access, dpop);
      expect(status, name).toBe(401);
      expect(body, name).not.toHaveProperty('sub');
    }
    expect((await userinfoWith(access, proof('/userinfo', 'GET', { ath }), 'Bearer')).status).not.toBe(200);
  });

  it('a plain token is not taken for a bound one', async () => {
    const { access_token } = await tokensFor(world.app, world.visitor, world.module);
    const dpop = proof('/userinfo', 'GET', { ath: s256(access_token) });
    expect((await userinfoWith(access_token, dpop)).status).toBe(401);
  });

  it('refresh tokens of a public client are bound to the key, too', async () => {
    const { refresh_token } = await boundTokens();
    const refresh = (dpop?: string) =>
      call(world.app, '/token', {
        form: { grant_type: 'refresh_token', refresh_token: String(refresh_token), client_id: spa.clientId },
        headers: dpop === undefined ? {} : { dpop },
      });
    for (const wrong of [undefined, proof('/token', 'POST', {}, {}, thief)])
      expect(await refresh(wrong)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
    expect(await refresh(proof('/token'))).toMatchObject({ status: 200, body: { token_type: 'DPoP' } });
  });

  it('a code that was asked for with dpop_jkt is redeemed by that key alone', async () => {
    const code = await codeFor(world.visitor, spa, { dpop_jkt: thumbprint(publicJwk(key)) });
    expect(await redeemWith(proof('/token', 'POST', {}, {}, thief), code)).toMatchObject({ status: 400 });
    const fresh = await codeFor(world.visitor, spa, { dpop_jkt: thumbprint(publicJwk(key)) });
    expect(await redeemWith(undefined, fresh)).toMatchObject({ status: 400 });
    const right = await codeFor(world.visitor, spa, { dpop_jkt: thumbprint(publicJwk(key)) });
    expect(await redeemWith(proof('/token'), right)).toMatchObject({ status: 200 });
  });

  it('a client registered with dpop_bound_access_tokens gets none without a proof', async () => {
    const strict = await makeModule(world.app, [world.company], { dpop_bound_access_tokens: true });
    const redeem = async (headers: Record<string, string>) =>
      call(world.app, '/token', {
        form: {
          grant_type: 'authorization_code',
          code: await codeFor(world.visitor, strict),
          redirect_uri: strict.redirectUri,
          code_verifier: pkce.verifier,
        },
        headers: { ...basicOf(strict), ...headers },
      });
    expect((await redeem({})).status).toBe(400);
    expect((await redeem({ dpop: proof('/token') })).body).toMatchObject({ token_type: 'DPoP' });
  });
});

describe('proofs', () => {
  it('OAU-20 malformed, misdirected, old, early, or badly signed ones are refused', async () => {
    const [header, payload] = proof('/token').split('.');
    const unsigned = Buffer.from(JSON.stringify({ typ: 'dpop+jwt', alg: 'none', jwk: publicJwk(key) })).toString(
      'base64url',
    );
    const privateJwk = key.privateKey.export({ format: 'jwk' });
    const wrong: Record<string, string> = {
      'no JWT': 'x',
      'alg none': `${unsigned}.${payload}.`,
      HS256: signWithHmac('secret', claims('/token', 'POST'), { typ: 'dpop+jwt', jwk: { kty: 'oct', k: 'c2VjcmV0' } }),
      'a changed signature': `${header}.${payload}.${'A'.repeat(86)}`,
      'the key of another': signToken(thief, claims('/token', 'POST'), {
        typ: 'dpop+jwt',
        kid: undefined,
        jwk: publicJwk(key),
      }),
      'a private key inside': proof('/token', 'POST', {}, { jwk: privateJwk }),
      'no key inside': proof('/token', 'POST', {}, { jwk: undefined }),
      'a pointer to a key': proof('/token', 'POST', {}, { jwk: undefined, jku: 'https://evil.example/jwks' }),
      'another type': proof('/token', 'POST', {}, { typ: 'JWT' }),
      'an unknown crit': proof('/token', 'POST', {}, { crit: ['x'], x: 1 }),
      'no jti': proof('/token', 'POST', { jti: undefined }),
      'no iat': proof('/token', 'POST', { iat: undefined }),
      'an hour old': proof('/token', 'POST', { iat: now() - 3600 }),
      'of the next hour': proof('/token', 'POST', { iat: now() + 3600 }),
      'run out': proof('/token', 'POST', { exp: now() - 60 }),
      'not yet': proof('/token', 'POST', { nbf: now() + 3600 }),
      'another method': proof('/token', 'GET'),
      'another path': proof('/userinfo'),
      'no address': proof('/token', 'POST', { htu: undefined }),
      'an invented nonce': proof('/token', 'POST', { nonce: 'x' }),
    };
    for (const [name, dpop] of Object.entries(wrong)) {
      const { status, body } = await clientToken(dpop);
      expect(status, name).toBe(400);
      expect(body, name).not.toHaveProperty('access_token');
    }
    expect((await clientToken(proof('/token'))).status).toBe(200);
  });

  it('F2 a proof works once: in series, in parallel on one node, and on two', async () => {
    const once = proof('/token');
    expect((await clientToken(once)).status).toBe(200);
    expect((await clientToken(once)).status).toBe(400);
    expect((await clientToken(once, second)).status).toBe(400);
    for (const nodes of [[world.app], [world.app, second]]) {
      const dpop = proof('/token');
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, i) => clientToken(dpop, nodes[i % nodes.length] as TestApp)),
      );
      expect(tally(answers)).toEqual({ 200: 1, 400: 19 });
    }
  });

  it('F2 a proof for userinfo works once, too', async () => {
    const access = String((await boundTokens()).access_token);
    const dpop = proof('/userinfo', 'GET', { ath: s256(access) });
    const answers = await Promise.all(Array.from({ length: 10 }, () => userinfoWith(access, dpop)));
    expect(tally(answers)).toEqual({ 200: 1, 401: 9 });
  });

  it('F2 a used proof is remembered for as long as it could be used again', async () => {
    await world.app.runtime.db('oidc_records').where({ kind: 'ReplayDetection' }).delete();
    expect((await clientToken(proof('/token', 'POST', { iat: now() + 250 }))).status).toBe(200);
    const { rows } = await world.app.runtime.db.raw(
      `select extract(epoch from min(expires_at) - now())::float8 as kept from oidc_records where kind = 'ReplayDetection'`,
    );
    // Accepted from five minutes before to five minutes after its iat.
    expect(rows[0].kept).toBeGreaterThan(250 + 290);
  });

  it('metadata names the algorithms', async () => {
    const { body } = await call(world.app, '/.well-known/openid-configuration');
    expect(body.dpop_signing_alg_values_supported).toEqual(['ES256', 'EdDSA', 'RS256', 'PS256']);
  });
});
