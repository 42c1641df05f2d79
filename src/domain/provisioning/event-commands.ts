// What a module is told of itself: that its settings have changed, and that the connection has ended.
import { type CompanyId, type InstanceId, newId, type UserId } from '../../lib/ids.ts';
import { transaction, type Work } from '../../work.ts';
import type { EndedConnection } from '../standing/commands.ts';
import { fullName } from '../users/user.ts';
import { listReceivers } from './facts-queries.ts';

/** One message says it for all changes that have not been told yet. */
export async function tellOfSettings(
  work: Work,
  companyId: CompanyId,
  instanceId: InstanceId,
  cause: string,
): Promise<void> {
  await transaction(work, async (work) => {
    const [receiver] = await listReceivers(work, companyId, [instanceId]);
    if (!receiver?.hasEvents) return;
    const { deliveries } = work.store.of(companyId);
    await deliveries.supersedeKind(instanceId, 'settings-changed', work.now);
    await deliveries.insert(
      [
        {
          id: newId(),
          instanceId,
          instanceName: receiver.name,
          userId: null,
          person: '',
          externalId: null,
          channel: 'event',
          act: 'settings-changed',
          reason: cause,
          batchId: null,
          wanted: {},
          state: 'queued',
        },
      ],
      work.now,
    );
    await work.store.announce('deliveries');
  });
}

/** Where somebody has an account that works, and the module takes events. */
export async function tellOfSessions(
  work: Work,
  { companyId, userId, cause }: { companyId: CompanyId; userId: UserId; cause: string },
): Promise<void> {
  await transaction(work, async (work) => {
    const receivers = (await listReceivers(work, companyId, null)).filter(({ hasEvents }) => hasEvents);
    const { accounts, deliveries, users } = work.store.of(companyId);
    const held = await accounts.listOf(
      [userId],
      receivers.map(({ id }) => id),
    );
    const user = await users.findById(userId);
    const concerned = receivers.flatMap((receiver) => {
      const account = held.find(({ instanceId, isActive }) => instanceId === receiver.id && isActive);
      return account && receiver.settings.enabled ? [{ receiver, account }] : [];
    });
    if (!user || concerned.length === 0) return;
    await deliveries.insert(
      concerned.map(({ receiver, account }) => ({
        id: newId(),
        instanceId: receiver.id,
        instanceName: receiver.name,
        userId,
        person: fullName(user),
        externalId: account.externalId,
        channel: 'event' as const,
        act: 'end-sessions' as const,
        reason: cause,
        batchId: null,
        wanted: {},
        state: 'queued' as const,
      })),
      work.now,
    );
    await work.store.announce('deliveries');
  });
}

/** The instance is gone: nothing more is told to it but this. */
export async function tellOfEnd(work: Work, ended: EndedConnection): Promise<void> {
  const { companyId, instanceId, instanceName, eventsUrl, clientId, cause } = ended;
  await transaction(work, async (work) => {
    const { deliveries, batches } = work.store.of(companyId);
    await deliveries.supersedeAll(instanceId, 'The module was disconnected.', work.now);
    await batches.voidOf(instanceId, work.now);
    if (eventsUrl === null) return;
    await deliveries.insert(
      [
        {
          // The job may run twice; a second message would do no harm.
          id: newId(),
          instanceId,
          instanceName,
          userId: null,
          person: '',
          externalId: null,
          channel: 'event',
          act: 'disconnected',
          reason: cause,
          batchId: null,
          wanted: {},
          state: 'queued',
          endpoint: { url: eventsUrl, clientId },
        },
      ],
      work.now,
    );
    await work.store.announce('deliveries');
  });
}
