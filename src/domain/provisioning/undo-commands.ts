// Taking a suspension back while the account is held. The account follows the person's access, so what comes first is giving that back;
// where it is back already, this restores at once what has not been restored yet, or was given up.
import { conflict, notFound } from '../../lib/errors.ts';
import type { CompanyId, InstanceId, UserId } from '../../lib/ids.ts';
import { transaction, type Work } from '../../work.ts';
import { authorise } from '../roles/authority.ts';
import { causeOf } from '../standing/commands.ts';
import type { ModuleAccount } from './account.ts';
import { type Desire, desire, type PersonFacts, type Step } from './desire.ts';
import { listReceivers, type Receiver, readPersonFacts } from './facts-queries.ts';
import { stepOf } from './reconcile.ts';
import { pairsOf, write } from './reconcile-commands.ts';

const whatToChange: Record<Exclude<Desire, { access: true }>['kind'], string> = {
  account: 'Activate the person',
  group: 'Add them to an access group that includes the module',
  module: 'Turn the login on in the module',
  permission: 'Add them to an access group that has a permission there',
};

export interface Undo {
  receiver: Receiver;
  person: PersonFacts;
  account: ModuleAccount;
  /** What comes back; null: nothing does. */
  step: Step | null;
  /** Why nothing does, with what to change first; `stands` is what is in the way. */
  refusal: { sentence: string; stands: keyof typeof whatToChange | null } | null;
}

/** What taking a suspension back would do now. @throws AppError 404 when there is nothing of the kind */
export async function readUndo(
  work: Work,
  companyId: CompanyId,
  instanceId: InstanceId,
  userId: UserId,
): Promise<Undo> {
  await authorise(work, companyId, 'modules.manage');
  const [receiver] = await listReceivers(work, companyId, [instanceId]);
  const account = await work.store.of(companyId).accounts.findOf(instanceId, userId);
  const person = await readPersonFacts(work, companyId, userId, instanceId);
  if (!receiver || !account || !person) throw notFound('account');
  const refusal = refusalOf(receiver, person, account);
  const step = refusal ? null : stepOf(receiver, person, account, work.now);
  return { receiver, person, account, step, refusal };
}

function refusalOf({ profile, settings }: Receiver, person: PersonFacts, account: ModuleAccount): Undo['refusal'] {
  if (account.life !== 'suspended')
    return { sentence: 'This account is not held: there is nothing to take back.', stands: null };
  const wish = desire(profile, settings, person);
  if (wish.access) return null;
  const { kind, because } = wish;
  if (person.status === 'Deleted')
    return { sentence: `${because} Nobody who was deleted comes back, and so the account does not.`, stands: null };
  return { sentence: `${because} ${whatToChange[kind]}: the account is restored with it.`, stands: kind };
}

/** @throws AppError 409 with what to change first, 404 when there is nothing of the kind */
export async function undoSuspension(
  work: Work,
  companyId: CompanyId,
  instanceId: InstanceId,
  userId: UserId,
): Promise<void> {
  await authorise(work, companyId, 'modules.manage');
  await transaction(work, async (work) => {
    await work.store.of(companyId).deliveries.hold();
    const { receiver, refusal } = await readUndo(work, companyId, instanceId, userId);
    if (refusal) throw conflict(refusal.sentence);
    const cause = causeOf(work, 'restored');
    const pairs = await pairsOf(work, companyId, [receiver], [userId]);
    await write(work, companyId, pairs, { cause, isExplicit: true, waiting: new Map(), now: work.now });
  });
}
