// Ending sessions: asked for by modules, told to modules, and what outlives it.
import { createServer, type Server } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { freePort } from '../../support/app.ts';
import { answerOf, authorizeAddress, makeModule, type TestModule, token } from '../../support/people.ts';
import { formsOf, type Page, type Visitor } from '../../support/visitor.ts';
import {
  browserOf,
  claimsOf,
  expectErrorPage,
  headerOf,
  introspect,
  isSignedBy,
  keySet,
  startWorld,
  type Tokens,
  tokensFor,
  userinfo,
  type World,
} from './relying-party.ts';

let world: World;
let module: TestModule;
let receiver: Server;
let visitor: Visitor;
let tokens: Tokens;
const heard: { type: string; token: string }[] = [];

beforeAll(async () => {
  world = await startWorld({}, { start: true });
  const port = await freePort();
  receiver = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = new URLSearchParams(Buffer.concat(chunks).toString());
      heard.push({ type: request.headers['content-type'] ?? '', token: body.get('logout_token') ?? '' });
      response.writeHead(200).end();
    });
  });
  await new Promise<void>((resolve) => receiver.listen(port, '127.0.0.1', resolve));
  module = await makeModule(world.app, [world.company], {
    backchannel_logout_uri: `http://127.0.0.1:${port}/logout`,
    post_logout_redirect_uris: ['https://module.example/bye', 'https://module.example/bye?x=1'],
  });
});
afterAll(async () => {
  await new Promise((resolve) => receiver.close(resolve));
  await world.app.stop();
});

beforeEach(async () => {
  heard.length = 0;
  visitor = await browserOf(world.app, world.person);
  tokens = await tokensFor(world.app, visitor, module);
});

const endSession = (parameters: Record<string, string> = {}) =>
  visitor.send(`/session/end?${new URLSearchParams(parameters)}`);

const confirm = (page: Page) => visitor.submitOnce(page, { logout: 'yes' }, '/session/end/confirm');

async function isSignedIn(): Promise<boolean> {
  const page = await visitor.send(authorizeAddress(module, { prompt: 'none' }));
  return answerOf(page).get('code') !== null;
}

describe('asking to log out', () => {
  it('OAU-22 without id_token_hint the person is asked first; a visit alone ends nothing', async () => {
    const page = await endSession();
    expect(page.status).toBe(200);
    expect(page.body).toContain('Log out?');
    expect(page.body).not.toContain('data-submit-now');
    expect(await isSignedIn()).toBe(true);
    const done = await confirm(page);
    expect(done.status).toBe(303);
    expect(await isSignedIn()).toBe(false);
  });

  it("OAU-22 a hint of another person's or an older session asks, too; only the present session's own goes by itself", async () => {
    const own = await endSession({ id_token_hint: tokens.id_token });
    expect(own.body).toContain('data-submit-now');
    const other = await tokensFor(world.app, await browserOf(world.app, world.person), module);
    const asked = await endSession({ id_token_hint: other.id_token });
    expect(asked.status).toBe(200);
    expect(asked.body).not.toContain('data-submit-now');
    expect(await isSignedIn()).toBe(true);
  });

  it('OAU-22 a forged, foreign or broken hint is refused and ends nothing', async () => {
    const [header, payload = '', signature = ''] = tokens.id_token.split('.');
    const none = Buffer.from('{"alg":"none"}').toString('base64url');
    const changed = Buffer.from(JSON.stringify({ ...claimsOf(tokens.id_token), sid: 'x' })).toString('base64url');
    for (const id_token_hint of [
      'x',
      `${none}.${payload}.`,
      `${header}.${changed}.${signature}`,
      `${header}.${payload}.${signature.slice(0, -6)}AAAAAA`,
    ])
      expectErrorPage(await endSession({ id_token_hint }));
    expect(await isSignedIn()).toBe(true);
  });

  it('OAU-22 the confirmation wants the token of this very page: a foreign post ends nothing', async () => {
    for (const xsrf of ['', 'x', '0'.repeat(48)]) {
      const page = await visitor.send('/session/end/confirm', { form: { xsrf, logout: 'yes' } });
      expect(page.status).toBe(400);
    }
    await endSession();
    const withoutToken = await visitor.send('/session/end/confirm', { form: { xsrf: 'x', logout: 'yes' } });
    expect(withoutToken.status).toBe(400);
    const visited = await visitor.send('/session/end/confirm?logout=yes');
    expect(visited.status).toBeGreaterThanOrEqual(400);
    expect(await isSignedIn()).toBe(true);
  });

  it('OAU-22 goes back to a registered address with state, after the post', async () => {
    const page = await endSession({
      id_token_hint: tokens.id_token,
      post_logout_redirect_uri: 'https://module.example/bye',
      state: 'left & gone',
    });
    const done = await confirm(page);
    expect(done.headers.location).toBe('https://module.example/bye?state=left+%26+gone');
  });

  it.each([
    'https://evil.example/',
    'https://module.example/bye/',
    'https://module.example/bye?x=2',
    'https://module.example/BYE',
    'http://module.example/bye',
    'https://module.example/callback',
    '//module.example/bye',
    'javascript:alert(1)',
    'https://module.example@evil.example/bye',
  ])('OAU-22 never follows %s', async (post_logout_redirect_uri) => {
    expectErrorPage(await endSession({ id_token_hint: tokens.id_token, post_logout_redirect_uri }));
    expectErrorPage(await endSession({ client_id: module.clientId, post_logout_redirect_uri }));
    expect(await isSignedIn()).toBe(true);
    // Without a client nobody vouches for the address: it is dropped, and the person stays with us.
    const done = await confirm(await endSession({ post_logout_redirect_uri }));
    expect(new URL(done.headers.location ?? '', world.app.url).origin).toBe(world.app.url);
  });

  it('OAU-22 a hint and a client_id that do not fit together are refused', async () => {
    expectErrorPage(await endSession({ id_token_hint: tokens.id_token, client_id: world.module.clientId }));
  });

  it('OAU-22 nobody is signed in: it says so without harm, and forms carry their token', async () => {
    const stranger = world.app.visitor();
    const page = await stranger.send('/session/end');
    expect(page.status).toBe(200);
    expect(formsOf(page)[0]?.values.xsrf).toMatch(/^[0-9a-f]{48}$/);
    const done = await stranger.submit(page, {});
    expect(done.status).toBe(200);
  });
});

describe('telling modules', () => {
  const logOut = async () => confirm(await endSession());
  const told = async (count = 1) => vi.waitFor(() => expect(heard.length).toBe(count), { timeout: 8000, interval: 50 });

  it('OAU-22 the logout token is of type logout+jwt, signed, with events, jti, sid and no nonce', async () => {
    await logOut();
    await told();
    const [{ type, token: logoutToken } = { type: '', token: '' }] = heard;
    expect(type).toBe('application/x-www-form-urlencoded');
    expect(headerOf(logoutToken)).toMatchObject({ typ: 'logout+jwt', alg: 'RS256' });
    expect(isSignedBy(await keySet(world.app), logoutToken)).toBe(true);
    const claims = claimsOf(logoutToken);
    expect(claims).toMatchObject({
      iss: world.app.url,
      aud: module.clientId,
      sub: world.person.user.id,
      sid: claimsOf(tokens.id_token).sid,
      events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
      jti: expect.stringMatching(/^[\w-]{20,}$/),
    });
    expect(claims).not.toHaveProperty('nonce');
    expect(Number(claims.exp) - Number(claims.iat)).toBeLessThanOrEqual(120);
  });

  it('OAU-25 the logout token of a pairwise client speaks of the same subject as its ID tokens', async () => {
    const { backchannel_logout_uri } = module.module.metadata;
    const pairwise = await makeModule(world.app, [world.company], {
      subject_type: 'pairwise',
      ...(backchannel_logout_uri ? { backchannel_logout_uri } : {}),
    });
    const own = await tokensFor(world.app, visitor, pairwise);
    await logOut();
    await told(2);
    const [claims] = heard.map(({ token }) => claimsOf(token)).filter(({ aud }) => aud === pairwise.clientId);
    expect(claims).toMatchObject({ sub: claimsOf(own.id_token).sub, sid: claimsOf(own.id_token).sid });
    expect(claims?.sub).not.toBe(world.person.user.id);
  });

  it('OAU-19 a logout token is no access token, no ID token hint and no assertion', async () => {
    await logOut();
    await told();
    const logoutToken = heard[0]?.token ?? '';
    expect((await userinfo(world.app, logoutToken)).status).toBe(401);
    expect((await introspect(world.app, module, logoutToken)).body.active).not.toBe(true);
  });

  it('OAU-22 each module of the session is told once, and no module of another session', async () => {
    const other = await browserOf(world.app, world.person);
    await tokensFor(world.app, other, module);
    await tokensFor(world.app, visitor, world.module);
    await logOut();
    await told();
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(heard).toHaveLength(1);
    expect(claimsOf(heard[0]?.token ?? '').sid).toBe(claimsOf(tokens.id_token).sid);
  });
});

describe('what outlives a logout', () => {
  const offline = async (of: Visitor): Promise<Tokens> => {
    const asked = await of.open(authorizeAddress(module, { prompt: 'consent', scope: 'openid email offline_access' }));
    const code = answerOf(await of.submit(asked, {}, '/consent')).get('code') ?? '';
    const { body } = await token(world.app, module, {
      grant_type: 'authorization_code',
      code,
      redirect_uri: module.redirectUri,
      code_verifier: 'a-verifier-that-is-long-enough-for-the-standard-0123',
    });
    return body as unknown as Tokens;
  };
  const refresh = (refresh_token: string) => token(world.app, module, { grant_type: 'refresh_token', refresh_token });

  it('a session-bound refresh token and its access token die with the session', async () => {
    const renewed = await refresh(tokens.refresh_token);
    expect(renewed.status).toBe(200);
    await confirm(await endSession());
    expect(await refresh(String(renewed.body.refresh_token))).toMatchObject({
      status: 400,
      body: { error: 'invalid_grant' },
    });
    expect((await userinfo(world.app, String(renewed.body.access_token))).status).toBe(401);
    expect((await introspect(world.app, module, String(renewed.body.access_token))).body).toEqual({ active: false });
  });

  it.each(['by the provider', 'by our own page'])(
    'offline_access outlives a logout %s, with the rotation that follows',
    async (by) => {
      const kept = await offline(visitor);
      expect(kept.scope).toContain('offline_access');
      if (by === 'by the provider') await confirm(await endSession());
      else await visitor.submit(await visitor.open('/'), {}, '/sign-out');
      expect(await isSignedIn()).toBe(false);
      const first = await refresh(kept.refresh_token);
      expect(first.status).toBe(200);
      expect((await userinfo(world.app, String(first.body.access_token))).body).toMatchObject({
        sub: world.person.user.id,
      });
      expect((await refresh(String(first.body.refresh_token))).status).toBe(200);
      // The session-bound one of the same module and the same session is dead all the same.
      expect((await refresh(tokens.refresh_token)).status).toBe(400);
    },
  );

  it('offline_access is dropped without consent, so nothing outlives a session by accident', async () => {
    const plain = await tokensFor(world.app, visitor, module, { scope: 'openid offline_access' });
    expect(plain.scope).toBe('openid');
    await confirm(await endSession());
    expect((await refresh(plain.refresh_token)).status).toBe(400);
  });

  it('a code that was not yet redeemed dies with the session', async () => {
    const code = answerOf(await visitor.open(authorizeAddress(module))).get('code') ?? '';
    await confirm(await endSession());
    const { status } = await token(world.app, module, {
      grant_type: 'authorization_code',
      code,
      redirect_uri: module.redirectUri,
      code_verifier: 'a-verifier-that-is-long-enough-for-the-standard-0123',
    });
    expect(status).toBe(400);
  });
});
