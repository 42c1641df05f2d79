// Making a plan of what rules or switches would do, and applying it: what is applied is what was shown, or nothing.
import { conflict, invalid, notFound } from '../../lib/errors.ts';
import { type CompanyId, newId, type UserId } from '../../lib/ids.ts';
import { inStretches } from '../../lib/paging.ts';
import { transaction, type Work } from '../../work.ts';
import { record } from '../audit/commands.ts';
import type { Group } from '../groups/group.ts';
import { unmade } from '../plans/plan.ts';
import { authorise } from '../roles/authority.ts';
import { startTask } from '../tasks/commands.ts';
import type { NewRow, Task } from '../tasks/task.ts';
import type { ConnectionId } from './connection.ts';
import { recordConfig, refuseUnready } from './connection-commands.ts';
import type { StoredConnection } from './connection-repository.ts';
import { endEnforcement } from './enforce-commands.ts';
import { countActive } from './people-queries.ts';
import { conditionWords } from './person-mapping.ts';
import {
  claimsHashOf,
  countActs,
  doneCount,
  endsAdministrator,
  type MappingSetup,
  needsSecond,
  type Plan,
  type PlanRow,
  peopleHashOf,
  planHashOf,
  setupHashOf,
} from './plan.ts';
import { eachDecided, isAsMade, setupOf } from './plan-queries.ts';
import { checkRules, type RuleInput } from './rule.ts';
import { testedHashOf } from './tested.ts';

/** What is to be different; the rest stays. Rules are all of them, in their order. */
export interface Proposal {
  enabled?: boolean;
  mapping?: boolean;
  rules?: RuleInput[];
  /** Why it is enabled without a passed test, in the administrator's words. */
  override?: string;
}

/** A plan over everybody. Nothing is changed by making it. @throws AppError 404, 409, 422 */
export async function makePlan(
  work: Work,
  companyId: CompanyId,
  connectionId: ConnectionId,
  proposal: Proposal,
): Promise<{ id: string }> {
  const actorId = await authorise(work, companyId, 'security.manage');
  return transaction(work, async (work) => {
    const { connections, groups } = work.store.of(companyId);
    const connection = await connections.find(connectionId);
    if (!connection) throw notFound('connection');
    const all = await groups.list();
    const present = await setupOf(work, connection);
    const proposed = proposedSetup(connection, present, proposal, all);
    const plan: Plan = {
      ...unmade,
      ...untaken,
      counts: countActs([]),
      id: newId(),
      companyId,
      connectionId,
      proposed,
      present,
      claimsHash: claimsHashOf(connection),
      madeBy: actorId,
      madeByName: work.actor.name,
      madeAt: work.now,
    };
    await work.store.of(companyId).ssoPlans.insert(plan);
    const setupHash = setupHashOf(present, proposed, all, testedHashOf(connection));
    const { counts, size, hash } = await decideAll(work, plan, setupHash, all);
    const secondBecause = needsSecond({ ...size, active: await countActive(work, companyId) });
    await work.store.of(companyId).ssoPlans.complete(plan.id, { inputHash: hash, counts, secondBecause });
    await tell(work, plan, connection, 'sso.plan.make', { rows: doneCount(counts), counts });
    return { id: plan.id };
  });
}

function proposedSetup(
  connection: StoredConnection,
  present: MappingSetup,
  { enabled, mapping, rules, override }: Proposal,
  groups: Group[],
): MappingSetup {
  const proposed = {
    enabled: enabled ?? present.enabled,
    mapping: mapping ?? present.mapping,
    rules: rules ? checkRules(rules, groups, present.rules) : present.rules,
  };
  if (proposed.mapping && proposed.rules.length === 0) {
    const sentence = 'Enable Mapping Rules needs a rule: without one, nobody would be in a mapped group.';
    throw invalid(sentence, { mapping: sentence });
  }
  if (proposed.enabled && !present.enabled) refuseUnready(connection, override);
  return proposed;
}

/** Rows are kept while the next ones are decided: the database and we work side by side. */
async function decideAll(
  work: Work,
  plan: Plan,
  setupHash: string,
  groups: Group[],
): Promise<{ counts: Plan['counts']; size: { people: number; administrators: number }; hash: string }> {
  const { ssoPlans } = work.store.of(plan.companyId);
  const rows: Pick<PlanRow, 'act' | 'userId' | 'inputHash'>[] = [];
  const size = { people: 0, administrators: 0 };
  let kept: Promise<void> = Promise.resolve();
  for await (const some of eachDecided(work, plan, { setup: plan.proposed, groups })) {
    await kept;
    kept = ssoPlans.insertRows(plan.id, some);
    // Awaited with the next ones; until then a failure must not count as one that nobody looks at.
    kept.catch(() => undefined);
    for (const row of some) {
      rows.push({ act: row.act, userId: row.userId, inputHash: row.inputHash });
      if (row.act === 'deactivate') size.people += 1;
      if (endsAdministrator(row)) size.administrators += 1;
    }
  }
  await kept;
  return { counts: countActs(rows), size, hash: planHashOf(setupHash, peopleHashOf(rows)) };
}

const untaken = {
  undoAskedBy: null,
  undoAskedByName: null,
  undoneByName: null,
  undoneAt: null,
  undoTaskId: null,
  undoNote: null,
} as const;

/** What Apply has led to: the work begins (nobody to touch: no task), or somebody else is asked. */
export type Applied = { outcome: 'started'; taskId: string | null } | { outcome: 'asked' };

/**
 * Saves rules and switches, and does to people exactly what the plan shows. Twice, it is the same task.
 * @throws AppError 404; 409 when anything that it was decided from has changed since, or a second administrator has to do it
 */
export async function applyPlan(work: Work, companyId: CompanyId, planId: string): Promise<Applied> {
  const actorId = await authorise(work, companyId, 'security.manage');
  return transaction(work, async (work) => {
    const { ssoPlans, connections } = work.store.of(companyId);
    const plan = await ssoPlans.lockById(planId);
    if (!plan) throw notFound('plan');
    if (plan.state === 'applied') return { outcome: 'started', taskId: plan.taskId };
    if (plan.state === 'dropped') throw conflict('This plan was dropped.');
    if (plan.state === 'undone') throw conflict('This plan was taken back.');
    const connection = await connections.hold(plan.connectionId);
    if (!connection) throw notFound('connection');
    if (!(await isAsMade(work, plan)))
      throw conflict('Something has changed since this plan was made, so it is not applied. Make a new one.');
    if (plan.secondBecause !== null && actorId !== null && actorId === plan.madeBy)
      return ask(work, plan, connection, actorId);
    await saveSetup(work, connection, plan.proposed, plan.present);
    const total = doneCount(plan.counts);
    const task = total === 0 ? null : await begin(work, plan, total);
    const taskId = task?.id ?? null;
    await ssoPlans.apply(plan.id, { id: actorId, name: work.actor.name, taskId }, work.now);
    await tell(work, plan, connection, 'sso.plan.apply', {
      rows: total,
      counts: plan.counts,
      madeBy: plan.madeByName,
      hash: plan.inputHash,
    });
    return { outcome: 'started', taskId };
  });
}

/** From now on each login goes by these. */
export async function saveSetup(
  work: Work,
  connection: StoredConnection,
  setup: MappingSetup,
  before: MappingSetup,
): Promise<void> {
  const { mappingRules, groups } = work.store.of(connection.companyId);
  if (connection.enabled && !setup.enabled) await endEnforcement(work, connection, 'ended');
  const names = new Map((await groups.list()).map(({ id, name }) => [id as string, name]));
  await mappingRules.replace(connection.id, setup.rules);
  await mappingRules.saveSwitches(connection.id, setup);
  if (connection.enabled !== setup.enabled)
    await recordConfig(work, connection, { change: setup.enabled ? 'enabled' : 'disabled' });
  await record(work, {
    action: 'sso.mapping',
    companyId: connection.companyId,
    target: { kind: 'connection', id: connection.id },
    details: { connection: connection.name, before: setupWords(before, names), after: setupWords(setup, names) },
  });
}

/** For the audit log: rules as people read them. */
const setupWords = ({ enabled, mapping, rules }: MappingSetup, names: ReadonlyMap<string, string>) => ({
  enabled,
  mapping,
  rules: rules.map((rule) => {
    const groups = rule.groupIds.map((id) => names.get(id) ?? 'a deleted group');
    return `${conditionWords(rule)}: ${[rule.role, ...groups].filter(Boolean).join(', ')}${rule.stops ? ', and stop' : ''}`;
  }),
});

async function ask(work: Work, plan: Plan, connection: StoredConnection, actorId: UserId): Promise<Applied> {
  if (plan.state === 'waiting') throw conflict('Another administrator has to apply the plan that you have made.');
  await work.store.of(plan.companyId).ssoPlans.ask(plan.id, { id: actorId, name: work.actor.name }, work.now);
  await tell(work, plan, connection, 'sso.plan.ask', { because: plan.secondBecause });
  return { outcome: 'asked' };
}

async function begin(work: Work, plan: Plan, total: number): Promise<Task> {
  const { ssoPlans } = work.store.of(plan.companyId);
  const rows: NewRow[] = [];
  for await (const some of inStretches((after, limit) => ssoPlans.listAfter(plan.id, after, limit)))
    for (const { position, username, userId, change } of some)
      if (change) rows.push({ position, label: username, data: {}, userId });
  return startTask(work, plan.companyId, {
    kind: 'mapping',
    title: `Apply mapping rules to ${new Intl.NumberFormat('en').format(total)} ${total === 1 ? 'person' : 'people'}`,
    params: { planId: plan.id, connectionId: plan.connectionId, undo: false },
    rows,
    inputHash: `${plan.id} ${plan.inputHash}`,
  });
}

/** Nobody will apply it. @throws AppError 404, 409 */
export async function dropPlan(work: Work, companyId: CompanyId, planId: string): Promise<void> {
  await authorise(work, companyId, 'security.manage');
  await transaction(work, async (work) => {
    const { ssoPlans } = work.store.of(companyId);
    const plan = await ssoPlans.lockById(planId);
    if (!plan) throw notFound('plan');
    if (plan.state === 'applied' || plan.state === 'undone') throw conflict('This plan was applied already.');
    await ssoPlans.drop(planId);
  });
}

export async function tell(
  work: Work,
  plan: Plan,
  connection: Pick<StoredConnection, 'id' | 'name'>,
  action: 'sso.plan.make' | 'sso.plan.ask' | 'sso.plan.apply' | 'sso.plan.undo',
  details: Record<string, unknown>,
): Promise<void> {
  await record(work, {
    action,
    companyId: plan.companyId,
    target: { kind: 'connection', id: connection.id },
    details: { plan: plan.id, connection: connection.name, ...details },
  });
}
