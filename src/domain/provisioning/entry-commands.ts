// What a module reports of who came in at its door: the link of an account to a person (C28), an account that it made for them (A8.7),
// and the second sign-in that confirms a trial (C30).
import { invalid, standsInTheWay } from '../../lib/errors.ts';
import { type CompanyId, type InstanceId, isId, type UserId } from '../../lib/ids.ts';
import { transaction, type Work } from '../../work.ts';
import { record } from '../audit/commands.ts';
import { confirmTrial } from '../integrations/requirement-commands.ts';
import { type Connected, getConnected } from '../integrations/requirement-queries.ts';
import { authoriseInstance } from '../roles/authority.ts';
import { standingChanged } from '../standing/commands.ts';
import { fullName, type User } from '../users/user.ts';
import { linkByEntry } from './entry-repository.ts';

export interface ReportedEntry {
  /** The person, as the ID token names them. */
  sub: string;
  account: { id: string; userName: string; isAdministrator: boolean };
  /** The module made the account just now. */
  isCreated: boolean;
}

/** @throws AppError 422 for a person of nobody's or of another company, 409 linked_elsewhere */
export async function reportEntry(
  work: Work,
  companyId: CompanyId,
  instanceId: InstanceId,
  entry: ReportedEntry,
): Promise<{ isNew: boolean; hasConfirmed: boolean }> {
  await authoriseInstance(work, companyId, instanceId);
  return transaction(work, async (work) => {
    const connected = await getConnected(work, companyId, instanceId);
    const person = await getPerson(work, companyId, entry.sub);
    // Whoever ends accounts holds the instance first, then the account: so does this, or the two would wait for each other.
    const isTrial = entry.account.isAdministrator && (await holdTrial(work, companyId, instanceId));
    const isNew = await link(work, companyId, { connected, person, entry });
    return { isNew, hasConfirmed: isTrial && (await confirmTrial(work, companyId, connected, person.id)) };
  });
}

async function getPerson(work: Work, companyId: CompanyId, sub: string): Promise<User> {
  const person = isId(sub) ? await work.store.of(companyId).users.findById(sub as UserId) : null;
  if (!person || person.baseStatus === 'Deleted') {
    const problem = 'Nobody of this company has this sub.';
    throw invalid(problem, { sub: problem });
  }
  return person;
}

async function link(
  work: Work,
  companyId: CompanyId,
  { connected, person, entry }: { connected: Connected; person: User; entry: ReportedEntry },
): Promise<boolean> {
  const { instanceId, instance, moduleId } = connected;
  const { account, isCreated } = entry;
  const linked = await linkByEntry(
    work.store.db,
    {
      companyId,
      instanceId,
      userId: person.id,
      externalId: account.id,
      userName: account.userName,
      isAdministrator: account.isAdministrator,
      linkedBy: isCreated ? 'created' : 'entry',
    },
    work.now,
  );
  if (linked === 'taken')
    throw standsInTheWay(
      'linked_elsewhere',
      `${account.userName} cannot be linked to ${fullName(person)}: one of them is linked to another in ${instance} already.`,
    );
  if (linked.administered !== null && linked.administered !== account.isAdministrator)
    // Who administers the module decides about ways in and large changes: a module that says now this and now that is found out.
    await record(work, {
      action: 'module.administrator',
      companyId,
      target: { kind: 'user', id: person.id },
      details: {
        name: instance,
        moduleId,
        instanceId,
        accountId: account.id,
        account: account.userName,
        before: linked.administered,
        after: account.isAdministrator,
      },
    });
  if (!linked.isNew) return false;
  await record(work, {
    action: isCreated ? 'module.jitCreate' : 'module.link',
    companyId,
    target: { kind: 'user', id: person.id },
    details: { name: instance, moduleId, instanceId, accountId: account.id, account: account.userName },
  });
  const cause = `${fullName(person)} entered for the first time`;
  await standingChanged(work, { companyId, userIds: [person.id], instanceIds: [instanceId], cause });
  return true;
}

/** Only a trial needs the instance held; everybody else comes in beside each other. */
async function holdTrial(work: Work, companyId: CompanyId, instanceId: InstanceId): Promise<boolean> {
  const { integrations } = work.store.of(companyId);
  if (!(await integrations.findTrial(instanceId))) return false;
  return (await integrations.hold(instanceId)) !== null;
}
