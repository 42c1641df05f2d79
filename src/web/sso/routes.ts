// /sso/*: what upstreams send browsers to. Posts come from other sites by design, so they stand before our own forms' protection.
import type { Next } from 'koa';
import { addressKey } from '../../lib/addresses.ts';
import { methodNotAllowed, tooManyRequests } from '../../lib/errors.ts';
import { createRateLimit } from '../../lib/rate-limit.ts';
import { minutes } from '../../lib/time.ts';
import type { Runtime } from '../../runtime.ts';
import type { Context, Handler } from '../context.ts';
import { oidcBackChannel } from './back-channel.ts';
import { oidcCallback, samlCallback } from './callback.ts';
import { backFromUpstream, upstreamAway } from './leave.ts';
import { logoutProblem, samlLogoutByForm, samlLogoutByQuery } from './logout.ts';
import { problemPage } from './problem-page.ts';
import { samlMetadata } from './saml-our-metadata.ts';

async function metadata(ctx: Context): Promise<void> {
  ctx.type = 'application/samlmetadata+xml';
  ctx.body = await samlMetadata(ctx.state.work);
}

const table: Record<string, Partial<Record<string, Handler>>> = {
  '/sso/saml/callback': { POST: samlCallback },
  '/sso/saml/metadata': { GET: metadata, HEAD: metadata },
  '/sso/saml/logout': { GET: samlLogoutByQuery, POST: samlLogoutByForm },
  '/sso/logged-out': { GET: backFromUpstream },
  '/sso/log-out-there': { GET: upstreamAway },
  '/sso/logout-problem': { GET: logoutProblem },
  '/sso/oidc/callback': { GET: oidcCallback },
  '/sso/oidc/logout': { POST: oidcBackChannel },
  '/sso/problem': { GET: problemPage, HEAD: problemPage },
};

/** Each company has its own callback (oidc-connector.ts), each connection its own back channel; who it is for is judged there. */
const ofOne = /^(\/sso\/oidc\/(?:callback|logout))\/[0-9a-f-]{36}$/;

/** Checking a signature costs more than most requests, and needs no proof of anything: each address may ask for so many. */
const costly = new Set(['/sso/saml/callback', '/sso/saml/logout', '/sso/oidc/callback', '/sso/oidc/logout']);

export function sso(runtime: Runtime) {
  const limit = createRateLimit([{ turns: runtime.config.anonymousRequestsPerMinute, within: minutes(1) }]);
  return async (ctx: Context, next: Next): Promise<void> => {
    const path = ctx.path.replace(ofOne, '$1');
    const methods = Object.hasOwn(table, path) ? table[path] : undefined;
    if (!methods) return next();
    ctx.state.route = path;
    const handle = methods[ctx.method];
    if (!handle) {
      ctx.set('allow', Object.keys(methods).join(', '));
      throw methodNotAllowed();
    }
    const wait = costly.has(path) ? limit.take(addressKey(ctx.state.work.origin.ip), ctx.state.work.now) : 0;
    if (wait > 0) throw tooManyRequests(Math.ceil(wait / 1000));
    await handle(ctx, runtime);
  };
}
