// That somebody has logged in at their identity provider anew, and not by a session that stood there, or given our own code after it:
// the browser keeps it for some minutes, sealed, as proof before a sensitive act (AUT-19). A login that nobody was asked for proves nothing.
import { minutes } from '../../lib/time.ts';
import type { Runtime } from '../../runtime.ts';
import { type Context, getSealedCookie, setSealedCookie } from '../context.ts';

const cookie = 'sso_fresh';
const freshFor = minutes(5);

export function rememberFreshLogin(ctx: Context, runtime: Runtime, userId: string): void {
  const at = ctx.state.work.now.getTime();
  setSealedCookie(ctx, runtime, cookie, { userId, at }, { maxAge: freshFor });
}

export const forgetFreshLogin = (ctx: Context, runtime: Runtime): void => setSealedCookie(ctx, runtime, cookie, null);

export function hasFreshLogin(ctx: Context, runtime: Runtime, userId: string): boolean {
  const kept = getSealedCookie(ctx, runtime, cookie);
  if (kept === null || typeof kept !== 'object' || !('userId' in kept) || !('at' in kept)) return false;
  return kept.userId === userId && typeof kept.at === 'number' && ctx.state.work.now.getTime() - kept.at <= freshFor;
}
