// What the engine fetches or posts on its own: key sets of clients, and logout tokens.

import type { Config } from '../config/load.ts';
import { decodeJwtPayload } from '../lib/jwt.ts';
import type { Log } from '../lib/log.ts';
import { currentExchange } from './exchange.ts';

type Fetch = (url: string | URL, options: RequestInit & { dispatcher?: unknown }) => Promise<Response>;

/**
 * The engine's dispatcher refuses private and loopback addresses (API-11). On a developer's machine, where we ourselves
 * are on loopback, modules are there too, so there and only there it is left out for loopback addresses.
 */
export function createFetch(config: Config, log: Log): Fetch {
  const isLocal = ['localhost', '127.0.0.1', '[::1]'].includes(new URL(config.publicUrl).hostname);
  return async (url, options) => {
    const logoutToken = options.body instanceof URLSearchParams ? options.body.get('logout_token') : null;
    const exchange = currentExchange();
    if (logoutToken !== null && exchange) return queueLogout(logoutToken, exchange);
    const target = new URL(url);
    const { dispatcher, ...rest } = options;
    const mayReachLoopback = isLocal && ['localhost', '127.0.0.1', '[::1]'].includes(target.hostname);
    const guarded = { ...rest, redirect: 'manual', ...(mayReachLoopback ? {} : { dispatcher }) } as RequestInit;
    return fetch(target, guarded).catch((error: unknown) => {
      log.warn({ host: target.host, reason: reasonOf(error) }, 'a module could not be reached');
      throw error;
    });
  };
}

/** fetch says only that it failed; why, says the cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  return error.cause instanceof Error ? error.cause.message : error.message;
}

/**
 * Inside a person's request to log out, modules are not called but queued: a slow module must not hold the person up,
 * and a module that is down must still hear of it later. The job makes a fresh token for each try.
 */
function queueLogout(logoutToken: string, exchange: NonNullable<ReturnType<typeof currentExchange>>): Response {
  const { aud, sid } = decodeJwtPayload(logoutToken);
  const [account] = exchange.accounts.keys();
  if (typeof aud === 'string' && typeof sid === 'string' && account !== undefined) {
    exchange.notices.push({ clientId: aud, accountId: account, sid });
  }
  return new Response(null, { status: 204 });
}
