// Seals the audit log every few seconds, when there is something; among all nodes one at a time (an advisory lock).
// By a timer and not by the queue: a job for it would have to be enqueued by every sign-in.
import { sealBatchSize, sealEvents } from '../domain/audit/sealing.ts';
import { seconds } from '../lib/time.ts';
import type { Work } from '../work.ts';

export interface Sealing {
  /** Ends after what is under way. */
  stop(): Promise<void>;
}

export function keepSealing(workOf: () => Work, every = seconds(3)): Sealing {
  let underWay: Promise<void> = Promise.resolve();
  let isBusy = false;
  let isStopped = false;

  async function seal(): Promise<void> {
    try {
      // A backlog, such as after an upgrade, is sealed without a pause, a little at a time.
      while (!isStopped && (await sealEvents(workOf(), 5)) >= sealBatchSize * 5);
    } catch (err) {
      workOf().log.warn({ err }, 'the audit log could not be sealed; the next turn tries again');
    } finally {
      isBusy = false;
    }
  }

  const timer = setInterval(() => {
    if (isBusy) return;
    isBusy = true;
    underWay = seal();
  }, every);
  timer.unref();
  return {
    async stop() {
      isStopped = true;
      clearInterval(timer);
      await underWay;
    },
  };
}
