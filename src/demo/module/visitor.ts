import type { Context } from 'koa';
import { localPath } from '../../sdk/module.ts';
import { isAdministrator } from './account.ts';
import type { Visit } from './door.ts';
import { seeOther } from './http.ts';
import type { Visitor } from './layout.ts';
import type { ModuleRuntime } from './runtime.ts';

/** What the bar shows to somebody who is in. */
export function visitorOf(
  { config, integration }: ModuleRuntime,
  { session, account }: Extract<Visit, { session: object }>,
  at: Visitor['at'],
): Visitor {
  const isOffered = integration?.loginGate().offered !== false;
  const way = session.user ? 'provider' : isOffered ? 'local' : 'none';
  return { way, at, isAdministrator: integration !== null && isAdministrator(account, config.administrators) };
}

/** Where somebody goes who is not in, and comes back from. */
export function sendToLogin({ kit }: ModuleRuntime, ctx: Context, visit: Extract<Visit, { session: null }>): void {
  const query = new URLSearchParams();
  if (visit.notice !== null && visit.notice !== 'unknown') query.set('notice', visit.notice);
  if (ctx.url !== '/') query.set('return_to', localPath(ctx.url));
  if (visit.hadCookie) ctx.append('set-cookie', kit.sessions.clearCookie);
  seeOther(ctx, query.size > 0 ? `/login?${query}` : '/login');
}
