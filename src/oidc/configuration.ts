// What the engine may do. Each line that narrows it names the rule it serves.
import type { KeyObject } from 'node:crypto';
import type { Context as KoaContext } from 'koa';
import {
  type ClaimsParameter,
  type Configuration,
  errors,
  type FindAccount,
  type JWK,
  type KoaContextWithOIDC,
} from 'oidc-provider';
import { cookieNames } from '../config/cookies.ts';
import type { Config } from '../config/load.ts';
import { parseSessionPolicy } from '../domain/companies/company.ts';
import { connectScope } from '../domain/integrations/ceremony-commands.ts';
import { pairwiseSubject } from '../domain/keys/subject.ts';
import type { AccountFacts } from '../domain/sessions/record-repository.ts';
import { acrMultiFactor, acrUpstream } from '../domain/users/sign-in.ts';
import { isId } from '../lib/ids.ts';
import type { Log } from '../lib/log.ts';
import type { Keyring } from '../lib/secrets.ts';
import { claims, createFindAccount, currentAccount } from './account.ts';
import type { createAdapter } from './adapter.ts';
import { createRefusal, type EntryDoor, isConnecting } from './entry-door.ts';
import { currentExchange, sessionStart } from './exchange.ts';
import { createFetch } from './fetch.ts';
import { createGrantLoader } from './grants.ts';
import { createPolicy } from './policy.ts';
import { routes } from './routes.ts';

const minute = 60;
const hour = 60 * minute;
const day = 24 * hour;

/** Pages that the engine shows through whoever draws pages; the engine runs inside our koa, so the context is the page's. */
export interface ProviderPages {
  error(ctx: KoaContext, problem: { error: string; description: string; status: number }): Promise<void>;
  logout(
    ctx: KoaContext,
    form: {
      action: string;
      xsrf: string;
      clientId: string | undefined;
      account: AccountFacts | undefined;
      /** The module has shown an ID token of this very session. */
      isProved: boolean;
    },
  ): Promise<void>;
  loggedOut(ctx: KoaContext): Promise<void>;
  /** Prepares the browser for the steps below /interaction/:uid before it is sent there. */
  beginInteraction(
    ctx: KoaContext,
    interaction: {
      uid: string;
      prompt: { name: string; reasons: string[]; details: Record<string, unknown> };
      params: Record<string, unknown>;
      /** Whose session this browser has, if any. */
      account: AccountFacts | undefined;
    },
  ): Promise<void>;
}

export interface EngineParts {
  config: Config;
  log: Log;
  keyring: Keyring;
  adapter: ReturnType<typeof createAdapter>;
  entryDoor: EntryDoor;
  jwks: JWK[];
  /** From a person's id and a sector to the name that this sector knows the person by; must never change (OAU-25). */
  pairwiseKey: KeyObject;
  pages: ProviderPages;
}

/** Signs the engine's cookies and ours: koa and the engine must hold the same keys, or no interaction is ever found again. */
export const cookieKeysOf = (keyring: Keyring): string[] =>
  keyring.deriveAll('cookies').map((key) => key.export().toString('base64url'));

export function createConfiguration({
  config,
  log,
  keyring,
  adapter,
  entryDoor,
  jwks,
  pairwiseKey,
  pages,
}: EngineParts): Configuration {
  const cookie = { httpOnly: true, sameSite: 'lax', secure: config.isSecure, signed: true, overwrite: true } as const;
  const refusalOf = createRefusal(entryDoor);
  return {
    adapter,
    jwks: { keys: jwks },
    findAccount: createFindAccount(entryDoor) as FindAccount,
    claims,
    scopes: ['openid', 'offline_access', 'profile', 'email', 'phone', 'address', connectScope],
    // Which of the connected tenants is to be entered (docs/module-protocol.md section 1).
    extraParams: { instance: refuseNoId },
    // F10, OAU-13: nothing but the code flow; no implicit, no hybrid, no password grant.
    responseTypes: ['code'],
    subjectTypes: ['public', 'pairwise'],
    pairwiseIdentifier: async (_ctx, accountId, client) =>
      pairwiseSubject(pairwiseKey, String(client.sectorIdentifier), accountId),
    assertJwtClientAuthClaimsAndHeader: refuseFarExpiry,
    clientAuthMethods: ['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'],
    // A module may demand the first; the second only says what was (C25).
    acrValues: [acrMultiFactor, acrUpstream],
    conformIdTokenClaims: false,
    cookies: {
      names: cookieNames(config.isSecure),
      keys: cookieKeysOf(keyring),
      long: { ...cookie, path: '/' },
      short: cookie,
    },
    enabledJWA: {
      idTokenSigningAlgValues: ['RS256', 'ES256', 'EdDSA'],
      userinfoSigningAlgValues: ['RS256', 'ES256', 'EdDSA'],
      clientAuthSigningAlgValues: ['RS256', 'PS256', 'ES256', 'EdDSA'],
      dPoPSigningAlgValues: ['ES256', 'EdDSA', 'RS256', 'PS256'],
    },
    extraClientMetadata: { properties: ['require_pkce', 'cors_origins', 'may_introspect_all', 'is_built_in'] },
    clientDefaults: { id_token_signed_response_alg: 'RS256' },
    features: {
      devInteractions: { enabled: false },
      backchannelLogout: { enabled: true },
      claimsParameter: { enabled: true, assertClaimsParameter: refuseUnreachableAcr },
      clientCredentials: { enabled: true },
      dPoP: { enabled: true },
      introspection: {
        enabled: true,
        allowedPolicy: async (_ctx, client, token) =>
          client.may_introspect_all === true || token.clientId === client.clientId,
      },
      pushedAuthorizationRequests: { enabled: true },
      resourceIndicators: { enabled: false },
      revocation: { enabled: true, allowedPolicy: async (_ctx, client, token) => token.clientId === client.clientId },
      rpInitiatedLogout: {
        enabled: true,
        logoutSource: async (ctx) =>
          pages.logout(ctx, {
            action: new URL('/session/end/confirm', config.publicUrl).href,
            xsrf: String(ctx.oidc.session?.state?.secret ?? ''),
            clientId: ctx.oidc.client?.clientId,
            account: currentExchange()?.accounts.values().next().value,
            isProved: provesSession(ctx),
          }),
        postLogoutSuccessSource: (ctx) => pages.loggedOut(ctx),
      },
      userinfo: { enabled: true },
    },
    // OAU-01: the address is always said, and compared byte for byte, also when only one is registered.
    allowOmittingSingleRegisteredRedirectUri: false,
    // OAU-04: PKCE for all, but a confidential client may be registered without.
    pkce: { required: (_ctx, client) => client.require_pkce !== false || client.clientAuthMethod === 'none' },
    // OAU-12: scripts of registered origins only, and our own.
    clientBasedCORS: (_ctx, origin, client) =>
      origin === config.publicUrl || (Array.isArray(client.cors_origins) && client.cors_origins.includes(origin)),
    interactions: {
      policy: createPolicy(refusalOf),
      url: async (ctx, interaction) => {
        const accountId = ctx.oidc.session?.accountId;
        await pages.beginInteraction(ctx, {
          uid: interaction.uid,
          prompt: interaction.prompt,
          params: interaction.params,
          account: accountId === undefined ? undefined : currentExchange()?.accounts.get(accountId),
        });
        return `/interaction/${interaction.uid}`;
      },
    },
    loadExistingGrant: createGrantLoader(keyring.derive('grants'), refusalOf),
    // A session-bound refresh token for every module that may use one; with offline_access it outlives the session.
    issueRefreshToken: async (_ctx, client, code) =>
      client.grantTypeAllowed('refresh_token') && !isConnecting(code.scope),
    rotateRefreshToken: true,
    renderError: async (ctx, out, error) => {
      const status = 'statusCode' in error && typeof error.statusCode === 'number' ? error.statusCode : 500;
      await pages.error(ctx, { error: out.error, description: out.error_description ?? '', status });
    },
    routes,
    ttl: {
      AccessToken: 10 * minute,
      // OAU-06
      AuthorizationCode: minute,
      ClientCredentials: 10 * minute,
      Grant: 60 * day,
      IdToken: hour,
      Interaction: hour,
      PushedAuthorizationRequest: minute,
      RefreshToken: refreshTokenTtl,
      Session: sessionTtl,
    },
    fetch: createFetch(config, log),
    // jwks_uri and sector_identifier_uri have no limit by default (API-11).
    fetchResponseBodyLimits: { jwks_uri: 1_048_576, sector_identifier_uri: 1_048_576 },
  } as Configuration;
}

function refuseNoId(_ctx: KoaContextWithOIDC, value: unknown): void {
  if (value !== undefined && !(typeof value === 'string' && isId(value)))
    throw new errors.InvalidRequest('instance is not the id of a connected instance');
}

/** RFC 7523 section 3: a used assertion is remembered until it runs out (OAU-16), so that may not be far in the future. */
async function refuseFarExpiry(_ctx: KoaContextWithOIDC, { exp }: Record<string, unknown>): Promise<void> {
  if (Number(exp) > Date.now() / 1000 + day)
    throw new errors.InvalidClientAuth('the client assertion expires more than a day from now');
}

/**
 * OpenID Connect Core 5.5.1.1: an essential acr that cannot be reached is a failed authentication, said at once.
 * The engine alone would ask for password and code again and again.
 */
async function refuseUnreachableAcr(_ctx: KoaContextWithOIDC, requested: ClaimsParameter): Promise<void> {
  const acr = requested.id_token?.acr;
  if (!acr?.essential) return;
  const accepted = acr.values ?? (acr.value === undefined ? [acrMultiFactor] : [acr.value]);
  // The code is of OpenID Connect Core Error Code unmet_authentication_requirements 1.0.
  if (!accepted.includes(acrMultiFactor))
    throw new errors.CustomOIDCProviderError('unmet_authentication_requirements', 'the requested acr is not available');
}

/** A valid id_token_hint of the session that is to end: the engine has checked its signature by now (OAU-22). */
function provesSession(ctx: KoaContextWithOIDC): boolean {
  const hint: unknown = ctx.oidc.entities.IdTokenHint;
  if (typeof hint !== 'object' || hint === null || !('payload' in hint)) return false;
  const { sid, sub } = hint.payload as { sid?: string; sub?: string };
  const { session, client } = ctx.oidc;
  if (!client || !session) return false;
  const sidHere = session.sidFor(client.clientId);
  if (!sidHere) return false;
  // The engine names the session to those only who asked for back-channel logout; for the others it must be the person's own.
  return sid === undefined ? sub === session.accountId : sid === sidHere;
}

const refreshIdle = 14 * day;
const refreshAbsolute = 30 * day;

/** OAU-17: two weeks unused, thirty days in all, whatever the rotation. */
function refreshTokenTtl(_ctx: KoaContextWithOIDC, token: { iiat?: number }): number {
  const age = token.iiat ? Math.floor(Date.now() / 1000) - token.iiat : 0;
  return Math.max(1, Math.min(refreshIdle, refreshAbsolute - age));
}

/** C37: idle time, cut by the absolute end; both are the company's. */
function sessionTtl(
  ctx: KoaContextWithOIDC,
  session: { accountId?: string; uid?: string; loginTs?: number; exp?: number },
): number {
  const now = Math.floor(Date.now() / 1000);
  if (!session.accountId) return hour;
  const exchange = currentExchange();
  const account = currentAccount(ctx) ?? exchange?.accounts.get(session.accountId);
  if (!account || !exchange) return Math.max(1, (session.exp ?? now) - now);
  const { idleMinutes, absoluteMinutes } = parseSessionPolicy(account.sessionPolicy);
  const absoluteEnd = Math.floor(sessionStart(exchange, session)) + absoluteMinutes * minute;
  return Math.max(1, Math.min(idleMinutes * minute, absoluteEnd - now));
}
