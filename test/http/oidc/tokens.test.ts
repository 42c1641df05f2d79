// What a token is good for, and who it speaks of.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createModule } from '../../../src/domain/modules/commands.ts';
import type { TestApp } from '../../support/app.ts';
import { answerOf, authorizeAddress, makeModule, makePerson, token } from '../../support/people.ts';
import { createKey, type Json, signToken, signWithHmac } from '../../unit/sdk/issuer.ts';
import {
  browserOf,
  call,
  claimsOf,
  codeFor,
  headerOf,
  introspect,
  keySet,
  startWorld,
  type Tokens,
  tokensFor,
  userinfo,
  type World,
} from './relying-party.ts';

let world: World;
let second: TestApp;
let tokens: Tokens;
beforeAll(async () => {
  world = await startWorld();
  tokens = await tokensFor(world.app, world.visitor, world.module, { scope: 'openid profile email phone address' });
});
afterAll(() => world.app.stop());

describe('OAU-19 an access token, and nothing else, opens userinfo', () => {
  it('OAU-19 ID tokens, refresh tokens, codes, session cookies and tokens for no person are refused', async () => {
    const worker = await makeModule(world.app, [], { grant_types: ['client_credentials'], redirect_uris: [] });
    const { body } = await token(world.app, worker, { grant_type: 'client_credentials' });
    for (const [name, value] of Object.entries({
      'ID token': tokens.id_token,
      'refresh token': tokens.refresh_token,
      code: await codeFor(world.visitor, world.module),
      cookie: world.visitor.cookie('ul_session')?.value ?? '',
      'client token': String(body.access_token),
      'client id': world.module.clientId,
      secret: world.module.clientSecret,
    })) {
      const answer = await userinfo(world.app, value);
      expect(answer.status, name).toBe(401);
      expect(answer.headers['www-authenticate'], name).toContain('error="invalid_token"');
      expect(answer.body, name).not.toHaveProperty('sub');
    }
    expect((await userinfo(world.app, tokens.access_token)).status).toBe(200);
  });

  it('OAU-19 an access token without openid is not let in to userinfo', async () => {
    const plain = await makeModule(world.app, [world.company], { require_auth_time: false });
    const code = await codeFor(world.visitor, plain, { scope: 'profile', nonce: undefined });
    const { body } = await token(world.app, plain, {
      grant_type: 'authorization_code',
      code,
      redirect_uri: plain.redirectUri,
      code_verifier: 'a-verifier-that-is-long-enough-for-the-standard-0123',
    });
    expect(body).not.toHaveProperty('id_token');
    expect((await userinfo(world.app, String(body.access_token))).status).toBe(403);
  });

  it('OAU-19 a token in the address, or given in two ways, is refused (RFC 9700 4.3.2)', async () => {
    const { access_token } = tokens;
    expect((await call(world.app, `/userinfo?access_token=${access_token}`)).status).toBe(400);
    const twice = await call(world.app, '/userinfo', {
      form: { access_token },
      headers: { authorization: `Bearer ${access_token}` },
    });
    expect(twice.status).toBe(400);
    for (const authorization of ['', 'Bearer', 'Bearer ', `Basic ${access_token}`, `Bearer ${access_token} x`])
      expect((await call(world.app, '/userinfo', { headers: { authorization } })).status).toBeGreaterThanOrEqual(400);
  });

  it('OAU-19 our own pages are for the session cookie: a bearer token opens none of them', async () => {
    for (const path of ['/', '/settings/profile', '/settings/sessions']) {
      for (const value of [tokens.access_token, tokens.id_token]) {
        const page = await world.app.visitor().send(path, { headers: { authorization: `Bearer ${value}` } });
        expect(page.status).toBe(303);
        expect(page.headers.location).toContain('/auth?');
      }
    }
    const asCookie = await world.app.visitor().send('/', { headers: { cookie: `ul_session=${tokens.access_token}` } });
    expect(asCookie.status).toBe(303);
  });

  it('OAU-19 an ID token is for its client alone', async () => {
    const claims = claimsOf(tokens.id_token);
    expect(claims.aud).toBe(world.module.clientId);
    expect(Number(claims.exp) - Number(claims.iat)).toBe(3600);
    const other = await makeModule(world.app, [world.company]);
    const page = await world.visitor.send(authorizeAddress(other, { prompt: 'none', id_token_hint: tokens.id_token }));
    expect(answerOf(page).get('error')).toBe('invalid_request');
  });
});

describe('OAU-20 JWTs that come in as id_token_hint', () => {
  const hint = async (id_token_hint: string) => {
    const page = await world.visitor.send(authorizeAddress(world.module, { prompt: 'none', id_token_hint }));
    return answerOf(page);
  };

  it('OAU-20 a real one is believed', async () => {
    expect((await hint(tokens.id_token)).get('code')).not.toBeNull();
  });

  it('OAU-20 alg none, HMAC with a public key, keys inside or pointed to, unknown crit, other issuers: refused', async () => {
    const evil = createKey('evil', 'RS256');
    const claims = claimsOf(tokens.id_token);
    const { kid } = headerOf(tokens.id_token);
    const published = (await keySet(world.app)).find((key) => key.kid === kid);
    const [, payload, signature] = tokens.id_token.split('.');
    const withHeader = (header: Json) =>
      `${Buffer.from(JSON.stringify(header)).toString('base64url')}.${payload}.${signature}`;
    const wrong: Record<string, string> = {
      'alg none': `${Buffer.from('{"alg":"none"}').toString('base64url')}.${payload}.`,
      'HMAC with the published key': signWithHmac(JSON.stringify(published), claims, { kid }),
      'HMAC with the secret of the client': signWithHmac(world.module.clientSecret, claims, {}),
      'another key under our kid': signToken(evil, claims, { kid }),
      'a key inside': signToken(evil, claims, { kid, jwk: evil.jwk }),
      'a pointer': signToken(evil, claims, { jku: 'https://evil.example/jwks' }),
      'a certificate': signToken(evil, claims, { x5u: 'https://evil.example/cert' }),
      'our signature under another header': withHeader({ alg: 'RS256', kid, crit: ['x'], x: 1 }),
      'another algorithm': withHeader({ alg: 'RS512', kid }),
      'no kid that we know': withHeader({ alg: 'RS256', kid: 'x' }),
      'five parts': `${tokens.id_token}.x.y`,
      text: 'x',
      nothing: '..',
    };
    for (const [name, value] of Object.entries(wrong)) {
      const answer = await hint(value);
      expect(answer.get('error'), name).toBe('invalid_request');
      expect(answer.get('code'), name).toBeNull();
    }
  });
});

describe('OAU-25 subjects', () => {
  it('OAU-25 pairwise: one for each sector, stable over sessions and nodes, and not the id of the person', async () => {
    const { app, company, person, visitor } = world;
    const at = (host: string) =>
      makeModule(app, [company], { subject_type: 'pairwise', redirect_uris: [`https://${host}/callback`] });
    const [one, sameHost, other] = [await at('a.example'), await at('a.example'), await at('b.example')];
    const subjectOf = async (module: typeof one, of = visitor, node = app) =>
      claimsOf((await tokensFor(node, of.at(node.port), module)).id_token).sub;
    const subject = await subjectOf(one);
    expect(subject).not.toBe(person.user.id);
    expect(String(subject)).toMatch(/^[\w-]{20,}$/);
    expect(await subjectOf(sameHost)).toBe(subject);
    expect(await subjectOf(other)).not.toBe(subject);
    second = await app.node();
    expect(await subjectOf(one, await browserOf(app, person), second)).toBe(subject);
    const colleague = await makePerson(app, company);
    expect(await subjectOf(one, await browserOf(app, colleague))).not.toBe(subject);
  });

  it('OAU-25 pairwise: ID token, userinfo and introspection agree, and none lets the real id slip', async () => {
    const module = await makeModule(world.app, [world.company], { subject_type: 'pairwise' });
    const got = await tokensFor(world.app, world.visitor, module);
    const { sub } = claimsOf(got.id_token);
    const answers = [
      claimsOf(got.id_token),
      (await userinfo(world.app, got.access_token)).body,
      (await introspect(world.app, module, got.access_token)).body,
      (await introspect(world.app, module, got.refresh_token)).body,
    ];
    for (const answer of answers) {
      expect(answer.sub).toBe(sub);
      expect(JSON.stringify(answer)).not.toContain(world.person.user.id);
    }
    const gateway = await makeModule(world.app, [], { may_introspect_all: true });
    expect((await introspect(world.app, gateway, got.access_token)).body.sub).toBe(sub);
    // The hint of a pairwise client leads back to the same person.
    const page = await world.visitor.send(authorizeAddress(module, { prompt: 'none', id_token_hint: got.id_token }));
    expect(answerOf(page).get('code')).not.toBeNull();
  });

  it('OAU-25 a client_id that looks like the id of a person cannot be registered (BCP 4.15)', async () => {
    const register = (clientId: string) =>
      createModule(
        world.app.operator(),
        { name: 'New', clientId, metadata: { redirect_uris: ['https://new.example/callback'] } },
        world.app.runtime.complaint,
      );
    const { id } = world.person.user;
    for (const clientId of [
      id,
      id.toUpperCase(),
      '00000000-0000-7000-8000-000000000000',
      '',
      'a b',
      '-x',
      'ä',
      'a\n',
      'x'.repeat(201),
    ])
      await expect(register(clientId)).rejects.toMatchObject({ code: 'invalid' });
    await expect(register('workplace-eu.1')).resolves.toMatchObject({ module: { clientId: 'workplace-eu.1' } });
    await expect(register('workplace-eu.1')).rejects.toMatchObject({ code: 'conflict' });
    await expect(register('home')).rejects.toMatchObject({ code: 'conflict' });
  });

  it('OAU-25 asking for another sub by the claims parameter gives nobody', async () => {
    const colleague = await makePerson(world.app, world.company);
    const claims = JSON.stringify({ id_token: { sub: { value: colleague.user.id } } });
    const page = await world.visitor.send(authorizeAddress(world.module, { prompt: 'none', claims }));
    expect(answerOf(page).get('error')).toBe('login_required');
  });
});

describe('claims', () => {
  it('each scope opens its own, in the ID token and at userinfo alike', async () => {
    const expected: Record<string, Json> = {
      openid: {
        company: world.company.name,
        company_id: world.company.id,
        company_role: 'User',
        groups: ['All Module Access'],
      },
      profile: {
        name: 'Pat Example',
        given_name: 'Pat',
        family_name: 'Example',
        preferred_username: world.person.user.username,
      },
      email: { email: world.person.user.email, email_verified: true },
    };
    for (const [scope, claims] of Object.entries(expected)) {
      const got = await tokensFor(world.app, world.visitor, world.module, {
        scope: [...new Set(['openid', scope])].join(' '),
      });
      const { body } = await userinfo(world.app, got.access_token);
      expect(body).toMatchObject(claims);
      expect(claimsOf(got.id_token)).toMatchObject(claims);
      for (const [other, foreign] of Object.entries(expected).filter(([name]) => name !== scope && name !== 'openid'))
        for (const name of Object.keys(foreign)) expect(body, `${name} of ${other}`).not.toHaveProperty(name);
    }
  });

  it('no claim is null or empty, and no secret or internal value is among them', async () => {
    const { body } = await userinfo(world.app, tokens.access_token);
    for (const [name, value] of Object.entries(body)) expect(value, name).not.toBeNull();
    expect(Object.keys(body).sort()).toEqual(
      [
        ...['sub', 'company', 'company_id', 'company_role', 'groups', 'module_access'],
        ...['name', 'given_name', 'family_name', 'preferred_username'],
        ...['email', 'email_verified'],
      ].sort(),
    );
  });
});
