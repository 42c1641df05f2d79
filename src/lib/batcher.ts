// Joins calls of one event-loop turn into one round trip, also across requests.

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

  function flush(): void {
    const batch: Waiting[] = [];
    const later: Waiting[] = [];
    for (const entry of waiting) {
      const isBlocked = conflicts(
        entry.item,
        batch.map(({ item }) => item),
      );
      (isBlocked ? later : batch).push(entry);
    }
    waiting = later;
    run(batch.map(({ item }) => item)).then(
      (answers) => {
        for (const [i, { resolve }] of batch.entries()) resolve(answers[i] as O);
      },
      (error) => {
        for (const { reject } of batch) reject(error);
      },
    );
    if (later.length > 0) setImmediate(flush);
  }

  return (item: I): Promise<O> =>
    new Promise((resolve, reject) => {
      waiting.push({ item, resolve, reject });
      if (waiting.length === 1) setImmediate(flush);
    });
}
