import { createHash } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  createMemoryStore,
  createModule,
  type LoginModule,
  localPath,
  ModuleError,
  type ModuleOptions,
  type ModuleSession,
} from '../../../src/sdk/module.ts';
import {
  CLIENT,
  createIssuer,
  createKey,
  ISSUER,
  type Issuer,
  type Json,
  leftHalf,
  signToken,
  signWithHmac,
} from './issuer.ts';

const REDIRECT = 'https://workplace.example.com/callback';
const SECRET = 'a secret of more than thirty-two characters';
let issuer: Issuer;

beforeEach(() => {
  issuer = createIssuer();
});

function createKit(more: Partial<ModuleOptions> = {}): LoginModule {
  return createModule({
    issuer: ISSUER,
    clientId: CLIENT,
    clientSecret: 's3cret/+ %',
    redirectUri: REDIRECT,
    postLogoutRedirectUri: 'https://workplace.example.com/bye',
    secret: SECRET,
    fetch: issuer.fetch,
    clock: issuer.clock,
    ...more,
  });
}

type Forge = (claims: Json) => string;
const honest: Forge = (claims) => signToken(issuer.rsa, claims);

/** Goes the whole way, with an ID token made by `forge` from claims that would be accepted. */
async function signIn(
  kit: LoginModule,
  { forge = honest, start = {}, answer = {}, body = {} as Json }: SignInPlan = {},
) {
  const begun = await kit.startSignIn(start);
  const asked = new URL(begun.url).searchParams;
  issuer.state.tokens = () => {
    const id_token = forge(issuer.idClaims({ nonce: asked.get('nonce') }));
    return { status: 200, body: { access_token: 'at-1', token_type: 'Bearer', expires_in: 60, id_token, ...body } };
  };
  const params: Record<string, string> = { code: 'code-1', state: begun.state, iss: ISSUER, ...answer };
  const finished = await kit.finishSignIn({ params, transaction: begun.transaction });
  return { begun, asked, params, ...finished };
}

interface SignInPlan {
  forge?: Forge;
  start?: Parameters<LoginModule['startSignIn']>[0];
  answer?: Record<string, string>;
  body?: Json;
}

/** The error that a call ends with, in the form `code` or `code reason`. */
async function failure(call: Promise<unknown>): Promise<string> {
  const error = await call.then(
    () => 'no error',
    (reason: unknown) => reason,
  );
  if (!(error instanceof ModuleError)) return String(error);
  return error.reason === null ? error.code : `${error.code} ${error.reason}`;
}

describe('starting to sign in', () => {
  it('asks with PKCE S256, state and nonce, new each time, and keeps the secrets out of the address', async () => {
    const kit = createKit();
    const first = await kit.startSignIn({
      loginHint: 'ada@acme',
      prompt: 'login',
      maxAge: 300,
      acrValues: ['mfa', 'pwd'],
      uiLocales: ['de', 'en'],
    });
    const second = await kit.startSignIn();
    const asked = Object.fromEntries(new URL(first.url).searchParams);
    expect(first.url.startsWith(`${ISSUER}/auth?`)).toBe(true);
    expect(asked).toMatchObject({
      client_id: CLIENT,
      redirect_uri: REDIRECT,
      response_type: 'code',
      scope: 'openid profile email',
      code_challenge_method: 'S256',
      login_hint: 'ada@acme',
      prompt: 'login',
      max_age: '300',
      acr_values: 'mfa pwd',
      ui_locales: 'de en',
    });
    const again = new URL(second.url).searchParams;
    for (const name of ['state', 'nonce', 'code_challenge']) {
      expect(asked[name]).toMatch(/^[\w-]{43}$/);
      expect(asked[name]).not.toBe(again.get(name));
    }
    expect(Buffer.from(first.transaction, 'base64url').toString('latin1')).not.toContain(asked.nonce);
  });

  it('exchanges the code with the verifier of the challenge and client_secret_basic (RFC 6749 2.3.1)', async () => {
    const { asked } = await signIn(createKit());
    const [call] = issuer.state.tokenCalls;
    expect(Object.fromEntries(call?.params ?? [])).toMatchObject({
      grant_type: 'authorization_code',
      code: 'code-1',
      redirect_uri: REDIRECT,
    });
    const verifier = call?.params.get('code_verifier') ?? '';
    expect(createHash('sha256').update(verifier).digest('base64url')).toBe(asked.get('code_challenge'));
    expect(call?.authorization).toBe(`Basic ${Buffer.from('workplace:s3cret%2F%2B+%25').toString('base64')}`);
    expect(call?.params.has('client_id')).toBe(false);
  });

  it('names itself in the body when it is a public client', async () => {
    const { clientSecret: _, ...options } = { ...publicOptions() };
    await signIn(createModule(options));
    expect(issuer.state.tokenCalls[0]?.params.get('client_id')).toBe(CLIENT);
    expect(issuer.state.tokenCalls[0]?.authorization).toBeNull();
  });

  const publicOptions = (): ModuleOptions => ({
    issuer: ISSUER,
    clientId: CLIENT,
    clientSecret: 'dropped',
    redirectUri: REDIRECT,
    secret: SECRET,
    fetch: issuer.fetch,
    clock: issuer.clock,
  });

  it.each([
    ['a short secret', { secret: 'short' }],
    ['no secret at all', { secret: [] }],
    ['plain http to another machine', { issuer: 'http://login.example.com' }],
    ['an issuer with a query', { issuer: `${ISSUER}?tenant=1` }],
    ['a callback that is no address', { redirectUri: '/callback' }],
    ['a callback with credentials', { redirectUri: 'https://a:b@workplace.example.com/callback' }],
    ['an empty client id', { clientId: '' }],
    ['a cookie name with a semicolon', { cookieName: 'a;b' }],
  ] as const)('refuses to be set up with %s', (_, options) => {
    expect(() => createKit(options)).toThrow(expect.objectContaining({ code: 'configuration' }));
  });

  it.each(['http://localhost:3000', 'http://127.0.0.1:3000', 'http://[::1]:3000'])(
    'takes http on this machine: %s',
    (url) => {
      expect(() => createKit({ issuer: url, redirectUri: `${url}/callback` })).not.toThrow();
    },
  );
});

describe('the metadata', () => {
  it.each([
    ['another issuer', 'https://evil.example.com'],
    ['the issuer with a slash more', `${ISSUER}/`],
    ['no issuer', undefined],
  ])('are refused when they name %s (OpenID Connect Discovery 4.3)', async (_, value) => {
    issuer.state.metadata.issuer = value;
    expect(await failure(createKit().startSignIn())).toBe('provider_metadata');
  });

  it('are refused when an https issuer points to plain http', async () => {
    issuer.state.metadata.authorization_endpoint = 'http://login.example.com/auth';
    expect(await failure(createKit().startSignIn())).toBe('provider_metadata');
  });

  it('are fetched once for many, again after an hour, and kept when the provider is away', async () => {
    const kit = createKit();
    await Promise.all(Array.from({ length: 20 }, () => kit.startSignIn()));
    expect(issuer.count('/.well-known/openid-configuration')).toBe(1);
    issuer.pass(61 * 60_000);
    issuer.state.isDown = true;
    await kit.startSignIn();
    expect(issuer.count('/.well-known/openid-configuration')).toBe(2);
    issuer.pass(24 * 3_600_000);
    expect(await failure(kit.startSignIn())).toBe('provider_unavailable');
  });
});

describe('finishing to sign in', () => {
  it('answers who it is, with the claims of D.5 step 7, and where to go on', async () => {
    const { user, tokens, returnTo } = await signIn(createKit(), {
      start: { returnTo: '/projects?open=1#top' },
      body: { refresh_token: 'rt-1', scope: 'openid email' },
    });
    expect(user).toEqual({
      access: null,
      sub: 'person-1',
      email: 'ada@example.com',
      emailVerified: true,
      name: 'Ada Root',
      givenName: 'Ada',
      familyName: 'Root',
      preferredUsername: 'ada',
      zoneinfo: 'Europe/Berlin',
      companyId: 'company-1',
      companyRole: 'Root Admin',
      groups: ['Technicians'],
      amr: ['pwd', 'otp'],
      acr: 'mfa',
      authTime: issuer.state.now - 30_000,
      sid: 'sid-1',
    });
    expect(tokens).toMatchObject({ accessToken: 'at-1', refreshToken: 'rt-1', expiresAt: issuer.state.now + 60_000 });
    expect(returnTo).toBe('/projects?open=1#top');
  });

  it.each([
    ['the text "true"', 'true', false],
    ['the number 1', 1, false],
    ['nothing', undefined, false],
    ['true', true, true],
  ])('takes an address as verified only for true, not for %s (C28)', async (_, email_verified, expected) => {
    const { user } = await signIn(createKit(), { forge: (claims) => honest({ ...claims, email_verified }) });
    expect(user.emailVerified).toBe(expected);
  });

  it('takes the address that was called as well as its parameters', async () => {
    const kit = createKit();
    const { begun, params } = await signIn(kit);
    const url = `/callback?${new URLSearchParams(params)}`;
    // The same answer again: found in the address, and known as used.
    expect(await failure(kit.finishSignIn({ url, transaction: begun.transaction }))).toBe('transaction_used');
  });

  it.each<[string, Record<string, string>, string]>([
    ['another state', { state: 'other' }, 'state_mismatch'],
    ['an empty state', { state: '' }, 'state_mismatch'],
    ['another issuer, a mix-up (OAU-09)', { iss: 'https://evil.example.com' }, 'issuer_mismatch'],
    ['another issuer in an error answer (OAU-09)', { iss: 'https://evil.example.com', error: 'x' }, 'issuer_mismatch'],
    ['no code', { code: '' }, 'response_invalid'],
    ['access_denied', { error: 'access_denied' }, 'access_denied'],
    ['login_required', { error: 'login_required' }, 'login_required'],
    ['interaction_required', { error: 'interaction_required' }, 'login_required'],
    ['temporarily_unavailable', { error: 'temporarily_unavailable' }, 'provider_unavailable'],
    ['another error', { error: 'invalid_scope' }, 'provider_error'],
    ['an error with the state of another', { error: 'access_denied', state: 'other' }, 'state_mismatch'],
  ])('refuses an answer with %s', async (_, answer, code) => {
    expect(await failure(signIn(createKit(), { answer }))).toBe(code);
    expect(issuer.state.tokenCalls).toHaveLength(0);
  });

  it('wants iss where the provider promises it, and does without where not (OAU-09, RFC 9207 2.4)', async () => {
    const call = async (kit: LoginModule) => {
      const begun = await kit.startSignIn();
      return failure(kit.finishSignIn({ params: { code: 'c', state: begun.state }, transaction: begun.transaction }));
    };
    expect(await call(createKit())).toBe('issuer_mismatch');
    issuer.state.metadata.authorization_response_iss_parameter_supported = false;
    expect(await call(createKit())).toBe('provider_unavailable');
  });

  it.each(['code', 'state', 'iss', 'error'])('refuses %s twice (RFC 6749 3.1)', async (name) => {
    const kit = createKit();
    const { transaction, state } = await kit.startSignIn();
    const params = new URLSearchParams({ code: 'c', state, iss: ISSUER });
    if (name === 'error') params.append(name, 'access_denied');
    params.append(name, params.get(name) ?? '');
    expect(await failure(kit.finishSignIn({ params, transaction }))).toBe('response_invalid');
  });

  it('keeps markup and line ends of an error out of its own words', async () => {
    const kit = createKit();
    const { transaction, state } = await kit.startSignIn();
    const params = { error: `<script>\r\n${'x'.repeat(500)}`, state, iss: ISSUER };
    const error = await kit.finishSignIn({ params, transaction }).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'provider_error' });
    expect((error as ModuleError).providerError).toMatch(/^[\x21-\x7e]{60}$/);
  });

  it.each<[string, number, Json, string]>([
    ['invalid_grant', 400, { error: 'invalid_grant' }, 'grant_refused'],
    ['invalid_client', 401, { error: 'invalid_client' }, 'client_refused'],
    ['unauthorized_client', 400, { error: 'unauthorized_client' }, 'client_refused'],
    ['something else', 400, { error: 'invalid_request' }, 'provider_error'],
    ['503', 503, {}, 'provider_unavailable'],
    ['429', 429, { error: 'slow_down' }, 'provider_unavailable'],
    ['a redirect', 302, {}, 'provider_error'],
    ['no ID token', 200, { access_token: 'a', token_type: 'Bearer' }, 'provider_error'],
    ['no access token', 200, { token_type: 'Bearer', id_token: 'x' }, 'provider_error'],
    ['a token bound to a key', 200, { access_token: 'a', token_type: 'DPoP', id_token: 'x' }, 'provider_error'],
  ])('tells a token endpoint that answers %s', async (_, status, body, code) => {
    const kit = createKit();
    const { transaction, state } = await kit.startSignIn();
    issuer.state.tokens = () => ({ status, body });
    const params = { code: 'c', state, iss: ISSUER };
    expect(await failure(kit.finishSignIn({ params, transaction }))).toBe(code);
  });
});

describe('the transaction', () => {
  const finish = (kit: LoginModule, state: string, transaction: string | undefined) =>
    failure(kit.finishSignIn({ params: { code: 'c', state, iss: ISSUER }, transaction }));

  it('is missing in a browser that did not begin (login CSRF, WEB-06)', async () => {
    const kit = createKit();
    const { state } = await kit.startSignIn();
    expect(await finish(kit, state, undefined)).toBe('transaction_missing');
    expect(await finish(kit, state, (await kit.startSignIn()).transaction)).toBe('state_mismatch');
  });

  it('cannot be changed: not one of its characters', async () => {
    const kit = createKit();
    const { state, transaction } = await kit.startSignIn();
    for (let at = 0; at < transaction.length; at += 17) {
      const other = transaction[at] === 'A' ? 'B' : 'A';
      expect(await finish(kit, state, transaction.slice(0, at) + other + transaction.slice(at + 1))).toBe(
        'transaction_invalid',
      );
    }
    for (const text of ['x', transaction.slice(0, 20), `${transaction}${'A'.repeat(9000)}`, '{}']) {
      expect(await finish(kit, state, text)).toBe('transaction_invalid');
    }
  });

  it('belongs to one module and one secret; a list of secrets rotates', async () => {
    const { state, transaction } = await createKit().startSignIn();
    const foreign = 'another secret of more than thirty-two characters';
    expect(await finish(createKit({ secret: foreign }), state, transaction)).toBe('transaction_invalid');
    expect(await finish(createKit({ clientId: 'helpdesk' }), state, transaction)).toBe('transaction_invalid');
    expect(await finish(createKit({ secret: [foreign, SECRET] }), state, transaction)).toBe('provider_unavailable');
  });

  it('ends after half an hour', async () => {
    const kit = createKit();
    const { state, transaction } = await kit.startSignIn();
    issuer.pass(30 * 60_000 - 1);
    expect(await finish(kit, state, transaction)).toBe('provider_unavailable');
    const late = await kit.startSignIn();
    issuer.pass(30 * 60_000);
    expect(await finish(kit, late.state, late.transaction)).toBe('transaction_expired');
  });

  it('serves once, also for ten answers at the same moment', async () => {
    const kit = createKit();
    const { asked, begun, params } = await signIn(kit);
    expect(asked.get('state')).toBe(begun.state);
    const fresh = await kit.startSignIn();
    const nonce = new URL(fresh.url).searchParams.get('nonce');
    issuer.state.tokens = () => ({
      status: 200,
      body: { access_token: 'a', token_type: 'Bearer', id_token: honest(issuer.idClaims({ nonce })) },
    });
    const call = () =>
      failure(kit.finishSignIn({ params: { ...params, state: fresh.state }, transaction: fresh.transaction }));
    const ends = await Promise.all(Array.from({ length: 10 }, call));
    expect(ends.filter((end) => end === 'no error')).toHaveLength(1);
    expect(ends.filter((end) => end === 'transaction_used')).toHaveLength(9);
  });
});

describe('an ID token', () => {
  const rsa = () => issuer.rsa;
  const part = (claims: Json, at: number) => honest(claims).split('.')[at] ?? '';
  const claim =
    (more: Json): Forge =>
    (claims) =>
      honest({ ...claims, ...more });
  const head =
    (header: Json): Forge =>
    (claims) =>
      signToken(rsa(), claims, header);
  const now = () => Math.floor(issuer.state.now / 1000);
  const json = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

  const rows: [string, Forge, string][] = [
    ['alg none without a signature', (c) => `${json({ alg: 'none' })}.${json(c)}.`, 'format'],
    ['alg none with the old signature', (c) => `${json({ alg: 'none' })}.${json(c)}.${part(c, 2)}`, 'algorithm'],
    ['alg None', (c) => `${json({ alg: 'None' })}.${json(c)}.${part(c, 2)}`, 'algorithm'],
    ['no alg', head({ alg: undefined }), 'algorithm'],
    ['alg as a list', head({ alg: ['RS256'] }), 'algorithm'],
    ['a name of every object as alg', head({ alg: 'constructor' }), 'algorithm'],
    ['RS512', head({ alg: 'RS512' }), 'algorithm'],
    ['PS256', head({ alg: 'PS256' }), 'algorithm'],
    ['HS256 keyed with the public key', (c) => signWithHmac(pem(), c, { kid: 'rsa-1' }), 'algorithm'],
    ['HS256 said to be RS256', (c) => signWithHmac(pem(), c, { alg: 'RS256', kid: 'rsa-1' }), 'signature'],
    ['ES256 for an RSA key', head({ alg: 'ES256' }), 'key'],
    ['its own key', (c) => signToken(stranger(), c, { jwk: stranger().jwk }), 'header'],
    ['jku', head({ jku: `${ISSUER}/jwks` }), 'header'],
    ['x5u', head({ x5u: `${ISSUER}/cert` }), 'header'],
    ['x5c', head({ x5c: ['MIIB'] }), 'header'],
    ['crit', head({ crit: ['exp'] }), 'header'],
    ['crit and b64', head({ crit: ['b64'], b64: false }), 'header'],
    ['kid as a number', head({ kid: 1 }), 'key'],
    ['an unknown kid', head({ kid: 'gone' }), 'key'],
    ['the kid of a good key, signed by another', (c) => signToken(stranger(), c, { kid: 'rsa-1' }), 'signature'],
    ['the type of an access token', head({ typ: 'at+jwt' }), 'type'],
    ['the type of a logout token', head({ typ: 'logout+jwt' }), 'type'],
    ['a type that is no text', head({ typ: 7 }), 'type'],
    ['an event inside', claim({ events: {} }), 'type'],
    ['a changed payload', (c) => `${part(c, 0)}.${json({ ...c, sub: 'root' })}.${part(c, 2)}`, 'signature'],
    ['a changed header', (c) => `${json({ alg: 'RS256', kid: 'rsa-1' })}.${part(c, 1)}.${part(c, 2)}`, 'signature'],
    ['half a signature', (c) => `${part(c, 0)}.${part(c, 1)}.${part(c, 2).slice(0, 40)}`, 'signature'],
    ['a signature in ordinary base64', (c) => `${part(c, 0)}.${part(c, 1)}.${part(c, 2)}=`, 'format'],
    ['five parts, as if encrypted', (c) => `${honest(c)}.a.b`, 'format'],
    ['a payload that is a list', (c) => signToken(rsa(), [c] as unknown as Json), 'format'],
    ['a header that is no JSON', (c) => `e30e30.${part(c, 1)}.${part(c, 2)}`, 'format'],
    ['40,000 characters', claim({ filler: 'x'.repeat(40_000) }), 'format'],
    ['another issuer', claim({ iss: 'https://evil.example.com' }), 'issuer'],
    ['the issuer with a slash', claim({ iss: `${ISSUER}/` }), 'issuer'],
    ['no issuer', claim({ iss: undefined }), 'issuer'],
    ['another audience', claim({ aud: 'helpdesk' }), 'audience'],
    ['no audience', claim({ aud: undefined }), 'audience'],
    ['an empty list of audiences', claim({ aud: [] }), 'audience'],
    ['a second audience', claim({ aud: [CLIENT, 'helpdesk'], azp: CLIENT }), 'audience'],
    ['another azp', claim({ azp: 'helpdesk' }), 'audience'],
    ['no sub', claim({ sub: undefined }), 'subject'],
    ['a number as sub', claim({ sub: 1 }), 'subject'],
    ['no exp', claim({ exp: undefined }), 'expired'],
    ['exp as a text', claim({ exp: '9999999999' }), 'expired'],
    ['expired for 120 s', (c) => honest({ ...c, exp: now() - 120 }), 'expired'],
    ['no iat', claim({ iat: undefined }), 'not_yet_valid'],
    ['iat in 121 s', (c) => honest({ ...c, iat: now() + 121 }), 'not_yet_valid'],
    ['nbf in 121 s', (c) => honest({ ...c, nbf: now() + 121 }), 'not_yet_valid'],
    ['nbf as a text', claim({ nbf: '0' }), 'not_yet_valid'],
    ['no nonce', claim({ nonce: undefined }), 'nonce'],
    ['the nonce of another sign-in', claim({ nonce: 'other' }), 'nonce'],
    ['the hash of another access token', claim({ at_hash: leftHalf('at-2', 'sha256') }), 'at_hash'],
    ['at_hash as a number', claim({ at_hash: 1 }), 'at_hash'],
  ];
  const pem = () => issuer.rsa.publicKey.export({ type: 'spki', format: 'pem' });
  const foreign = createKey('stranger', 'RS256');
  const stranger = () => foreign;

  it.each(rows)('is refused with %s (OAU-16, OAU-20)', async (_, forge, reason) => {
    expect(await failure(signIn(createKit(), { forge }))).toBe(`token_invalid ${reason}`);
  });

  it.each<[string, Forge]>([
    ['one audience in a list', claim({ aud: [CLIENT] })],
    ['azp that is us', claim({ azp: CLIENT })],
    ['no typ', head({ typ: undefined })],
    ['typ in small letters', head({ typ: 'jwt' })],
    ['expired for 119 s', (c) => honest({ ...c, exp: now() - 119 })],
    ['iat in 120 s', (c) => honest({ ...c, iat: now() + 120 })],
    ['nbf in 120 s', (c) => honest({ ...c, nbf: now() + 120 })],
    ['a provider whose clock is 90 s behind', (c) => honest({ ...c, iat: now() - 90, exp: now() - 80 })],
    ['the hash of its access token', claim({ at_hash: leftHalf('at-1', 'sha256') })],
    ['no kid while there is one key', head({ kid: undefined })],
  ])('is taken with %s', async (_, forge) => {
    expect((await signIn(createKit(), { forge })).user.sub).toBe('person-1');
  });

  it.each(['RS256', 'ES256', 'EdDSA'] as const)('is taken when signed by %s, at_hash included', async (alg) => {
    const key = createKey('other', alg);
    issuer.state.keys = [issuer.rsa.jwk, key.jwk];
    const at_hash = leftHalf('at-1', alg === 'EdDSA' ? 'sha512' : 'sha256');
    const { user } = await signIn(createKit(), { forge: (claims) => signToken(key, { ...claims, at_hash }) });
    expect(user.sub).toBe('person-1');
    const spoilt: Forge = (claims) => signToken(key, claims).replace(/.{8}$/, 'AAAAAAAA');
    expect(await failure(signIn(createKit(), { forge: spoilt }))).toMatch(/signature|format/);
  });

  it('is taken under the newer name of EdDSA (RFC 9864)', async () => {
    const key = createKey('ed', 'EdDSA');
    issuer.state.keys = [{ ...key.jwk, alg: 'Ed25519' }];
    const forge: Forge = (claims) => signToken(key, claims, { alg: 'Ed25519' });
    expect((await signIn(createKit(), { forge })).user.sub).toBe('person-1');
  });

  it.each<[string, () => Json[], string]>([
    ['two keys share a kid (OAU-20)', () => [rsa().jwk, { ...stranger().jwk, kid: 'rsa-1' }], 'ambiguous'],
    ['the key is for encryption', () => [{ ...rsa().jwk, use: 'enc' }], 'unknown'],
    ['the key is for another algorithm', () => [{ ...rsa().jwk, alg: 'PS256' }], 'unknown'],
    ['the key is too short', () => [createKey('rsa-1', 'RS256', 1024).jwk], 'unknown'],
    ['the key is secret', () => [{ kty: 'oct', k: 'c2VjcmV0', kid: 'rsa-1' }], 'unknown'],
    ['the key is broken', () => [{ kty: 'RSA', n: '!', e: '', kid: 'rsa-1' }, 7 as unknown as Json], 'unknown'],
  ])('is refused when %s', async (_, keys, words) => {
    issuer.state.keys = keys();
    const error = await signIn(createKit()).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'token_invalid', reason: 'key' });
    expect(String(error)).toContain(words);
  });

  it('is refused without a kid while there are two keys (OpenID Connect Core 10.1)', async () => {
    issuer.state.keys = [rsa().jwk, stranger().jwk];
    expect(await failure(signIn(createKit(), { forge: head({ kid: undefined }) }))).toBe('token_invalid key');
  });
});

describe('max_age and prompt=login (OAU-23)', () => {
  const auth =
    (seconds: number | undefined): Forge =>
    (claims) =>
      honest({ ...claims, auth_time: seconds === undefined ? undefined : issuer.state.now / 1000 - seconds });

  it.each<[string, SignInPlan, string]>([
    ['auth_time within max_age', { start: { maxAge: 300 }, forge: auth(300) }, 'no error'],
    ['auth_time within max_age and skew', { start: { maxAge: 300 }, forge: auth(360) }, 'no error'],
    ['auth_time before that', { start: { maxAge: 300 }, forge: auth(361) }, 'token_invalid auth_time'],
    ['max_age without auth_time', { start: { maxAge: 300 }, forge: auth(undefined) }, 'token_invalid auth_time'],
    ['prompt=login, logged in just now', { start: { prompt: 'login' }, forge: auth(0) }, 'no error'],
    ['prompt=login, an old login', { start: { prompt: 'login' }, forge: auth(61) }, 'token_invalid auth_time'],
    ['neither asked, an old login', { forge: auth(9000) }, 'no error'],
  ])('%s', async (_, plan, expected) => {
    expect(await failure(signIn(createKit(), plan))).toBe(expected);
  });

  it.each([-90, 90])('hold when the clocks are %d s apart', async (apart) => {
    const byProvider = (auth: number) => (claims: Json) =>
      honest({ ...claims, iat: Number(claims.iat) + apart, auth_time: Number(claims.iat) + apart - auth });
    expect(await failure(signIn(createKit(), { start: { prompt: 'login' }, forge: byProvider(0) }))).toBe('no error');
    const old = signIn(createKit(), { start: { prompt: 'login' }, forge: byProvider(61) });
    expect(await failure(old)).toBe('token_invalid auth_time');
  });

  it('allow the person to take a while after logging in', async () => {
    const kit = createKit();
    const begun = await kit.startSignIn({ maxAge: 0 });
    issuer.pass(10 * 60_000);
    const nonce = new URL(begun.url).searchParams.get('nonce');
    const id_token = honest(issuer.idClaims({ nonce, auth_time: issuer.state.now / 1000 - 300 }));
    issuer.state.tokens = () => ({ status: 200, body: { access_token: 'a', token_type: 'bearer', id_token } });
    const params = { code: 'c', state: begun.state, iss: ISSUER };
    expect(await failure(kit.finishSignIn({ params, transaction: begun.transaction }))).toBe('no error');
  });
});

describe('key rotation (OAU-21)', () => {
  it('fetches the keys again for an unknown kid, and then verifies old and new', async () => {
    const kit = createKit();
    await signIn(kit);
    const next = createKey('rsa-2', 'RS256');
    issuer.state.keys = [issuer.rsa.jwk, next.jwk];
    issuer.pass(11_000);
    expect((await signIn(kit, { forge: (claims) => signToken(next, claims) })).user.sub).toBe('person-1');
    expect((await signIn(kit)).user.sub).toBe('person-1');
    expect(issuer.count('/jwks')).toBe(2);
  });

  it('does not let forged key ids flood the provider', async () => {
    const kit = createKit();
    await signIn(kit);
    issuer.pass(11_000);
    const forge = (at: number) =>
      kit.receiveLogoutToken({
        logout_token: signToken(issuer.rsa, issuer.logoutClaims(), { typ: 'logout+jwt', kid: `forged-${at}` }),
      });
    const atOnce = await Promise.all(Array.from({ length: 50 }, (_, at) => forge(at)));
    expect(atOnce.every(({ status }) => status === 400)).toBe(true);
    for (let at = 50; at < 60; at += 1) expect((await forge(at)).status).toBe(400);
    expect(issuer.count('/jwks')).toBe(2);
    await signIn(kit);
  });

  it('goes on with the keys it has while the provider is away, for an hour', async () => {
    const kit = createKit();
    await signIn(kit);
    const logout = () =>
      kit.receiveLogoutToken({ logout_token: signToken(issuer.rsa, issuer.logoutClaims(), { typ: 'logout+jwt' }) });
    issuer.state.isDown = true;
    issuer.pass(30 * 60_000);
    expect((await logout()).status).toBe(200);
    issuer.pass(31 * 60_000);
    expect(await logout()).toMatchObject({ status: 400, error: { code: 'provider_unavailable' } });
  });
});

describe('third-party-initiated login (OpenID Connect Core 4)', () => {
  it('starts at the provider with the opaque hint, and comes back to the page that was asked for', async () => {
    const kit = createKit();
    const { url, transaction, state } = await kit.initiateLogin({
      iss: ISSUER,
      login_hint: 'opaque~1',
      target_link_uri: 'https://workplace.example.com/tickets?id=7',
    });
    const asked = new URL(url).searchParams;
    expect(asked.get('login_hint')).toBe('opaque~1');
    const id_token = honest(issuer.idClaims({ nonce: asked.get('nonce') }));
    issuer.state.tokens = () => ({ status: 200, body: { access_token: 'a', token_type: 'Bearer', id_token } });
    const finished = await kit.finishSignIn({ params: { code: 'c', state, iss: ISSUER }, transaction });
    expect(finished.returnTo).toBe('/tickets?id=7');
  });

  it.each([
    ['another issuer', `iss=${encodeURIComponent('https://evil.example.com')}`, 'initiation_refused'],
    ['no issuer', 'login_hint=x', 'initiation_refused'],
    ['two issuers', `iss=${ISSUER}&iss=${ISSUER}`, 'response_invalid'],
  ])('refuses %s', async (_, query, code) => {
    expect(await failure(createKit().initiateLogin(query))).toBe(code);
  });
});

const ELSEWHERE = [
  '//evil.example.com',
  '///evil.example.com',
  '/\\evil.example.com',
  '\\\\evil.example.com',
  '/\t/evil.example.com',
  '/\n/evil.example.com',
  '/%2f%2fevil.example.com',
  '%2f%2fevil.example.com',
  '/%5cevil.example.com',
  '/%09/evil.example.com',
  '/.//evil.example.com',
  '/a/..//evil.example.com',
  '/%2e//evil.example.com',
  'https:evil.example.com',
  'https://evil.example.com',
  'https://workplace.example.com.evil.example.com/',
  'https://workplace.example.com@evil.example.com/',
  'javascript:alert(1)',
  'data:text/html,x',
  '/ok\r\nset-cookie: a=b',
  'evil.example.com',
  ' /ok',
  '',
  `/${'a'.repeat(3000)}`,
];

describe('the way back stays in the module (WEB-07)', () => {
  it.each(ELSEWHERE)('%j becomes /', async (value) => {
    expect(localPath(value)).toBe('/');
    expect((await signIn(createKit(), { start: { returnTo: value } })).returnTo).toBe('/');
  });

  it.each(ELSEWHERE)('%j as target_link_uri becomes /', async (target_link_uri) => {
    const kit = createKit();
    const { url, transaction, state } = await kit.initiateLogin({ iss: ISSUER, target_link_uri });
    const nonce = new URL(url).searchParams.get('nonce');
    const id_token = honest(issuer.idClaims({ nonce }));
    issuer.state.tokens = () => ({ status: 200, body: { access_token: 'a', token_type: 'Bearer', id_token } });
    const finished = await kit.finishSignIn({ params: { code: 'c', state, iss: ISSUER }, transaction });
    expect(finished.returnTo).toBe('/');
  });

  it.each([
    ['/', '/'],
    ['/projects', '/projects'],
    ['/a?next=//evil.example.com', '/a?next=//evil.example.com'],
    ['/a?b=%2f%2fc#d', '/a?b=%2f%2fc#d'],
    ['/ü', '/%C3%BC'],
  ])('%s stays %s', (value, expected) => {
    expect(localPath(value)).toBe(expected);
  });
});

describe('sessions', () => {
  const cookieOf = (setCookie: string) => setCookie.split(';')[0] ?? '';

  it('are in a cookie that is __Host-, Secure, HttpOnly, SameSite=Lax and opaque (WEB-01)', async () => {
    const kit = createKit({ cookieName: 'workplace_session' });
    const { setCookie, session } = await kit.sessions.open({ data: { userId: 'u1' } });
    expect(setCookie).toMatch(/^__Host-workplace_session=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax; Secure$/);
    expect(setCookie).not.toContain(session.id);
    expect(await kit.sessions.read(cookieOf(setCookie))).toMatchObject({
      state: 'live',
      session: { data: { userId: 'u1' } },
    });
    const plain = createKit({ issuer: 'http://localhost:1', redirectUri: 'http://localhost:4000/callback' });
    expect((await plain.sessions.open({})).setCookie).toMatch(
      /^module_session=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax$/,
    );
  });

  it('begin under a new id and end the one before (WEB-02)', async () => {
    const kit = createKit();
    const before = await kit.sessions.open({});
    const after = await kit.sessions.open({ replaces: cookieOf(before.setCookie) });
    expect((await kit.sessions.read(cookieOf(before.setCookie))).state).toBe('ended');
    expect((await kit.sessions.read(cookieOf(after.setCookie))).state).toBe('live');
  });

  it('end after half an hour without a request and after twelve hours in any case (WEB-03)', async () => {
    const kit = createKit();
    const idle = cookieOf((await kit.sessions.open({})).setCookie);
    issuer.pass(29 * 60_000);
    expect((await kit.sessions.read(idle)).state).toBe('live');
    issuer.pass(29 * 60_000);
    expect((await kit.sessions.read(idle)).state).toBe('live');
    issuer.pass(30 * 60_000);
    expect(await kit.sessions.read(idle)).toEqual({ state: 'ended', reason: 'idle' });

    const long = cookieOf((await kit.sessions.open({})).setCookie);
    for (let hour = 0; hour < 48; hour += 1) {
      expect((await kit.sessions.read(long)).state).toBe('live');
      issuer.pass(15 * 60_000);
    }
    expect(await kit.sessions.read(long)).toEqual({ state: 'ended', reason: 'expired' });
    issuer.pass(1);
    expect(await kit.sessions.read(long)).toEqual({ state: 'ended', reason: 'expired' });
  });

  it('stand for nothing with a cookie that was made up, and for nothing without one', async () => {
    const kit = createKit();
    expect(await kit.sessions.read('__Host-module_session=made-up')).toEqual({ state: 'ended', reason: 'unknown' });
    for (const header of [undefined, null, '', ';;=;', 'other=1', 'module_session=x']) {
      expect(await kit.sessions.read(header)).toEqual({ state: 'none' });
    }
  });

  it('are bounded in memory: the one used least lately goes', async () => {
    const store = createMemoryStore({ limit: 2 });
    const kit = createKit({ store });
    const [one, two] = [await kit.sessions.open({}), await kit.sessions.open({})];
    issuer.pass(2 * 60_000);
    await kit.sessions.read(cookieOf(one.setCookie));
    await kit.sessions.open({});
    expect((await kit.sessions.read(cookieOf(one.setCookie))).state).toBe('live');
    expect((await kit.sessions.read(cookieOf(two.setCookie))).state).toBe('ended');
  });
});

describe('freshening a session', () => {
  async function openWith(kit: LoginModule, body: Json = { refresh_token: 'rt-1' }): Promise<ModuleSession> {
    const done = await signIn(kit, { body });
    return (await kit.sessions.open({ signIn: done })).session;
  }
  const renewed =
    (claims: Json | null, more: Json = {}) =>
    () => ({
      status: 200,
      body: {
        access_token: 'at-2',
        token_type: 'Bearer',
        expires_in: 60,
        ...(claims ? { id_token: honest(issuer.idClaims(claims)) } : {}),
        ...more,
      },
    });

  it('asks nobody while the access token is good, or when there is no refresh token', async () => {
    const kit = createKit();
    const session = await openWith(kit);
    expect(await kit.sessions.freshen(session)).toEqual({ state: 'live', session });
    const without = await openWith(kit, {});
    issuer.pass(3_600_000);
    expect(await kit.sessions.freshen(without)).toEqual({ state: 'live', session: without });
    expect(issuer.state.tokenCalls.filter(({ params }) => params.get('grant_type') === 'refresh_token')).toEqual([]);
  });

  it('renews tokens and claims, keeps the rotated refresh token, and asks once for twenty requests', async () => {
    const kit = createKit();
    const session = await openWith(kit);
    issuer.state.tokens = renewed(
      { groups: ['Admins'], company_role: 'Admin', sid: undefined },
      { refresh_token: 'rt-2' },
    );
    issuer.pass(31_000);
    const readings = await Promise.all(Array.from({ length: 20 }, () => kit.sessions.freshen(session)));
    expect(issuer.state.tokenCalls).toHaveLength(2);
    expect(issuer.state.tokenCalls[1]?.params.get('refresh_token')).toBe('rt-1');
    for (const reading of readings) {
      expect(reading).toMatchObject({
        state: 'live',
        session: {
          tokens: { accessToken: 'at-2', refreshToken: 'rt-2' },
          user: { groups: ['Admins'], companyRole: 'Admin', sid: 'sid-1' },
        },
      });
    }
    // The same old object again: what is stored counts, so the spent refresh token is not sent twice.
    await kit.sessions.freshen(session);
    expect(issuer.state.tokenCalls).toHaveLength(2);
  });

  it('takes an answer without ID token and without a new refresh token (OpenID Connect Core 12.2)', async () => {
    const kit = createKit();
    const session = await openWith(kit);
    issuer.state.tokens = renewed(null);
    issuer.pass(31_000);
    expect(await kit.sessions.freshen(session)).toMatchObject({
      state: 'live',
      session: { tokens: { accessToken: 'at-2', refreshToken: 'rt-1', idToken: session.tokens?.idToken } },
    });
  });

  it.each<[string, () => { status: number; body: Json }]>([
    ['invalid_grant', () => ({ status: 400, body: { error: 'invalid_grant' } })],
    ['an ID token of another person', renewedLater({ sub: 'person-2' })],
    ['an ID token with another nonce', renewedLater({ nonce: 'other' })],
    ['an ID token of another issuer', renewedLater({ iss: 'https://evil.example.com' })],
  ])('ends the session on %s', async (_, tokens) => {
    const kit = createKit();
    const { session, setCookie } = await kit.sessions.open({
      signIn: await signIn(kit, { body: { refresh_token: 'r' } }),
    });
    issuer.state.tokens = tokens;
    issuer.pass(31_000);
    expect(await kit.sessions.freshen(session)).toEqual({ state: 'ended', reason: 'provider' });
    expect(await kit.sessions.read(setCookie.split(';')[0])).toEqual({ state: 'ended', reason: 'provider' });
  });

  function renewedLater(claims: Json) {
    return () => renewed(claims)();
  }

  it('leaves the session alone while the provider is away', async () => {
    const kit = createKit();
    const session = await openWith(kit);
    issuer.pass(31_000);
    issuer.state.isDown = true;
    expect(await failure(kit.sessions.freshen(session))).toBe('provider_unavailable');
    issuer.state.isDown = false;
    issuer.state.tokens = renewed({});
    expect((await kit.sessions.freshen(session)).state).toBe('live');
  });

  it('keeps the rotated tokens when only the keys cannot be had, since the old ones are spent', async () => {
    const kit = createKit();
    const session = await openWith(kit);
    const next = createKey('rsa-2', 'RS256');
    issuer.state.tokens = () => {
      issuer.state.isDown = true;
      const id_token = signToken(next, issuer.idClaims());
      const body = { access_token: 'at-2', token_type: 'Bearer', expires_in: 60, refresh_token: 'rt-2', id_token };
      return { status: 200, body };
    };
    issuer.pass(31_000);
    expect(await kit.sessions.freshen(session)).toMatchObject({
      state: 'live',
      session: { tokens: { refreshToken: 'rt-2', idToken: session.tokens?.idToken }, user: session.user },
    });
  });

  it('does not bring back a session that was ended meanwhile', async () => {
    const kit = createKit();
    const session = await openWith(kit);
    issuer.pass(31_000);
    issuer.state.tokens = async () => {
      await kit.receiveLogoutToken({
        logout_token: signToken(issuer.rsa, issuer.logoutClaims(), { typ: 'logout+jwt' }),
      });
      return renewed({})();
    };
    expect(await kit.sessions.freshen(session)).toEqual({ state: 'ended', reason: 'provider' });
  });
});

describe('logging out at the provider (OAU-22)', () => {
  it('hands over the ID token, the client, the way back and the state', async () => {
    const kit = createKit();
    const done = await signIn(kit);
    const { session } = await kit.sessions.open({ signIn: done });
    const url = new URL((await kit.logoutUrl(session, { state: 's-1' })) ?? '');
    expect(url.origin + url.pathname).toBe(`${ISSUER}/logout`);
    expect(Object.fromEntries(url.searchParams)).toEqual({
      id_token_hint: done.tokens.idToken,
      client_id: CLIENT,
      post_logout_redirect_uri: 'https://workplace.example.com/bye',
      state: 's-1',
    });
    expect(await kit.logoutUrl((await kit.sessions.open({})).session)).toBeNull();
  });
});

describe('a logout token (Back-Channel Logout 2.6, OAU-20, OAU-22)', () => {
  const logoutToken = (claims: Json, header: Json = {}) =>
    signToken(issuer.rsa, claims, { typ: 'logout+jwt', ...header });
  const post = (kit: LoginModule, claims: Json = {}, header: Json = {}) =>
    kit.receiveLogoutToken(`logout_token=${logoutToken(issuer.logoutClaims(claims), header)}`);

  async function two(kit: LoginModule) {
    const cookies: string[] = [];
    for (const sid of ['sid-1', 'sid-2']) {
      const done = await signIn(kit, { forge: (claims) => honest({ ...claims, sid }) });
      cookies.push((await kit.sessions.open({ signIn: done })).setCookie.split(';')[0] ?? '');
    }
    const states = async () =>
      (await Promise.all(cookies.map((cookie) => kit.sessions.read(cookie)))).map(({ state }) => state);
    return { states, cookies };
  }

  it('with a sid ends that session, and the next request hears why', async () => {
    const kit = createKit();
    const { states, cookies } = await two(kit);
    const answer = await post(kit);
    expect(answer).toMatchObject({ status: 200, headers: { 'cache-control': 'no-store' }, error: null });
    expect(answer.ended).toHaveLength(1);
    expect(await states()).toEqual(['ended', 'live']);
    expect(await kit.sessions.read(cookies[0])).toEqual({ state: 'ended', reason: 'provider' });
  });

  it('with a sub alone ends all sessions of the person, and nobody else', async () => {
    const kit = createKit();
    const { states } = await two(kit);
    const other = await signIn(kit, { forge: (claims) => honest({ ...claims, sub: 'person-2', sid: 'sid-3' }) });
    const { setCookie } = await kit.sessions.open({ signIn: other });
    expect((await post(kit, { sid: undefined })).ended).toHaveLength(2);
    expect(await states()).toEqual(['ended', 'ended']);
    expect((await kit.sessions.read(setCookie.split(';')[0])).state).toBe('live');
  });

  it('that arrives before the sign-in it names is through still ends it', async () => {
    const kit = createKit();
    const done = await signIn(kit);
    expect((await post(kit)).status).toBe(200);
    expect(await failure(kit.sessions.open({ signIn: done }))).toBe('grant_refused');
  });

  it('counts once, also ten times at the same moment', async () => {
    const kit = createKit();
    const { states } = await two(kit);
    const body = { logout_token: logoutToken(issuer.logoutClaims({ sid: undefined, jti: 'one' })) };
    const first = await Promise.all(Array.from({ length: 10 }, () => kit.receiveLogoutToken(body)));
    expect(first.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(await states()).toEqual(['ended', 'ended']);
    const again = await two(kit);
    expect(await kit.receiveLogoutToken(body)).toMatchObject({ status: 400, error: { reason: 'replayed' } });
    expect(await again.states()).toEqual(['live', 'live']);
    issuer.pass(3 * 60_000 - 1);
    expect(await kit.receiveLogoutToken(body)).toMatchObject({ status: 400, error: { reason: /replayed|expired/ } });
    expect(await again.states()).toEqual(['live', 'live']);
  });

  const rows: [string, Json, Json, string][] = [
    ['the type of an ID token', {}, { typ: 'JWT' }, 'type'],
    ['no type', {}, { typ: undefined }, 'type'],
    ['alg none', {}, { alg: 'none' }, 'algorithm'],
    ['another issuer', { iss: 'https://evil.example.com' }, {}, 'issuer'],
    ['another audience', { aud: 'helpdesk' }, {}, 'audience'],
    ['neither sub nor sid', { sub: undefined, sid: undefined }, {}, 'subject'],
    ['no events', { events: undefined }, {}, 'events'],
    ['another event', { events: { 'https://schemas.example.com/other': {} } }, {}, 'events'],
    ['events as a list', { events: ['http://schemas.openid.net/event/backchannel-logout'] }, {}, 'events'],
    [
      'an event that is no object',
      { events: { 'http://schemas.openid.net/event/backchannel-logout': true } },
      {},
      'events',
    ],
    ['a nonce', { nonce: 'n' }, {}, 'nonce'],
    ['no jti', { jti: undefined }, {}, 'jti'],
    ['no iat', { iat: undefined }, {}, 'not_yet_valid'],
    ['no exp', { exp: undefined }, {}, 'expired'],
    ['an exp long past', { exp: 1 }, {}, 'expired'],
  ];
  it.each(rows)('is refused with %s, and ends nothing', async (_, claims, header, reason) => {
    const kit = createKit();
    const { states } = await two(kit);
    const answer = await post(kit, claims, header);
    expect(answer).toMatchObject({ status: 400, ended: [], error: { code: 'token_invalid', reason } });
    expect(answer.headers['cache-control']).toBe('no-store');
    expect(JSON.parse(answer.body)).toMatchObject({ error: 'invalid_request' });
    expect(await states()).toEqual(['live', 'live']);
  });

  it('is no ID token, and an ID token is none', async () => {
    const kit = createKit();
    const { states } = await two(kit);
    expect(await kit.receiveLogoutToken({ logout_token: honest(issuer.idClaims()) })).toMatchObject({ status: 400 });
    expect(await kit.receiveLogoutToken({})).toMatchObject({ status: 400 });
    expect(await kit.receiveLogoutToken('logout_token=a&logout_token=b')).toMatchObject({ status: 400 });
    expect(await states()).toEqual(['live', 'live']);
  });

  it('is answered with 400 when the store fails, so that the provider tries again', async () => {
    const store = { ...createMemoryStore(), deleteBySid: () => Promise.reject(new Error('disk full')) };
    expect(await post(createKit({ store }))).toMatchObject({ status: 400, error: { code: 'provider_unavailable' } });
  });
});
