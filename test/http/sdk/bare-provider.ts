import { generateKeyPairSync } from 'node:crypto';
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import Provider, { type ClientMetadata, type JWK } from 'oidc-provider';

/**
 * The engine as it comes, with its in-memory adapter, and a login page that lets in whoever is next.
 * A module that works with this one relies on the protocol alone.
 */
export interface BareProvider {
  issuer: string;
  provider: Provider;
  /** Claims by account id; they stand in the ID token, as D.5 step 7 has it. */
  people: Map<string, Record<string, unknown>>;
  /** Who the login page lets in; null: it refuses with access_denied. */
  visitor: { accountId: string | null };
  /** How long access tokens live that are given out from now on. */
  lifetime: { accessTokenSeconds: number };
  close(): Promise<void>;
}

export interface LoopbackServer {
  url: string;
  /** Takes over all requests; until then every one is answered with 503. */
  use(listener: RequestListener): void;
  close(): Promise<void>;
}

export async function startServer(): Promise<LoopbackServer> {
  let current: RequestListener = (_, response) => void response.writeHead(503).end();
  const server: Server = createServer((request, response) => current(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // An AddressInfo, since this server listens on a port and not on a pipe.
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://localhost:${port}`,
    use: (listener) => {
      current = listener;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function createSigningKeys(): JWK[] {
  const pairs = [
    ['RS256', generateKeyPairSync('rsa', { modulusLength: 2048 })],
    ['ES256', generateKeyPairSync('ec', { namedCurve: 'P-256' })],
    ['EdDSA', generateKeyPairSync('ed25519')],
  ] as const;
  // A private JWK of node:crypto is what the engine calls a JWK.
  return pairs.map(
    ([alg, { privateKey }]) => ({ ...privateKey.export({ format: 'jwk' }), kid: alg, use: 'sig' }) as JWK,
  );
}

const CLAIMS = ['email', 'email_verified', 'name', 'given_name', 'family_name', 'preferred_username', 'zoneinfo'];
const COMPANY_CLAIMS = ['company_id', 'company_role', 'groups', 'amr'];

export async function startBareProvider(clients: ClientMetadata[]): Promise<BareProvider> {
  const server = await startServer();
  const people: BareProvider['people'] = new Map();
  const visitor: BareProvider['visitor'] = { accountId: null };
  const lifetime = { accessTokenSeconds: 600 };
  const provider = new Provider(server.url, {
    clients,
    jwks: { keys: createSigningKeys() },
    cookies: { keys: ['only for tests'] },
    conformIdTokenClaims: false,
    claims: { openid: ['sub', ...CLAIMS, ...COMPANY_CLAIMS, 'acr'], auth_time: null, iss: null, sid: null },
    enabledJWA: { idTokenSigningAlgValues: ['RS256', 'ES256', 'EdDSA'] },
    features: { devInteractions: { enabled: false }, backchannelLogout: { enabled: true } },
    findAccount: (_, accountId) => {
      const claims = people.get(accountId);
      return claims && { accountId, claims: () => ({ sub: accountId, ...claims }) };
    },
    interactions: { url: (_, { uid }) => `/interaction/${uid}` },
    issueRefreshToken: (_, client) => client.grantTypeAllowed('refresh_token'),
    ttl: {
      AccessToken: () => lifetime.accessTokenSeconds,
      IdToken: 600,
      RefreshToken: 600,
      Grant: 600,
      Session: 600,
      Interaction: 600,
    },
    // The engine's own dispatcher refuses this machine, which is where these tests live.
    fetch: (input, init) => {
      const plain: RequestInit = { ...init };
      delete plain.dispatcher;
      return globalThis.fetch(input, plain);
    },
  });
  const callback = provider.callback();
  server.use((request, response) => {
    if (!request.url?.startsWith('/interaction/')) return void callback(request, response);
    interact(provider, visitor.accountId, request, response).catch((error: unknown) => {
      response.writeHead(500).end(String(error));
    });
  });
  return { issuer: server.url, provider, people, visitor, lifetime, close: server.close };
}

/** The login and the consent page in one, without anything to read on them. */
async function interact(
  provider: Provider,
  accountId: string | null,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { prompt, params, session } = await provider.interactionDetails(request, response);
  if (accountId === null) return provider.interactionFinished(request, response, { error: 'access_denied' });
  if (prompt.name === 'login') {
    const login = { accountId, amr: ['pwd', 'otp'], acr: 'mfa' };
    return provider.interactionFinished(request, response, { login });
  }
  const grant = new provider.Grant({ accountId: session?.accountId ?? accountId, clientId: String(params.client_id) });
  grant.addOIDCScope('openid profile email offline_access');
  const consent = { grantId: await grant.save() };
  return provider.interactionFinished(request, response, { consent }, { mergeWithLastSubmission: true });
}
