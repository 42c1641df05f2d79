import { bodyParser } from '@koa/bodyparser';
import Router from '@koa/router';
import Koa, { type Context, type Middleware } from 'koa';
import { type LogoutAnswer, localPath } from '../../sdk/module.ts';
import { createDoor, type Door } from './door.ts';
import { formOf, onlyOwnHost, pageForFailures, secureHeaders, seeOther } from './http.ts';
import { createLoginPage } from './login-page.ts';
import { type Asset, createLook } from './look.ts';
import { homePage, type Site } from './pages.ts';
import type { ModuleRuntime } from './runtime.ts';
import { scimRoutes } from './scim.ts';

export async function createApp(runtime: ModuleRuntime): Promise<Koa> {
  const { config, log, url } = runtime;
  const look = createLook(config.slug);
  const { name, brandName, issuer } = config;
  const site: Site = { name, brandName, stylesheet: look.stylesheet, launcherUrl: issuer };
  const door = createDoor(runtime);
  const login = await createLoginPage(runtime, site);

  const router = new Router();
  router.get('/', homeRoute(runtime, site, door));
  router.get('/login', login.show);
  router.post('/login', login.logIn);
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
  app.use(bodyParser({ enableTypes: ['form'], formLimit: '100kb' }));
  app.use(scimRoutes(runtime));
  app.use(kitRoutes(runtime, door));
  app.use(router.routes());
  app.use(router.allowedMethods());
  return app;
}

/** The five routes of the kit: /login/start, /callback, /initiate-login, /logout and /backchannel-logout. */
function kitRoutes({ kit, log }: ModuleRuntime, door: Door): Middleware {
  const heardLogout = ({ ended, error }: LogoutAnswer) => {
    if (error) log.warn({ code: error.code, reason: error.reason }, 'logout token refused');
    else log.info({ ended: ended.length }, 'logged out by the provider');
  };
  const handle = kit.handler({
    accept: door.accept,
    failed: ({ code }) => `/login?problem=${code}`,
    loggedOut: '/login?notice=logged-out',
    heardLogout,
  });
  return async (ctx, next) => {
    const answer = await handle({ method: ctx.method, url: ctx.url, headers: ctx.headers, body: formOf(ctx) });
    if (answer === null) return next();
    ctx.status = answer.status;
    ctx.set(answer.headers);
    ctx.body = answer.body;
  };
}

function homeRoute({ kit }: ModuleRuntime, site: Site, door: Door) {
  return async (ctx: Context): Promise<void> => {
    const visit = await door.visit(ctx);
    if (visit.session) {
      ctx.body = homePage(site, visit);
      return;
    }
    const query = new URLSearchParams();
    if (visit.notice !== null && visit.notice !== 'unknown') query.set('notice', visit.notice);
    if (ctx.url !== '/') query.set('return_to', localPath(ctx.url));
    if (visit.hadCookie) ctx.append('set-cookie', kit.sessions.clearCookie);
    seeOther(ctx, query.size > 0 ? `/login?${query}` : '/login');
  };
}

function assetRoute({ type, body, isFingerprinted }: Asset) {
  return (ctx: Context): void => {
    ctx.type = type;
    ctx.set('cache-control', isFingerprinted ? 'public, max-age=31536000, immutable' : 'public, max-age=3600');
    ctx.body = body;
  };
}
