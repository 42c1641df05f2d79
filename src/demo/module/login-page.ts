/** The module's login pages: the button to the provider, the module's own form, and the last local login that links (D.6, C31). */
import type { Context } from 'koa';
import { buildCookie, type LocalLoginDecision, localPath, parseCookies } from '../../sdk/module.ts';
import { type Account, isAdministrator } from './account.ts';
import { proofCookie } from './door.ts';
import { formOf, seeOther } from './http.ts';
import { localLoginPath } from './integration.ts';
import type { Site } from './layout.ts';
import { createLocalLogin, type LocalOutcome } from './local-login.ts';
import { type LoginView, linkPage, loginPage } from './login-views.ts';
import type { ModuleRuntime } from './runtime.ts';

const WRONG = 'The e-mail address or the password is wrong.';
const STALE = 'This page was open for too long. Please log in again.';
const UNLINKED = 'This can no longer be linked. Log in with the button again.';

export async function createLoginPage(runtime: ModuleRuntime, site: Site) {
  const { config, kit, integration, forms, log, url } = runtime;
  const localLogin = await createLocalLogin(runtime.accounts, runtime.clock);

  /** Without an integration nothing is required, and the button is there always. */
  const gate = () => integration?.loginGate() ?? { offered: true, required: false, trialEndsAt: null };

  function draw(ctx: Context, view: Partial<LoginView>, status = 200): void {
    const { offered, required, trialEndsAt } = gate();
    const isLocal = ctx.path === localLoginPath || !offered;
    const shows = isLocal ? 'local' : required ? 'provider' : 'both';
    ctx.status = status;
    const blank = { returnTo: '/', email: '', problem: null, notice: null, error: null };
    const trial = trialEndsAt === null ? null : Date.parse(trialEndsAt);
    ctx.body = loginPage(site, { ...blank, ...view, shows, trialEndsAt: trial, offered, csrf: forms.tokenFor(ctx) });
  }

  async function show(ctx: Context): Promise<void> {
    const { problem, return_to } = ctx.query;
    // The provider hands back the state of a logout that went through it.
    const notice = ctx.query.notice ?? ctx.query.state;
    const isPlain = problem === undefined && notice === undefined;
    if (isPlain && (await kit.sessions.read(ctx.get('cookie'))).state === 'live') return seeOther(ctx, '/');
    draw(ctx, { problem: one(problem), notice: one(notice), returnTo: localPath(return_to) });
  }

  /** Asked after a right password only, so that nobody learns whose account it is (C31). */
  function decide(account: Account): Pick<LocalLoginDecision, 'allowed' | 'row' | 'at'> {
    const administrator = isAdministrator(account, config.administrators);
    return (
      integration?.decideLocalLogin({ id: account.id, administrator }) ?? { allowed: true, row: 'optional', at: null }
    );
  }

  async function logIn(ctx: Context): Promise<void> {
    const form = formOf(ctx);
    const returnTo = localPath(form.get('return_to'));
    if (!forms.isOwn(ctx, form)) return draw(ctx, { returnTo, error: STALE }, 403);
    const email = (form.get('email') ?? '').trim();
    const result = await localLogin.check({ email, password: form.get('password') ?? '', address: ctx.ip });
    if (result.outcome !== 'in') return refuse(ctx, result, { returnTo, email });
    const { account } = result;
    const { allowed, row, at } = decide(account);
    if (!allowed) {
      log.info({ account: account.id, row }, 'local login refused');
      return draw(ctx, { returnTo, email, error: required(row) }, 403);
    }
    // Exempt people have a form of their own; at the ordinary one they are told where it is.
    if (at !== null && new URL(at, url).pathname !== ctx.path)
      return draw(ctx, { returnTo, email, error: `You are exempt: log in at ${at}.` }, 403);
    const { setCookie } = await kit.sessions.open({ data: { accountId: account.id }, replaces: ctx.get('cookie') });
    ctx.append('set-cookie', setCookie);
    log.info({ account: account.id, row }, 'logged in locally');
    seeOther(ctx, returnTo);
  }

  const required = (row: string): string =>
    row === 'offline'
      ? `${site.brandName} has not answered for a long time. Only administrators can log in here until it does.`
      : `Log in with ${site.brandName}: ${site.name} requires it for your account.`;

  function refuse(ctx: Context, result: Exclude<LocalOutcome, { outcome: 'in' }>, view: Partial<LoginView>): void {
    if (result.outcome === 'wait') {
      ctx.set('retry-after', String(result.seconds));
      draw(ctx, { ...view, error: `Too many tries. Try again ${inMinutes(result.seconds)}.` }, 429);
    } else {
      log.info({ reason: result.reason }, 'local login refused');
      draw(ctx, { ...view, error: WRONG }, 422);
    }
  }

  const proofOf = (ctx: Context) => parseCookies(ctx.get('cookie')).get(proofCookie(config.slug));

  function showLink(ctx: Context): void {
    if (proofOf(ctx) === undefined) seeOther(ctx, '/login');
    else ctx.body = linkPage(site, { csrf: forms.tokenFor(ctx), error: null });
  }

  async function linkAccount(ctx: Context): Promise<void> {
    const form = formOf(ctx);
    const again = (status: number, error: string) => {
      ctx.status = status;
      ctx.body = linkPage(site, { csrf: forms.tokenFor(ctx), error });
    };
    if (!forms.isOwn(ctx, form)) return again(403, STALE);
    const email = (form.get('email') ?? '').trim();
    const result = await localLogin.check({ email, password: form.get('password') ?? '', address: ctx.ip });
    if (result.outcome === 'wait') return again(429, `Too many tries. Try again ${inMinutes(result.seconds)}.`);
    if (result.outcome === 'refused') return again(422, WRONG);
    const isLinked = await integration?.linkByProof(proofOf(ctx) ?? '', result.account.id);
    ctx.append(
      'set-cookie',
      buildCookie(proofCookie(config.slug), '', { secure: url.startsWith('https:'), maxAge: 0 }),
    );
    if (!isLinked) return again(409, UNLINKED);
    log.info({ account: result.account.id }, 'account linked by its own password');
    // Signed in there still, so this asks nothing, and the link lets them in.
    seeOther(ctx, '/login/start');
  }

  return { show, logIn, showLink, linkAccount };
}

const one = (value: string | string[] | undefined): string | null => [value].flat()[0] ?? null;

function inMinutes(seconds: number): string {
  const minutes = Math.ceil(seconds / 60);
  return minutes === 1 ? 'in a minute' : `in ${minutes} minutes`;
}
