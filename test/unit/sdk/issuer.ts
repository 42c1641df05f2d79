import { createHash, createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

/**
 * An OpenID provider reduced to what a module sees of one: three addresses and the keys behind its signatures.
 * It signs whatever it is told to, so that tests can send a module what no honest provider would.
 */
export const ISSUER = 'https://login.example.com';
export const CLIENT = 'workplace';

export type Json = Record<string, unknown>;

export interface SigningKey {
  kid: string;
  alg: 'RS256' | 'ES256' | 'EdDSA';
  privateKey: KeyObject;
  publicKey: KeyObject;
  jwk: Json;
}

export function createKey(kid: string, alg: SigningKey['alg'], modulusLength = 2048): SigningKey {
  const pair =
    alg === 'RS256'
      ? generateKeyPairSync('rsa', { modulusLength })
      : alg === 'ES256'
        ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
        : generateKeyPairSync('ed25519');
  const jwk = { ...pair.publicKey.export({ format: 'jwk' }), kid, alg, use: 'sig' };
  return { kid, alg, ...pair, jwk };
}

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** Signs by the key's own algorithm, whatever the header says: the header is the caller's. */
export function signToken(key: SigningKey, claims: Json, header: Json = {}): string {
  const data = `${encode({ alg: key.alg, kid: key.kid, typ: 'JWT', ...header })}.${encode(claims)}`;
  const hash = key.alg === 'EdDSA' ? null : 'sha256';
  const signature = sign(hash, Buffer.from(data), { key: key.privateKey, dsaEncoding: 'ieee-p1363' });
  return `${data}.${signature.toString('base64url')}`;
}

/** The classic forgery: HMAC with the text of the public key as its secret. */
export function signWithHmac(secret: string | Buffer, claims: Json, header: Json): string {
  const data = `${encode({ alg: 'HS256', typ: 'JWT', ...header })}.${encode(claims)}`;
  return `${data}.${createHmac('sha256', secret).update(data).digest('base64url')}`;
}

export function leftHalf(text: string, hash: 'sha256' | 'sha512'): string {
  const digest = createHash(hash).update(text).digest();
  return digest.subarray(0, digest.length / 2).toString('base64url');
}

export interface TokenCall {
  params: URLSearchParams;
  authorization: string | null;
}

const rsa = createKey('rsa-1', 'RS256');

export function createIssuer() {
  const state = {
    now: Date.parse('2026-11-22T10:00:00Z'),
    keys: [rsa.jwk] as Json[],
    metadata: {
      issuer: ISSUER,
      authorization_endpoint: `${ISSUER}/auth`,
      token_endpoint: `${ISSUER}/token`,
      jwks_uri: `${ISSUER}/jwks`,
      end_session_endpoint: `${ISSUER}/logout`,
      authorization_response_iss_parameter_supported: true,
    } as Json,
    /** Answers of the token endpoint, by grant type. */
    tokens: (_call: TokenCall): { status: number; body: Json } | Promise<{ status: number; body: Json }> => ({
      status: 500,
      body: {},
    }),
    isDown: false,
    calls: [] as string[],
    tokenCalls: [] as TokenCall[],
  };

  const answer = (status: number, body: Json) => new Response(JSON.stringify(body), { status });

  async function fetchHere(input: string | URL | Request, init?: RequestInit): Promise<Response> {
    const { pathname } = new URL(String(input));
    state.calls.push(pathname);
    if (state.isDown) throw new TypeError('fetch failed');
    if (pathname === '/.well-known/openid-configuration') return answer(200, state.metadata);
    if (pathname === '/jwks') return answer(200, { keys: state.keys });
    if (pathname !== '/token') return answer(404, {});
    const headers = new Headers(init?.headers);
    const call = { params: new URLSearchParams(String(init?.body)), authorization: headers.get('authorization') };
    state.tokenCalls.push(call);
    const { status, body } = await state.tokens(call);
    return answer(status, body);
  }

  const seconds = () => Math.floor(state.now / 1000);
  return {
    state,
    rsa,
    fetch: fetchHere,
    clock: () => state.now,
    pass: (ms: number) => {
      state.now += ms;
    },
    count: (pathname: string) => state.calls.filter((path) => path === pathname).length,
    idClaims: (more: Json = {}): Json => ({
      iss: ISSUER,
      aud: CLIENT,
      sub: 'person-1',
      iat: seconds(),
      exp: seconds() + 600,
      auth_time: seconds() - 30,
      sid: 'sid-1',
      email: 'ada@example.com',
      email_verified: true,
      name: 'Ada Root',
      given_name: 'Ada',
      family_name: 'Root',
      preferred_username: 'ada',
      zoneinfo: 'Europe/Berlin',
      company_id: 'company-1',
      company_role: 'Root Admin',
      groups: ['Technicians'],
      amr: ['pwd', 'otp'],
      acr: 'mfa',
      ...more,
    }),
    logoutClaims: (more: Json = {}): Json => ({
      iss: ISSUER,
      aud: CLIENT,
      sub: 'person-1',
      sid: 'sid-1',
      iat: seconds(),
      exp: seconds() + 120,
      jti: `jti-${Math.random()}`,
      events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
      ...more,
    }),
  };
}

export type Issuer = ReturnType<typeof createIssuer>;
