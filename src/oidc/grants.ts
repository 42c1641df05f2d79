// What a module may do for a person in one session: the grant that codes and tokens hang on.
import type { KeyObject } from 'node:crypto';
import type { KoaContextWithOIDC } from 'oidc-provider';
import { hmac } from '../lib/secrets.ts';
import { claimsWithin } from './account.ts';
import type { RefusalAtTheDoor } from './entry-door.ts';
import { currentExchange } from './exchange.ts';

type Engine = KoaContextWithOIDC['oidc'];
type Session = NonNullable<Engine['session']>;
type Client = NonNullable<Engine['client']>;

/**
 * Everything a module asks for within its registration is granted: its company's administrators have connected it. Whoever may not
 * enter is granted nothing, and their session does not count as entered there: its end would be told to a module they never saw.
 */
export function createGrantLoader(key: KeyObject, refusalOf: RefusalAtTheDoor) {
  return async function loadExistingGrant(ctx: KoaContextWithOIDC) {
    const { client, session, provider, params } = ctx.oidc;
    if (!client || !session?.accountId) return undefined;
    // Nor is anything granted before the person has said yes, or has proved themselves anew.
    if (['consent', 'login'].some((prompt) => ctx.oidc.promptPending(prompt))) return undefined;
    if ((await refusalOf(ctx)) !== null) return undefined;
    const exchange = currentExchange();
    if (exchange) exchange.sessionUid = session.uid;
    const requested = typeof params?.scope === 'string' ? params.scope : 'openid';
    const asked = [...ctx.oidc.requestParamClaims];
    const grantId = session.grantIdFor(client.clientId);
    const found = grantId ? await provider.Grant.find(grantId) : undefined;
    const known = found?.accountId === session.accountId ? found : undefined;
    if (known && covers(known, requested.split(' '), asked)) return known;
    const grant = known ?? begin(provider, key, session, client);
    grant.addOIDCScope(requested);
    const within = claimsWithin(client.scope ?? '');
    const open = asked.filter((claim) => within.has(claim));
    const closed = asked.filter((claim) => !within.has(claim));
    if (open.length > 0) grant.addOIDCClaims(open);
    if (closed.length > 0) grant.rejectOIDCClaims(closed);
    await grant.save();
    return grant;
  };
}

type Grant = InstanceType<Engine['provider']['Grant']>;

function covers(grant: Grant, scopes: string[], claims: string[]): boolean {
  const heldScopes = new Set(grant.getOIDCScopeEncountered().split(' '));
  const heldClaims = new Set(grant.getOIDCClaimsEncountered());
  return scopes.every((scope) => heldScopes.has(scope)) && claims.every((claim) => heldClaims.has(claim));
}

/**
 * Tabs that enter the same module at the same moment must come to the same grant and the same sid: a session knows one of each
 * for a module, and the engine refuses tokens of any other. So both are derived from what the tabs share: the session's
 * present value, and the grant before, so that a revoked one never comes back under its old name.
 */
function begin(provider: Engine['provider'], key: KeyObject, session: Session, { clientId }: Client): Grant {
  const before = session.grantIdFor(clientId) ?? '';
  const derive = (what: string) => hmac(key, [what, session.jti, clientId, before].join('\n'));
  const grant = new provider.Grant({ accountId: session.accountId, clientId });
  grant.jti = derive('grant');
  if (!session.sidFor(clientId)) session.sidFor(clientId, derive('sid'));
  return grant;
}
