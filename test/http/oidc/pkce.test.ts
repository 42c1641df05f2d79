// Proof Key for Code Exchange (RFC 7636): the code is worth nothing to whoever did not begin.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createModule } from '../../../src/domain/modules/commands.ts';
import { answerOf, authorizeAddress, makeModule, pkce, type TestModule, token } from '../../support/people.ts';
import { call, codeFor, s256, startWorld, type World } from './relying-party.ts';

let world: World;
let lenient: TestModule;
let publicClient: TestModule;
beforeAll(async () => {
  world = await startWorld();
  const { app, company } = world;
  lenient = await makeModule(app, [company], { require_pkce: false });
  publicClient = await makeModule(app, [company], { token_endpoint_auth_method: 'none' });
});
afterAll(() => world.app.stop());

const without = { code_challenge: undefined, code_challenge_method: undefined };

function exchange(module: TestModule, code: string, verifier?: string) {
  const form = {
    grant_type: 'authorization_code',
    code,
    redirect_uri: module.redirectUri,
    ...(verifier === undefined ? {} : { code_verifier: verifier }),
  };
  return module.clientSecret
    ? token(world.app, module, form)
    : call(world.app, '/token', { form: { ...form, client_id: module.clientId } });
}

async function errorOf(module: TestModule, options: Record<string, string | undefined>): Promise<string | null> {
  const page = await world.visitor.send(authorizeAddress(module, options));
  expect(answerOf(page).get('code')).toBeNull();
  return answerOf(page).get('error');
}

describe('at the token endpoint', () => {
  const wrong: [name: string, verifier: string | undefined][] = [
    ['none', undefined],
    ['an empty one', ''],
    ['a wrong one', `${pkce.verifier}x`],
    ['one in another case', pkce.verifier.toUpperCase()],
    ['the challenge itself', pkce.challenge],
    ['one that is too short', 'short'],
    ['one that is too long', 'v'.repeat(129)],
  ];

  it.each(wrong)('OAU-04 a challenge was sent, the verifier is %s: no token', async (_name, verifier) => {
    for (const module of [world.module, lenient, publicClient]) {
      const { status, body } = await exchange(module, await codeFor(world.visitor, module), verifier);
      expect(status).toBe(400);
      // A verifier that is no verifier at all is a malformed request (RFC 7636 section 4.1).
      expect(body.error).toMatch(/^invalid_(grant|request)$/);
      expect(body).not.toHaveProperty('access_token');
    }
  });

  it('OAU-04 the missing and the wrong verifier are told apart from nothing: invalid_grant', async () => {
    for (const verifier of [undefined, 'w'.repeat(43)]) {
      const { body } = await exchange(world.module, await codeFor(world.visitor, world.module), verifier);
      expect(body.error).toBe('invalid_grant');
    }
  });

  it('OAU-04 a verifier without a challenge is a downgrade: invalid_grant', async () => {
    const code = await codeFor(world.visitor, lenient, without);
    expect(await exchange(lenient, code, pkce.verifier)).toMatchObject({
      status: 400,
      body: { error: 'invalid_grant' },
    });
  });

  it('OAU-04 a confidential client may be registered to go without; the secret still counts', async () => {
    const code = await codeFor(world.visitor, lenient, without);
    expect(await exchange(lenient, code)).toMatchObject({ status: 200 });
  });

  it('OAU-04 the right verifier opens, of all lengths that the standard allows', async () => {
    for (const verifier of ['v'.repeat(43), `${'Az09-._~'.repeat(16)}`]) {
      const code = await codeFor(world.visitor, publicClient, { code_challenge: s256(verifier) });
      expect(await exchange(publicClient, code, verifier)).toMatchObject({ status: 200 });
    }
  });
});

describe('at the authorization endpoint', () => {
  it('OAU-04 plain is refused, and so is a challenge whose method is omitted, since that means plain', async () => {
    for (const module of [world.module, lenient, publicClient]) {
      expect(await errorOf(module, { code_challenge_method: 'plain', code_challenge: 'p'.repeat(43) })).toBe(
        'invalid_request',
      );
      expect(await errorOf(module, { code_challenge_method: undefined })).toBe('invalid_request');
      expect(await errorOf(module, { code_challenge_method: 's256' })).toBe('invalid_request');
      expect(await errorOf(module, { code_challenge: undefined })).toBe('invalid_request');
    }
  });

  it('OAU-04 malformed challenges are refused', async () => {
    for (const code_challenge of ['', 'short', 'c'.repeat(129), `${'c'.repeat(42)}=`, `${'c'.repeat(42)}\u00e4`])
      expect(await errorOf(world.module, { code_challenge })).toBe('invalid_request');
  });

  it('OAU-04 a client that must use PKCE, public or not, gets nowhere without it', async () => {
    expect(await errorOf(publicClient, without)).toBe('invalid_request');
    expect(await errorOf(world.module, without)).toBe('invalid_request');
  });

  it('OAU-04 a public client cannot be registered without', async () => {
    const metadata = {
      redirect_uris: ['https://spa.example/callback'],
      token_endpoint_auth_method: 'none',
      require_pkce: false,
    };
    await expect(
      createModule(world.app.operator(), { name: 'SPA', metadata }, world.app.runtime.complaint),
    ).rejects.toMatchObject({ code: 'invalid' });
  });

  it('OAU-05 metadata offers S256 and nothing else', async () => {
    for (const path of ['/.well-known/openid-configuration', '/.well-known/oauth-authorization-server']) {
      const { body } = await call(world.app, path);
      expect(body.code_challenge_methods_supported).toEqual(['S256']);
    }
  });
});
