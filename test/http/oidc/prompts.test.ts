// When the person is asked, and what the ID token says about it.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  answerOf,
  authorizeAddress,
  codeOf,
  givePassword,
  makeModule,
  makePerson,
  redeem,
  signIn,
  type TestModule,
} from '../../support/people.ts';
import { formsOf, type Page, type Visitor } from '../../support/visitor.ts';
import { browserOf, claimsOf, heldAt, type Json, startWorld, tokensFor, type World } from './relying-party.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.app.stop());

const seconds = () => Math.floor(Date.now() / 1000);

async function idClaims(back: Page, module: TestModule = world.module): Promise<Json> {
  const { status, body } = await redeem(world.app, module, answerOf(back).get('code') ?? '');
  expect(status).toBe(200);
  return claimsOf(String(body.id_token));
}

/** Lets the session look older than it is. */
async function age(visitor: Visitor, bySeconds: number): Promise<void> {
  const tokens = await tokensFor(world.app, visitor, world.module);
  const { auth_time: since } = claimsOf(tokens.id_token);
  const { rowCount } = await world.app.runtime.db.raw(
    `update oidc_records set payload = jsonb_set(payload, '{loginTs}', to_jsonb(?::bigint))
     where kind = 'Session' and payload ->> 'loginTs' = ? and account_id = ?`,
    [Number(since) - bySeconds, String(since), world.person.user.id],
  );
  expect(rowCount).toBe(1);
}

describe('prompt=none', () => {
  it('OAU-23 shows no page and does not sign in by itself: login_required with state and iss', async () => {
    const page = await world.app.visitor().send(authorizeAddress(world.module, { prompt: 'none' }));
    expect(page.status).toBe(303);
    const answer = answerOf(page);
    expect(answer.get('error')).toBe('login_required');
    expect(answer.get('state')).toBe('state-1');
    expect(answer.get('iss')).toBe(world.app.url);
    expect(answer.get('code')).toBeNull();
  });

  it('OAU-23 answers with a code while the session lives', async () => {
    const page = await world.visitor.send(authorizeAddress(world.module, { prompt: 'none' }));
    expect(page.headers.location).toMatch(/^https:\/\/module\.example\/callback\?code=/);
    expect(await idClaims(page)).toMatchObject({ sub: world.person.user.id, nonce: 'nonce-1' });
  });

  it('OAU-23 together with another prompt is refused', async () => {
    const page = await world.visitor.send(authorizeAddress(world.module, { prompt: 'none login' }));
    expect(answerOf(page).get('error')).toBe('invalid_request');
  });

  it('OAU-23 is answered with login_required when the session is older than max_age', async () => {
    const visitor = await browserOf(world.app, world.person);
    await age(visitor, 600);
    const strict = await visitor.send(authorizeAddress(world.module, { prompt: 'none', max_age: '300' }));
    expect(answerOf(strict).get('error')).toBe('login_required');
    const lenient = await visitor.send(authorizeAddress(world.module, { prompt: 'none', max_age: '3600' }));
    expect(answerOf(lenient).get('code')).not.toBeNull();
  });

  it("OAU-23 is answered with login_required when id_token_hint is another person's", async () => {
    const other = await makePerson(world.app, world.company);
    const tokens = await tokensFor(world.app, await browserOf(world.app, other), world.module);
    const page = await world.visitor.send(
      authorizeAddress(world.module, { prompt: 'none', id_token_hint: tokens.id_token }),
    );
    expect(answerOf(page).get('error')).toBe('login_required');
  });
});

describe('prompt=login and max_age', () => {
  it('OAU-23 prompt=login asks for password and code although the session lives, and auth_time is the new one', async () => {
    const visitor = await browserOf(world.app, world.person);
    await age(visitor, 600);
    const before = seconds();
    const start = authorizeAddress(world.module, { prompt: 'login' });
    const asked = await visitor.open(start);
    expect(asked.status).toBe(200);
    expect(formsOf(asked).some(({ fields }) => fields.includes('password'))).toBe(true);
    const claims = await idClaims(await signIn(world.app, visitor, world.person, start));
    expect(Number(claims.auth_time)).toBeGreaterThanOrEqual(before);
  });

  it('OAU-23 max_age forces a real login once the session is older, and not before', async () => {
    const visitor = await browserOf(world.app, world.person);
    const fresh = await visitor.send(authorizeAddress(world.module, { max_age: '300' }));
    expect(answerOf(fresh).get('code')).not.toBeNull();
    await age(visitor, 600);
    const before = seconds();
    const start = authorizeAddress(world.module, { max_age: '300' });
    expect((await visitor.open(start)).body).toContain('name="password"');
    const claims = await idClaims(await signIn(world.app, visitor, world.person, start));
    expect(Number(claims.auth_time)).toBeGreaterThanOrEqual(before);
  });

  it('OAU-23 max_age=0 always asks', async () => {
    const page = await world.visitor.open(authorizeAddress(world.module, { max_age: '0' }));
    expect(page.body).toContain('name="password"');
  });

  it('OAU-23 default_max_age of a registration counts like max_age', async () => {
    const module = await makeModule(world.app, [world.company], { default_max_age: 300 });
    const visitor = await browserOf(world.app, world.person);
    await age(visitor, 600);
    const page = await visitor.open(authorizeAddress(module));
    expect(page.body).toContain('name="password"');
  });

  it('OAU-23 the forced login cannot be skipped by going back to where it came from', async () => {
    const visitor = await browserOf(world.app, world.person);
    const asked = await visitor.open(authorizeAddress(world.module, { prompt: 'login' }));
    const uid = /\/interaction\/([\w-]+)/.exec(asked.url)?.[1] ?? '';
    expect(uid).not.toBe('');
    const resumed = await visitor.open(`/auth/${uid}`);
    expect(resumed.headers.location ?? '').not.toContain('code=');
    expect(resumed.body).not.toContain('code=');
    expect(resumed.body).toContain('name="password"');
  });

  it('WEB-03 after a forced login as somebody else, the session is that person, and nothing of the first is left in it', async () => {
    const visitor = await browserOf(world.app, world.person);
    const other = await makePerson(world.app, world.company);
    const start = authorizeAddress(world.module, { prompt: 'login' });
    const asked = await visitor.open(start);
    const renamed = await visitor.submit(asked, {}, '/restart');
    expect(renamed.body).toContain('name="username"');
    let page = await givePassword(visitor, renamed, other);
    page = await visitor.submit(page, { code: codeOf(world.app, other) }, '/code');
    // The engine ends the first person's session by a form that a browser posts by itself.
    if (!page.headers.location) page = await visitor.submit(page, {}, '/session/end/confirm');
    if (!page.headers.location) page = await signIn(world.app, visitor, other, start);
    expect(await idClaims(page)).toMatchObject({ sub: other.user.id });
  });
});

describe('acr, amr, auth_time', () => {
  it('OAU-23 say what happened: password and code, so amr has otp and acr is the multi-factor one', async () => {
    const before = seconds();
    const visitor = await browserOf(world.app, world.person);
    const { id_token } = await tokensFor(world.app, visitor, world.module);
    const claims = claimsOf(id_token);
    expect(claims).toMatchObject({ amr: ['pwd', 'otp', 'mfa'], acr: 'urn:unified-login:mfa' });
    expect(Number(claims.auth_time)).toBeGreaterThanOrEqual(before);
  });

  it('OAU-23 acr_values is voluntary: what we have is said, whatever was asked', async () => {
    for (const asked of ['urn:unified-login:mfa', 'urn:example:unknown']) {
      const page = await world.visitor.open(authorizeAddress(world.module, { acr_values: asked }));
      expect(await idClaims(page)).toMatchObject({ acr: 'urn:unified-login:mfa' });
    }
  });

  it('OAU-23 an essential acr that we have is given', async () => {
    const claims = JSON.stringify({ id_token: { acr: { essential: true, value: 'urn:unified-login:mfa' } } });
    const page = await world.visitor.open(authorizeAddress(world.module, { claims }));
    expect(await idClaims(page)).toMatchObject({ acr: 'urn:unified-login:mfa' });
  });

  it('OAU-23 an essential acr that nobody can reach is an error at once, not a login without end', async () => {
    for (const acr of [{ value: 'urn:example:gold' }, { values: ['urn:example:gold', 'urn:example:silver'] }]) {
      const claims = JSON.stringify({ id_token: { acr: { essential: true, ...acr } } });
      const page = await world.visitor.open(authorizeAddress(world.module, { claims }));
      expect(answerOf(page).get('error')).toBe('unmet_authentication_requirements');
      expect(answerOf(page).get('state')).toBe('state-1');
    }
  });
});

describe('hints', () => {
  it('login_hint fills in the username, escaped, and is no more than a hint', async () => {
    const hinted = await world.app.visitor().open(authorizeAddress(world.module, { login_hint: 'ada.root' }));
    expect(formsOf(hinted).find(({ fields }) => fields.includes('username'))?.values.username).toBe('ada.root');
    const markup = '"><script>alert(1)</script>';
    const hostile = await world.app.visitor().open(authorizeAddress(world.module, { login_hint: markup }));
    expect(hostile.status).toBe(200);
    expect(hostile.body).not.toContain('<script>alert');
  });

  it('ui_locales, claims_locales and display are accepted, also unknown and hostile ones', async () => {
    for (const ui_locales of ['de-AT fr en', 'xx', '"><script>alert(1)</script>']) {
      const page = await world.app
        .visitor()
        .open(authorizeAddress(world.module, { ui_locales, claims_locales: 'de', display: 'page' }));
      expect(page.status).toBe(200);
      expect(page.body).toContain('name="username"');
      expect(page.body).not.toContain('<script>alert');
    }
  });
});

describe('prompt=consent', () => {
  const asking = (scope = 'openid profile offline_access') =>
    authorizeAddress(world.module, { prompt: 'consent', scope });

  it('OAU-24 shows the name of the client, its scopes in words, and the host where the answer goes', async () => {
    const page = await world.visitor.open(asking());
    expect(page.status).toBe(200);
    expect(page.body).toContain(world.module.module.name);
    expect(page.body).toContain('module.example');
    expect(page.body).toContain('Your name, username and time zone');
    expect(page.body).toContain('Access while you are not logged in');
    expect(page.body).toContain(world.person.user.username);
  });

  it('OAU-24 allowing it is a post that leads on to the module with what was asked', async () => {
    const page = await world.visitor.open(asking());
    const back = await world.visitor.submit(page, {}, '/consent');
    const { status, body } = await redeem(world.app, world.module, answerOf(back).get('code') ?? '');
    expect(status).toBe(200);
    expect(body.scope).toBe('openid profile offline_access');
  });

  it('OAU-24 cannot be skipped by GET: neither the page, nor its post address, nor the resume address gives a code', async () => {
    const page = await world.visitor.open(asking());
    const uid = /\/interaction\/([\w-]+)/.exec(page.url)?.[1] ?? '';
    for (const address of [`/interaction/${uid}`, `/interaction/${uid}/consent`, `/auth/${uid}`]) {
      const visited = await world.visitor.open(address);
      expect(visited.headers.location ?? '').not.toContain('code=');
    }
  });

  it('OAU-24 a post without the token of this browser changes nothing', async () => {
    const page = await world.visitor.open(asking());
    const forged = await world.visitor.send(
      formsOf(page).find(({ action }) => action.endsWith('/consent'))?.action ?? '',
      {
        form: { csrf: 'forged' },
      },
    );
    expect(forged.status).toBe(403);
    const fromElsewhere = await world.visitor.send(
      formsOf(page).find(({ action }) => action.endsWith('/consent'))?.action ?? '',
      { form: formsOf(page)[0]?.values ?? {}, headers: { origin: 'https://evil.example' } },
    );
    expect(fromElsewhere.status).toBe(403);
  });

  it('OAU-24 refusing it tells the module access_denied', async () => {
    const page = await world.visitor.open(asking());
    const back = await world.visitor.submit(page, {}, '/consent/cancel');
    expect(answerOf(back).get('error')).toBe('access_denied');
    expect(answerOf(back).get('iss')).toBe(world.app.url);
  });

  it('OAU-24 until it is allowed, nothing is granted, and the session was never at the module', async () => {
    const module = await makeModule(world.app, [world.company]);
    const visitor = await browserOf(world.app, world.person);
    const held = () => heldAt(world.app, module, world.person);
    for (const prompt of ['consent', 'login', 'login consent']) {
      await visitor.open(authorizeAddress(module, { prompt }));
      expect(await held(), prompt).toEqual([]);
    }
    const refused = await visitor.open(authorizeAddress(module, { prompt: 'consent' }));
    await visitor.submit(refused, {}, '/consent/cancel');
    expect(await held()).toEqual([]);
    const allowed = await visitor.open(authorizeAddress(module, { prompt: 'consent' }));
    await visitor.submit(allowed, {}, '/consent');
    expect(await held()).toEqual(['AuthorizationCode', 'Grant', 'Session']);
  });

  it('OAU-24 prompt "login consent" asks both, once each', async () => {
    const visitor = await browserOf(world.app, world.person);
    const start = authorizeAddress(world.module, { prompt: 'login consent' });
    const consent = await signIn(world.app, visitor, world.person, start);
    expect(consent.body).toContain('Allow');
    const back = await visitor.submit(consent, {}, '/consent');
    expect(answerOf(back).get('code')).not.toBeNull();
  });
});
