// Who somebody is at an upstream, set and taken back by people: what an address alone must not decide (C27, C28).
import { cut } from '../../lib/cut.ts';
import { conflict, forbidden, notFound } from '../../lib/errors.ts';
import type { CompanyId, UserId } from '../../lib/ids.ts';
import { transaction, type Work } from '../../work.ts';
import { record } from '../audit/commands.ts';
import { authorise } from '../roles/authority.ts';
import type { UpstreamClaims } from './claims.ts';
import type { Connection, ConnectionId } from './connection.ts';

/**
 * A person who is logged in here and has just come back from the upstream says that both are them. The one way for the Root Admin,
 * whom no address finds. The caller has verified the claims, and that this very person began the test.
 * @throws AppError 409 when either side belongs to somebody already
 */
export async function bindOwnIdentity(
  work: Work,
  connection: Connection,
  claims: UpstreamClaims,
  how: { issuer: string },
): Promise<void> {
  const { actor } = work;
  if (actor.kind !== 'user') throw forbidden('Only people bind their own account.');
  const { companyId } = connection;
  await transaction(work, async (work) => {
    const { identities, users } = work.store.of(companyId);
    const key = { connectionId: connection.id, issuer: how.issuer, subject: claims.subject };
    await identities.holdArrival(key, null);
    const user = await users.lockById(actor.id);
    if (user?.baseStatus !== 'Active') throw forbidden('Only people of this company bind their account.');
    const owner = await identities.findPerson(key);
    if (owner === user.id) return;
    if (owner) throw conflict('That account of the identity provider belongs to another person here.');
    if (await identities.isBound(connection.id, user.id))
      throw conflict('You are bound to another account of this identity provider already.');
    await identities.bind(key, user.id, work.now);
    await record(work, {
      action: 'sso.bind',
      companyId,
      target: { kind: 'user', id: user.id },
      details: {
        by: 'hand',
        connection: connection.name,
        connectionId: connection.id,
        issuer: key.issuer,
        subject: cut(key.subject, 200),
      },
    });
  });
}

/** Their account there was replaced: the next login finds them by the address once more. @throws AppError 404 */
export async function releaseIdentity(
  work: Work,
  companyId: CompanyId,
  connectionId: ConnectionId,
  userId: UserId,
): Promise<void> {
  await authorise(work, companyId, 'security.manage');
  await transaction(work, async (work) => {
    const { connections, identities } = work.store.of(companyId);
    const connection = await connections.find(connectionId);
    if (!connection || !(await identities.release(connectionId, userId))) throw notFound('binding');
    await record(work, {
      action: 'sso.bind',
      companyId,
      target: { kind: 'user', id: userId },
      details: { by: 'hand', released: true, connection: connection.name, connectionId },
    });
  });
}
