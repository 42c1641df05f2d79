// One log line and one measurement a request. Routes, not paths: paths hold tokens (API-14).
import type { Next } from 'koa';
import type { Runtime } from '../../runtime.ts';
import type { Context } from '../context.ts';

export function observe(runtime: Runtime) {
  return async (ctx: Context, next: Next): Promise<void> => {
    const startedAt = performance.now();
    await next();
    const seconds = (performance.now() - startedAt) / 1000;
    const matched: unknown = ctx._matchedRoute;
    const route = ctx.state.route ?? (typeof matched === 'string' ? matched : 'other');
    runtime.metrics.observe({ method: ctx.method, route, status: ctx.status, seconds });
    if (runtime.log.isLevelEnabled('info')) {
      const { requestId, ip } = ctx.state;
      runtime.log.info(
        { requestId, method: ctx.method, route, status: ctx.status, ms: Math.round(seconds * 1000), ip },
        'request',
      );
    }
  };
}
