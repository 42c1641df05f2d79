import { bodyParser } from '@koa/bodyparser';
import Router from '@koa/router';
import Koa, { type Context, type Middleware } from 'koa';
import { createScimUsers, type LogoutAnswer, type ModuleResponse } from '../../sdk/module.ts';
import { createCenter } from './center.ts';
import { createDoor, type Door } from './door.ts';
import { homePage } from './home-page.ts';
import { formOf, onlyOwnHost, pageForFailures, secureHeaders, seeOther, textOf } from './http.ts';
import { localLoginPath } from './integration.ts';
import type { Site } from './layout.ts';
import { createLoginPage } from './login-page.ts';
import { type Asset, createLook } from './look.ts';
import type { ModuleRuntime } from './runtime.ts';
import { sendToLogin, visitorOf } from './visitor.ts';

export async function createApp(runtime: ModuleRuntime): Promise<Koa> {
  const { config, log, url } = runtime;
  const look = createLook(config.slug);
  const { name, brandName, issuer } = config;
  const site: Site = { name, brandName, stylesheet: look.stylesheet, launcherUrl: issuer };
  const door = createDoor(runtime);
  const login = await createLoginPage(runtime, site);
  const center = createCenter(runtime, site, door);

  const router = new Router();
  router.get('/', homeRoute(runtime, site, door));
  router.get('/login', login.show);
  router.post('/login', login.logIn);
  router.get(localLoginPath, login.show);
  router.post(localLoginPath, login.logIn);
  router.get('/login/link', login.showLink);
  router.post('/login/link', login.linkAccount);
  router.get('/health', (ctx) => {
    ctx.body = { status: 'ok', module: name };
  });
  for (const [path, asset] of look.assets) router.get(path, assetRoute(asset));

  const app = new Koa();
  // Without a listener Koa would write to the console itself.
  app.on('error', (error: Error) => log.error({ err: error }, 'answer failed'));
  app.use(secureHeaders(url.startsWith('https:')));
  app.use(pageForFailures(site, log));
  app.use(onlyOwnHost(url));
  app.use(machineRoutes(runtime));
  app.use(bodyParser({ enableTypes: ['form'], formLimit: '100kb' }));
  app.use(kitRoutes(runtime, door, center.finishConnect));
  app.use(router.routes());
  app.use(router.allowedMethods());
  app.use(center.router.routes());
  app.use(center.router.allowedMethods());
  return app;
}

function send(ctx: Context, answer: ModuleResponse): void {
  ctx.status = answer.status;
  ctx.set(answer.headers);
  ctx.body = answer.body === '' ? null : answer.body;
  if (answer.body === '') ctx.status = answer.status;
}

/** What the provider's machines call: accounts and events, in bodies that are no forms. */
function machineRoutes({ integration, config, hooks, url: base }: ModuleRuntime): Middleware {
  const { scimToken } = config;
  const plain = scimToken && createScimUsers({ url: `${base}/scim/v2`, token: scimToken, accounts: hooks });
  const handle = integration?.handle ?? plain;
  return async (ctx, next) => {
    if (!handle || !(ctx.path === '/events' || ctx.path.startsWith('/scim/'))) return next();
    const { method, url, headers } = ctx;
    const answer = await handle({ method, url, headers, body: await textOf(ctx) });
    if (answer === null) return next();
    send(ctx, answer);
  };
}

/** The five routes of the kit: /login/start, /callback, /initiate-login, /logout and /backchannel-logout. */
function kitRoutes(
  { kit, integration, log }: ModuleRuntime,
  door: Door,
  finishConnect: ReturnType<typeof createCenter>['finishConnect'],
): Middleware {
  const heardLogout = ({ ended, error }: LogoutAnswer) => {
    if (error) log.warn({ code: error.code, reason: error.reason }, 'logout token refused');
    else log.info({ ended: ended.length }, 'logged out by the provider');
  };
  const handle = kit.handler({
    accept: door.accept,
    instance: () => integration?.state.instance,
    finishConnect,
    failed: ({ code }) => `/login?problem=${code}`,
    loggedOut: '/login?notice=logged-out',
    heardLogout,
  });
  return async (ctx, next) => {
    // D.6: while it is off there is no way to the provider, whoever asks for one.
    const isWayIn = ctx.path === '/login/start' || ctx.path === '/initiate-login';
    if (isWayIn && integration?.loginGate().offered === false) return seeOther(ctx, '/login?problem=disabled');
    const answer = await handle({ method: ctx.method, url: ctx.url, headers: ctx.headers, body: formOf(ctx) });
    if (answer === null) return next();
    send(ctx, answer);
  };
}

function homeRoute(runtime: ModuleRuntime, site: Site, door: Door) {
  return async (ctx: Context): Promise<void> => {
    const visit = await door.visit(ctx);
    if (visit.session) {
      ctx.body = homePage(site, { ...visit, visitor: visitorOf(runtime, visit, 'home') });
      return;
    }
    sendToLogin(runtime, ctx, visit);
  };
}

function assetRoute({ type, body, isFingerprinted }: Asset) {
  return (ctx: Context): void => {
    ctx.type = type;
    ctx.set('cache-control', isFingerprinted ? 'public, max-age=31536000, immutable' : 'public, max-age=3600');
    ctx.body = body;
  };
}
