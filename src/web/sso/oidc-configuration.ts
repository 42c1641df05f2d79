// What is known of an OpenID provider: its discovery document and keys, fetched by the guarded way out only (API-11), kept for minutes.
import * as client from 'openid-client';
import { z } from 'zod';
import { clientSecretPurpose, type StoredConnection } from '../../domain/federation/connection-repository.ts';
import type { SsoProblem } from '../../domain/federation/problem.ts';
import { isLoopbackHost, type Outgoing } from '../../lib/outgoing.ts';
import { minutes, seconds } from '../../lib/time.ts';
import type { Work } from '../../work.ts';

/** Where the way to an upstream ends before it has begun, or on its way back. */
export class OidcProblem extends Error {
  readonly problem: SsoProblem;
  readonly details: Record<string, unknown>;

  constructor(problem: SsoProblem, details: Record<string, unknown>) {
    super(problem);
    this.name = 'OidcProblem';
    this.problem = problem;
    this.details = details;
  }
}

/** Asymmetric, and none of the broken ones: never `none`, never an HMAC with a secret that we know too (RFC 8725 section 3.1). */
export const safeAlgorithms: readonly string[] = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
];

const limits = { timeoutMs: seconds(5), maxBytes: 256 * 1024 };
const keptFor = minutes(10);
const keptMost = 200;
/** The upstream's clock may be off by as much. */
export const toleranceSeconds = 90;

/** The guarded way out in the shape that openid-client calls. */
export function guardedFetch(outgoing: Outgoing): client.CustomFetch {
  return async (address, { method, headers, body }) => {
    const url = new URL(address);
    if (url.username !== '' || url.password !== '' || !isAllowed(url))
      throw new OidcProblem('upstream-error', { address: `${url.origin}${url.pathname}`, reason: 'refused-address' });
    if (method !== 'GET' && method !== 'POST') throw new Error(`no ${method} is sent to an upstream`);
    const answer = await outgoing(url.href, {
      method,
      headers,
      ...(body === undefined || body === null ? {} : { body: String(body) }),
      ...limits,
    });
    const type = answer.headers['content-type'];
    const isEmpty = answer.status === 204 || answer.status === 304 || answer.status < 200;
    return new Response(isEmpty ? null : answer.body, {
      status: Math.max(answer.status, 200),
      headers: typeof type === 'string' ? { 'content-type': type } : {},
    });
  };
}

/** Only on a developer's machine an upstream speaks without TLS, and the way out refuses loopback anywhere else. */
const isAllowed = (url: URL): boolean =>
  url.protocol === 'https:' || (url.protocol === 'http:' && isLoopbackHost(url.hostname));

export const isAllowedAddress = (address: string): boolean => URL.canParse(address) && isAllowed(new URL(address));

interface Kept {
  /** Of many who ask at the same moment one fetches, and all get the answer. */
  configuration: Promise<client.Configuration>;
  until: number;
}

export interface Configurations {
  of(work: Work, outgoing: Outgoing, connection: StoredConnection): Promise<client.Configuration>;
}

/** A copy belongs to one version of one connection, so that a change counts at once. */
export function createConfigurations(): Configurations {
  const kept = new Map<string, Kept>();
  return {
    async of(work, outgoing, connection) {
      const key = `${connection.id} ${connection.version} ${connection.sealedSecret ?? ''}`;
      const known = kept.get(key);
      if (known && known.until > Date.now()) return known.configuration;
      const configuration = discover(work, outgoing, connection);
      // What failed is tried anew by whoever comes next.
      configuration.catch(() => kept.get(key)?.configuration === configuration && kept.delete(key));
      kept.delete(key);
      kept.set(key, { configuration, until: Date.now() + keptFor });
      for (const oldest of kept.keys()) {
        if (kept.size <= keptMost) break;
        kept.delete(oldest);
      }
      return configuration;
    },
  };
}

/** Of this node: what signs people in and what logs them out look at the same copies. */
export const sharedConfigurations = createConfigurations();

async function discover(
  work: Work,
  outgoing: Outgoing,
  { settings, sealedSecret }: StoredConnection,
): Promise<client.Configuration> {
  if (settings.kind !== 'oidc') throw new Error('this connection speaks SAML');
  const issuer = new URL(settings.issuer);
  const fetch = guardedFetch(outgoing);
  const isPlain = issuer.protocol === 'http:' && isLoopbackHost(issuer.hostname);
  const { server, address } = await readMetadata(issuer, settings.clientId, fetch, isPlain);
  refuseBadMetadata(server, issuer, address);
  const offered = server.id_token_signing_alg_values_supported ?? ['RS256'];
  const algorithms = offered.filter((name) => safeAlgorithms.includes(name));
  if (algorithms.length === 0) throw new OidcProblem('algorithm', { offered });
  const secret = sealedSecret === null ? null : work.keyring.open(clientSecretPurpose, sealedSecret);
  const configuration = new client.Configuration(
    { ...server, id_token_signing_alg_values_supported: algorithms },
    settings.clientId,
    { ...(secret === null ? {} : { client_secret: secret }), [client.clockTolerance]: toleranceSeconds },
    authentication(secret, server.token_endpoint_auth_methods_supported ?? undefined),
  );
  configuration[client.customFetch] = fetch;
  configuration.timeout = limits.timeoutMs / seconds(1);
  // Off by default in the code flow, where TLS stands for it; a signature that nobody checks could as well be none.
  client.enableNonRepudiationChecks(configuration);
  if (isPlain) client.allowInsecureRequests(configuration);
  return configuration;
}

/** @throws OidcProblem: where something answers, but not with the document of this issuer, nobody has refused anything */
async function readMetadata(
  issuer: URL,
  clientId: string,
  fetch: client.CustomFetch,
  isPlain: boolean,
): Promise<{ server: client.ServerMetadata; address: string }> {
  const asked = { address: issuer.href, status: 0 };
  const noting: client.CustomFetch = async (address, options) => {
    const answer = await fetch(address, options);
    Object.assign(asked, { address: address.slice(0, 300), status: answer.status });
    return answer;
  };
  try {
    const found = await client.discovery(issuer, clientId, undefined, client.None(), {
      [client.customFetch]: noting,
      timeout: limits.timeoutMs / seconds(1),
      ...(isPlain ? { execute: [client.allowInsecureRequests] } : {}),
    });
    const { supportsPKCE: _, ...server } = found.serverMetadata();
    return { server, address: asked.address };
  } catch (error) {
    if (asked.status === 0 || !(error instanceof client.ClientError || error instanceof TypeError)) throw error;
    const said = saidIssuer(error);
    if (said !== null) throw new OidcProblem('other-issuer', { ...asked, expected: issuer.href, said });
    // What is broken there at the moment may be right in the next one.
    if (asked.status >= 500 || asked.status === 429) throw new OidcProblem('upstream-unreachable', asked);
    throw new OidcProblem('no-configuration', { ...asked, words: error.message });
  }
}

const namedSchema = z.object({ attribute: z.literal('issuer'), body: z.object({ issuer: z.string() }) });

function saidIssuer({ cause }: Error): string | null {
  const named = namedSchema.safeParse(cause);
  return named.success ? named.data.body.issuer.slice(0, 300) : null;
}

/**
 * One upstream, one issuer. A provider for all tenants at once (such as Entra ID's "common") would let any of its customers speak for
 * this company.
 */
function refuseBadMetadata(server: client.ServerMetadata, issuer: URL, address: string): void {
  const said = URL.canParse(server.issuer) ? new URL(server.issuer).href : '';
  if (said !== issuer.href)
    throw new OidcProblem('other-issuer', { address, expected: issuer.href, said: server.issuer.slice(0, 300) });
  for (const name of ['authorization_endpoint', 'token_endpoint', 'jwks_uri'] as const) {
    const address = server[name];
    if (address === undefined || !isAllowedAddress(address))
      throw new OidcProblem('upstream-error', { metadata: name, said: address ?? null });
  }
  for (const name of ['id_token_signing_alg_values_supported', 'token_endpoint_auth_methods_supported'] as const) {
    // Nobody but the upstream says that it is what its type says.
    const list: unknown = server[name];
    if (!Array.isArray(list ?? [])) throw new OidcProblem('upstream-error', { metadata: name, expected: 'a list' });
  }
}

function authentication(
  secret: string | null,
  methods: readonly string[] = ['client_secret_basic'],
): client.ClientAuth {
  if (secret === null) return client.None();
  return methods.includes('client_secret_post') && !methods.includes('client_secret_basic')
    ? client.ClientSecretPost(secret)
    : client.ClientSecretBasic(secret);
}
