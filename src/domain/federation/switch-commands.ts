// Turning a connection on and off. On touches people where rules have something to say of somebody who was seen: then by a plan.
import { notFound } from '../../lib/errors.ts';
import type { CompanyId } from '../../lib/ids.ts';
import { transaction, type Work } from '../../work.ts';
import { authorise } from '../roles/authority.ts';
import type { ConnectionId } from './connection.ts';
import { recordConfig, refuseUnready } from './connection-commands.ts';
import type { StoredConnection } from './connection-repository.ts';
import { endEnforcement } from './enforce-commands.ts';
import { countActs, doneCount } from './plan.ts';
import { makePlan } from './plan-commands.ts';
import { eachDecided, setupOf } from './plan-queries.ts';

export type Switched = { outcome: 'done' } | { outcome: 'plan'; planId: string };

/**
 * @param override why it is turned on without a passed test, in the administrator's words
 * @throws AppError 404, 409
 */
export async function switchConnection(
  work: Work,
  companyId: CompanyId,
  id: ConnectionId,
  to: { enabled: boolean; override?: string },
): Promise<Switched> {
  await authorise(work, companyId, 'security.manage');
  return transaction(work, async (work) => {
    const { connections } = work.store.of(companyId);
    const connection = await connections.hold(id);
    if (!connection) throw notFound('connection');
    if (connection.enabled === to.enabled) return { outcome: 'done' };
    if (to.enabled) {
      refuseUnready(connection, to.override);
      if (await wouldTouch(work, connection)) {
        const { id: planId } = await makePlan(work, companyId, id, to);
        return { outcome: 'plan', planId };
      }
    }
    // Enabled again one day, it must not bind anybody without a pre-flight and a trial.
    if (!to.enabled) await endEnforcement(work, connection, 'ended');
    await connections.setEnabled(id, to.enabled);
    await recordConfig(work, connection, {
      change: to.enabled ? 'enabled' : 'disabled',
      ...(to.enabled && to.override ? { override: to.override } : {}),
    });
    return { outcome: 'done' };
  });
}

/** Whether its rules have something to do as soon as it is on; the first one found is enough. */
async function wouldTouch(work: Work, connection: StoredConnection): Promise<boolean> {
  const present = await setupOf(work, connection);
  if (present.rules.length === 0) return false;
  const groups = await work.store.of(connection.companyId).groups.list();
  const of = { companyId: connection.companyId, connectionId: connection.id };
  for await (const rows of eachDecided(work, of, { setup: { ...present, enabled: true }, groups }))
    if (doneCount(countActs(rows)) > 0) return true;
  return false;
}
