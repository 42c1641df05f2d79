// DOS-03: what requests of strangers leave behind is bounded for each network address, and nobody else is held up by them.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { minutes, seconds } from '../../../src/lib/time.ts';
import type { TestApp } from '../../support/app.ts';
import { VisitorFrom } from '../../support/attempts.ts';
import { answerOf, authorizeAddress, makeModule, pkce, signIn, type TestModule } from '../../support/people.ts';
import { wordsOf } from '../../support/visitor.ts';
import { basicOf, startWorld, type World } from './relying-party.ts';

const perMinute = 20;

let world: World;
let app: TestApp;
let spa: TestModule;
beforeAll(async () => {
  const environment = { ANONYMOUS_REQUESTS_PER_MINUTE: String(perMinute), TRUSTED_PROXIES: '1' };
  world = await startWorld({}, { environment });
  app = world.app;
  spa = await makeModule(app, [world.company], {
    token_endpoint_auth_method: 'none',
    cors_origins: ['https://spa.example'],
  });
});
afterAll(() => app.stop());

let addresses = 0;
function newAddress(): string {
  addresses += 1;
  return `198.51.100.${addresses}`;
}

async function rowsOf(kind: string): Promise<number> {
  const { rows }: { rows: { count: number }[] } = await app.runtime.db.raw(
    'select count(*)::int as count from oidc_records where kind = ?',
    [kind],
  );
  return rows[0]?.count ?? 0;
}

/** So many requests for authorization, a browser without cookies each. */
const flood = (address: string, times: number) =>
  Promise.all(
    Array.from({ length: times }, (_, i) =>
      new VisitorFrom(app, address).send(authorizeAddress(world.module, { state: `s${i}` })),
    ),
  );

async function isHeldUp(address: string): Promise<boolean> {
  await flood(address, 3 * perMinute);
  return (await flood(address, 1))[0]?.status === 429;
}

const push = (module: TestModule, address: string, headers: Record<string, string> = {}) =>
  new VisitorFrom(app, address).send('/request', {
    form: {
      client_id: module.clientId,
      response_type: 'code',
      scope: 'openid email',
      redirect_uri: module.redirectUri,
      code_challenge: pkce.challenge,
      code_challenge_method: 'S256',
    },
    headers: { accept: 'application/json', ...headers },
  });

describe('requests for authorization without a session', () => {
  it('DOS-03, DOS-07 leave so many rows and no more; the rest is told when to come back, and keeps nothing', async () => {
    const address = newAddress();
    const before = await rowsOf('Interaction');
    const pages = await flood(address, 4 * perMinute);
    const served = pages.filter(({ status }) => status === 303);
    expect(served.length).toBeGreaterThanOrEqual(perMinute);
    // A few turns come back while the flood lasts.
    expect(served.length).toBeLessThanOrEqual(perMinute + 5);
    expect((await rowsOf('Interaction')) - before).toBe(served.length);
    const refused = pages.filter(({ status }) => status !== 303);
    for (const page of refused) {
      expect(page.status).toBe(429);
      expect(Number(page.headers['retry-after'])).toBeGreaterThan(0);
      expect(Number(page.headers['retry-after'])).toBeLessThanOrEqual(60);
      expect(page.headers.location).toBeUndefined();
      expect((page.headers['set-cookie'] ?? []).filter((line) => !line.startsWith('ul_csrf='))).toEqual([]);
      expect(wordsOf(page)).toContain('too many attempts from your network address');
    }
  });

  it('DOS-03, DOS-07 hold up no other address, nothing else at this one, and nobody who is signed in', async () => {
    const address = newAddress();
    const person = new VisitorFrom(app, address);
    await signIn(app, person, world.person, '/login');
    expect(await isHeldUp(address)).toBe(true);
    const neighbour = new VisitorFrom(app, newAddress());
    expect(
      answerOf(await signIn(app, neighbour, world.person, authorizeAddress(world.module))).get('code'),
    ).toBeTruthy();
    for (const path of ['/health/ready', '/jwks', '/forgot'])
      expect((await new VisitorFrom(app, address).send(path)).status, path).toBe(200);
    const silent = await new VisitorFrom(app, address).send(authorizeAddress(world.module, { prompt: 'none' }));
    expect(answerOf(silent).get('error'), 'leaves nothing, so it is answered').toBe('login_required');
    // Single sign-on, and being asked for the password again in the middle of a session.
    expect(answerOf(await person.open(authorizeAddress(world.module))).get('code')).toBeTruthy();
    expect((await person.open(authorizeAddress(world.module, { prompt: 'login' }))).body).toContain('name="password"');
  });

  it('DOS-03 whoever began before the flood finishes', async () => {
    const address = newAddress();
    const visitor = new VisitorFrom(app, address);
    const page = await visitor.open(authorizeAddress(world.module));
    await flood(address, 3 * perMinute);
    const back = await signIn(app, visitor, world.person, page.url);
    expect(answerOf(back).get('code')).toBeTruthy();
  });

  it('DOS-03 the wait ends by itself', async () => {
    const address = newAddress();
    expect(await isHeldUp(address)).toBe(true);
    app.clock.advance(minutes(1) / perMinute + seconds(1));
    const [page] = await flood(address, 1);
    expect(page?.status).toBe(303);
  });

  it('DOS-03, AUT-08 counts IPv6 per /64', async () => {
    const from = (host: number) => new VisitorFrom(app, `2001:db8:1:2:${host.toString(16)}::1`);
    const pages = await Promise.all(
      Array.from({ length: 3 * perMinute }, (_, i) => from(i).send(authorizeAddress(world.module))),
    );
    expect(pages.filter(({ status }) => status === 303).length).toBeLessThanOrEqual(perMinute + 5);
    const other = await new VisitorFrom(app, '2001:db8:1:3::1').send(authorizeAddress(world.module));
    expect(other.status).toBe(303);
  });
});

describe('pushed requests', () => {
  it('DOS-03 of public clients leave so many rows and no more; RFC 9126 section 2.3: 429, in the words of OAuth', async () => {
    const address = newAddress();
    const before = await rowsOf('PushedAuthorizationRequest');
    const answers = await Promise.all(Array.from({ length: 3 * perMinute }, () => push(spa, address)));
    const served = answers.filter(({ status }) => status === 201);
    expect(served.length).toBeGreaterThanOrEqual(perMinute);
    expect(served.length).toBeLessThanOrEqual(perMinute + 5);
    expect((await rowsOf('PushedAuthorizationRequest')) - before).toBe(served.length);
    for (const page of answers.filter(({ status }) => status !== 201)) {
      expect(page.status).toBe(429);
      expect(page.headers['content-type']).toContain('application/json');
      expect(page.headers['cache-control']).toContain('no-store');
      expect(Number(page.headers['retry-after'])).toBeGreaterThan(0);
      expect(JSON.parse(page.body)).toEqual({
        error: 'temporarily_unavailable',
        error_description: expect.stringContaining('network address'),
      });
    }
    expect((await push(spa, newAddress())).status).toBe(201);
  });

  it('DOS-03, OAU-12 the refusal can be read by scripts of registered origins only', async () => {
    const address = newAddress();
    const origin = 'https://spa.example';
    await Promise.all(Array.from({ length: 3 * perMinute }, () => push(spa, address)));
    const known = await push(spa, address, { origin });
    expect([known.status, known.headers['access-control-allow-origin']]).toEqual([429, origin]);
    const other = await push(spa, address, { origin: 'https://evil.example' });
    expect(other.headers['access-control-allow-origin']).toBeUndefined();
  });

  it('DOS-03 of a module that proves who it is are not of strangers: it pushes for all its people from one address', async () => {
    const address = newAddress();
    const answers = await Promise.all(
      Array.from({ length: 3 * perMinute }, () => push(world.module, address, basicOf(world.module))),
    );
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(3 * perMinute);
  });
});
