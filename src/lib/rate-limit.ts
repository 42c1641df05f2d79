// How often something may happen for each key: kept by this process alone, in bounded memory, so no statement is paid for it.

/** So many turns at once; they come back evenly over this many milliseconds. */
export interface Rate {
  turns: number;
  within: number;
}

export interface RateLimit {
  /** Takes a turn. @returns 0, or the milliseconds until the next one is free; then nothing was taken. */
  take(key: string, now: Date): number;
  /** Keys that are remembered. */
  readonly size: number;
}

/** Buckets of tokens, each written as the time at which it will be full again: that alone says how much is left. */
export function createRateLimit(rates: Rate[], maxKeys = 50_000): RateLimit {
  // In the order in which the keys last asked.
  const fullAgainAt = new Map<string, number[]>();

  /** Keys with all their turns say nothing, and the one that has not asked for longest says least. */
  function forget(now: number): void {
    for (const [key, times] of fullAgainAt) {
      if (fullAgainAt.size <= maxKeys && times.some((time) => time > now)) return;
      fullAgainAt.delete(key);
    }
  }

  return {
    take(key, at) {
      const now = at.getTime();
      const known = fullAgainAt.get(key);
      // A clock that was put back must not make a bucket emptier than empty.
      const present = rates.map(({ within }, i) => Math.min(Math.max(known?.[i] ?? now, now), now + within));
      const next = rates.map(({ turns, within }, i) => (present[i] ?? now) + within / turns);
      const wait = Math.max(...rates.map(({ within }, i) => (next[i] ?? now) - now - within));
      // Less than a millisecond is what sums of fractions are off by.
      const isFree = wait < 1;
      fullAgainAt.delete(key);
      fullAgainAt.set(key, isFree ? next : present);
      forget(now);
      return isFree ? 0 : wait;
    },
    get size() {
      return fullAgainAt.size;
    },
  };
}
