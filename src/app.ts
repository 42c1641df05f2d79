// The middleware ladder, and who owns which address.
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import Koa, { type Middleware } from 'koa';
import type { ApiContext } from './api/context.ts';
import { api } from './api/router.ts';
import { methodNotAllowed } from './lib/errors.ts';
import { engineMiddleware } from './oidc/middleware.ts';
import { findEngineRoute } from './oidc/routes.ts';
import type { Runtime } from './runtime.ts';
import { adminRoutes } from './web/admin/routes.ts';
import { type Context, getCookie, type State } from './web/context.ts';
import { devRoutes } from './web/dev/dev-routes.ts';
import { accessRoutes } from './web/home/access-routes.ts';
import { homeRoutes } from './web/home/home-routes.ts';
import { settingsRoutes } from './web/home/settings-routes.ts';
import { tileRoutes } from './web/home/tile-routes.ts';
import { interactionRouter } from './web/interaction/router.ts';
import { csrf } from './web/middleware/csrf.ts';
import { addressOf, door, isOurHost, toOriginForm } from './web/middleware/door.ts';
import { errorPages } from './web/middleware/errors.ts';
import { form } from './web/middleware/form.ts';
import { securityHeaders } from './web/middleware/headers.ts';
import { observe, report } from './web/middleware/observe.ts';
import { operations } from './web/middleware/operations.ts';
import { assets } from './web/middleware/static.ts';
import { installRoutes } from './web/public/install-routes.ts';
import { recoveryRoutes } from './web/public/recovery-routes.ts';
import { signInRoutes } from './web/public/sign-in-routes.ts';
import { createRouter } from './web/routes.ts';
import { arrivalRoutes } from './web/sso/arrive.ts';
import { leaveUpstream } from './web/sso/leave.ts';
import { sso } from './web/sso/routes.ts';

export function createApp(runtime: Runtime): Koa {
  const app = new Koa<State>({ proxy: true, keys: runtime.cookieKeys });
  app.silent = true;
  const use = (middleware: (ctx: Context, next: () => Promise<void>) => Promise<void>) =>
    app.use(middleware as Middleware<State>);

  use(observe(runtime));
  use(securityHeaders(runtime.config));
  use(errorPages(runtime));
  use(door(runtime.config));
  use(withWork(runtime));
  // Most of the traffic is the protocol's, so it does not go through what serves others.
  use(engine(runtime));
  use(operations(runtime));
  use(assets(runtime));
  const serveApi = api(runtime);
  use((ctx, next) => serveApi(ctx as unknown as ApiContext, next));
  use(sso(runtime));
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
    ...arrivalRoutes,
    ...recoveryRoutes,
    ...installRoutes,
    ...homeRoutes,
    ...settingsRoutes,
    ...adminRoutes,
    ...accessRoutes,
    ...tileRoutes,
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

const noCookies = { browser: undefined, proof: undefined };

function engine(runtime: Runtime) {
  const handle = engineMiddleware(
    runtime,
    (ctx) => (ctx as unknown as Context).state.work,
    (ctx) =>
      // Modules send none, and asking koa makes a jar for each request.
      ctx.req.headers.cookie === undefined
        ? noCookies
        : {
            browser: getCookie(ctx as unknown as Context, runtime, 'browser'),
            proof: getCookie(ctx as unknown as Context, runtime, 'proof', ctx.path),
          },
    (ctx, userId, address) => leaveUpstream(ctx as unknown as Context, runtime, userId, address),
  );
  return async (ctx: Context, next: () => Promise<void>) => {
    const route = findEngineRoute(ctx.path);
    if (!route) return next();
    ctx.state.route = route.name;
    if (!route.allow.split(', ').includes(ctx.method)) {
      ctx.set('allow', route.allow);
      throw methodNotAllowed();
    }
    await handle(ctx as unknown as Parameters<Middleware>[0], next);
  };
}

/** The listener of the HTTP server: prepared documents go out before koa is asked (they are most of the traffic). */
export function createListener(runtime: Runtime): RequestListener {
  const callback = createApp(runtime).callback();
  const publicHost = new URL(runtime.config.publicUrl).host;
  return (request, response) => {
    toOriginForm(request);
    if (!answerDocument(runtime, publicHost, request, response)) void callback(request, response);
  };
}

function answerDocument(
  runtime: Runtime,
  publicHost: string,
  request: IncomingMessage,
  response: ServerResponse,
): boolean {
  const route = request.url ?? '';
  const document = runtime.engine.documents.get(route);
  if (!document || request.method !== 'GET' || request.headers.origin !== undefined) return false;
  if (!isOurHost(request, publicHost)) return false;
  const startedAt = performance.now();
  const isKnown = request.headers['if-none-match'] === document.headers.etag;
  if (isKnown) response.writeHead(304, { etag: document.headers.etag }).end();
  else response.writeHead(200, document.headers).end(document.body);
  const seconds = (performance.now() - startedAt) / 1000;
  const who = { requestId: randomUUID(), ip: addressOf(request, runtime.config) };
  report(runtime, { method: 'GET', route, status: isKnown ? 304 : 200, seconds, ...who });
  return true;
}
