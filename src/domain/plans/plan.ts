// What a plan is, whatever it is about: rows that say of each person or account what would be done and by which rule. Nothing is
// changed by making one; it is applied as it stands, by one administrator or by two, or not at all. Pure.
import type { CompanyId, UserId } from '../../lib/ids.ts';

/** What is known of every plan. */
export interface PlanHead<Act extends string> {
  id: string;
  companyId: CompanyId;
  /** Of everything that its rows were decided from. */
  inputHash: string;
  counts: Record<Act, number>;
  /** Why one administrator alone may not apply it; null: one may. */
  secondBecause: string | null;
  madeBy: UserId | null;
  madeByName: string;
  madeAt: Date;
  askedByName: string | null;
  askedAt: Date | null;
  appliedBy: UserId | null;
  appliedByName: string | null;
  appliedAt: Date | null;
  taskId: string | null;
}

/** What stands in every row of one. */
export interface PlanLine<Act extends string> {
  position: number;
  /** The person's name; empty where it is about nobody. */
  person: string;
  act: Act;
  isAdministrator: boolean;
  before: string;
  after: string;
  /** The rule that decides, in words. */
  rule: string;
  /** Of what it was decided from. */
  inputHash: string;
}

export interface PlanFilter<Act extends string> {
  search: string;
  act: Act | null;
}

/** As long as its rows are being decided. */
export const unmade = {
  inputHash: '',
  secondBecause: null,
  state: 'ready',
  askedByName: null,
  askedAt: null,
  appliedBy: null,
  appliedByName: null,
  appliedAt: null,
  taskId: null,
} as const;
