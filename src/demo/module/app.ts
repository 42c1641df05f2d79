import { randomUUID } from 'node:crypto';
import { bodyParser } from '@koa/bodyparser';
import Router from '@koa/router';
import Koa, { type Context, type Middleware } from 'koa';
import type { Logger } from 'pino';
import {
  type Acceptance,
  buildCookie,
  type EndReason,
  type LoginModule,
  localPath,
  type ModuleRequest,
  type ModuleSession,
  parseCookies,
  type SignIn,
} from '../../sdk/module.ts';
import { type Account, decideEntry } from './account.ts';
import type { AccountTable } from './account-table.ts';
import type { ModuleConfig } from './config.ts';
import { createCsrf, createLocalLogin } from './local-login.ts';
import { createLook } from './look.ts';
import { homePage, type LoginView, loginPage, messagePage, type Site } from './pages.ts';

export interface ModuleRuntime {
  config: ModuleConfig;
  /** The module's own origin. */
  url: string;
  secret: string;
  kit: LoginModule;
  accounts: AccountTable;
  log: Logger;
  clock: () => number;
}

const WRONG = 'The e-mail address or the password is wrong.';

export async function createApp(runtime: ModuleRuntime): Promise<Koa> {
  const { config, kit, accounts, log, url } = runtime;
  const look = createLook(config.slug);
  const site: Site = {
    name: config.name,
    brandName: config.brandName,
    stylesheet: look.stylesheet,
    launcherUrl: config.issuer,
  };
  const localLogin = await createLocalLogin(accounts, runtime.clock);
  const csrf = createCsrf(runtime.secret);
  const csrfCookie = `${config.slug}_csrf`;
  const secure = url.startsWith('https:');

  const handle = kit.handler({
    accept: (arrival) => accept(runtime, arrival),
    failed: ({ code }) => `/login?problem=${code}`,
    loggedOut: '/login?notice=logged-out',
    heardLogout: ({ ended, error }) =>
      error
        ? log.warn({ code: error.code, reason: error.reason }, 'logout token refused')
        : log.info({ ended: ended.length }, 'logged out by the provider'),
  });

  /** The five routes of the kit: /login/start, /callback, /initiate-login, /logout and /backchannel-logout. */
  const kitRoutes: Middleware = async (ctx, next) => {
    const answer = await handle(toModuleRequest(ctx));
    if (answer === null) return next();
    ctx.status = answer.status;
    ctx.set(answer.headers);
    ctx.body = answer.body;
  };

  function drawLogin(ctx: Context, view: Partial<LoginView>, status = 200): void {
    const known = parseCookies(ctx.get('cookie')).get(csrfCookie);
    const value = known ?? csrf.newValue();
    if (known === undefined) ctx.append('set-cookie', buildCookie(csrfCookie, value, { secure }));
    ctx.status = status;
    const blank = { returnTo: '/', email: '', problem: null, notice: null, error: null };
    ctx.body = loginPage(site, { ...blank, ...view, csrf: csrf.tokenFor(value) });
  }

  async function showLogin(ctx: Context): Promise<void> {
    const { problem, notice, return_to } = ctx.query;
    const isPlain = problem === undefined && notice === undefined;
    if (isPlain && (await kit.sessions.read(ctx.get('cookie'))).state === 'live') return ctx.redirect('/');
    drawLogin(ctx, { problem: one(problem), notice: one(notice), returnTo: localPath(return_to) });
  }

  async function logInLocally(ctx: Context): Promise<void> {
    const form = formOf(ctx);
    const cookie = parseCookies(ctx.get('cookie')).get(csrfCookie);
    const isForeign = ctx.get('origin') !== '' && ctx.get('origin') !== url;
    const returnTo = localPath(form.get('return_to'));
    if (isForeign || !csrf.isValid(cookie, form.get('csrf') ?? '')) {
      return drawLogin(ctx, { returnTo, error: 'This page was open for too long. Please log in again.' }, 403);
    }
    const email = (form.get('email') ?? '').trim();
    const result = await localLogin.check({ email, password: form.get('password') ?? '', address: ctx.ip });
    if (result.outcome === 'in') {
      const data = { accountId: result.account.id };
      const { setCookie } = await kit.sessions.open({ data, replaces: ctx.get('cookie') });
      ctx.append('set-cookie', setCookie);
      log.info({ account: result.account.id }, 'logged in locally');
      ctx.redirect(returnTo);
      ctx.status = 303;
    } else if (result.outcome === 'refused') {
      log.info({ reason: result.reason }, 'local login refused');
      drawLogin(ctx, { returnTo, email, error: WRONG }, 422);
    } else {
      ctx.set('retry-after', String(result.seconds));
      const minutes = Math.ceil(result.seconds / 60);
      drawLogin(ctx, { returnTo, email, error: `Too many tries. Try again in ${inMinutes(minutes)}.` }, 429);
    }
  }

  async function showHome(ctx: Context): Promise<void> {
    const reading = await readSession(runtime, ctx);
    if (reading.session) {
      ctx.body = homePage(site, reading);
      return;
    }
    const query = new URLSearchParams(reading.notice === null ? {} : { notice: reading.notice });
    if (ctx.url !== '/') query.set('return_to', localPath(ctx.url));
    if (reading.hadCookie) ctx.append('set-cookie', kit.sessions.clearCookie);
    ctx.redirect(query.size > 0 ? `/login?${query}` : '/login');
    ctx.status = 303;
  }

  const router = new Router();
  router.get('/', showHome);
  router.get('/login', showLogin);
  router.post('/login', logInLocally);
  // Where the provider sends the browser after logging out there: an address without query, to be registered as it is.
  router.get('/logged-out', (ctx) => ctx.redirect('/login?notice=logged-out'));
  router.get('/health', (ctx) => {
    ctx.body = { status: 'ok', module: config.name };
  });
  for (const [path, asset] of look.assets) {
    router.get(path, (ctx) => {
      ctx.type = asset.type;
      ctx.set('cache-control', asset.isFingerprinted ? 'public, max-age=31536000, immutable' : 'public, max-age=3600');
      ctx.body = asset.body;
    });
  }

  const app = new Koa();
  app.on('error', (error: Error) => log.error({ err: error }, 'answer failed'));
  app.use(secureHeaders(secure));
  app.use(pageForFailures(site, log));
  app.use(onlyOwnHost(url));
  app.use(bodyParser({ enableTypes: ['form'], formLimit: '100kb' }));
  app.use(kitRoutes);
  app.use(router.routes());
  app.use(router.allowedMethods());
  return app;
}

/** At the door: the account of this person, linked at the first time, or the plain reason why there is none (C28). */
async function accept({ accounts, config, log, clock }: ModuleRuntime, { user }: SignIn): Promise<Acceptance> {
  const identity = { issuer: config.issuer, subject: user.sub, email: user.email, emailVerified: user.emailVerified };
  const entry = decideEntry(identity, accounts.all());
  if (entry.outcome === 'refused') {
    log.info({ reason: entry.reason, subject: user.sub }, 'entry refused');
    return { enter: false, location: `/login?problem=${entry.reason}` };
  }
  const { account } = entry;
  if (entry.isNewLink) {
    const linkedAt = new Date(clock()).toISOString();
    const isLinked = await accounts.link(account.id, { issuer: config.issuer, subject: user.sub, linkedAt });
    // Somebody else was linked between the decision and now.
    if (!isLinked) return { enter: false, location: '/login?problem=linked-elsewhere' };
    log.info({ account: account.id, subject: user.sub }, 'account linked');
  }
  return { enter: true, data: { accountId: account.id } };
}

type Reading =
  | { session: ModuleSession; account: Account }
  | { session: null; notice: EndReason | 'suspended' | null; hadCookie: boolean };

/** Whose request this is: a live session, fresh at the provider, of an account that is still active. */
async function readSession({ kit, accounts, log }: ModuleRuntime, ctx: Context): Promise<Reading> {
  const stored = await kit.sessions.read(ctx.get('cookie'));
  if (stored.state === 'none') return { session: null, notice: null, hadCookie: false };
  // While the provider is away the module works on: the session ends by its own times at the latest.
  const reading =
    stored.state === 'ended'
      ? stored
      : await kit.sessions.freshen(stored.session).catch((error: Error) => {
          log.warn({ err: error }, 'session not renewed');
          return stored;
        });
  if (reading.state === 'none') return { session: null, notice: null, hadCookie: true };
  if (reading.state === 'ended') {
    return { session: null, notice: reading.reason === 'unknown' ? null : reading.reason, hadCookie: true };
  }
  const account = accounts.find(String(reading.session.data.accountId));
  if (account?.status === 'active') return { session: reading.session, account };
  await kit.sessions.end(reading.session);
  return { session: null, notice: null, hadCookie: true };
}

function toModuleRequest(ctx: Context): ModuleRequest {
  return { method: ctx.method, url: ctx.url, headers: ctx.headers, body: formOf(ctx) };
}

function formOf(ctx: Context): URLSearchParams {
  const form = new URLSearchParams();
  const parsed: unknown = ctx.request.body;
  for (const [name, value] of Object.entries(typeof parsed === 'object' && parsed !== null ? parsed : {})) {
    for (const item of [value].flat()) if (typeof item === 'string') form.append(name, item);
  }
  return form;
}

const one = (value: string | string[] | undefined): string | null => [value].flat()[0] ?? null;
const inMinutes = (minutes: number): string => (minutes === 1 ? 'a minute' : `${minutes} minutes`);

/** WEB-05. No form-action: browsers hold it against the redirects that follow a form, such as logging out there. */
function secureHeaders(secure: boolean): Middleware {
  const policy = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'";
  return (ctx, next) => {
    ctx.set('content-security-policy', policy);
    ctx.set('x-content-type-options', 'nosniff');
    // Not no-referrer: with it browsers send "Origin: null" along with our own forms.
    ctx.set('referrer-policy', 'same-origin');
    ctx.set('cross-origin-opener-policy', 'same-origin');
    ctx.set('cache-control', 'no-store');
    if (secure) ctx.set('strict-transport-security', 'max-age=31536000');
    return next();
  };
}

/** WEB-10: no other name than the module's own, except for the health check, which machines call by number. */
function onlyOwnHost(url: string): Middleware {
  const { host } = new URL(url);
  return (ctx, next) => {
    if (ctx.host !== host && ctx.path !== '/health') ctx.throw(421);
    return next();
  };
}

const FAILURES: Readonly<Record<number, [title: string, text: string]>> = {
  404: ['This page does not exist', 'The address may be mistyped, or the page has moved.'],
  405: ['This is not possible here', 'The page was asked for in a way that it does not know.'],
  413: ['That was too much', 'What was sent is larger than this page takes.'],
  421: ['Wrong address', 'Please use the address that you were given.'],
};

/** The outermost middleware: a page for each failure, its words without the cause, and the cause in the log. */
function pageForFailures(site: Site, log: Logger): Middleware {
  return async (ctx, next) => {
    let code: string | null = null;
    try {
      await next();
      if (ctx.status < 400 || ctx.body) return;
    } catch (error) {
      const status = Number(Object(error).status);
      ctx.status = status >= 400 && status < 500 ? status : 500;
      if (ctx.status === 500) {
        code = randomUUID().slice(0, 8);
        log.error({ err: error, code }, 'request failed');
      }
    }
    const { status } = ctx;
    const [title, text] = FAILURES[status] ?? ['Something went wrong', 'Please try again in a moment.'];
    ctx.body = messagePage(site, { title, text, code });
    ctx.status = status;
    ctx.type = 'html';
  };
}
