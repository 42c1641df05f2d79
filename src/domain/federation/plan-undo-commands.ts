// Taking an applied plan back, for 14 days: rules and switches as they were, and everybody who is still as the plan left them. What it
// takes away from people is weighed like what a plan does; giving back is for one administrator alone, since after a mistake there may
// be no other one.
import { conflict, notFound } from '../../lib/errors.ts';
import type { CompanyId } from '../../lib/ids.ts';
import { inStretches } from '../../lib/paging.ts';
import { transaction, type Work } from '../../work.ts';
import { authorise } from '../roles/authority.ts';
import { startTask } from '../tasks/commands.ts';
import { eachRow } from '../tasks/queries.ts';
import type { NewRow, Task } from '../tasks/task.ts';
import type { StoredConnection } from './connection-repository.ts';
import { countActive } from './people-queries.ts';
import {
  claimsHashOf,
  endsAdministrator,
  type MappingSetup,
  mayUndo,
  needsSecond,
  type Plan,
  setupHashOf,
} from './plan.ts';
import { saveSetup, tell } from './plan-commands.ts';
import { setupOf } from './plan-queries.ts';
import { isTested } from './tested.ts';

/** What taking it back has led to: done but for the task (nobody to take back: none), or somebody else is asked. */
export type Undone = { outcome: 'started'; taskId: string | null; note: string | null } | { outcome: 'asked' };

export interface PlanUndo {
  /** Why one administrator alone may not do it; null: one may. */
  second: string | null;
  /** What does not become as it was, in words. */
  note: string | null;
}

/** What taking it back would mean now. @throws AppError 404, 409 as `startPlanUndo` */
export async function readPlanUndo(work: Work, companyId: CompanyId, planId: string): Promise<PlanUndo> {
  await authorise(work, companyId, 'security.manage');
  const { ssoPlans, connections } = work.store.of(companyId);
  const plan = await ssoPlans.findById(planId);
  const connection = plan && (await connections.find(plan.connectionId));
  if (!plan || !connection) throw notFound('plan');
  const { second, note } = await weigh(work, plan, connection);
  return { second, note };
}

/**
 * @throws AppError 404; 409 when it is too late, rules or switches were changed since, or another administrator has to do it
 */
export async function startPlanUndo(work: Work, companyId: CompanyId, planId: string): Promise<Undone> {
  const actorId = await authorise(work, companyId, 'security.manage');
  return transaction(work, async (work) => {
    const { ssoPlans, connections } = work.store.of(companyId);
    const plan = await ssoPlans.lockById(planId);
    if (!plan) throw notFound('plan');
    if (plan.state === 'undone') return { outcome: 'started', taskId: plan.undoTaskId, note: plan.undoNote };
    const connection = await connections.hold(plan.connectionId);
    if (!connection) throw notFound('connection');
    const { rows, second, note, present, back } = await weigh(work, plan, connection);
    if (second !== null && actorId !== null && (plan.undoAskedBy ?? actorId) === actorId) {
      if (plan.undoAskedBy !== null) throw conflict(`Another administrator has to take this back: ${second}`);
      await ssoPlans.askUndo(plan.id, { id: actorId, name: work.actor.name }, work.now);
      await tell(work, plan, connection, 'sso.plan.ask', { undo: true, because: second });
      return { outcome: 'asked' };
    }
    await saveSetup(work, connection, back, present);
    const taskId = rows.length === 0 ? null : (await begin(work, plan, rows)).id;
    await ssoPlans.undo(plan.id, { name: work.actor.name, taskId, note }, work.now);
    await tell(work, plan, connection, 'sso.plan.undo', { rows: rows.length, ...(note === null ? {} : { note }) });
    return { outcome: 'started', taskId, note };
  });
}

interface Weighed extends PlanUndo {
  rows: NewRow[];
  present: MappingSetup;
  /** What becomes of rules and switches. */
  back: MappingSetup;
}

async function weigh(work: Work, plan: Plan, connection: StoredConnection): Promise<Weighed> {
  if (!mayUndo(plan, work.now)) throw conflict('Only a plan that was applied in the last 14 days can be taken back.');
  const { tasks } = work.store.of(plan.companyId);
  const applied = plan.taskId === null ? null : await tasks.findById(plan.taskId);
  if (applied && applied.state !== 'done' && applied.state !== 'failed')
    throw conflict('The plan is being applied right now. Wait until it is done.');
  const present = await setupOf(work, connection);
  if (setupHashOf(present, present, []) !== setupHashOf(plan.proposed, plan.proposed, []))
    throw conflict('Rules or switches were changed since this plan was applied. Make a new plan instead.');
  // Enable Mapping Rules deactivates at each login: by claims of another name, nobody has seen whom.
  const isMappingAgain = plan.present.mapping && !present.mapping;
  if (isMappingAgain && plan.claimsHash !== null && plan.claimsHash !== claimsHashOf(connection))
    throw conflict('The names of the claims were changed since this plan was applied. Make a new plan instead.');
  const staysOff = plan.present.enabled && !present.enabled && !isTested(connection);
  const rows = applied ? await doneRows(work, plan) : [];
  return {
    rows,
    present,
    back: { ...plan.present, enabled: plan.present.enabled && !staysOff },
    second: await secondFor(work, plan, rows),
    note: staysOff ? staysOffWords : null,
  };
}

const staysOffWords =
  'The connection stays off: nobody has come through it with the settings of now. Test it, then enable it.';

/** Those of whom the task says that it was done. */
async function doneRows(work: Work, plan: Plan): Promise<NewRow[]> {
  const rows: NewRow[] = [];
  for await (const { position, label, userId } of eachRow(work, plan.companyId, plan.taskId ?? '', ['succeeded']))
    rows.push({ position, label, userId, data: {} });
  return rows;
}

/** Whoever came back by the plan is deactivated again, and who was made an administrator by it is none any more. */
async function secondFor(work: Work, { companyId, id }: Plan, done: NewRow[]): Promise<string | null> {
  const { ssoPlans } = work.store.of(companyId);
  const positions = new Set(done.map(({ position }) => position));
  const size = { people: 0, administrators: 0, active: await countActive(work, companyId) };
  for await (const rows of inStretches((after, limit) => ssoPlans.listAfter(id, after, limit)))
    for (const { position, change } of rows) {
      if (!change || !positions.has(position)) continue;
      if (change.act === 'reactivate') size.people += 1;
      if (endsAdministrator({ change: { ...change, before: change.after, after: change.before } }))
        size.administrators += 1;
    }
  return needsSecond(size);
}

async function begin(work: Work, plan: Plan, rows: NewRow[]): Promise<Task> {
  return startTask(work, plan.companyId, {
    kind: 'mapping',
    title: `Take back a plan for ${new Intl.NumberFormat('en').format(rows.length)} ${rows.length === 1 ? 'person' : 'people'}`,
    params: { planId: plan.id, connectionId: plan.connectionId, undo: true },
    rows,
    inputHash: `undo ${plan.id}`,
  });
}
