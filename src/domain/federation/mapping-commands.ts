// What the rules decided is done: role, groups, and who is in or out, each with its own effects and events. One way for a sign-in and
// for a plan.
import type { CompanyId, UserId } from '../../lib/ids.ts';
import type { Work } from '../../work.ts';
import { recordAll } from '../audit/commands.ts';
import type { Company } from '../companies/company.ts';
import { changeMemberships } from '../groups/member-commands.ts';
import { endEverythingOf } from '../sessions/commands.ts';
import { causeOf, standingChanged } from '../standing/commands.ts';
import { leave } from '../users/leave-commands.ts';
import type { ConnectionId } from './connection.ts';
import type { PersonChange } from './person-mapping.ts';

export interface DecidedChange {
  userId: UserId;
  change: PersonChange;
}

export interface ChangedBy {
  company: Company;
  connection: { id: ConnectionId; name: string };
}

/** The caller holds the memberships and the people, in this order, and has decided by what they are now. */
export async function applyChanges(work: Work, by: ChangedBy, changes: DecidedChange[]): Promise<void> {
  const leaving = changes.filter(({ change }) => change.act === 'deactivate');
  await changeRoles(work, by, changes);
  await changeGroups(work, by.company.id, changes);
  await reactivate(
    work,
    by,
    changes.filter(({ change }) => change.act === 'reactivate'),
  );
  await keepSources(work, by, changes);
  await deactivate(work, by, leaving);
}

async function changeRoles(work: Work, { company, connection }: ChangedBy, changes: DecidedChange[]): Promise<void> {
  const { users } = work.store.of(company.id);
  const others = changes.filter(({ change: { before, after } }) => before.role !== after.role);
  for (const { userId, change } of others)
    if (change.after.role !== 'Root Admin') await users.setRole(userId, change.after.role);
  await recordAll(
    work,
    others.map(({ userId, change: { before, after, rule } }) => ({
      action: 'user.roleChange' as const,
      companyId: company.id,
      target: { kind: 'user' as const, id: userId },
      details: { before: before.role, after: after.role, rule, connection: connection.name },
    })),
  );
  // C33: a module may derive its permission from the role.
  await hint(work, company.id, others, 'given another role');
}

/** People who end up in the same groups go together: by the one way in which memberships change. */
async function changeGroups(work: Work, companyId: CompanyId, changes: DecidedChange[]): Promise<void> {
  const others = changes.filter(({ change: { before, after } }) => before.groups.join() !== after.groups.join());
  for (const alike of Map.groupBy(others, ({ change }) => change.after.groups.join()).values()) {
    const groupIds = alike[0]?.change.after.groups ?? [];
    const userIds = alike.map(({ userId }) => userId);
    await changeMemberships(work, companyId, userIds, { kind: 'set', groupIds });
  }
}

/** T18 */
async function reactivate(work: Work, { company, connection }: ChangedBy, changes: DecidedChange[]): Promise<void> {
  if (changes.length === 0) return;
  const companyId = company.id;
  // A session that was born in the very moment of the deactivation has slept since; it must not wake.
  await endEverythingOf(work, { companyId, userIds: changes.map(({ userId }) => userId) }, 'deactivated');
  const { users } = work.store.of(companyId);
  for (const { userId } of changes) await users.update(userId, { baseStatus: 'Active', deactivatedReason: null });
  await recordAll(
    work,
    changes.map(({ userId, change }) => ({
      action: 'user.activate' as const,
      companyId,
      target: { kind: 'user' as const, id: userId },
      details: { by: 'mapping', rule: change.rule, connection: connection.name },
    })),
  );
  await hint(work, companyId, changes, 'activated');
}

/** T15: everywhere at once, with everything that an administrator's own act does. */
async function deactivate(work: Work, { company, connection }: ChangedBy, changes: DecidedChange[]): Promise<void> {
  if (changes.length === 0) return;
  const users = await work.store.of(company.id).users.lockAll(changes.map(({ userId }) => userId));
  await leave(work, company, users, {
    reason: 'mapping',
    details: { rule: changes[0]?.change.rule, connection: connection.name },
  });
}

async function keepSources(work: Work, { company, connection }: ChangedBy, changes: DecidedChange[]): Promise<void> {
  if (changes.length === 0) return;
  const { identities } = work.store.of(company.id);
  const people = changes.map(({ userId, change }) => ({ userId, sources: change.sources }));
  await identities.setSources(connection.id, people, work.now);
  await identities.setRoleSources(
    changes.map(({ userId, change }) => ({ userId, source: change.roleSource })),
    work.now,
  );
}

const hint = (work: Work, companyId: CompanyId, changes: DecidedChange[], what: string): Promise<void> =>
  standingChanged(work, {
    companyId,
    userIds: changes.map(({ userId }) => userId),
    instanceIds: null,
    cause: causeOf(work, what),
  });
