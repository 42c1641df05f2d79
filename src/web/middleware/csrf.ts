// Forms are ours only (WEB-06): a token bound to a cookie of this browser, and an Origin that is not somebody else's.
import type { Next } from 'koa';
import { csrfFailed, methodNotAllowed } from '../../lib/errors.ts';
import { hmac, randomToken, sameSecret } from '../../lib/secrets.ts';
import type { Runtime } from '../../runtime.ts';
import { type Context, getCookie, setCookie } from '../context.ts';

const wellFormed = /^[\w-]{22,64}$/;

/** The token for this browser's forms; gives the browser its cookie at the first form. */
export function csrfTokenOf(ctx: Context, runtime: Runtime): string {
  const known = ctx.state.csrfSeed ?? getCookie(ctx, runtime, 'csrf');
  const seed = typeof known === 'string' && wellFormed.test(known) ? known : randomToken();
  if (seed !== known) setCookie(ctx, runtime, 'csrf', seed);
  ctx.state.csrfSeed = seed;
  return hmac(runtime.csrfKey, seed);
}

/**
 * A page with Referrer-Policy no-referrer posts with `Origin: null`, so null is not a stranger by itself;
 * Sec-Fetch-Site tells, where the browser sends it.
 */
function comesFromElsewhere(ctx: Context, publicUrl: string): boolean {
  const origin = ctx.get('origin');
  const site = ctx.get('sec-fetch-site');
  if (site !== '' && site !== 'same-origin' && site !== 'none') return true;
  return origin !== '' && origin !== 'null' && origin !== publicUrl;
}

export function csrf(runtime: Runtime) {
  return async (ctx: Context, next: Next): Promise<void> => {
    // OPTIONS changes nothing and tells what is allowed; anything else but a post has no business here (WEB-14).
    if (['GET', 'HEAD', 'OPTIONS'].includes(ctx.method)) return next();
    if (ctx.method !== 'POST') {
      ctx.set('allow', 'GET, HEAD, POST, OPTIONS');
      throw methodNotAllowed();
    }
    const seed = getCookie(ctx, runtime, 'csrf');
    const sent = ctx.state.form.csrf ?? '';
    if (comesFromElsewhere(ctx, runtime.config.publicUrl) || !seed || !sameSecret(hmac(runtime.csrfKey, seed), sent))
      throw csrfFailed();
    return next();
  };
}
