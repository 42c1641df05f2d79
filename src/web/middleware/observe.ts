// One log line and one measurement a request. Routes, not paths: paths hold tokens (API-14).
import type { Next } from 'koa';
import type { Runtime } from '../../runtime.ts';
import type { Context } from '../context.ts';

export interface Answered {
  requestId: string;
  ip: string;
  method: string;
  route: string;
  status: number;
  seconds: number;
}

export function report(runtime: Runtime, { seconds, requestId, ip, ...request }: Answered): void {
  runtime.metrics.observe({ ...request, seconds });
  if (runtime.log.isLevelEnabled('info'))
    runtime.log.info({ requestId, ...request, ms: Math.round(seconds * 1000), ip }, 'request');
}

export function observe(runtime: Runtime) {
  return async (ctx: Context, next: Next): Promise<void> => {
    const startedAt = performance.now();
    await next();
    const seconds = (performance.now() - startedAt) / 1000;
    const matched: unknown = ctx._matchedRoute;
    const route = ctx.state.route ?? (typeof matched === 'string' ? matched : 'other');
    const { requestId, ip } = ctx.state;
    report(runtime, { requestId, method: ctx.method, route, status: ctx.status, seconds, ip });
  };
}
