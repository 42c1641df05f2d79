// The way of a browser that has just been logged out here: to the upstream that it came in through, and back to where the logout was
// asked for. Where that is stays with us: what goes to the upstream and comes back is an id of ours that leads nowhere by itself.
import { z } from 'zod';
import { findConnection, type StoredConnection } from '../../domain/federation/connection-repository.ts';
import { newRequestId } from '../../domain/federation/request-commands.ts';
import { type Outgoing, OutgoingError } from '../../lib/outgoing.ts';
import { minutes, seconds } from '../../lib/time.ts';
import type { Runtime } from '../../runtime.ts';
import { type Context, getSealedCookie, setSealedCookie } from '../context.ts';
import { showPage } from '../page.ts';
import { seeOther } from '../routes.ts';
import { ssoAddresses } from './connector.ts';
import { oidcLogoutAddress } from './oidc-connector.ts';
import { logoutAddress } from './saml-logout.ts';

const sessionSchema = z.object({
  connectionId: z.string(),
  userId: z.string(),
  logout: z.record(z.string(), z.string()),
});

const leavingSchema = z.object({
  state: z.string(),
  /** Ours, or of a module that has registered it; the engine has looked. */
  returnTo: z.string(),
  upstream: z.string(),
  /** The way there, when nobody answered. */
  address: z.string().nullable(),
});

const leavingCookie = 'sso_leaving';

/** Browsers throw a cookie of more than 4 kB away; the way to the upstream stands in it, too. */
const longestReturn = 1000;

/**
 * @param returnTo where the logout was to end without an upstream
 * @returns where the browser goes next
 */
export async function leaveUpstream(
  ctx: Context,
  runtime: Runtime,
  userId: string | null,
  returnTo: string,
): Promise<string> {
  const kept = sessionSchema.safeParse(getSealedCookie(ctx, runtime, 'sso_session'));
  // Of somebody who was here before, or who comes next: their session at the upstream is not this one's to end, nor to be forgotten.
  if (!kept.success || kept.data.userId !== userId) return returnTo;
  setSealedCookie(ctx, runtime, 'sso_session', null);
  const connection = await findConnection(ctx.state.work.store.db, kept.data.connectionId);
  if (!connection || !comesBack(connection, returnTo, runtime)) return returnTo;
  const state = newRequestId();
  const address = await addressThere(ctx, connection, kept.data.logout, state);
  if (address === null) return returnTo;
  const isGone = await isAway(runtime.outgoing, address);
  const leaving = { state, returnTo, upstream: connection.name, address: isGone ? address : null };
  setSealedCookie(ctx, runtime, leavingCookie, leaving, { maxAge: minutes(15) });
  return isGone ? '/sso/log-out-there' : address;
}

/** A module that waits for the person is not left waiting: where the upstream would keep them, it stays with the logout here. */
function comesBack({ settings }: StoredConnection, returnTo: string, { config }: Runtime): boolean {
  if (returnTo.length > longestReturn) return false;
  const isOurs = returnTo.startsWith('/') || new URL(returnTo).origin === new URL(config.publicUrl).origin;
  return isOurs || settings.kind === 'saml' || settings.logoutReturns;
}

function addressThere(
  { state: { work } }: Context,
  connection: StoredConnection,
  logout: Record<string, string>,
  state: string,
): Promise<string | null> | string | null {
  return connection.settings.kind === 'saml'
    ? logoutAddress(work, connection, logout, state)
    : oidcLogoutAddress(connection, logout, { address: ssoAddresses(work.config.publicUrl).loggedOut, state });
}

/**
 * Asked from here, so that nobody ends at a browser's error page after logging out. An upstream that only browsers can reach (a name
 * or an address of the company's own network) is not known to be away.
 */
async function isAway(outgoing: Outgoing, address: string): Promise<boolean> {
  try {
    const request = { headers: { accept: '*/*' }, timeoutMs: seconds(2), maxBytes: 65_536 };
    const { status } = await outgoing(new URL('/', address).href, request);
    return status >= 502 && status <= 504;
  } catch (error) {
    if (!(error instanceof OutgoingError)) throw error;
    return error.problem === 'timeout' || (error.problem === 'unreachable' && isClosed(error.cause));
  }
}

const isClosed = (cause: unknown): boolean =>
  cause instanceof Error && 'code' in cause && ['ECONNREFUSED', 'ECONNRESET', 'EHOSTUNREACH'].includes(`${cause.code}`);

function leavingOf(ctx: Context, runtime: Runtime): z.infer<typeof leavingSchema> | null {
  return leavingSchema.safeParse(getSealedCookie(ctx, runtime, leavingCookie)).data ?? null;
}

const elsewhere = (returnTo: string): string | null => (returnTo.startsWith('/') ? null : returnTo);

/** Nobody answers there: said plainly, with the way there for later. */
export async function upstreamAway(ctx: Context, runtime: Runtime): Promise<void> {
  const leaving = leavingOf(ctx, runtime);
  if (!leaving?.address) return seeOther(ctx, '/signed-out');
  const { upstream, address, returnTo } = leaving;
  const sentence = `${upstream} cannot be reached right now, so you may still be logged in there. Whoever uses this browser next could log in as you.`;
  await showPage(ctx, runtime, 'public/logged-out', 'Logged out', {
    login: '/login',
    upstream: { sentence, href: address, label: `Log out at ${upstream}` },
    back: elsewhere(returnTo),
  });
}

/** The upstream sends the browser back. What it says is not needed, since the session here ended before; `said=no` chooses words. */
export async function backFromUpstream(ctx: Context, runtime: Runtime): Promise<void> {
  const leaving = leavingOf(ctx, runtime);
  if (leaving === null || leaving.state !== ctx.query.state) return seeOther(ctx, '/signed-out');
  setSealedCookie(ctx, runtime, leavingCookie, null);
  const { returnTo, upstream } = leaving;
  if (ctx.query.said !== 'no') return seeOther(ctx, returnTo);
  await showPage(ctx, runtime, 'public/logged-out', 'Logged out', {
    login: '/login',
    upstream: {
      sentence: `${upstream} did not confirm that you are logged out there, too. On a shared computer, close the browser.`,
      href: null,
      label: '',
    },
    back: elsewhere(returnTo),
  });
}
