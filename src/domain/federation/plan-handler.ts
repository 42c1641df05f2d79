// What Apply and its undo do, row by row: each person is decided once more from the facts of this moment, and touched only if it comes
// out as it was shown. A chunk is one transaction with its outcomes.
import type { UserId } from '../../lib/ids.ts';
import type { Work } from '../../work.ts';
import { authorise } from '../roles/authority.ts';
import { causeOf, standingChanged } from '../standing/commands.ts';
import type { Outcome, Task, TaskHandler, TaskRow } from '../tasks/task.ts';
import { getCompany } from '../users/decide.ts';
import { leavingTogether } from '../users/leave-commands.ts';
import { applyChanges, type ChangedBy, type DecidedChange } from './mapping-commands.ts';
import { countAdministrators, listSeenPeople, type SeenPerson } from './people-queries.ts';
import { administers, isAdministrator, type PersonState, stateOf } from './person-mapping.ts';
import { decideSubject, type KnownChange, type Plan, type PlanRow } from './plan.ts';
import { isSameState, undoneChange } from './plan-undo.ts';

const skipped = (message: string): Outcome => ({ outcome: 'skipped', message });

const changed = 'It has changed since the plan was made, and is left as it is.';

async function run(work: Work, task: Task, rows: TaskRow[]): Promise<Outcome[]> {
  const { companyId } = task;
  await authorise(work, companyId, 'security.manage');
  const { ssoPlans, connections, mappingRules } = work.store.of(companyId);
  const plan = await ssoPlans.findById(String(task.params.planId));
  const connection = plan && (await connections.find(plan.connectionId));
  if (!plan || !connection) return rows.map(() => skipped('The connection is not there any more.'));
  const positions = rows.map(({ position }) => position);
  const planned = await ssoPlans.listByPositions(plan.id, positions);
  const people = await hold(work, plan, planned);
  const rules = await mappingRules.list(connection.id);
  const setup = { enabled: connection.enabled, mapping: connection.mapping, rules };
  const groups = await work.store.of(companyId).groups.list();
  const bench = { ...setup, connectionId: connection.id, groups };
  const isUndo = task.params.undo === true;
  let left = await countAdministrators(work, companyId);
  const due: DecidedChange[] = [];
  const there = new Set<UserId>();
  for (const { userId, change: shown } of planned) {
    const person = people.get(userId);
    if (!person || !shown) continue;
    // A login in between has done it already.
    if (isSameState(stateOf(person), isUndo ? shown.before : shown.after)) there.add(userId);
    const others = left - Number(administers(person));
    const change = isUndo ? undoneChange(person, shown, others) : decideSubject(bench, person, others);
    if (there.has(userId) || !change || (!isUndo && !isAsShown(change, shown))) continue;
    left += Number(administers(change.after)) - Number(administers(change.before));
    due.push({ userId, change });
    there.add(userId);
  }
  const by: ChangedBy = { company: await getCompany(work, companyId), connection };
  await applyChanges({ ...work, isPartOfMore: true }, by, due);
  return rows.map(({ userId }) => (userId && there.has(userId) ? { outcome: 'succeeded', userId } : skipped(changed)));
}

/** Memberships, then administrators, then people: the order that all others keep. */
async function hold(work: Work, plan: Plan, planned: PlanRow[]): Promise<Map<UserId, SeenPerson>> {
  const { groups, identities, users } = work.store.of(plan.companyId);
  const userIds = planned.map(({ userId }) => userId);
  await groups.holdMemberships('some');
  await users.lockAll(userIds);
  if (planned.some(({ change }) => change !== null && touchesAdministrator(change)))
    await identities.holdAdministrators();
  const people = await listSeenPeople(work, plan, userIds);
  return new Map(people.map((person) => [person.id, person]));
}

const touchesAdministrator = ({ before, after }: { before: PersonState; after: PersonState }): boolean =>
  isAdministrator(before.role) || isAdministrator(after.role);

const isAsShown = ({ act, before, after }: DecidedChange['change'], shown: KnownChange): boolean =>
  act === shown.act && isSameState(before, shown.before) && isSameState(after, shown.after);

export const mappingHandler: TaskHandler = {
  // Somebody may be signing in as one of these people right now: they are held together for some hundredths of a second.
  chunk: leavingTogether,
  run,
  // What it means for modules is one act, and judged as a whole: a large one waits for a second administrator.
  async finished(work, { companyId, title, succeeded }) {
    if (succeeded > 0)
      await standingChanged(work, { companyId, userIds: null, instanceIds: null, cause: causeOf(work, `“${title}”`) });
  },
};
