// Seals events into the chain, in batches and after the fact: nobody who signs in waits for it.
import { setTimeout as sleep } from 'node:timers/promises';
import { transaction, type Work } from '../../work.ts';
import { extendChain } from './chain.ts';

export const sealBatchSize = 2000;

/** How often, every 25 ms, it looks whether those who were writing are done; a long import is waited for at the next turn. */
const looks = 40;

/**
 * Seals what is settled: all events up to the highest id of which no lower one can still come.
 * @param most batches
 * @returns how many events were sealed
 */
export async function sealEvents(work: Work, most = 50): Promise<number> {
  const { chain } = work.store;
  const [settling, head] = [await chain.findSettling(), await chain.findHead()];
  if (!settling || (head && head.eventId >= settling.bound)) return 0;
  if (!(await isSettled(work, settling.writers))) return 0;
  let sealed = 0;
  for (let i = 0; i < most; i += 1) {
    const count = await sealBatch(work, settling.bound);
    sealed += count;
    if (count < sealBatchSize) break;
  }
  return sealed;
}

async function isSettled(work: Work, writers: string[]): Promise<boolean> {
  if (writers.length === 0) return true;
  for (let i = 0; i < looks; i += 1) {
    if (!(await work.store.chain.areWriting(writers))) return true;
    await sleep(25);
  }
  return false;
}

/** One transaction: entries and counts are there together or not at all, so a kill in the middle leaves nothing to repair. */
function sealBatch(work: Work, bound: bigint): Promise<number> {
  return transaction(work, async ({ store, now }) => {
    if (!(await store.chain.tryLock())) return 0;
    const head = await store.chain.findHead();
    const after = head?.eventId ?? null;
    const events = await store.chain.readEvents(after, bound, sealBatchSize);
    const last = events.at(-1);
    if (!last) return 0;
    await store.chain.append(extendChain(head, events, now));
    await store.signInCounts.add(after, last.id);
    return events.length;
  });
}
