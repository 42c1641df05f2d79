// Taking a suspension back while the account is held. The account follows the person's access, so what comes first is giving that back;
// where it is back already, this restores at once what has not been restored yet, or was given up.
import { conflict, notFound } from '../../lib/errors.ts';
import type { CompanyId, InstanceId, UserId } from '../../lib/ids.ts';
import { transaction, type Work } from '../../work.ts';
import { authorise } from '../roles/authority.ts';
import { causeOf } from '../standing/commands.ts';
import { type Desire, desire } from './desire.ts';
import { listReceivers, readPersonFacts } from './facts-queries.ts';
import { pairsOf, write } from './reconcile-commands.ts';

const whatToChange: Record<Exclude<Desire, { access: true }>['kind'], string> = {
  account: 'Activate the person',
  group: 'Add them to an access group that includes the module',
  module: 'Turn the login on in the module',
  permission: 'Add them to an access group that has a permission there',
};

/** @throws AppError 409 with what to change first, 404 when there is nothing of the kind */
export async function undoSuspension(
  work: Work,
  companyId: CompanyId,
  instanceId: InstanceId,
  userId: UserId,
): Promise<void> {
  await authorise(work, companyId, 'modules.manage');
  await transaction(work, async (work) => {
    const { accounts, deliveries } = work.store.of(companyId);
    await deliveries.hold();
    const [receiver] = await listReceivers(work, companyId, [instanceId]);
    const account = await accounts.findOf(instanceId, userId);
    const person = await readPersonFacts(work, companyId, userId, instanceId);
    if (!receiver || !account || !person) throw notFound('account');
    if (account.life !== 'suspended') throw conflict('This account is not held: there is nothing to take back.');
    const wish = desire(receiver.profile, receiver.settings, person);
    if (!wish.access) throw conflict(`${wish.because} ${whatToChange[wish.kind]}: the account is restored with it.`);
    const cause = causeOf(work, 'restored');
    const pairs = await pairsOf(work, companyId, [receiver], [userId]);
    await write(work, companyId, pairs, { cause, isExplicit: true, waiting: new Map(), now: work.now });
  });
}
