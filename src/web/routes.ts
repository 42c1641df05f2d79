// Turns a table of routes into a router: method, path, handler, one line each.
import Router from '@koa/router';
import { notFound } from '../lib/errors.ts';
import type { Runtime } from '../runtime.ts';
import type { Context, Handler } from './context.ts';

export interface Route {
  method: 'get' | 'post';
  path: string;
  handle: Handler;
}

/** A parameter of the path, such as `token` of /reset-password/:token. NUL, which no table can store, names nothing. */
export function param(ctx: Context, name: string): string {
  const value = String((ctx.params as Record<string, unknown>)[name] ?? '');
  if (value.includes('\0')) throw notFound('page');
  return value;
}

export function seeOther(ctx: Context, path: string): void {
  ctx.status = 303;
  ctx.redirect(path);
}

export function createRouter(runtime: Runtime, routes: Route[]): Router {
  const router = new Router();
  for (const { method, path, handle } of routes) {
    // @koa/router types its context without our state.
    router[method](path, (ctx) => handle(ctx as unknown as Context, runtime));
  }
  return router;
}
