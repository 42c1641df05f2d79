// Delivers what modules are to be told, one lane for each, beside all other jobs: a module that is slow, failing or lying has its own
// four requests under way and nobody else's. Several nodes work together by claims in the database, which let go by themselves.
import type { KeyObject } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { ensureLastingSecret } from '../domain/keys/commands.ts';
import { findEndpoint } from '../domain/provisioning/endpoint-queries.ts';
import { freshLane, isHalfOpen, type Lane, lanes } from '../domain/provisioning/lane.ts';
import type { InstanceId } from '../lib/ids.ts';
import type { Outgoing } from '../lib/outgoing.ts';
import { after } from '../lib/time.ts';
import type { Work } from '../work.ts';
import { type Batch, deliverBatch } from './deliver-batch.ts';
import { currentSigners } from './security-event.ts';

export interface Deliverer {
  start(): void;
  /** There may be something to send. */
  wake(): void;
  /** Ends when what is under way is through; the rest is let go. */
  stop(): Promise<void>;
}

const pollMs = 1000;
const mostLanes = lanes.inAll / lanes.atOnce;

export function createDeliverer(parts: { work: () => Work; send: Outgoing }): Deliverer {
  const running = new Map<InstanceId, Promise<void>>();
  let timer: NodeJS.Timeout | null = null;
  let looking: Promise<void> | null = null;
  let isAsked = false;
  let isStopped = true;
  let pairwiseKey: Promise<KeyObject> | null = null;

  async function look(): Promise<void> {
    while (isAsked && !isStopped) {
      isAsked = false;
      const work = parts.work();
      try {
        for (const id of await work.store.lanes.listDue(work.now, mostLanes * 4)) begin(id);
      } catch (err) {
        work.log.warn({ err }, 'deliveries could not be looked for');
      }
    }
  }

  function begin(id: InstanceId): void {
    if (isStopped || running.has(id) || running.size >= mostLanes) return;
    const lane = runLane(id)
      .catch((err: unknown) => {
        parts.work().log.warn({ err, instanceId: id }, 'a lane of deliveries broke off');
      })
      .finally(() => {
        running.delete(id);
        // Others may have been waiting for this place.
        if (!isStopped) wake();
      });
    running.set(id, lane);
  }

  async function runLane(id: InstanceId): Promise<void> {
    while (!isStopped && (await doBatch(id)));
  }

  /** @returns false when there is nothing to do right now */
  async function doBatch(id: InstanceId): Promise<boolean> {
    const work = parts.work();
    const { now, store } = work;
    const lane: Lane = (await store.lanes.findLane(id)) ?? freshLane(id);
    if (lane.closedUntil !== null && lane.closedUntil > now) return false;
    const isProbe = isHalfOpen(lane);
    if (isProbe && !(await store.lanes.takeProbe(id, now, after(now, lanes.closedMs)))) return false;
    const until = after(now, lanes.leaseMs);
    const limit = isProbe ? 1 : lanes.claimed;
    const claimed = await store.lanes.claim(id, { now, until, limit, inFlight: lanes.claimedInAll });
    if (claimed.length === 0) return false;
    pairwiseKey ??= ensureLastingSecret(work, 'pairwise');
    const batch: Batch = {
      work: parts.work,
      send: parts.send,
      isStopped: () => isStopped,
      lane,
      until,
      claimed,
      endpoint: await findEndpoint(work, id),
      signers: claimed.some(({ channel }) => channel === 'event') ? await currentSigners(work) : [],
      pairwiseKey: await pairwiseKey,
    };
    return deliverBatch(batch);
  }

  function wake(): void {
    isAsked = true;
    if (isStopped || looking) return;
    looking = look().finally(() => {
      looking = null;
      if (isAsked && !isStopped) wake();
    });
  }

  return {
    start() {
      isStopped = false;
      timer = setInterval(wake, pollMs);
      timer.unref();
      wake();
    },
    wake,
    async stop() {
      isStopped = true;
      if (timer) clearInterval(timer);
      await looking;
      // A request that hangs is left behind: its claim ends by itself.
      await Promise.race([Promise.allSettled(running.values()), sleep(3000, undefined, { ref: false })]);
    },
  };
}
