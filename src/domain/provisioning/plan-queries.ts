// Plans as pages and the API show them: their rows, and what has changed since. Authorisation is the first line of each.
import type { Work } from '../../work.ts';
import { planQueries } from '../plans/queries.ts';
import { benchOf } from './drift-judging.ts';
import { type Plan, type PlanAct, type PlanDifference, type PlanRow, planRow, settingsHashOf } from './plan.ts';
import { subjectsOf } from './plan-subjects.ts';

export const { getPlan, listPlans, listPlanRows, eachPlanRow } = planQueries<PlanAct, Plan, PlanRow>({
  permission: 'modules.manage',
  source: ({ store }, companyId) => store.of(companyId).plans,
  about: ({ instanceId }) => instanceId,
});

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
