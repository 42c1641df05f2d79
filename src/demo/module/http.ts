import { randomUUID } from 'node:crypto';
import type { Context, Middleware } from 'koa';
import type { Logger } from 'pino';
import { messagePage, type Site } from './layout.ts';

/** The fields of a posted form as the browser sent them: a parser's nested objects are nothing that our forms know. */
export const formOf = (ctx: Context): URLSearchParams => new URLSearchParams(ctx.request.rawBody ?? '');

/** A body that no form parser reads, such as JSON or a signed token, as its text. @throws 413 above a megabyte */
export async function textOf(ctx: Context): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of ctx.req) {
    length += chunk.length;
    if (length > MAX_TEXT_BYTES) ctx.throw(413);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

const MAX_TEXT_BYTES = 1_048_576;

export function seeOther(ctx: Context, location: string): void {
  ctx.redirect(location);
  ctx.status = 303;
}

/** WEB-05. No form-action: browsers hold it against the redirects that follow a form, such as logging out there. */
export function secureHeaders(secure: boolean): Middleware {
  const policy = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'";
  return (ctx, next) => {
    ctx.set('content-security-policy', policy);
    ctx.set('x-content-type-options', 'nosniff');
    // Not no-referrer: with it browsers send "Origin: null" along with our own forms.
    ctx.set('referrer-policy', 'same-origin');
    ctx.set('cross-origin-opener-policy', 'same-origin');
    ctx.set('cache-control', 'no-store');
    if (secure) ctx.set('strict-transport-security', 'max-age=31536000');
    return next();
  };
}

/** WEB-10: no other name than the module's own, except for the health check, which machines call by number. */
export function onlyOwnHost(url: string): Middleware {
  const { host } = new URL(url);
  return (ctx, next) => {
    if (ctx.host !== host && ctx.path !== '/health') ctx.throw(421);
    return next();
  };
}

const FAILURES: Readonly<Record<number, [title: string, text: string]>> = {
  403: [
    'This was not asked from here',
    'The request did not come from a page of this site. Please go there and try again.',
  ],
  404: ['This page does not exist', 'The address may be mistyped, or the page has moved.'],
  405: ['This is not possible here', 'The page was asked for in a way that it does not know.'],
  413: ['That was too much', 'What was sent is larger than this page takes.'],
  421: ['Wrong address', 'Please use the address that you were given.'],
};

/** The outermost middleware: a page for each failure, its words without the cause, and the cause in the log. */
export function pageForFailures(site: Site, log: Logger): Middleware {
  return async (ctx, next) => {
    let code: string | null = null;
    try {
      await next();
      if (ctx.status < 400 || ctx.body) return;
    } catch (error) {
      const status = Number(Object(error).status);
      ctx.status = status >= 400 && status < 500 ? status : 500;
      if (ctx.status === 500) {
        code = randomUUID().slice(0, 8);
        log.error({ err: error, code }, 'request failed');
      }
    }
    const { status } = ctx;
    const [title, text] = FAILURES[status] ?? ['Something went wrong', 'Please try again in a moment.'];
    ctx.body = messagePage(site, { title, text, code });
    ctx.status = status;
    ctx.type = 'html';
  };
}
