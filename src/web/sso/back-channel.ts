// Back-channel logout by an OpenID provider (OpenID Connect Back-Channel Logout 1.0): it speaks to us itself, without any browser. Each
// connection has an address of its own, so that it is known whose token it has to be.
import { findConnection, type StoredConnection } from '../../domain/federation/connection-repository.ts';
import { endUpstreamSessions } from '../../domain/federation/logout-commands.ts';
import { noteAttempt } from '../../domain/federation/request-commands.ts';
import { notFound } from '../../lib/errors.ts';
import { isId } from '../../lib/ids.ts';
import type { Runtime } from '../../runtime.ts';
import type { Context } from '../context.ts';
import { readForeignForm } from './body.ts';
import { judgeLogoutToken } from './logout-token.ts';
import { tellProblem } from './oidc-problem.ts';
import { Refused } from './saml-shape.ts';

export async function oidcBackChannel(ctx: Context, runtime: Runtime): Promise<void> {
  const { work } = ctx.state;
  const id = ctx.path.split('/').at(-1) ?? '';
  const connection = isId(id) ? await findConnection(work.store.db, id) : null;
  if (connection?.settings.kind !== 'oidc') throw notFound('connection');
  // Section 2.8
  ctx.set('cache-control', 'no-store');
  const form = await readForeignForm(ctx);
  const [token = '', ...more] = form.getAll('logout_token');
  const refused =
    more.length > 0 ? new Refused('malformed', { because: 'two tokens' }) : await heed(ctx, runtime, connection, token);
  if (refused === null) {
    ctx.status = 200;
    ctx.body = '';
    return;
  }
  const details = { of: 'logout', ...refused.details };
  const code = await noteAttempt(work, connection, { outcome: refused.problem, details, isUnproven: true });
  ctx.status = 400;
  ctx.body = {
    error: 'invalid_request',
    error_description: `The logout token is refused: ${refused.problem} (${code}).`,
  };
}

/** @returns why not, or null when it is done */
async function heed(
  { state: { work } }: Context,
  runtime: Runtime,
  connection: StoredConnection,
  token: string,
): Promise<Pick<Refused, 'problem' | 'details'> | null> {
  try {
    const { id, issuer, subject, session, expiresAt } = await judgeLogoutToken(work, runtime, connection, token);
    const done = await endUpstreamSessions(work, connection, {
      issuer,
      subject,
      sessions: session === null ? [] : [session],
      message: { id, expiresAt },
      details: { logout: 'back-channel', subject: subject?.slice(0, 200) ?? null },
    });
    return done.outcome === 'ended' ? null : new Refused('replayed', { jti: `${id.slice(0, 8)}…` });
  } catch (error) {
    const told = error instanceof Refused ? error : tellProblem(error);
    if (!told) throw error;
    return told;
  }
}
