// Making a plan from a report, and applying it: what is applied is what was shown, or nothing.
import { conflict, invalid, notFound } from '../../lib/errors.ts';
import { type CompanyId, type InstanceId, newId, type UserId } from '../../lib/ids.ts';
import { inStretches } from '../../lib/paging.ts';
import { transaction, type Work } from '../../work.ts';
import { record } from '../audit/commands.ts';
import { unmade } from '../plans/plan.ts';
import { authorise } from '../roles/authority.ts';
import { startTask } from '../tasks/commands.ts';
import type { NewRow, Task } from '../tasks/task.ts';
import { benchOf } from './drift-judging.ts';
import {
  countActs,
  doneCount,
  endsAdministrator,
  needsSecond,
  type Plan,
  type PlanRow,
  type PlanScope,
  planHashOf,
  planRow,
  settingsHashOf,
} from './plan.ts';
import { comparePlan } from './plan-queries.ts';
import { subjectsOf } from './plan-subjects.ts';

const atOnce = 1000;

const gone = () => conflict('This module is not connected any more.');

/** A plan about findings of the latest report. Nothing is changed by making it. @throws AppError 404, 409, 422 */
export async function makePlan(
  work: Work,
  companyId: CompanyId,
  instanceId: InstanceId,
  scope: PlanScope,
): Promise<{ id: string }> {
  const actorId = await authorise(work, companyId, 'modules.manage');
  if (scope.classes.length === 0) throw invalid('Choose what the plan is about.', { class: 'Choose at least one.' });
  return transaction(work, async (work) => {
    const { drift, instances, plans, accounts } = work.store.of(companyId);
    if (!(await instances.findById(instanceId))) throw notFound('module');
    const [report] = await drift.listDone(instanceId, 1);
    if (!report) throw conflict('Read the accounts of the module first: a plan is made from a report.');
    const bench = await benchOf(work, { companyId, instanceId });
    if (!bench) throw gone();
    const plan: Plan = {
      ...unmade,
      counts: countActs([]),
      id: newId(),
      companyId,
      instanceId,
      readId: report.id,
      scope,
      settingsHash: settingsHashOf(bench.settings, bench.profile),
      madeBy: actorId,
      madeByName: work.actor.name,
      madeAt: work.now,
    };
    await plans.insert(plan);
    const made = { people: 0, administrators: 0 };
    const rows: Pick<PlanRow, 'act' | 'subject' | 'inputHash'>[] = [];
    for (let after: { sortKey: string; subject: string } | null = null; ; ) {
      const found = await drift.listSubjects(report.id, scope.classes, after, atOnce);
      const subjects = await subjectsOf(work, bench, { companyId, instanceId }, found);
      const some = subjects.map((subject, i) => ({ position: rows.length + i + 1, ...planRow(bench, scope, subject) }));
      await plans.insertRows(plan.id, some);
      for (const row of some) {
        rows.push({ act: row.act, subject: row.subject, inputHash: row.inputHash });
        if (row.act === 'suspend') made.people += 1;
        if (endsAdministrator(row, bench.profile)) made.administrators += 1;
      }
      after = found.at(-1) ?? null;
      if (!after || found.length < atOnce) break;
    }
    const counts = countActs(rows);
    await plans.complete(plan.id, {
      inputHash: planHashOf(plan.settingsHash, rows),
      counts,
      secondBecause: needsSecond({ ...made, active: await accounts.countActive(instanceId) }),
    });
    await record(work, {
      action: 'module.plan.make',
      companyId,
      target: { kind: 'module', id: instanceId },
      details: { plan: plan.id, rows: rows.length, counts, scope },
    });
    return { id: plan.id };
  });
}

/** What Apply has led to: the work begins, or somebody else is asked. */
export type Applied = { outcome: 'started'; taskId: string } | { outcome: 'asked' };

/**
 * Queues exactly what the plan shows. Twice, it is the same task.
 * @throws AppError 404; 409 when anything that it was decided from has changed since, or a second administrator has to do it
 */
export async function applyPlan(work: Work, companyId: CompanyId, planId: string): Promise<Applied> {
  const actorId = await authorise(work, companyId, 'modules.manage');
  return transaction(work, async (work) => {
    const { plans } = work.store.of(companyId);
    const plan = await plans.lockById(planId);
    if (!plan) throw notFound('plan');
    if (plan.state === 'applied' && plan.taskId !== null) return { outcome: 'started', taskId: plan.taskId };
    if (plan.state === 'dropped') throw conflict('This plan was dropped.');
    const total = doneCount(plan.counts);
    if (total === 0) throw conflict('There is nothing to do in this plan.');
    const { count } = await comparePlan(work, plan, 1);
    if (count > 0)
      throw conflict('Something has changed since this plan was made, so it is not applied. Make a new one.');
    if (plan.secondBecause !== null && actorId !== null && actorId === plan.madeBy) return ask(work, plan, actorId);
    const task = await begin(work, plan, total);
    await plans.apply(plan.id, { id: actorId, name: work.actor.name, taskId: task.id }, work.now);
    await record(work, {
      action: 'module.plan.apply',
      companyId,
      target: { kind: 'module', id: plan.instanceId },
      details: { plan: plan.id, rows: total, counts: plan.counts, madeBy: plan.madeByName, hash: plan.inputHash },
    });
    return { outcome: 'started', taskId: task.id };
  });
}

async function ask(work: Work, plan: Plan, actorId: UserId): Promise<Applied> {
  if (plan.state === 'waiting') throw conflict('Another administrator has to apply the plan that you have made.');
  await work.store.of(plan.companyId).plans.ask(plan.id, { id: actorId, name: work.actor.name }, work.now);
  await record(work, {
    action: 'module.plan.ask',
    companyId: plan.companyId,
    target: { kind: 'module', id: plan.instanceId },
    details: { plan: plan.id, because: plan.secondBecause },
  });
  return { outcome: 'asked' };
}

async function begin(work: Work, plan: Plan, total: number): Promise<Task> {
  const { plans } = work.store.of(plan.companyId);
  const rows: NewRow[] = [];
  for await (const some of inStretches((after, limit) => plans.listAfter(plan.id, after, limit)))
    for (const row of some)
      if (row.act !== 'none')
        rows.push({ position: row.position, label: row.person || row.account, data: {}, userId: row.userId });
  return startTask(work, plan.companyId, {
    kind: 'plan',
    title: `Apply a plan to ${new Intl.NumberFormat('en').format(total)} ${total === 1 ? 'account' : 'accounts'}`,
    params: { planId: plan.id, instanceId: plan.instanceId },
    rows,
    inputHash: plan.inputHash,
  });
}

/** Nobody will apply it. @throws AppError 404, 409 */
export async function dropPlan(work: Work, companyId: CompanyId, planId: string): Promise<void> {
  await authorise(work, companyId, 'modules.manage');
  await transaction(work, async (work) => {
    const { plans } = work.store.of(companyId);
    const plan = await plans.lockById(planId);
    if (!plan) throw notFound('plan');
    if (plan.state === 'applied') throw conflict('This plan was applied already.');
    await plans.drop(planId);
  });
}
