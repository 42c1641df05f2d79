// Headers of every answer (WEB-05, WEB-11, F6).
import type { Next } from 'koa';
import type { Config } from '../../config/load.ts';
import type { Context } from '../context.ts';

// No `form-action`: browsers apply it to redirects after a form post, and sign-in forms lead to modules (F6).
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "manifest-src 'self'",
  "object-src 'none'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

export function securityHeaders(config: Config) {
  const headers = Object.entries({
    'content-security-policy': policy,
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'referrer-policy': 'no-referrer',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'permissions-policy': 'camera=(), geolocation=(), microphone=()',
    'cache-control': 'no-store',
    ...(config.isSecure ? { 'strict-transport-security': 'max-age=31536000; includeSubDomains' } : {}),
  });
  return async (ctx: Context, next: Next): Promise<void> => {
    for (const [name, value] of headers) ctx.res.setHeader(name, value);
    await next();
    // The engine's form_post page submits itself with a script of its own, whose hash it adds; it must stay allowed to.
    ctx.remove('x-powered-by');
  };
}
