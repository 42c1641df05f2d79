/** Forms that only a page of this module can send, in the browser that it was drawn for (WEB-06). */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Context } from 'koa';
import { buildCookie, parseCookies } from '../../sdk/module.ts';

export interface Forms {
  /** The token of a form; gives the browser its cookie when it has none. */
  tokenFor(ctx: Context): string;
  isOwn(ctx: Context, form: URLSearchParams): boolean;
}

export function createForms({ slug, secret, url }: { slug: string; secret: string; url: string }): Forms {
  const name = `${slug}_csrf`;
  const secure = url.startsWith('https:');
  const sign = (value: string) => createHmac('sha256', secret).update(`csrf ${value}`).digest();
  const cookieOf = (ctx: Context) => parseCookies(ctx.get('cookie')).get(name);

  return {
    tokenFor(ctx) {
      const known = cookieOf(ctx);
      const value = known ?? randomBytes(24).toString('base64url');
      if (known === undefined) ctx.append('set-cookie', buildCookie(name, value, { secure }));
      return sign(value).toString('base64url');
    },
    /** Browsers that send no Origin have the token alone. */
    isOwn(ctx, form) {
      const origin = ctx.get('origin');
      const value = cookieOf(ctx);
      const given = Buffer.from(form.get('csrf') ?? '', 'base64url');
      const isToken = value !== undefined && given.length === 32 && timingSafeEqual(given, sign(value));
      return (origin === '' || origin === url) && isToken;
    },
  };
}
