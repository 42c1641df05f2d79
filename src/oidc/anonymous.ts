// DOS-03: a waiting sign-in and a pushed request are rows that strangers can cause without proving anything. Each network address
// may cause so many; who is signed in, and who began before, is not held up.
import type { Context as KoaContext } from 'koa';
import type { KoaContextWithOIDC } from 'oidc-provider';
import { addressKey } from '../lib/addresses.ts';
import { tooManyRequests } from '../lib/errors.ts';
import { createRateLimit, type RateLimit } from '../lib/rate-limit.ts';
import { hours, minutes } from '../lib/time.ts';
import type { Exchange } from './exchange.ts';
import { routes } from './routes.ts';

/** An office comes at nine o'clock and has come by ten past; a flood goes on, and its rows live for an hour. */
const minutesOfCrowd = 10;

export function createAnonymousLimit(perMinute: number): RateLimit {
  return createRateLimit([
    { turns: perMinute, within: minutes(1) },
    { turns: perMinute * minutesOfCrowd, within: hours(1) },
  ]);
}

/**
 * Judges by what the engine wants written, so that nothing that leaves no row is counted.
 * @returns true when it may be written; false when the answer now is a refusal, and nothing may be.
 * @throws AppError 429, for a page
 */
export function mayLeave(limit: RateLimit, ctx: KoaContext, exchange: Exchange): boolean {
  if (!isAnonymous(ctx, exchange)) return true;
  const wait = limit.take(addressKey(exchange.origin.ip), exchange.now);
  if (wait === 0) return true;
  const refusal = tooManyRequests(Math.ceil(wait / 1000));
  // Cookies of a request that was never kept.
  ctx.remove('set-cookie');
  if (ctx.path !== routes.pushed_authorization_request) throw refusal;
  // RFC 9126 section 2.3
  ctx.status = refusal.status;
  ctx.set('retry-after', String(refusal.retryAfter));
  ctx.body = { error: 'temporarily_unavailable', error_description: refusal.message };
  return false;
}

function isAnonymous(ctx: KoaContext, { writes, accounts }: Exchange): boolean {
  return writes.upserts.some(({ kind }) => {
    // An account came with whatever vouches for somebody: a live session, or a sign-in that has just been finished.
    if (kind === 'Interaction') return accounts.size === 0;
    // A module that proves who it is pushes for all its people from one address, and is known to the operator.
    if (kind === 'PushedAuthorizationRequest') return clientOf(ctx)?.clientAuthMethod === 'none';
    return false;
  });
}

/** The engine leaves what it knows of a request with koa's context. */
const clientOf = (ctx: KoaContext) => (ctx as unknown as KoaContextWithOIDC).oidc.client;
