// Refresh tokens: rotated at each use, of one family, within two ends of time.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TestApp } from '../../support/app.ts';
import { makeModule, type TestModule, token } from '../../support/people.ts';
import {
  call,
  codeFor,
  introspect,
  s256,
  startWorld,
  type Tokens,
  tally,
  tokensFor,
  userinfo,
  type World,
} from './relying-party.ts';

let world: World;
let spa: TestModule;
let second: TestApp;
beforeAll(async () => {
  world = await startWorld();
  spa = await makeModule(world.app, [world.company], { token_endpoint_auth_method: 'none' });
  second = await world.app.node();
});
afterAll(() => world.app.stop());

const day = 86_400;

const refresh = (refresh_token: string, more: Record<string, string> = {}, app = world.app, module = world.module) =>
  token(app, module, { grant_type: 'refresh_token', refresh_token, ...more });

const refreshPublic = (refresh_token: string, app = world.app) =>
  call(app, '/token', { form: { grant_type: 'refresh_token', refresh_token, client_id: spa.clientId } });

async function publicTokens(): Promise<Tokens> {
  const verifier = 'w'.repeat(43);
  const code = await codeFor(world.visitor, spa, { code_challenge: s256(verifier) });
  const { body } = await call(world.app, '/token', {
    form: {
      grant_type: 'authorization_code',
      code,
      redirect_uri: spa.redirectUri,
      code_verifier: verifier,
      client_id: spa.clientId,
    },
  });
  return body as unknown as Tokens;
}

const invalidGrant = { status: 400, body: { error: 'invalid_grant' } };

describe('rotation', () => {
  it('OAU-17 each use gives a new refresh token and new access token, for public and confidential clients', async () => {
    const tokens = await tokensFor(world.app, world.visitor, world.module);
    const next = await refresh(tokens.refresh_token);
    expect(next.status).toBe(200);
    expect(next.body.refresh_token).not.toBe(tokens.refresh_token);
    expect(next.body.access_token).not.toBe(tokens.access_token);
    const ofSpa = await publicTokens();
    const nextOfSpa = await refreshPublic(ofSpa.refresh_token);
    expect(nextOfSpa.status).toBe(200);
    expect(nextOfSpa.body.refresh_token).not.toBe(ofSpa.refresh_token);
  });

  it('OAU-17 reuse of an old token revokes the family: the newest refresh and access tokens die, too', async () => {
    for (const kind of ['confidential', 'public'] as const) {
      const use = (value: string) => (kind === 'public' ? refreshPublic(value) : refresh(value));
      const first = kind === 'public' ? await publicTokens() : await tokensFor(world.app, world.visitor, world.module);
      const second = await use(first.refresh_token);
      const third = await use(String(second.body.refresh_token));
      expect(third.status).toBe(200);
      const access = String(third.body.access_token);
      expect((await userinfo(world.app, access)).status).toBe(200);
      expect(await use(first.refresh_token)).toMatchObject(invalidGrant);
      expect((await userinfo(world.app, access)).status).toBe(401);
      expect(await use(String(third.body.refresh_token))).toMatchObject(invalidGrant);
    }
  });

  it('F1 OAU-17 in parallel, 20 times on one node: exactly one 200', async () => {
    for (let round = 0; round < 3; round += 1) {
      const { refresh_token } = await tokensFor(world.app, world.visitor, world.module);
      const answers = await Promise.all(Array.from({ length: 20 }, () => refresh(refresh_token)));
      expect(tally(answers)).toEqual({ 200: 1, 400: 19 });
      for (const { body } of answers.filter(({ status }) => status === 400)) expect(body.error).toBe('invalid_grant');
    }
  });

  it('F1 OAU-17 in parallel, 20 times on two nodes, public client: exactly one 200', async () => {
    for (let round = 0; round < 3; round += 1) {
      const { refresh_token } = await publicTokens();
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, i) => refreshPublic(refresh_token, i % 2 ? second : world.app)),
      );
      expect(tally(answers)).toEqual({ 200: 1, 400: 19 });
    }
  });

  it('OAU-17 a thief and the owner who refresh at once do not both stay in: the next use of the loser ends the family', async () => {
    const { refresh_token } = await tokensFor(world.app, world.visitor, world.module);
    const answers = await Promise.all([refresh(refresh_token), refresh(refresh_token, {}, second)]);
    const winner = answers.find(({ status }) => status === 200);
    expect(await refresh(refresh_token)).toMatchObject(invalidGrant);
    expect(await refresh(String(winner?.body.refresh_token))).toMatchObject(invalidGrant);
    expect((await userinfo(world.app, String(winner?.body.access_token))).status).toBe(401);
  });
});

describe('bounds', () => {
  it('OAU-17 another client cannot use it, and does not harm it by trying', async () => {
    const other = await makeModule(world.app, [world.company]);
    const { refresh_token } = await tokensFor(world.app, world.visitor, world.module);
    expect(await refresh(refresh_token, {}, world.app, other)).toMatchObject(invalidGrant);
    expect(await refreshPublic(refresh_token)).toMatchObject(invalidGrant);
    expect((await refresh(refresh_token)).status).toBe(200);
  });

  it('OAU-17 cannot widen the scope; may narrow it for one access token', async () => {
    const { refresh_token } = await tokensFor(world.app, world.visitor, world.module, { scope: 'openid email' });
    for (const scope of ['openid email profile', 'openid phone', 'offline_access', 'openid email admin'])
      expect(await refresh(refresh_token, { scope })).toMatchObject({ status: 400, body: { error: 'invalid_scope' } });
    const narrow = await refresh(refresh_token, { scope: 'openid' });
    expect(narrow).toMatchObject({ status: 200, body: { scope: 'openid' } });
    const { body } = await userinfo(world.app, String(narrow.body.access_token));
    expect(body).not.toHaveProperty('email');
    const wide = await refresh(String(narrow.body.refresh_token));
    expect(wide).toMatchObject({ status: 200, body: { scope: 'openid email' } });
  });

  it('OAU-17 dies after two weeks unused, by its row and by what it says of itself', async () => {
    const { refresh_token } = await tokensFor(world.app, world.visitor, world.module);
    const { exp, iat } = (await introspect(world.app, world.module, refresh_token)).body;
    expect(Number(exp) - Number(iat)).toBe(14 * day);
    await world.app.runtime.db.raw(
      `update oidc_records set payload = jsonb_set(payload, '{exp}', to_jsonb(extract(epoch from now())::bigint - 1))
       where kind = 'RefreshToken' and client_id = ?`,
      [world.module.clientId],
    );
    expect(await refresh(refresh_token)).toMatchObject(invalidGrant);
    const { refresh_token: next } = await tokensFor(world.app, world.visitor, world.module);
    await world.app.runtime.db.raw(
      `update oidc_records set expires_at = now() - interval '1 second' where kind = 'RefreshToken' and client_id = ?`,
      [world.module.clientId],
    );
    expect(await refresh(next)).toMatchObject(invalidGrant);
  });

  it('OAU-17 dies 30 days after the sign-in, however often it was rotated', async () => {
    const { refresh_token } = await tokensFor(world.app, world.visitor, world.module);
    const begin = async (daysAgo: number) =>
      world.app.runtime.db.raw(
        `update oidc_records set payload = jsonb_set(payload, '{iiat}', to_jsonb(floor(extract(epoch from now()))::bigint - ?::bigint))
         where kind = 'RefreshToken' and client_id = ?`,
        [daysAgo * day, world.module.clientId],
      );
    await begin(29);
    const late = await refresh(refresh_token);
    expect(late.status).toBe(200);
    const { exp, iat } = (await introspect(world.app, world.module, String(late.body.refresh_token))).body;
    expect(Number(exp) - Number(iat)).toBeLessThanOrEqual(day);
    await begin(31);
    const last = await refresh(String(late.body.refresh_token));
    // What it gives at the very end lives no longer than a moment.
    const left =
      last.status === 200 ? (await introspect(world.app, world.module, String(last.body.refresh_token))).body : {};
    expect(Number(left.exp ?? 0) - Number(left.iat ?? 0)).toBeLessThanOrEqual(1);
  });

  it('OAU-14 a client registered without refresh_token gets none and cannot use one', async () => {
    const plain = await makeModule(world.app, [world.company], { grant_types: ['authorization_code'] });
    const tokens = await tokensFor(world.app, world.visitor, plain);
    expect(tokens).not.toHaveProperty('refresh_token');
    const { refresh_token } = await tokensFor(world.app, world.visitor, world.module);
    const tried = await refresh(refresh_token, {}, world.app, plain);
    expect(tried.status).toBe(400);
    expect(tried.body).not.toHaveProperty('access_token');
    expect((await refresh(refresh_token)).status).toBe(200);
  });
});
