// Taking an applied plan back, for 14 days: rules and switches as they were, and everybody who is still as the plan left them.
import { conflict, notFound } from '../../lib/errors.ts';
import type { CompanyId } from '../../lib/ids.ts';
import { transaction, type Work } from '../../work.ts';
import { authorise } from '../roles/authority.ts';
import { startTask } from '../tasks/commands.ts';
import { eachRow } from '../tasks/queries.ts';
import type { NewRow, Task } from '../tasks/task.ts';
import { countActive } from './people-queries.ts';
import { mayUndo, needsSecond, type Plan, setupHashOf } from './plan.ts';
import { saveSetup, tell } from './plan-commands.ts';
import { setupOf } from './plan-queries.ts';

/**
 * @returns the task that takes people back; null when the plan had touched nobody
 * @throws AppError 404; 409 when it is too late, rules or switches were changed since, or another administrator has to do it
 */
export async function startPlanUndo(
  work: Work,
  companyId: CompanyId,
  planId: string,
): Promise<{ taskId: string | null }> {
  const actorId = await authorise(work, companyId, 'security.manage');
  return transaction(work, async (work) => {
    const { ssoPlans, connections, tasks } = work.store.of(companyId);
    const plan = await ssoPlans.lockById(planId);
    if (!plan) throw notFound('plan');
    if (plan.state === 'undone') return { taskId: plan.undoTaskId };
    if (!mayUndo(plan, work.now)) throw conflict('Only a plan that was applied in the last 14 days can be taken back.');
    const applied = plan.taskId === null ? null : await tasks.findById(plan.taskId);
    if (applied && applied.state !== 'done' && applied.state !== 'failed')
      throw conflict('The plan is being applied right now. Wait until it is done.');
    const connection = await connections.hold(plan.connectionId);
    if (!connection) throw notFound('connection');
    const present = await setupOf(work, connection);
    if (setupHashOf(present, present, []) !== setupHashOf(plan.proposed, plan.proposed, []))
      throw conflict('Rules or switches were changed since this plan was applied. Make a new plan instead.');
    const second = await secondForUndo(work, plan);
    if (second !== null && actorId !== null && actorId === plan.appliedBy)
      throw conflict(`Another administrator has to take this back: ${second}`);
    await saveSetup(work, connection, plan.present, present);
    const task = applied ? await begin(work, plan) : null;
    await ssoPlans.undo(plan.id, { name: work.actor.name, taskId: task?.id ?? null }, work.now);
    await tell(work, plan, connection, 'sso.plan.undo', { rows: task?.total ?? 0 });
    return { taskId: task?.id ?? null };
  });
}

/** Whoever came back by the plan is deactivated again. */
async function secondForUndo(work: Work, { companyId, counts }: Plan): Promise<string | null> {
  return needsSecond({ people: counts.reactivate, administrators: 0, active: await countActive(work, companyId) });
}

async function begin(work: Work, plan: Plan): Promise<Task> {
  const rows: NewRow[] = [];
  for await (const { position, label, userId } of eachRow(work, plan.companyId, plan.taskId ?? '', ['succeeded']))
    rows.push({ position, label, userId, data: {} });
  return startTask(work, plan.companyId, {
    kind: 'mapping',
    title: `Take back a plan for ${new Intl.NumberFormat('en').format(rows.length)} ${rows.length === 1 ? 'person' : 'people'}`,
    params: { planId: plan.id, connectionId: plan.connectionId, undo: true },
    rows,
    inputHash: `undo ${plan.id}`,
  });
}
