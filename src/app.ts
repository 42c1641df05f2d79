// The middleware ladder, and who owns which address.
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import Koa, { type Middleware } from 'koa';
import { engineMiddleware } from './oidc/middleware.ts';
import type { Runtime } from './runtime.ts';
import { type Context, getCookie, type State } from './web/context.ts';
import { devRoutes } from './web/dev/dev-routes.ts';
import { homeRoutes } from './web/home/home-routes.ts';
import { settingsRoutes } from './web/home/settings-routes.ts';
import { interactionRouter } from './web/interaction/router.ts';
import { csrf } from './web/middleware/csrf.ts';
import { door, isOurHost } from './web/middleware/door.ts';
import { errorPages } from './web/middleware/errors.ts';
import { form } from './web/middleware/form.ts';
import { securityHeaders } from './web/middleware/headers.ts';
import { observe } from './web/middleware/observe.ts';
import { operations } from './web/middleware/operations.ts';
import { assets } from './web/middleware/static.ts';
import { installRoutes } from './web/public/install-routes.ts';
import { recoveryRoutes } from './web/public/recovery-routes.ts';
import { signInRoutes } from './web/public/sign-in-routes.ts';
import { createRouter } from './web/routes.ts';

/** The engine's own addresses; all others are ours. */
export const enginePaths = /^\/(auth|token|userinfo|jwks|request|session\/end|\.well-known)(\/|$)/;

export function createApp(runtime: Runtime): Koa {
  const app = new Koa<State>({ proxy: true, keys: runtime.cookieKeys });
  app.silent = true;
  const use = (middleware: (ctx: Context, next: () => Promise<void>) => Promise<void>) =>
    app.use(middleware as Middleware<State>);

  use(observe(runtime));
  use(securityHeaders(runtime.config));
  use(errorPages(runtime));
  use(door(runtime.config));
  use(operations(runtime));
  use(assets(runtime));
  use(withWork(runtime));
  use(engine(runtime));
  use(form);
  use(csrf(runtime));
  for (const router of ownRouters(runtime)) {
    app.use(router.routes() as unknown as Middleware<State>);
    app.use(router.allowedMethods() as unknown as Middleware<State>);
  }
  return app;
}

function ownRouters(runtime: Runtime) {
  const routes = [
    ...signInRoutes,
    ...recoveryRoutes,
    ...installRoutes,
    ...homeRoutes,
    ...settingsRoutes,
    ...(runtime.config.isDemo ? devRoutes : []),
  ];
  return [interactionRouter(runtime), createRouter(runtime, routes)];
}

function withWork(runtime: Runtime) {
  return async (ctx: Context, next: () => Promise<void>) => {
    const origin = {
      requestId: String(ctx.state.requestId),
      ip: String(ctx.state.ip),
      agent: ctx.get('user-agent').slice(0, 300),
    };
    ctx.state.work = runtime.work({ kind: 'stranger', name: 'a visitor' }, origin);
    await next();
  };
}

function engine(runtime: Runtime) {
  const handle = engineMiddleware(
    runtime,
    (ctx) => (ctx as unknown as Context).state.work,
    (ctx) => getCookie(ctx as unknown as Context, runtime, 'browser') ?? null,
  );
  return async (ctx: Context, next: () => Promise<void>) => {
    if (!enginePaths.test(ctx.path)) return next();
    ctx.state.route = ctx.path.replace(/^\/auth\/.+/, '/auth/:uid');
    await handle(ctx as unknown as Parameters<Middleware>[0], next);
  };
}

/** The listener of the HTTP server: prepared documents go out before koa is asked (they are most of the traffic). */
export function createListener(runtime: Runtime): RequestListener {
  const callback = createApp(runtime).callback();
  return (request, response) => {
    if (!answerDocument(runtime, request, response)) void callback(request, response);
  };
}

function answerDocument(runtime: Runtime, request: IncomingMessage, response: ServerResponse): boolean {
  if (request.method !== 'GET' || request.headers.origin !== undefined || !isOurHost(request, runtime.config))
    return false;
  const document = runtime.engine.documents.get(request.url ?? '');
  if (!document) return false;
  if (request.headers['if-none-match'] === document.headers.etag) {
    response.writeHead(304, { etag: document.headers.etag }).end();
    return true;
  }
  response.writeHead(200, document.headers).end(document.body);
  return true;
}
