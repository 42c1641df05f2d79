// Health for load balancers and numbers for Prometheus (WEB-15): nothing secret, and numbers only with the token.
import type { Next } from 'koa';
import { isOutage } from '../../db/errors.ts';
import { methodNotAllowed } from '../../lib/errors.ts';
import { sameSecret } from '../../lib/secrets.ts';
import type { Runtime } from '../../runtime.ts';
import type { Context } from '../context.ts';

export function operations(runtime: Runtime) {
  return async (ctx: Context, next: Next): Promise<void> => {
    if (ctx.path.startsWith('/health/') && ctx.method !== 'GET' && ctx.method !== 'HEAD') {
      ctx.set('allow', 'GET, HEAD');
      throw methodNotAllowed();
    }
    if (ctx.path === '/health/live') return answer(ctx, 200, 'ok');
    if (ctx.path === '/health/ready') return ready(ctx, runtime);
    if (ctx.path === '/metrics' && mayRead(ctx, runtime.config.metricsToken)) return numbers(ctx, runtime);
    return next();
  };
}

function answer(ctx: Context, status: number, body: string): void {
  ctx.state.route = ctx.path;
  ctx.status = status;
  ctx.body = body;
}

async function ready(ctx: Context, runtime: Runtime): Promise<void> {
  try {
    await runtime.db.raw('select 1');
    answer(ctx, 200, 'ok');
  } catch (error) {
    if (!isOutage(error)) throw error;
    ctx.set('retry-after', '5');
    answer(ctx, 503, 'the database cannot be reached');
  }
}

/** Without the right token the address does not exist. */
function mayRead(ctx: Context, token: string | undefined): boolean {
  return token !== undefined && sameSecret(ctx.get('authorization'), `Bearer ${token}`);
}

async function numbers(ctx: Context, runtime: Runtime): Promise<void> {
  const { registry } = runtime.metrics;
  ctx.state.route = '/metrics';
  ctx.set('content-type', registry.contentType);
  ctx.body = await registry.metrics();
}
