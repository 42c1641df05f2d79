// Authorization codes: short-lived, for one client, one address and one use, however many ask at once.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TestApp } from '../../support/app.ts';
import { makeModule, pkce, redeem, type TestModule, token } from '../../support/people.ts';
import { call, claimsOf, codeFor, introspect, startWorld, tally, userinfo, type World } from './relying-party.ts';

let world: World;
let other: TestModule;
let second: TestApp;
beforeAll(async () => {
  world = await startWorld();
  other = await makeModule(world.app, [world.company], { redirect_uris: ['https://other.example/callback'] });
  second = await world.app.node();
});
afterAll(() => world.app.stop());

const parallel = 20;

describe('lifetime', () => {
  it('OAU-06 a code lives for 60 seconds at most', async () => {
    await codeFor(world.visitor, world.module);
    const { rows } = await world.app.runtime.db.raw(
      `select extract(epoch from expires_at - now())::float8 as lives, (payload ->> 'exp')::float8 - (payload ->> 'iat')::float8 as says
       from oidc_records where kind = 'AuthorizationCode' and expires_at > now()`,
    );
    expect(rows.length).toBeGreaterThan(0);
    for (const { lives, says } of rows) {
      expect(lives).toBeLessThanOrEqual(60);
      expect(lives).toBeGreaterThan(0);
      expect(says).toBeLessThanOrEqual(60);
    }
  });

  it('OAU-06 an expired code is invalid_grant, both by its row and by what it says of itself', async () => {
    const byRow = await codeFor(world.visitor, world.module);
    await world.app.runtime.db.raw(
      `update oidc_records set expires_at = now() - interval '1 second' where kind = 'AuthorizationCode'`,
    );
    expect(await redeem(world.app, world.module, byRow)).toMatchObject({
      status: 400,
      body: { error: 'invalid_grant' },
    });
    const byPayload = await codeFor(world.visitor, world.module);
    await world.app.runtime.db.raw(
      `update oidc_records set payload = jsonb_set(payload, '{exp}', to_jsonb(extract(epoch from now())::bigint - 1)) where kind = 'AuthorizationCode'`,
    );
    expect(await redeem(world.app, world.module, byPayload)).toMatchObject({
      status: 400,
      body: { error: 'invalid_grant' },
    });
  });

  it('API-15 the code itself is not in the database', async () => {
    const code = await codeFor(world.visitor, world.module);
    const { rows } = await world.app.runtime.db.raw(
      `select count(*)::int as hits from oidc_records where id = ? or payload::text like ?`,
      [code, `%${code}%`],
    );
    expect(rows[0].hits).toBe(0);
  });
});

describe('OAU-07 one use', () => {
  it('OAU-07 in series: the second is refused, and the tokens of the first stop working', async () => {
    const code = await codeFor(world.visitor, world.module);
    const first = await redeem(world.app, world.module, code);
    expect(first.status).toBe(200);
    const access = String(first.body.access_token);
    const refresh = String(first.body.refresh_token);
    expect((await userinfo(world.app, access)).status).toBe(200);
    expect(await redeem(world.app, world.module, code)).toMatchObject({
      status: 400,
      body: { error: 'invalid_grant' },
    });
    expect((await userinfo(world.app, access)).status).toBe(401);
    expect((await introspect(world.app, world.module, access)).body).toEqual({ active: false });
    expect((await introspect(world.app, world.module, refresh)).body).toEqual({ active: false });
    const refreshed = await token(world.app, world.module, { grant_type: 'refresh_token', refresh_token: refresh });
    expect(refreshed).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
  });

  it('OAU-07 a code that was misused does not end the session: the next sign-in goes on as before', async () => {
    const code = await codeFor(world.visitor, world.module);
    await redeem(world.app, world.module, code);
    await redeem(world.app, world.module, code);
    const again = await redeem(world.app, world.module, await codeFor(world.visitor, world.module));
    expect(again.status).toBe(200);
    expect((await userinfo(world.app, String(again.body.access_token))).status).toBe(200);
  });

  it('F1 OAU-07 in parallel, 20 times on one node: exactly one 200', async () => {
    for (let round = 0; round < 3; round += 1) {
      const code = await codeFor(world.visitor, world.module);
      const answers = await Promise.all(Array.from({ length: parallel }, () => redeem(world.app, world.module, code)));
      expect(tally(answers)).toEqual({ 200: 1, 400: parallel - 1 });
      for (const { body } of answers.filter(({ status }) => status === 400)) expect(body.error).toBe('invalid_grant');
    }
  });

  it('F1 OAU-07 in parallel, 20 times on two nodes: exactly one 200', async () => {
    for (let round = 0; round < 3; round += 1) {
      const code = await codeFor(world.visitor, world.module);
      const answers = await Promise.all(
        Array.from({ length: parallel }, (_, i) => redeem(i % 2 ? second : world.app, world.module, code)),
      );
      expect(tally(answers)).toEqual({ 200: 1, 400: parallel - 1 });
    }
  });
});

describe('OAU-08 bound to client and address', () => {
  const form = (code: string, redirect_uri: string) => ({
    grant_type: 'authorization_code',
    code,
    redirect_uri,
    code_verifier: pkce.verifier,
  });

  it("OAU-08 another client's credentials do not open it, and do not use it up", async () => {
    const code = await codeFor(world.visitor, world.module);
    for (const uri of [world.module.redirectUri, other.redirectUri])
      expect(await token(world.app, other, form(code, uri))).toMatchObject({
        status: 400,
        body: { error: 'invalid_grant' },
      });
    expect((await redeem(world.app, world.module, code)).status).toBe(200);
  });

  it('OAU-08 another redirect_uri, or none, does not open it', async () => {
    const two = await makeModule(world.app, [world.company], {
      redirect_uris: ['https://two.example/a', 'https://two.example/b'],
    });
    const code = await codeFor(world.visitor, two);
    for (const uri of [
      'https://two.example/b',
      'https://two.example/a/',
      'https://TWO.example/a',
      'https://evil.example/',
    ])
      expect(await token(world.app, two, form(code, uri))).toMatchObject({
        status: 400,
        body: { error: 'invalid_grant' },
      });
    const { redirect_uri: _left, ...without } = form(code, '');
    expect((await token(world.app, two, without)).status).toBe(400);
    expect((await redeem(world.app, two, code)).status).toBe(200);
  });

  it('OAU-08 a code that nobody issued, or that was changed by a letter, opens nothing', async () => {
    const code = await codeFor(world.visitor, world.module);
    const last = code.endsWith('A') ? 'B' : 'A';
    for (const wrong of ['', 'x', `${code}A`, code.slice(0, -1), `${code.slice(0, -1)}${last}`, `${code}\0`, '\ud800'])
      expect((await redeem(world.app, world.module, wrong)).status).toBe(400);
    expect((await redeem(world.app, world.module, code)).status).toBe(200);
  });

  it('OAU-08 codes, access tokens, refresh tokens and sessions are not taken for one another', async () => {
    const { body } = await redeem(world.app, world.module, await codeFor(world.visitor, world.module));
    const session = world.visitor.cookie('ul_session')?.value ?? '';
    expect(session).not.toBe('');
    for (const value of [String(body.access_token), String(body.refresh_token), session])
      expect(await redeem(world.app, world.module, value)).toMatchObject({
        status: 400,
        body: { error: 'invalid_grant' },
      });
    const code = await codeFor(world.visitor, world.module);
    expect((await userinfo(world.app, code)).status).toBe(401);
    for (const value of [code, String(body.access_token), session])
      expect((await token(world.app, world.module, { grant_type: 'refresh_token', refresh_token: value })).status).toBe(
        400,
      );
  });
});

it('a whole answer of the token endpoint: Bearer, no-store, an ID token for this client', async () => {
  const answer = await call(world.app, '/token', {
    form: {
      grant_type: 'authorization_code',
      code: await codeFor(world.visitor, world.module),
      redirect_uri: world.module.redirectUri,
      code_verifier: pkce.verifier,
      client_id: world.module.clientId,
      client_secret: world.module.clientSecret,
    },
  });
  expect(answer.status).toBe(200);
  expect(answer.headers['cache-control']).toContain('no-store');
  expect(answer.body.token_type).toBe('Bearer');
  expect(claimsOf(String(answer.body.id_token))).toMatchObject({
    iss: world.app.url,
    aud: world.module.clientId,
    nonce: 'nonce-1',
  });
});
