// The doors to signing in and out of our own pages: they go through our own authorization endpoint like every module.

import { cookieNames } from '../../config/cookies.ts';
import { record } from '../../domain/audit/commands.ts';
import { homeClientId } from '../../domain/modules/module.ts';
import { endSessions } from '../../domain/sessions/commands.ts';
import { randomToken } from '../../lib/secrets.ts';
import { hours, minutes } from '../../lib/time.ts';
import type { Runtime } from '../../runtime.ts';
import { type Context, getSealedCookie, setSealedCookie } from '../context.ts';
import { findPerson } from '../home/person.ts';
import { showPage } from '../page.ts';
import { param, type Route, seeOther } from '../routes.ts';
import { leaveUpstream } from '../sso/leave.ts';

/** A place of ours to return to: a path, never another site (WEB-07). */
export function localPath(candidate: string | undefined): string {
  if (!candidate || !/^\/[^\\\p{Cc}]*$/u.test(candidate)) return '/';
  const base = 'http://local.invalid';
  const url = URL.parse(candidate, base);
  // The path that a browser makes of it counts: /.//host becomes //host.
  return url && url.origin === base && !url.pathname.startsWith('//') ? `${url.pathname}${url.search}` : '/';
}

/** To our own authorization endpoint; what the person wanted waits in a sealed cookie. */
export function startSignIn(
  ctx: Context,
  runtime: Runtime,
  returnTo: string,
  extra: Record<string, string> = {},
): void {
  const state = randomToken(16);
  setSealedCookie(ctx, runtime, 'return', { state, returnTo: localPath(returnTo) }, { maxAge: hours(1) });
  const verifier = randomToken();
  const query = new URLSearchParams({
    client_id: homeClientId,
    response_type: 'code',
    scope: 'openid',
    redirect_uri: `${runtime.config.publicUrl}/signed-in`,
    state,
    // Nobody redeems this code: the session cookie that comes with it is what our own pages read.
    code_challenge: runtime.challengeOf(verifier),
    code_challenge_method: 'S256',
    ...extra,
  });
  seeOther(ctx, `/auth?${query}`);
}

async function login(ctx: Context, runtime: Runtime): Promise<void> {
  const hint = typeof ctx.query.username === 'string' ? { login_hint: ctx.query.username } : {};
  startSignIn(ctx, runtime, '/', hint);
}

/** Company Login URL (B.1): the company's name needs not be typed. An unknown one is the general page, and says nothing. */
async function companyLogin(ctx: Context, runtime: Runtime): Promise<void> {
  const company = await ctx.state.work.store.companies.findBySlug(param(ctx, 'slug').slice(0, 100));
  if (company) setSealedCookie(ctx, runtime, 'company', { name: company.name, isFixed: true }, { maxAge: minutes(30) });
  await login(ctx, runtime);
}

async function signedIn(ctx: Context, runtime: Runtime): Promise<void> {
  const waiting = getSealedCookie(ctx, runtime, 'return');
  setSealedCookie(ctx, runtime, 'return', null);
  const isExpected =
    waiting !== null && typeof waiting === 'object' && 'state' in waiting && waiting.state === ctx.query.state;
  const returnTo = isExpected && 'returnTo' in waiting && typeof waiting.returnTo === 'string' ? waiting.returnTo : '/';
  if (ctx.query.error) return seeOther(ctx, '/signed-out');
  // Our pages may hold a session to be over that the engine still knows: two clocks, or a policy that was made stricter.
  // Asking for the password settles it, where sending the browser back would send it in a circle.
  if (!(await findPerson(ctx, runtime))) return startSignIn(ctx, runtime, returnTo, { prompt: 'login' });
  seeOther(ctx, localPath(returnTo));
}

/** Ends this session and tells its modules; the engine's own logout does the same for modules that ask. */
async function signOut(ctx: Context, runtime: Runtime): Promise<void> {
  const person = await findPerson(ctx, runtime);
  if (person) {
    const work = person.work;
    await endSessions(work, { companyId: person.companyId, userId: person.userId, uid: person.sessionUid }, 'logout');
    await record(work, { action: 'logout', companyId: person.companyId, target: { kind: 'user', id: person.userId } });
  }
  ctx.cookies.set(cookieNames(runtime.config.isSecure).session, null, {
    path: '/',
    signed: true,
    overwrite: true,
    sameSite: 'lax',
  });
  seeOther(ctx, await leaveUpstream(ctx, runtime, person?.userId ?? null, '/signed-out'));
}

async function signedOut(ctx: Context, runtime: Runtime): Promise<void> {
  await showPage(ctx, runtime, 'public/logged-out', 'Logged out', { login: '/login', upstream: null, back: null });
}

export const signInRoutes: Route[] = [
  { method: 'get', path: '/login', handle: login },
  { method: 'get', path: '/login/:slug', handle: companyLogin },
  { method: 'get', path: '/signed-in', handle: signedIn },
  { method: 'post', path: '/sign-out', handle: signOut },
  { method: 'get', path: '/signed-out', handle: signedOut },
];
