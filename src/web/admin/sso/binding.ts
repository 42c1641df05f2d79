// Taking back who somebody is at the identity provider (C27): their account there was replaced, so the address finds them once more.
import { releaseIdentity } from '../../../domain/federation/binding-commands.ts';
import type { StoredConnection } from '../../../domain/federation/connection-repository.ts';
import { fullName, type User } from '../../../domain/users/user.ts';
import { notFound } from '../../../lib/errors.ts';
import type { Context } from '../../context.ts';
import { setFlash } from '../../page.ts';
import { type Route, seeOther } from '../../routes.ts';
import { askFirst, type Desk, type DeskHandler, idParam } from '../console.ts';
import { connectionAt, connectionPath, guarded, ssoPath } from './connection-head.ts';

export const releasePath = (connectionId: string, personId: string): string =>
  connectionPath(connectionId, `people/${personId}/release`);

async function boundAt(ctx: Context, desk: Desk): Promise<{ connection: StoredConnection; user: User }> {
  const connection = await connectionAt(ctx, desk);
  const { identities, users } = desk.work.store.of(desk.companyId);
  const user = await users.findById(idParam(ctx, 'person', 'person'));
  if (!user || !(await identities.isBound(connection.id, user.id))) throw notFound('binding');
  return { connection, user };
}

const ask: DeskHandler = async (ctx, runtime, desk) => {
  const { connection, user } = await boundAt(ctx, desk);
  const button = `Take back the binding of ${fullName(user)}`;
  await askFirst(ctx, runtime, desk, {
    place: 'sso',
    lead: `Whoever logs in through ${connection.name} with the address ${user.email} next is ${fullName(user)} from then on.`,
    sentences: [
      'Do it when their account at the identity provider was replaced, and you know by whom.',
      'The account there that was bound so far does not open this one any more, unless it has the same address.',
      'Role, groups and sessions stay as they are.',
    ],
    action: releasePath(connection.id, user.id),
    button,
    isDanger: true,
    cancel: connectionPath(connection.id, 'log'),
  });
};

const release: DeskHandler = async (ctx, runtime, desk) => {
  const { connection, user } = await boundAt(ctx, desk);
  await releaseIdentity(desk.work, desk.companyId, connection.id, user.id);
  setFlash(ctx, runtime, { kind: 'success', text: `The binding of ${fullName(user)} is taken back.` });
  seeOther(ctx, connectionPath(connection.id, 'log'));
};

const path = `${ssoPath}/:connection/people/:person/release`;

export const ssoBindingRoutes: Route[] = [
  { method: 'get', path, handle: guarded(ask) },
  { method: 'post', path, handle: guarded(release) },
];
