// "Provision on demand": what would be sent to one module for one person right now, and why. The same facts, desire and next step as
// everywhere else; nothing is sent by looking.
import { createHash } from 'node:crypto';
import { notFound } from '../../lib/errors.ts';
import type { CompanyId, InstanceId, UserId } from '../../lib/ids.ts';
import type { Work } from '../../work.ts';
import { authorise } from '../roles/authority.ts';
import type { ModuleAccount } from './account.ts';
import { type Desire, desire, mayDeprovision, mayProvision, type PersonFacts, type Step } from './desire.ts';
import { listReceivers, type Receiver, readPersonFacts } from './facts-queries.ts';
import { channelsOf, stepOf } from './reconcile.ts';

export interface Demand {
  receiver: Receiver;
  person: PersonFacts;
  account: ModuleAccount | null;
  wish: Desire;
  step: Step | null;
  channels: ('scim' | 'event')[];
  /** Names what is shown: whoever orders it orders exactly this. */
  mark: string;
}

/** Null: nothing can be told to this instance, since it has no address for it. */
export async function readDemand(
  work: Work,
  companyId: CompanyId,
  instanceId: InstanceId,
  userId: UserId,
): Promise<Demand | null> {
  await authorise(work, companyId, 'modules.manage');
  // One after the other: a transaction has one connection.
  const [receiver] = await listReceivers(work, companyId, [instanceId]);
  const person = await readPersonFacts(work, companyId, userId, instanceId);
  if (!person) throw notFound('person');
  if (!receiver) return null;
  const [account = null] = await work.store.of(companyId).accounts.listOf([userId], [instanceId]);
  const step = stepOf(receiver, person, account, work.now);
  return {
    receiver,
    person,
    account,
    wish: desire(receiver.profile, receiver.settings, person),
    step,
    channels: step ? channelsOf(receiver, step) : [],
    mark: createHash('sha256')
      .update(JSON.stringify([instanceId, userId, account?.externalId ?? null, step?.act, step?.wanted]))
      .digest('base64url'),
  };
}

/** Why nothing would be sent; empty where something would. */
export function whyNothing({ step, wish, account, receiver, person }: Demand): string {
  if (step) return '';
  const { profile, settings } = receiver;
  if (!settings.enabled) return 'Log In with KaseyaOne is switched off in this module.';
  if (!account || account.life === 'removed') {
    if (!wish.access) return `They have no account there, and are to have none. ${wish.because}`;
    if (!mayProvision(profile, settings)) return 'They have no account there, and automatic provisioning is off.';
    if (!person.emailVerified) return 'Their e-mail address is not verified: only a verified one says who somebody is.';
    return 'This module takes no accounts ahead of time: theirs is made when they first enter.';
  }
  if (wish.access) {
    if (account.isActive) return 'Their account is as it should be.';
    return 'Their account was suspended at the module itself: only an administrator there can let them in again.';
  }
  if (wish.isPending) return `${wish.because} Nothing is taken away before.`;
  if (!mayDeprovision(profile, settings))
    return `${wish.because} Automatic deprovisioning is off, so their account stays.`;
  return account.life === 'suspended'
    ? 'Their account is suspended, and held for the time in which it can be given back.'
    : 'Their account is not active any more.';
}
