// The one guard of the last way in while single sign-on is enforced: asked before somebody is deactivated, deleted or demoted, and
// before the list of break-glass people gets shorter.
import { standsInTheWay } from '../../lib/errors.ts';
import type { CompanyId, UserId } from '../../lib/ids.ts';
import { isInTransaction, type Work } from '../../work.ts';
import { lastWayLost, lastWaySentence, type SsoWayIn } from './sso-ways-in.ts';
import { listEnforced, listSsoWaysIn } from './sso-ways-in-queries.ts';

/**
 * Refuses what would take the last administrator away who can log in while single sign-on is enforced.
 * Call it in the transaction of the change, before the change. Costs one short read where nothing is enforced.
 * @throws AppError 409 last_way_in
 */
export async function refuseLosingLastSsoWayIn(work: Work, companyId: CompanyId, gone: UserId[]): Promise<void> {
  const lost = await findLostLastSsoWay(work, companyId, gone);
  if (lost)
    throw standsInTheWay('last_way_in', lastWaySentence(lost), {
      way_in: { user_id: lost.userId, user_name: lost.username, kind: lost.kind },
    });
}

/** The same as an answer, for whoever goes on with the others of a batch. */
export async function findLostLastSsoWay(work: Work, companyId: CompanyId, gone: UserId[]): Promise<SsoWayIn | null> {
  if (!isInTransaction(work)) throw new Error('the last way in is guarded in the transaction that changes it');
  if ((await listEnforced(work, companyId)).length === 0) return null;
  await work.store.of(companyId).breakGlass.holdList();
  return lastWayLost(await listSsoWaysIn(work, companyId), new Set(gone));
}
