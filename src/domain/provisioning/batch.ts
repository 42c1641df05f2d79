// A batch: one act that would suspend several people in one module. A large one waits for a second administrator before the first is
// suspended, since a mistake in a group or an import is worse than an hour's delay. Pure.
import type { CompanyId, InstanceId, UserId } from '../../lib/ids.ts';

export type BatchState = 'waiting' | 'approved' | 'refused' | 'void';

export interface Batch {
  id: string;
  companyId: CompanyId;
  instanceId: InstanceId;
  instanceName: string;
  actId: string;
  cause: string;
  /** Null: the system found the difference by itself. */
  causedBy: UserId | null;
  people: number;
  administrators: number;
  active: number;
  state: BatchState;
  createdAt: Date;
  decidedAt: Date | null;
  decidedBy: string | null;
}

export interface BatchSize {
  /** Who would be suspended. */
  people: number;
  /** Administrators of the module among them. */
  administrators: number;
  /** Active accounts of the module. */
  active: number;
  /** Nobody's act, but a difference that was found. */
  isFound?: boolean;
}

export const freePeople = 10;
export const freeShare = 0.05;

/** One person alone, by an explicit act, goes through at once. */
export function mustWait({ people, administrators, active, isFound = false }: BatchSize): boolean {
  if (people >= 2 && administrators > 0) return true;
  return people > freePeople && (isFound || people > active * freeShare);
}

/** Why another administrator is asked, in a sentence. */
export function waitWords({ people, administrators, active }: BatchSize, module: string): string {
  const whom = `${people} ${people === 1 ? 'person' : 'people'}`;
  const share = active > 0 ? ` of ${active} active accounts` : '';
  const chiefs =
    administrators > 0
      ? ` ${administrators === 1 ? 'One of them administers' : `${administrators} of them administer`} ${module}.`
      : '';
  return `${whom}${share} would be suspended in ${module}.${chiefs}`;
}

/** The one who caused it cannot let it through; null: they may. */
export function approvalRefusal(
  { state, causedBy }: Pick<Batch, 'state' | 'causedBy'>,
  by: UserId | null,
): string | null {
  if (state !== 'waiting') return 'This has been decided already.';
  if (by !== null && by === causedBy) return 'Another administrator has to confirm what you have caused yourself.';
  return null;
}
