// Asking for a reading, and the links between accounts and people that administrators make by hand (C28).
import { conflict, notFound } from '../../lib/errors.ts';
import { type CompanyId, type InstanceId, newId, type UserId } from '../../lib/ids.ts';
import { transaction, type Work } from '../../work.ts';
import { record } from '../audit/commands.ts';
import { authorise } from '../roles/authority.ts';
import { causeOf, standingChanged } from '../standing/commands.ts';
import { fullName, type User } from '../users/user.ts';
import type { ModuleAccount } from './account.ts';
import { type Reading, type ReadingCause, readAccountsJob } from './drift.ts';

/**
 * Reads the module's whole list from now on, in the background.
 * @returns the reading; one that is under way already is that one
 * @throws AppError 409 when the module's accounts cannot be read
 */
export async function requestReading(
  work: Work,
  companyId: CompanyId,
  instanceId: InstanceId,
  cause: ReadingCause = 'page',
): Promise<Reading> {
  await authorise(work, companyId, 'modules.manage');
  return transaction(work, async (work) => {
    const { drift, instances } = work.store.of(companyId);
    if (!(await instances.findById(instanceId))) throw notFound('module');
    if (!(await instances.findScim(instanceId)))
      throw conflict('The accounts of this module cannot be read: it is switched off, or has told no address for it.');
    return openReading(work, drift, instanceId, cause);
  });
}

/** The reading that is under way, or a new one. */
export async function openReading(
  work: Work,
  drift: ReturnType<Work['store']['of']>['drift'],
  instanceId: InstanceId,
  cause: ReadingCause,
): Promise<Reading> {
  const askedBy = 'name' in work.actor && work.actor.kind !== 'system' ? work.actor.name : '';
  // The other one may end between our insert and our look at it: then there is room for this one.
  for (;;) {
    const id = newId();
    if (await drift.insert({ id, instanceId, cause, askedBy }, work.now)) {
      const reading = await drift.findById(id);
      if (!reading) throw new Error('the reading that was just begun is gone');
      const { companyId } = reading;
      await work.jobs.enqueue(work, readAccountsJob, { companyId, instanceId, trigger: cause, readId: id });
      return reading;
    }
    const open = await drift.findOpen(instanceId);
    if (open) return open;
  }
}

export interface LinkQuestion {
  account: ModuleAccount;
  /** Who it is linked to now. */
  person: User | null;
}

/** An account with its person, for the pages that ask. @throws AppError 404 */
export async function findAccount(
  work: Work,
  companyId: CompanyId,
  instanceId: InstanceId,
  externalId: string,
): Promise<LinkQuestion> {
  await authorise(work, companyId, 'modules.manage');
  const { seen, users } = work.store.of(companyId);
  const [account] = await seen.listByIds(instanceId, [externalId]);
  if (!account) throw notFound('account');
  return { account, person: account.userId === null ? null : await users.findById(account.userId) };
}

/**
 * C28: from now on this account is this person's, whatever address it has.
 * @throws AppError 404, 409 when either belongs to somebody else already
 */
export async function linkAccount(
  work: Work,
  companyId: CompanyId,
  { instanceId, externalId, userId }: { instanceId: InstanceId; externalId: string; userId: UserId },
): Promise<void> {
  await authorise(work, companyId, 'modules.manage');
  await transaction(work, async (work) => {
    const { seen, users } = work.store.of(companyId);
    const account = await seen.hold(instanceId, externalId);
    if (!account) throw notFound('account');
    const person = await users.findById(userId);
    if (!person || person.baseStatus === 'Deleted') throw notFound('person');
    if (account.userId === userId) return;
    if (account.userId !== null) throw conflict('This account belongs to somebody already. Unlink it first.');
    if (!(await seen.link(instanceId, externalId, userId, work.now)))
      throw conflict(`${fullName(person)} has an account in this module already. Unlink that one first.`);
    await record(work, {
      action: 'module.link',
      companyId,
      target: { kind: 'module', id: instanceId },
      details: { by: 'hand', account: account.userName, accountId: externalId, person: person.username, userId },
    });
    await standingChanged(work, {
      companyId,
      userIds: [userId],
      instanceIds: [instanceId],
      cause: causeOf(work, `linked to ${account.userName || externalId}`),
    });
  });
}

/**
 * The account is nobody's from now on; the person gets another one, if any. What was suspended from here has to be given back or ended
 * first: an undo could not find its person any more.
 */
export async function unlinkAccount(
  work: Work,
  companyId: CompanyId,
  { instanceId, externalId }: { instanceId: InstanceId; externalId: string },
): Promise<void> {
  await authorise(work, companyId, 'modules.manage');
  await transaction(work, async (work) => {
    const { seen, users, deliveries } = work.store.of(companyId);
    // Comparing and this take turns.
    await deliveries.hold();
    const account = await seen.hold(instanceId, externalId);
    if (!account) throw notFound('account');
    if (account.userId === null) throw conflict('This account belongs to nobody already.');
    if (account.life === 'suspended')
      throw conflict('This account is suspended and held for its person. Give it back or let it end first.');
    const person = await users.findById(account.userId);
    await seen.unlink(instanceId, externalId);
    // What has not gone out yet would reach whoever gets it next.
    const standing = await deliveries.listStanding([account.userId], [instanceId], work.now);
    const unsent = standing.filter(({ state }) => state !== 'accepted').map(({ id }) => id);
    await deliveries.supersede(unsent, 'The account was unlinked from them.', work.now);
    await record(work, {
      action: 'module.unlink',
      companyId,
      target: { kind: 'module', id: instanceId },
      details: {
        account: account.userName,
        accountId: externalId,
        person: person?.username ?? '',
        userId: account.userId,
        linkedBy: account.linkedBy,
      },
    });
  });
}
