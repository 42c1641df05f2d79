// The hint that what people may have in modules has changed. Whoever changes a person, a group, or what a module may do says so in the
// same transaction; what follows from it is decided by comparing, not by what the hint says (provisioning). A hint that is lost costs
// time, never rightness: the sweep finds the difference too.
import type { CompanyId, InstanceId, UserId } from '../../lib/ids.ts';
import type { Work } from '../../work.ts';

export interface Hint {
  companyId: CompanyId;
  /** Null: whoever of the company it concerns. */
  userIds: UserId[] | null;
  /** Null: all modules. */
  instanceIds: InstanceId[] | null;
  /** What was done, in words that stand on receipts, such as "deactivated by Ada Root". */
  cause: string;
}

/** Taken up by jobs/reconcile.ts. */
export const hintQueue = 'reconcile';

/** More would make one job long; they are looked at in chunks. */
const peopleInOne = 500;

/** Enqueues, in the transaction of the act, the comparison of these people with what modules confirmed. */
export async function standingChanged(work: Work, hint: Hint): Promise<void> {
  if (hint.userIds?.length === 0 || hint.instanceIds?.length === 0) return;
  if (hint.userIds === null || hint.userIds.length <= peopleInOne) {
    await work.jobs.enqueue(work, hintQueue, hint, { priority: 10 });
    return;
  }
  // A crowd is one act: it is judged as a whole (more than 10 people and 5 %), so it is looked at as a whole too.
  await work.jobs.enqueue(work, hintQueue, { ...hint, userIds: null }, { priority: 10 });
}
