// OpenID providers as upstreams: one that nobody here wrote (a bare oidc-provider), and one that lies on demand.
import { createHash, createHmac, generateKeyPairSync, type KeyObject, randomUUID, sign } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import Provider from 'oidc-provider';
import { freePort } from './app.ts';

export interface Upstream {
  issuer: string;
  clientId: string;
  clientSecret: string;
  stop(): Promise<void>;
}

async function listen(server: Server, port: number): Promise<void> {
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
}

async function close(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}

export interface ProviderUpstream extends Upstream {
  /** A browser at the upstream: logs the person in without a question, and ends where it would leave for us. */
  authorize(address: string, who?: string): Promise<URL>;
  /** The same browser logs out there, with whatever it is asked on the way. @returns where it would leave for us, or null where it stays */
  logOut(address: string): Promise<URL | null>;
  /** Where it tells of logouts itself. */
  tellLogouts(address: string): Promise<void>;
}

/** @param accounts claims by account id */
export async function startProvider(
  redirectUris: string[],
  accounts: Record<string, Record<string, unknown>>,
  { inIdToken = false, afterLogout = [] }: { inIdToken?: boolean; afterLogout?: string[] } = {},
): Promise<ProviderUpstream> {
  const port = await freePort();
  const issuer = `http://localhost:${port}`;
  const client = { client_id: 'unified-login', client_secret: `secret-${randomUUID()}` };
  const provider = new Provider(issuer, {
    clients: [
      {
        ...client,
        redirect_uris: redirectUris,
        grant_types: ['authorization_code'],
        response_types: ['code'],
        post_logout_redirect_uris: afterLogout,
        backchannel_logout_uri: `${issuer}/nowhere`,
        backchannel_logout_session_required: true,
      },
    ],
    findAccount: (_, id) =>
      accounts[id] ? { accountId: id, claims: async () => ({ sub: id, ...accounts[id] }) } : undefined,
    claims: {
      openid: ['sub'],
      email: ['email', 'email_verified'],
      profile: ['given_name', 'family_name', 'preferred_username', 'groups', 'department'],
    },
    conformIdTokenClaims: !inIdToken,
    pkce: { required: () => true },
    features: { devInteractions: { enabled: false }, backchannelLogout: { enabled: true } },
    interactions: { url: (_, { uid }) => `/log-in/${uid}` },
    cookies: { keys: ['for-a-test'] },
    // Its own refuses this machine, which is where we are.
    fetch: (address, options) => fetch(address, withoutDispatcher(options)),
    async loadExistingGrant(ctx) {
      const grant = new ctx.oidc.provider.Grant({
        clientId: client.client_id,
        accountId: ctx.oidc.session?.accountId ?? '',
      });
      grant.addOIDCScope('openid email profile');
      await grant.save();
      return grant;
    },
  });
  let who = Object.keys(accounts)[0] ?? '';
  const jar = new Map<string, string>();
  const answer = provider.callback();
  const server = createServer((request, response) => {
    if (!request.url?.startsWith('/log-in/')) return void answer(request, response);
    void provider.interactionFinished(request, response, { login: { accountId: who } });
  });
  await listen(server, port);
  return {
    issuer,
    clientId: client.client_id,
    clientSecret: client.client_secret,
    async authorize(address, account) {
      if (account !== undefined) who = account;
      jar.clear();
      const { at, page } = await follow(new URL(address), issuer, jar);
      if (page === null) return at;
      throw new Error(`the upstream stopped: ${page}`);
    },
    async logOut(address) {
      const asked = await follow(new URL(address), issuer, jar);
      const action = /action="([^"]+)"/.exec(asked.page ?? '')?.[1];
      const xsrf = /name="xsrf" value="([^"]+)"/.exec(asked.page ?? '')?.[1] ?? '';
      if (action === undefined) throw new Error(`the upstream asks nothing: ${asked.page}`);
      const body = new URLSearchParams({ xsrf, logout: 'yes' });
      const { at, page } = await follow(new URL(action), issuer, jar, body);
      return page === null ? at : null;
    },
    async tellLogouts(address) {
      const known = await provider.Client.find(client.client_id);
      if (!known) throw new Error('the client is gone');
      Object.assign(known, { backchannelLogoutUri: address });
    },
    stop: () => close(server),
  };
}

/** What the engine adds is not in the type. */
function withoutDispatcher(options: RequestInit | undefined): RequestInit {
  const { dispatcher: _, ...rest } = (options ?? {}) as RequestInit & { dispatcher?: unknown };
  return rest;
}

/** Redirects are followed as long as they stay at the upstream. @returns the page where they end there, or null and where they lead away */
async function follow(
  address: URL,
  origin: string,
  jar: Map<string, string>,
  form?: URLSearchParams,
): Promise<{ at: URL; page: string | null }> {
  let at = address;
  let body = form;
  for (let i = 0; i < 10; i += 1) {
    if (at.origin !== origin) return { at, page: null };
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
    const how = body ? { method: 'POST', body } : {};
    const response = await fetch(at, { ...how, redirect: 'manual', headers: { cookie } });
    body = undefined;
    for (const line of response.headers.getSetCookie()) {
      const [pair = ''] = line.split(';');
      const equals = pair.indexOf('=');
      jar.set(pair.slice(0, equals), pair.slice(equals + 1));
    }
    const location = response.headers.get('location');
    if (location === null) return { at, page: await response.text() };
    at = new URL(location, at);
  }
  throw new Error('the upstream goes round in circles');
}

type Json = Record<string, unknown>;

/** What the liar says; each part may be changed before it is asked. */
export interface Lies {
  metadata: Json;
  header: Json;
  claims: Json;
  userinfo: Json | null;
  /** `unsigned`: an empty signature. `hmac-secret`, `hmac-key`: HS256 with the client secret, or with our view of its public key. */
  signature: 'right' | 'other-key' | 'unsigned' | 'hmac-secret' | 'hmac-key' | 'spoiled';
  token: Json;
  tokenStatus: number;
  /** What is waited for before the code is exchanged. */
  before: (() => Promise<unknown>) | null;
  jwks: Json | null;
  /** Instead of an answer, so many bytes; or none at all. */
  discoveryBytes: number;
  /** Instead of the document, an empty page of this status. */
  discoveryStatus: number | null;
}

export interface Liar extends Upstream {
  lies: Lies;
  /** Codes and verifiers that reached its token endpoint. */
  taken: { code: string; verifier: string }[];
  asked: string[];
  /** The callback as the browser would bring it. */
  callback(address: string, more?: Record<string, string | null>): URL;
  /** As it tells of a logout (Back-Channel Logout 1.0, section 2.4), whom and whose session `claims` say. */
  logoutToken(claims: Json): string;
}

const encode = (value: Json) => Buffer.from(JSON.stringify(value)).toString('base64url');

export async function startLiar(): Promise<Liar> {
  const port = await freePort();
  const issuer = `http://localhost:${port}`;
  const [own, other] = [0, 1].map(() => generateKeyPairSync('rsa', { modulusLength: 2048 })) as [Pair, Pair];
  const jwk = { ...own.publicKey.export({ format: 'jwk' }), kid: 'one', use: 'sig', alg: 'RS256' };
  const clientSecret = 'a-secret-of-the-liar';
  const nonces = new Map<string, string>();
  const lies: Lies = {
    metadata: {},
    header: {},
    claims: {},
    userinfo: null,
    signature: 'right',
    token: {},
    tokenStatus: 200,
    before: null,
    jwks: null,
    discoveryBytes: 0,
    discoveryStatus: null,
  };
  const liar: Liar = {
    issuer,
    clientId: 'unified-login',
    clientSecret,
    lies,
    taken: [],
    asked: [],
    callback(address, more = {}) {
      const asked = new URL(address);
      const code = randomUUID();
      nonces.set(code, asked.searchParams.get('nonce') ?? '');
      const back = new URL(asked.searchParams.get('redirect_uri') ?? '');
      const answer: Record<string, string | null> = {
        code,
        state: asked.searchParams.get('state'),
        iss: issuer,
        ...more,
      };
      for (const [name, value] of Object.entries(answer)) if (value !== null) back.searchParams.set(name, value);
      return back;
    },
    logoutToken(claims) {
      const now = Math.floor(Date.now() / 1000);
      const events = { 'http://schemas.openid.net/event/backchannel-logout': {} };
      const all = { iss: issuer, aud: 'unified-login', iat: now, exp: now + 300, jti: randomUUID(), events, ...claims };
      const body = `${encode({ alg: 'RS256', kid: 'one', typ: 'logout+jwt' })}.${encode(all)}`;
      return `${body}.${signatureOf(body)}`;
    },
    stop: () => close(server),
  };

  function idToken(code: string): string {
    const now = Math.floor(Date.now() / 1000);
    const header = encode({ alg: 'RS256', kid: 'one', ...lies.header });
    const claims = { iss: issuer, sub: 'ada', aud: 'unified-login', iat: now, exp: now + 300, nonce: nonces.get(code) };
    const body = `${header}.${encode({ ...claims, email: 'ada@northwind.example', ...lies.claims })}`;
    return `${body}.${signatureOf(body)}`;
  }

  function signatureOf(body: string): string {
    const pem = own.publicKey.export({ type: 'spki', format: 'pem' });
    switch (lies.signature) {
      case 'unsigned':
        return '';
      case 'hmac-secret':
        return createHmac('sha256', clientSecret).update(body).digest('base64url');
      case 'hmac-key':
        return createHmac('sha256', pem).update(body).digest('base64url');
      case 'spoiled':
        return createHash('sha256').update(body).digest('base64url');
      default:
        return sign(
          'sha256',
          Buffer.from(body),
          lies.signature === 'right' ? own.privateKey : other.privateKey,
        ).toString('base64url');
    }
  }

  const server = createServer((request, response) => {
    const path = new URL(request.url ?? '/', issuer).pathname;
    liar.asked.push(path);
    void serve(path, request, response);
  });

  async function serve(path: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const json = (value: Json, status = 200) =>
      void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
    if (path === '/.well-known/openid-configuration') {
      if (lies.discoveryStatus !== null)
        return void response.writeHead(lies.discoveryStatus, { 'content-type': 'text/html' }).end('<p>Hello</p>');
      if (lies.discoveryBytes > 0)
        return void response
          .writeHead(200, { 'content-type': 'application/json' })
          .end('x'.repeat(lies.discoveryBytes));
      return json({
        issuer,
        authorization_endpoint: `${issuer}/authorize`,
        token_endpoint: `${issuer}/token`,
        jwks_uri: `${issuer}/jwks`,
        response_types_supported: ['code'],
        subject_types_supported: ['public'],
        id_token_signing_alg_values_supported: ['RS256'],
        authorization_response_iss_parameter_supported: true,
        ...lies.metadata,
      });
    }
    if (path === '/jwks') return json(lies.jwks ?? { keys: [jwk] });
    if (path === '/userinfo') return json(lies.userinfo ?? {}, lies.userinfo ? 200 : 401);
    if (path !== '/token') return void response.writeHead(404).end();
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const form = new URLSearchParams(Buffer.concat(chunks).toString());
    const code = form.get('code') ?? '';
    await lies.before?.();
    const isAgain = liar.taken.some((one) => one.code === code);
    liar.taken.push({ code, verifier: form.get('code_verifier') ?? '' });
    if (isAgain) return json({ error: 'invalid_grant', error_description: 'used' }, 400);
    if (lies.tokenStatus !== 200) return json({ error: 'server_error' }, lies.tokenStatus);
    json({ access_token: 'an-access-token', token_type: 'Bearer', id_token: idToken(code), ...lies.token });
  }

  await listen(server, port);
  return liar;
}

interface Pair {
  publicKey: KeyObject;
  privateKey: KeyObject;
}
