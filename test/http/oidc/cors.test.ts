// Which scripts may read answers (OAU-12): those of registered origins, each its own client's.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { authorizeAddress, makeModule, type TestModule } from '../../support/people.ts';
import { basicOf, call, codeFor, type Json, startWorld, tokensFor, type World } from './relying-party.ts';

let world: World;
let scripted: TestModule;
beforeAll(async () => {
  world = await startWorld();
  scripted = await makeModule(world.app, [world.company], {
    token_endpoint_auth_method: 'none',
    cors_origins: ['https://spa.example'],
  });
});
afterAll(() => world.app.stop());

const discovery = '/.well-known/openid-configuration';

describe('OAU-12 scripts of other origins', () => {
  const cors = (headers: Json) => Object.keys(headers).filter((name) => name.startsWith('access-control-'));
  const strangers = [
    'https://evil.example',
    'https://spa.example.evil.example',
    'https://spa.example:8443',
    'http://spa.example',
    'null',
  ];

  it('OAU-12 the authorization endpoint, sign-in and home answer no CORS headers to anybody', async () => {
    for (const origin of ['https://spa.example', ...strangers, world.app.url]) {
      for (const path of [authorizeAddress(scripted), '/', '/login', '/session/end']) {
        const page = await world.visitor.send(path, { headers: { origin } });
        expect(cors(page.headers)).toEqual([]);
        const ahead = await world.visitor.send(path, {
          method: 'OPTIONS',
          headers: { origin, 'access-control-request-method': 'GET' },
        });
        expect(cors(ahead.headers)).toEqual([]);
      }
    }
  });

  it.each(['/token', '/userinfo', '/jwks', discovery, '/token/revocation', '/token/introspection', '/request'])(
    'OAU-12 %s lets registered origins ask, named one by one, and no others',
    async (path) => {
      const ask = (origin: string) =>
        call(world.app, path, {
          method: 'OPTIONS',
          headers: {
            origin,
            'access-control-request-method': 'POST',
            'access-control-request-headers': 'authorization',
          },
        });
      const { headers } = await ask('https://spa.example');
      expect(headers['access-control-allow-origin']).toBe('https://spa.example');
      expect(headers['access-control-allow-credentials']).toBeUndefined();
      expect(headers.vary).toMatch(/origin/i);
      for (const origin of strangers) expect(cors((await ask(origin)).headers)).toEqual([]);
    },
  );

  it('OAU-12 answers are readable for the origin of this client only, also errors, and never reflect', async () => {
    const code = await codeFor(world.visitor, scripted);
    const form = {
      grant_type: 'authorization_code',
      code,
      redirect_uri: scripted.redirectUri,
      code_verifier: 'a-verifier-that-is-long-enough-for-the-standard-0123',
      client_id: scripted.clientId,
    };
    const from = (origin: string, more: Record<string, string> = {}) =>
      call(world.app, '/token', { form: { ...form, ...more }, headers: { origin } });
    for (const origin of strangers) {
      const { status, headers, body } = await from(origin);
      expect(status).toBe(400);
      expect(cors(headers)).toEqual([]);
      expect(body).not.toHaveProperty('access_token');
    }
    const own = await from('https://spa.example');
    expect(own.status).toBe(200);
    expect(own.headers['access-control-allow-origin']).toBe('https://spa.example');
    const failed = await from('https://spa.example');
    expect(failed.status).toBe(400);
    expect(failed.headers['access-control-allow-origin']).toBe('https://spa.example');
  });

  it("OAU-12 an origin that one client registered does not read another client's answers", async () => {
    const { access_token } = await tokensFor(world.app, world.visitor, world.module);
    for (const [path, options] of [
      ['/userinfo', { headers: { authorization: `Bearer ${access_token}` } }],
      ['/token/introspection', { form: { token: access_token }, headers: basicOf(world.module) }],
    ] as const) {
      const answer = await call(world.app, path, {
        ...options,
        headers: { ...options.headers, origin: 'https://spa.example' },
      });
      expect(answer.status).toBe(400);
      expect(answer.body).not.toHaveProperty('sub');
      expect(answer.body).not.toHaveProperty('active');
    }
  });
});
