// OpenID Connect towards an upstream: code flow with PKCE, state and nonce; the ID token's signature is always checked.
import * as client from 'openid-client';
import type { StoredConnection } from '../../domain/federation/connection-repository.ts';
import type { CompanyId } from '../../lib/ids.ts';
import { epoch } from '../../lib/time.ts';
import { type Answer, type Asked, type Connector, type Finished, problem, ssoAddresses } from './connector.ts';
import { type Claims, fitsAtHash, isDisowned, lacks, merged, toUpstreamClaims } from './oidc-claims.ts';
import {
  type Configurations,
  isAllowedAddress,
  OidcProblem,
  safeAlgorithms,
  sharedConfigurations,
  toleranceSeconds,
} from './oidc-configuration.ts';
import { tellProblem } from './oidc-problem.ts';

/**
 * Each company has a callback of its own: an upstream that does not name itself in its answer (RFC 9207) could else be mixed up with
 * that of a company which means harm (RFC 9700 section 4.4.2). A code for one never reaches the token endpoint of the other.
 */
export const oidcRedirectUri = (publicUrl: string, companyId: CompanyId): string =>
  `${ssoAddresses(publicUrl).oidcCallback}/${companyId}`;

export function createOidcConnector(configurations: Configurations = sharedConfigurations): Connector {
  return {
    /** @throws OidcProblem when the upstream cannot be asked */
    async begin(work, { outgoing }, connection, ask) {
      const configuration = await explained(() => configurations.of(work, outgoing, connection));
      const verifier = client.randomPKCECodeVerifier();
      const nonce = client.randomNonce();
      const address = client.buildAuthorizationUrl(configuration, {
        redirect_uri: oidcRedirectUri(work.config.publicUrl, connection.companyId),
        response_type: 'code',
        scope: scopesOf(connection),
        state: ask.requestId,
        nonce,
        code_challenge: await client.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
        ...(ask.loginHint === null ? {} : { login_hint: ask.loginHint }),
        ...(ask.isAnew ? { prompt: 'login', max_age: '0' } : {}),
      });
      // Entra ID says when only if `auth_time` is among its optional claims.
      const anew = ask.isAnew && !ask.isTest ? { authenticatedSince: String(epoch(work.now)) } : {};
      return { address: address.href, posts: null, state: { nonce, verifier, ...anew } };
    },

    async finish(work, { outgoing }, connection, answer, asked) {
      if (answer.kind !== 'oidc') return problem('malformed', { kind: answer.kind });
      if (asked === null) return problem('not-asked');
      try {
        const configuration = await configurations.of(work, outgoing, connection);
        return await judge(configuration, connection, answer, asked, work.config.publicUrl);
      } catch (error) {
        const told = tellProblem(error);
        if (!told) throw error;
        return problem(told.problem, told.details);
      }
    },
  };
}

export const oidcConnector = createOidcConnector();

async function explained<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    const told = tellProblem(error);
    throw told ? new OidcProblem(told.problem, told.details) : error;
  }
}

const scopesOf = ({ settings }: StoredConnection): string => {
  const scopes = settings.kind === 'oidc' ? settings.scopes.split(/\s+/) : [];
  return [...new Set(['openid', ...scopes.filter((scope) => scope !== '')])].join(' ');
};

async function judge(
  configuration: client.Configuration,
  connection: StoredConnection,
  answer: Extract<Answer, { kind: 'oidc' }>,
  asked: Asked,
  publicUrl: string,
): Promise<Finished> {
  const redirectUri = oidcRedirectUri(publicUrl, connection.companyId);
  // The path that the upstream knows is that of the company that asked, or two upstreams were mixed up.
  if (answer.url.pathname !== new URL(redirectUri).pathname)
    return problem('issuer', { callback: answer.url.pathname });
  const callback = new URL(redirectUri);
  callback.search = answer.url.search;
  const tokens = await client.authorizationCodeGrant(configuration, callback, {
    expectedState: asked.requestId,
    expectedNonce: asked.state.nonce ?? '',
    pkceCodeVerifier: asked.state.verifier ?? '',
    idTokenExpected: true,
  });
  const claims = tokens.claims();
  if (!claims || tokens.id_token === undefined)
    return problem('malformed', { words: 'there is no ID token' }, asked.requestId);
  const alg = algorithmOf(tokens.id_token);
  if (!safeAlgorithms.includes(alg)) return problem('algorithm', { alg }, asked.requestId);
  if (!fitsAtHash(tokens.access_token, claims.at_hash, alg))
    return problem('signature', { claim: 'at_hash' }, asked.requestId);
  return arrived(configuration, connection, {
    claims,
    accessToken: tokens.access_token,
    idToken: tokens.id_token,
    alg,
    stale: staleness(claims.auth_time, asked.state.authenticatedSince),
  });
}

interface Judged {
  claims: client.IDToken;
  accessToken: string;
  idToken: string;
  alg: string;
  stale: Record<string, unknown> | null;
}

async function arrived(
  configuration: client.Configuration,
  { attributes }: StoredConnection,
  { claims, accessToken, idToken, alg, stale }: Judged,
): Promise<Finished> {
  const { issuer, userinfo_endpoint, end_session_endpoint } = configuration.serverMetadata();
  const asksMore = userinfo_endpoint !== undefined && lacks(claims, attributes);
  // Only of the same subject (OpenID Connect Core section 5.3.2).
  const more: Claims = asksMore ? await client.fetchUserInfo(configuration, accessToken, claims.sub) : {};
  const all = merged(claims, more);
  return {
    outcome: 'arrived',
    claims: toUpstreamClaims(claims.sub, all, attributes),
    issuer,
    // The upstream takes a code once, and our request is taken once.
    assertion: null,
    session: typeof claims.sid === 'string' ? claims.sid : null,
    authenticatedAt: typeof claims.auth_time === 'number' ? claims.auth_time * 1000 : null,
    logout: logoutOf(end_session_endpoint, idToken, claims.sub),
    stale,
    details: {
      issuer,
      alg,
      asked: asksMore ? ['ID token', 'userinfo'] : ['ID token'],
      names: Object.keys(all),
      ...(isDisowned(all, attributes) ? { email: 'the identity provider says that it is not verified' } : {}),
    },
  };
}

/** It is kept in a cookie, which must stay small: without the token the upstream may ask the person. */
const longestHint = 1500;

function logoutOf(endSession: string | undefined, idToken: string, subject: string): Record<string, string> | null {
  if (endSession === undefined || !isAllowedAddress(endSession)) return null;
  return { endSession, ...(idToken.length <= longestHint ? { idToken } : { hint: subject }) };
}

/**
 * OpenID Connect RP-Initiated Logout 1.0, section 2. Where to come back to is named only where an administrator says that it is known
 * there: an upstream that does not know the address would refuse the logout itself.
 * @param back address of ours, and our own id
 */
export function oidcLogoutAddress(
  { settings }: StoredConnection,
  logout: Record<string, string>,
  back: { address: string; state: string },
): string | null {
  if (settings.kind !== 'oidc' || logout.endSession === undefined) return null;
  const address = new URL(logout.endSession);
  address.searchParams.set('client_id', settings.clientId);
  if (logout.idToken !== undefined) address.searchParams.set('id_token_hint', logout.idToken);
  if (logout.hint !== undefined) address.searchParams.set('logout_hint', logout.hint);
  if (settings.logoutReturns) {
    address.searchParams.set('post_logout_redirect_uri', back.address);
    address.searchParams.set('state', back.state);
  }
  return address.href;
}

/** Asked to prove themselves anew, the person must have done so since (OpenID Connect Core section 3.1.2.1, `auth_time`). */
function staleness(authTime: unknown, since: string | undefined): Record<string, unknown> | null {
  if (since === undefined) return null;
  const isFresh = typeof authTime === 'number' && authTime >= Number(since) - toleranceSeconds;
  return isFresh ? null : { claim: 'auth_time', said: authTime ?? null, asked: Number(since) };
}

/** Of a token whose signature has been checked. */
function algorithmOf(token: string): string {
  const header: unknown = JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString('utf8'));
  const alg: unknown = typeof header === 'object' && header !== null && 'alg' in header ? header.alg : undefined;
  return typeof alg === 'string' ? alg : '';
}
