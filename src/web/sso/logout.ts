// Single logout, front-channel: who logs out here, and came in through an upstream that has a logout page, logs out there, too.
import { z } from 'zod';
import { findConnection } from '../../domain/federation/connection-repository.ts';
import type { Runtime } from '../../runtime.ts';
import { type Context, getSealedCookie, setSealedCookie } from '../context.ts';
import { seeOther } from '../routes.ts';
import { oidcLogoutAddress } from './oidc-connector.ts';
import { logoutAddress } from './saml-connector.ts';

const sessionSchema = z.object({
  connectionId: z.string(),
  userId: z.string(),
  logout: z.record(z.string(), z.string()),
});

/** Where the browser has to go next after logging out here; null: nowhere. */
export async function upstreamLogout(ctx: Context, runtime: Runtime, userId: string | null): Promise<string | null> {
  const kept = sessionSchema.safeParse(getSealedCookie(ctx, runtime, 'sso_session'));
  if (!kept.success) return null;
  setSealedCookie(ctx, runtime, 'sso_session', null);
  // Of somebody who was here before: their session at the upstream is not this one's to end.
  if (kept.data.userId !== userId) return null;
  const connection = await findConnection(ctx.state.work.store.db, kept.data.connectionId);
  if (!connection) return null;
  return connection.settings.kind === 'saml'
    ? logoutAddress(ctx.state.work, connection, kept.data.logout)
    : oidcLogoutAddress(connection, kept.data.logout);
}

/** The upstream sends the browser back. Nothing that it says is needed: the session here ended before. */
export async function backFromLogout(ctx: Context): Promise<void> {
  seeOther(ctx, '/signed-out');
}
