// Plans of any kind as pages show them. Authorisation is the first line of each.
import { notFound } from '../../lib/errors.ts';
import type { CompanyId } from '../../lib/ids.ts';
import { inStretches, type Listed, type Paging } from '../../lib/paging.ts';
import type { Work } from '../../work.ts';
import { authorise } from '../roles/authority.ts';
import type { Permission } from '../roles/role.ts';
import type { PlanFilter } from './plan.ts';

interface PlanSource<Act extends string, P, L> {
  findById(id: string): Promise<P | null>;
  listLatest(about: string, limit: number): Promise<P[]>;
  listAfter(planId: string, after: number, limit: number): Promise<L[]>;
  list(planId: string, filter: PlanFilter<Act>, paging: Paging): Promise<Listed<L>>;
}

export interface PlanKind<Act extends string, P, L> {
  permission: Permission;
  source: (work: Work, companyId: CompanyId) => PlanSource<Act, P, L>;
  /** The id of what a plan is about. */
  about: (plan: P) => string;
}

export function planQueries<
  Act extends string,
  P extends { id: string; companyId: CompanyId },
  L extends { position: number },
>({ permission, source, about }: PlanKind<Act, P, L>) {
  return {
    /** @throws AppError 404, also for one that is about something else */
    async getPlan(work: Work, companyId: CompanyId, aboutId: string, id: string): Promise<P> {
      await authorise(work, companyId, permission);
      const plan = await source(work, companyId).findById(id);
      if (plan === null || about(plan) !== aboutId) throw notFound('plan');
      return plan;
    },

    async listPlans(work: Work, companyId: CompanyId, aboutId: string, limit: number): Promise<P[]> {
      await authorise(work, companyId, permission);
      return source(work, companyId).listLatest(aboutId, limit);
    },

    async listPlanRows(work: Work, { companyId, id }: P, filter: PlanFilter<Act>, paging: Paging): Promise<Listed<L>> {
      await authorise(work, companyId, permission);
      return source(work, companyId).list(id, filter, paging);
    },

    /** All rows in their order, some at a time. */
    async *eachPlanRow(work: Work, { companyId, id }: P): AsyncGenerator<L[]> {
      await authorise(work, companyId, permission);
      const plans = source(work, companyId);
      yield* inStretches((after, limit) => plans.listAfter(id, after, limit));
    },
  };
}
