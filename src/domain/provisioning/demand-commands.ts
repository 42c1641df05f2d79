import { conflict } from '../../lib/errors.ts';
import { type CompanyId, type InstanceId, newId, type UserId } from '../../lib/ids.ts';
import { transaction, type Work } from '../../work.ts';
import { authorise } from '../roles/authority.ts';
import { readDemand, whyNothing } from './demand-queries.ts';
import { reconcileSome } from './reconcile-commands.ts';

/** Queues what was shown, and nothing else: what has changed since is shown anew first. */
export async function queueDemand(
  work: Work,
  companyId: CompanyId,
  { instanceId, userId, mark }: { instanceId: InstanceId; userId: UserId; mark: string },
): Promise<void> {
  const actorId = await authorise(work, companyId, 'modules.manage');
  await transaction(work, async (work) => {
    const demand = await readDemand(work, companyId, instanceId, userId);
    if (!demand?.step) throw conflict(`There is nothing to send any more. ${demand ? whyNothing(demand) : ''}`.trim());
    if (demand.mark !== mark) throw conflict('It has changed since it was shown. Look at it again before you send it.');
    const cause = `on demand by ${work.actor.name}`;
    const how = { companyId, cause, actId: newId(), actorId, isExplicit: true, isFound: false };
    const queued = await reconcileSome(work, how, [demand.receiver], [userId]);
    if (queued === 0) throw conflict('It is on its way already.');
  });
}
