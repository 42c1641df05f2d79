/** The module's login page: the button to the provider, and the module's own form. */
import type { Context } from 'koa';
import { buildCookie, localPath, parseCookies } from '../../sdk/module.ts';
import { formOf, seeOther } from './http.ts';
import { createCsrf, createLocalLogin } from './local-login.ts';
import { type LoginView, loginPage, type Site } from './pages.ts';
import type { ModuleRuntime } from './runtime.ts';

const WRONG = 'The e-mail address or the password is wrong.';
const STALE = 'This page was open for too long. Please log in again.';

export async function createLoginPage(runtime: ModuleRuntime, site: Site) {
  const { config, kit, log, url } = runtime;
  const localLogin = await createLocalLogin(runtime.accounts, runtime.clock);
  const csrf = createCsrf(runtime.secret);
  const csrfCookie = `${config.slug}_csrf`;
  const secure = url.startsWith('https:');
  const csrfValueOf = (ctx: Context) => parseCookies(ctx.get('cookie')).get(csrfCookie);

  function draw(ctx: Context, view: Partial<LoginView>, status = 200): void {
    const known = csrfValueOf(ctx);
    const value = known ?? csrf.newValue();
    if (known === undefined) ctx.append('set-cookie', buildCookie(csrfCookie, value, { secure }));
    ctx.status = status;
    const blank = { returnTo: '/', email: '', problem: null, notice: null, error: null };
    ctx.body = loginPage(site, { ...blank, ...view, csrf: csrf.tokenFor(value) });
  }

  async function show(ctx: Context): Promise<void> {
    const { problem, return_to } = ctx.query;
    // The provider hands back the state of a logout that went through it.
    const notice = ctx.query.notice ?? ctx.query.state;
    const isPlain = problem === undefined && notice === undefined;
    if (isPlain && (await kit.sessions.read(ctx.get('cookie'))).state === 'live') return seeOther(ctx, '/');
    draw(ctx, { problem: one(problem), notice: one(notice), returnTo: localPath(return_to) });
  }

  /** WEB-06: our own form, in the browser that it was drawn for. Browsers that send no Origin have the token alone. */
  function isOwnForm(ctx: Context, form: URLSearchParams): boolean {
    const origin = ctx.get('origin');
    return (origin === '' || origin === url) && csrf.isValid(csrfValueOf(ctx), form.get('csrf') ?? '');
  }

  async function logIn(ctx: Context): Promise<void> {
    const form = formOf(ctx);
    const returnTo = localPath(form.get('return_to'));
    if (!isOwnForm(ctx, form)) return draw(ctx, { returnTo, error: STALE }, 403);
    const email = (form.get('email') ?? '').trim();
    const result = await localLogin.check({ email, password: form.get('password') ?? '', address: ctx.ip });
    if (result.outcome === 'in') {
      const data = { accountId: result.account.id };
      const { setCookie } = await kit.sessions.open({ data, replaces: ctx.get('cookie') });
      ctx.append('set-cookie', setCookie);
      log.info({ account: result.account.id }, 'logged in locally');
      return seeOther(ctx, returnTo);
    }
    if (result.outcome === 'wait') {
      ctx.set('retry-after', String(result.seconds));
      return draw(ctx, { returnTo, email, error: `Too many tries. Try again ${inMinutes(result.seconds)}.` }, 429);
    }
    log.info({ reason: result.reason }, 'local login refused');
    draw(ctx, { returnTo, email, error: WRONG }, 422);
  }

  return { show, logIn };
}

const one = (value: string | string[] | undefined): string | null => [value].flat()[0] ?? null;

function inMinutes(seconds: number): string {
  const minutes = Math.ceil(seconds / 60);
  return minutes === 1 ? 'in a minute' : `in ${minutes} minutes`;
}
