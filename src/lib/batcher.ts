// Joins calls of a few event-loop turns into one round trip, also across requests, and the calls that come while earlier ones run.

/**
 * Turns of the event loop that a batch stays open. A turn with nothing to do takes microseconds; in a crowd each brings more requests
 * to the point where they ask, and a round trip costs more than asking for one thing more in it.
 */
const openTurns = 2;

/** Round trips at a time. */
const maxRunning = 4;

/**
 * How long others wait for the round trip under way, to share the next one: longer than one usually takes.
 * One that takes longer waits for something (a lock, a slow disk), and must not make all others wait with it.
 */
const patienceMs = 3;

/**
 * @param run answers all items at once, in order. An error fails the whole batch, so items must not be able to fail one another.
 * @param conflicts keeps an item out of the batch that is being built; it goes into the next one.
 */
export function createBatcher<I, O>(
  run: (items: I[]) => Promise<O[]>,
  conflicts: (item: I, batch: I[]) => boolean = () => false,
) {
  interface Waiting {
    item: I;
    resolve: (answer: O) => void;
    reject: (error: unknown) => void;
  }
  let waiting: Waiting[] = [];
  let running = 0;
  let isScheduled = false;
  // biome-ignore lint/correctness/noUnusedVariables: `??=` reads it; the rule does not see that
  let patience: NodeJS.Timeout | undefined;

  function schedule(): void {
    if (isScheduled || waiting.length === 0) return;
    if (running === 0) {
      isScheduled = true;
      flushAfter(openTurns);
    } else if (running < maxRunning) {
      patience ??= setTimeout(() => {
        patience = undefined;
        if (!isScheduled && waiting.length > 0) flush();
      }, patienceMs);
    }
  }

  function flushAfter(turns: number): void {
    setImmediate(() => (turns > 1 ? flushAfter(turns - 1) : flush()));
  }

  function take(): Waiting[] {
    const batch: Waiting[] = [];
    const items: I[] = [];
    const later: Waiting[] = [];
    for (const entry of waiting) {
      if (conflicts(entry.item, items)) {
        later.push(entry);
      } else {
        batch.push(entry);
        items.push(entry.item);
      }
    }
    waiting = later;
    return batch;
  }

  function flush(): void {
    isScheduled = false;
    const batch = take();
    running += 1;
    // Nobody stands above this turn: what `run` throws at once must reach those who asked, like what it rejects with.
    const answering = (async () => run(batch.map(({ item }) => item)))();
    answering
      .then(
        (answers) => {
          for (const [i, { resolve }] of batch.entries()) resolve(answers[i] as O);
        },
        (error) => {
          for (const { reject } of batch) reject(error);
        },
      )
      .finally(() => {
        running -= 1;
        schedule();
      });
    schedule();
  }

  return (item: I): Promise<O> =>
    new Promise((resolve, reject) => {
      waiting.push({ item, resolve, reject });
      schedule();
    });
}
