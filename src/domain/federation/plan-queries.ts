// Plans as pages and the API show them: their rows, and what has changed since. Authorisation is the first line of each.
import type { CompanyId, GroupId } from '../../lib/ids.ts';
import type { Work } from '../../work.ts';
import type { Group } from '../groups/group.ts';
import { planQueries } from '../plans/queries.ts';
import { authorise } from '../roles/authority.ts';
import type { ConnectionId } from './connection.ts';
import type { StoredConnection } from './connection-repository.ts';
import { countAdministrators, eachSeenPerson, hashSeenPeople } from './people-queries.ts';
import {
  type MappingSetup,
  type Plan,
  type PlanAct,
  type PlanDifference,
  type PlanRow,
  peopleHashOf,
  planHashOf,
  planner,
  setupHashOf,
  stateWords,
  unseen,
} from './plan.ts';
import { testedHashOf } from './tested.ts';

const atOnce = 1000;

export const { getPlan, listPlans, listPlanRows, eachPlanRow } = planQueries<PlanAct, Plan, PlanRow>({
  permission: 'security.manage',
  source: ({ store }, companyId) => store.of(companyId).ssoPlans,
  about: ({ connectionId }) => connectionId,
});

/** Rules and switches as they are. */
export async function setupOf(work: Work, connection: StoredConnection): Promise<MappingSetup> {
  const rules = await work.store.of(connection.companyId).mappingRules.list(connection.id);
  return { enabled: connection.enabled, mapping: connection.mapping, rules };
}

/** Everybody of the company under a set-up, in the order of their ids, some at a time. Asks for no permission. */
export async function* eachDecided(
  work: Work,
  of: { companyId: CompanyId; connectionId: ConnectionId },
  { setup, groups }: { setup: MappingSetup; groups: Group[] },
): AsyncGenerator<PlanRow[]> {
  const bench = { ...setup, connectionId: of.connectionId, groups };
  const decide = planner(bench, await countAdministrators(work, of.companyId));
  let position = 0;
  for await (const people of eachSeenPerson(work, of, atOnce))
    yield people.map((person) => {
      position += 1;
      return { position, ...decide(person) };
    });
}

async function setupNow(work: Work, plan: Plan): Promise<{ hash: string; groups: Group[]; upstream: string } | null> {
  const { connections, groups } = work.store.of(plan.companyId);
  const connection = await connections.find(plan.connectionId);
  if (!connection) return null;
  const all = await groups.list();
  const upstream = testedHashOf(connection);
  return { hash: setupHashOf(await setupOf(work, connection), plan.proposed, all, upstream), groups: all, upstream };
}

/** Whether everything that it was decided from is what it was; else it is not applied. Nobody is decided anew for it. */
export async function isAsMade(work: Work, plan: Plan): Promise<boolean> {
  await authorise(work, plan.companyId, 'security.manage');
  const setup = await setupNow(work, plan);
  return setup !== null && planHashOf(setup.hash, await hashSeenPeople(work, plan)) === plan.inputHash;
}

export interface PlanComparison {
  count: number;
  setupChanged: boolean;
  /** The first of them. */
  differences: PlanDifference[];
}

/** What is not any more as it was when the plan was made: everybody is decided once more. */
export async function comparePlan(work: Work, plan: Plan, shown: number): Promise<PlanComparison> {
  await authorise(work, plan.companyId, 'security.manage');
  const setup = await setupNow(work, plan);
  if (!setup) return { count: 1, setupChanged: true, differences: [] };
  const { groups, upstream } = setup;
  const now = new Map<string, PlanRow>();
  for await (const rows of eachDecided(work, plan, { setup: plan.proposed, groups }))
    for (const row of rows) if (row.inputHash !== unseen) now.set(row.userId, row);
  if (planHashOf(setup.hash, peopleHashOf([...now.values()])) === plan.inputHash)
    return { count: 0, setupChanged: false, differences: [] };
  const names = new Map(groups.map(({ id, name }) => [id, name]));
  const differences: PlanDifference[] = [];
  let count = 0;
  const differ = (was: PlanRow | null, is: PlanRow | null) => {
    count += 1;
    if (differences.length < shown) differences.push(differenceOf(was, is, names));
  };
  for await (const rows of eachPlanRow(work, plan))
    for (const row of rows) {
      const is = now.get(row.userId) ?? null;
      now.delete(row.userId);
      if (row.inputHash !== (is?.inputHash ?? unseen)) differ(row, is);
    }
  for (const row of now.values()) differ(null, row);
  // Nobody differs, so it is the rules, the switches or the groups.
  const setupChanged = setupHashOf(plan.present, plan.proposed, groups, upstream) !== setup.hash || count === 0;
  return { count: count + Number(setupChanged), setupChanged, differences };
}

const actWords = (row: PlanRow | null, names: ReadonlyMap<GroupId, string>): string => {
  if (!row) return 'Not there';
  if (!row.change) return `${row.before}: left alone`;
  return `${row.before} to ${stateWords(row.change.after, names)}`;
};

const differenceOf = (
  was: PlanRow | null,
  is: PlanRow | null,
  names: ReadonlyMap<GroupId, string>,
): PlanDifference => ({
  person: (was ?? is)?.person ?? '',
  username: (was ?? is)?.username ?? '',
  was: actWords(was, names),
  now: actWords(is, names),
});
