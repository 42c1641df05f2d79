// The hint that what people may have in modules has changed. Whoever changes a person, a group, or what a module may do says so in the
// same transaction; what follows from it is decided by comparing, not by what the hint says (provisioning). A hint that is lost costs
// time, never rightness: the sweep finds the difference too.
import { type CompanyId, type InstanceId, isId, newId, type UserId } from '../../lib/ids.ts';
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

/** As it stands in the queue: one act is judged as a whole, and another administrator than its author lets a large one through. */
export interface QueuedHint extends Hint {
  actId: string;
  actorId: UserId | null;
  /** An act on more people than one hint names, so that everybody is looked at. */
  isCrowd?: boolean;
}

/** Taken up by jobs/reconcile.ts. */
export const hintQueue = 'reconcile';

/** More would make one job long; they are looked at in chunks. */
export const peopleInOne = 500;

/** Enqueues, in the transaction of the act, the comparison of these people with what modules confirmed. */
export async function standingChanged(work: Work, hint: Hint): Promise<void> {
  if (hint.userIds?.length === 0 || hint.instanceIds?.length === 0) return;
  // One row of many: the whole is hinted at when the last one is done, since it is judged as a whole.
  if (work.isPartOfMore) return;
  // A crowd is one act: it is judged as a whole (more than 10 people and 5 %), so it is looked at as a whole too.
  const isCrowd = hint.userIds !== null && hint.userIds.length > peopleInOne;
  const actorId = await authorOf(work, hint.companyId);
  const act = { actId: newId(), actorId };
  const queued: QueuedHint = isCrowd ? { ...hint, userIds: null, isCrowd, ...act } : { ...hint, ...act };
  await work.jobs.enqueue(work, hintQueue, queued, { priority: 10 });
}

/** Also whoever acts in a module, if their session there came through us: they are no second administrator to themselves. */
async function authorOf({ actor, store }: Work, companyId: CompanyId): Promise<UserId | null> {
  if (actor.kind === 'user') return actor.id;
  if (actor.kind !== 'module' || actor.sub === undefined || !isId(actor.sub)) return null;
  // Checked to be an id; whose it is, the company's own table says.
  return (await store.of(companyId).users.findById(actor.sub as UserId))?.id ?? null;
}

/** "deactivated by Ada Root" */
export const causeOf = (work: Work, act: string): string => `${act} by ${work.actor.name}`;

export const settingsEventQueue = 'settings-changed';

/** Tells a module that subscribes to events to fetch its settings; it would find them by itself within minutes. */
export async function settingsChanged(
  work: Work,
  of: { companyId: CompanyId; instanceId: InstanceId; cause: string },
): Promise<void> {
  await work.jobs.enqueue(work, settingsEventQueue, of, { priority: 10 });
}

export const sessionsRevokedQueue = 'sessions-revoked';

/** All sessions of somebody who keeps their access are at an end: modules that subscribe end theirs, whichever way they began. */
export async function sessionsRevoked(
  work: Work,
  of: { companyId: CompanyId; userId: UserId; cause: string },
): Promise<void> {
  await work.jobs.enqueue(work, sessionsRevokedQueue, of, { priority: 10 });
}

/** A connection that is about to be gone: where its end is told, since nothing else will know. */
export interface EndedConnection {
  companyId: CompanyId;
  instanceId: InstanceId;
  instanceName: string;
  clientId: string;
  eventsUrl: string | null;
  cause: string;
}

export const connectionEndedQueue = 'connection-ended';

/** In the transaction that deletes the instance. What was on its way there is superseded; its receipts stay. */
export async function connectionEnded(work: Work, ended: EndedConnection): Promise<void> {
  await work.jobs.enqueue(work, connectionEndedQueue, ended, { priority: 10 });
}
