// How deliveries to one module go: one lane an instance, so that a module that is slow, down or lying holds up nobody but itself. Pure.
import type { InstanceId } from '../../lib/ids.ts';
import { after, days, minutes, seconds } from '../../lib/time.ts';
import type { Delivery, DeliveryState, Endpoint } from './account.ts';

export interface ClaimedDelivery extends Delivery {
  claimedUntil: Date;
  /** Accepted already: to be read back. */
  isReading: boolean;
  endpoint: Endpoint | null;
}

/** What is written down after a try. */
export interface Settled {
  id: string;
  state: DeliveryState;
  nextAt: Date | null;
  externalId: string | null;
  acceptedAt: Date | null;
  verifiedAt: Date | null;
  endedAt: Date | null;
  answer: { status: number | null; words: string };
}

/** State of a module as a receiver: a circuit breaker that all nodes share. */
export interface Lane {
  instanceId: InstanceId;
  /** In a row. */
  failures: number;
  closedUntil: Date | null;
  lastSuccessAt: Date | null;
  lastFailureAt: Date | null;
  lastProblem: string | null;
}

export const lanes = {
  /** Requests under way to one module, of one node. */
  atOnce: 4,
  /** Deliveries that one node takes out at once; taken, they wait for their turn in memory. */
  claimed: 16,
  /** By all nodes together; more than one takes, so that what a dead one holds keeps nobody waiting. */
  claimedInAll: 64,
  /** Requests under way in all, of one node. */
  inAll: 64,
  /** Longer than the longest way of what was claimed at once can take. */
  leaseMs: seconds(30),
  requestMs: seconds(10),
  answerBytes: 256 * 1024,
  failuresToClose: 5,
  closedMs: seconds(30),
  mostClosedMs: minutes(10),
  /** What a module may ask us to wait by Retry-After. */
  mostWaitMs: minutes(30),
  giveUpMs: days(3),
  alertMs: minutes(15),
  /** Between the module's word and our own look. */
  readBackMs: seconds(5),
};

/** 2 s, 4 s, 8 s ... a quarter of an hour, each a fifth more or less, so that what failed together does not come back together. */
export function retryAt(attempts: number, now: Date, { random = Math.random, retryAfterMs = 0 } = {}): Date {
  const wait = Math.min(minutes(15), seconds(2) * 2 ** Math.min(attempts - 1, 12)) * (0.8 + random() * 0.4);
  return after(now, Math.max(wait, Math.min(retryAfterMs, lanes.mostWaitMs)));
}

export const isTooOld = (delivery: Pick<Delivery, 'queuedAt'>, now: Date): boolean =>
  now.getTime() - delivery.queuedAt.getTime() > lanes.giveUpMs;

/** After a request that says something of the module itself. `pause`: it asked for time (429), which is no failure. */
export function laneAfter(
  lane: Lane,
  outcome: { kind: 'success' } | { kind: 'failure' | 'pause'; words: string; retryAfterMs: number | null },
  now: Date,
): Lane {
  if (outcome.kind === 'success') return { ...lane, failures: 0, closedUntil: null, lastSuccessAt: now };
  const asked = Math.min(outcome.retryAfterMs ?? 0, lanes.mostWaitMs);
  if (outcome.kind === 'pause')
    return {
      ...lane,
      closedUntil: after(now, Math.max(asked, seconds(1))),
      lastFailureAt: now,
      lastProblem: outcome.words,
    };
  const failures = lane.failures + 1;
  const over = failures - lanes.failuresToClose;
  const closed = over < 0 ? 0 : Math.min(lanes.mostClosedMs, lanes.closedMs * 2 ** Math.min(over, 12));
  const wait = Math.max(closed, asked);
  return {
    ...lane,
    failures,
    closedUntil: wait > 0 ? after(now, wait) : null,
    lastFailureAt: now,
    lastProblem: outcome.words,
  };
}

export const isHalfOpen = (lane: Lane | null): boolean => lane !== null && lane.failures >= lanes.failuresToClose;

export const freshLane = (instanceId: InstanceId): Lane => ({
  instanceId,
  failures: 0,
  closedUntil: null,
  lastSuccessAt: null,
  lastFailureAt: null,
  lastProblem: null,
});
