import type { Next } from 'koa';
import { methodNotAllowed } from '../../lib/errors.ts';
import type { Runtime } from '../../runtime.ts';
import type { Context } from '../context.ts';

/** Static files below /assets; see assets.ts. */
export function assets(runtime: Runtime) {
  return async (ctx: Context, next: Next): Promise<void> => {
    if (ctx.path === '/favicon.ico') {
      ctx.redirect(runtime.assets.url('images/favicon.svg'));
      return;
    }
    if (!ctx.path.startsWith('/assets/')) return next();
    ctx.state.route = '/assets';
    if (ctx.method !== 'GET' && ctx.method !== 'HEAD') {
      ctx.set('allow', 'GET, HEAD');
      throw methodNotAllowed();
    }
    const found = await runtime.assets.serve(ctx.path, {
      acceptEncoding: ctx.get('accept-encoding'),
      ifNoneMatch: ctx.get('if-none-match'),
    });
    if (!found) return next();
    ctx.status = found.status;
    ctx.set(found.headers);
    ctx.body = found.body;
    ctx.status = found.status;
  };
}
