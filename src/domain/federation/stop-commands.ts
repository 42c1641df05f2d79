// Groups that were not said, or that were emptied: nothing is changed by that, and somebody is asked (C22).
import { conflict, notFound } from '../../lib/errors.ts';
import type { CompanyId, UserId } from '../../lib/ids.ts';
import { after, days } from '../../lib/time.ts';
import { transaction, type Work } from '../../work.ts';
import { record } from '../audit/commands.ts';
import { authorise } from '../roles/authority.ts';
import { tellAdministrators } from '../users/administrators.ts';
import type { Connection, ConnectionId } from './connection.ts';
import type { StopReason } from './identity-repository.ts';

const reasonWords: Record<StopReason, string> = {
  'groups-missing': 'the groups were not sent',
  'groups-emptied': 'the list of groups came empty',
  'groups-overage': 'there are too many groups to be sent, and a link came instead',
};

/** In the transaction of the sign-in: an event each time, a mail to the administrators once a day. */
export async function tellStop(
  work: Work,
  connection: Connection,
  stop: { because: StopReason; userId: UserId | null; email: string | null },
): Promise<void> {
  const { companyId } = connection;
  await record(work, {
    action: 'sso.stop',
    companyId,
    target: stop.userId ? { kind: 'user', id: stop.userId } : { kind: 'connection', id: connection.id },
    details: { because: stop.because, connection: connection.name, email: stop.email },
  });
  const { identities } = work.store.of(companyId);
  if (!(await identities.takeStopNotice(connection.id, work.now, after(work.now, -days(1))))) return;
  await tellAdministrators(work, companyId, 'groupsNotSaid', {
    connection: connection.name,
    account: stop.email ?? 'a person',
    problem: reasonWords[stop.because],
    href: `/admin/sso/${connection.id}`,
  });
}

/** An administrator says that the person is in no group any more: the empty list counts from the next login, and in the next plan. */
export async function acceptEmptiedGroups(
  work: Work,
  companyId: CompanyId,
  connectionId: ConnectionId,
  userId: UserId,
): Promise<void> {
  await authorise(work, companyId, 'security.manage');
  await transaction(work, async (work) => {
    const { connections, identities } = work.store.of(companyId);
    const connection = await connections.find(connectionId);
    if (!connection) throw notFound('connection');
    if (!(await identities.acceptEmptied(connectionId, userId)))
      throw conflict('The last login of this person did not bring an empty list of groups.');
    await record(work, {
      action: 'sso.mapping',
      companyId,
      target: { kind: 'user', id: userId },
      details: { connection: connection.name, emptied: 'accepted' },
    });
  });
}
