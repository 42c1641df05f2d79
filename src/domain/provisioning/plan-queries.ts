// Plans as pages and the API show them: their rows, and what has changed since. Authorisation is the first line of each.
import { notFound } from '../../lib/errors.ts';
import type { CompanyId, InstanceId } from '../../lib/ids.ts';
import { inStretches, type Listed, type Paging } from '../../lib/paging.ts';
import type { Work } from '../../work.ts';
import { authorise } from '../roles/authority.ts';
import { benchOf } from './drift-judging.ts';
import { type Plan, type PlanDifference, type PlanRow, planRow, settingsHashOf } from './plan.ts';
import type { PlanFilter } from './plan-repository.ts';
import { subjectsOf } from './plan-subjects.ts';

/** @throws AppError 404, also for one of another instance */
export async function getPlan(work: Work, companyId: CompanyId, instanceId: InstanceId, id: string): Promise<Plan> {
  await authorise(work, companyId, 'modules.manage');
  const plan = await work.store.of(companyId).plans.findById(id);
  if (plan?.instanceId !== instanceId) throw notFound('plan');
  return plan;
}

export async function listPlans(
  work: Work,
  companyId: CompanyId,
  instanceId: InstanceId,
  limit: number,
): Promise<Plan[]> {
  await authorise(work, companyId, 'modules.manage');
  return work.store.of(companyId).plans.listLatest(instanceId, limit);
}

export async function listPlanRows(
  work: Work,
  { companyId, id }: Plan,
  filter: PlanFilter,
  paging: Paging,
): Promise<Listed<PlanRow>> {
  await authorise(work, companyId, 'modules.manage');
  return work.store.of(companyId).plans.list(id, filter, paging);
}

/** All rows in their order, a thousand at a time. */
export async function* eachPlanRow(work: Work, { companyId, id }: Plan): AsyncGenerator<PlanRow[]> {
  await authorise(work, companyId, 'modules.manage');
  const { plans } = work.store.of(companyId);
  yield* inStretches((after, limit) => plans.listAfter(id, after, limit));
}

export interface PlanComparison {
  count: number;
  settingsChanged: boolean;
  /** The first of them. */
  differences: PlanDifference[];
}

/** What is not any more as it was when the plan was made; with that, the plan is not applied. */
export async function comparePlan(work: Work, plan: Plan, shown: number): Promise<PlanComparison> {
  const bench = await benchOf(work, plan);
  if (!bench) return { count: 1, settingsChanged: true, differences: [] };
  const settingsChanged = settingsHashOf(bench.settings, bench.profile) !== plan.settingsHash;
  const comparison: PlanComparison = { count: settingsChanged ? 1 : 0, settingsChanged, differences: [] };
  for await (const rows of eachPlanRow(work, plan)) {
    const now = await subjectsOf(work, bench, plan, rows);
    rows.forEach((row, i) => {
      const subject = now[i];
      const fresh = subject && planRow(bench, plan.scope, subject);
      if (!fresh || fresh.inputHash === row.inputHash) return;
      comparison.count += 1;
      if (comparison.differences.length < shown) comparison.differences.push(differenceOf(row, fresh));
    });
  }
  return comparison;
}

const actWords = (row: Pick<PlanRow, 'act' | 'before' | 'after'>): string =>
  row.act === 'none' ? `${row.before}: left alone` : `${row.before} to ${row.after}`;

const differenceOf = (row: PlanRow, fresh: Omit<PlanRow, 'position'>): PlanDifference => ({
  account: row.account || fresh.account,
  person: row.person || fresh.person,
  was: actWords(row),
  now: actWords(fresh),
});
