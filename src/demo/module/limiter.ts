/** Counts failures by key for a stretch of time that begins with the first; bounded, so that strangers cannot fill the memory. */
export interface Limiter {
  /** Takes one try; 0 when it may go on, else the seconds to wait. Counted before the try, so parallel ones count. */
  take(key: string): number;
  /** Gives the try back that was taken for a login that succeeded. */
  giveBack(key: string): void;
}

const MAX_KEYS = 10_000;

export function createLimiter(clock: () => number, { tries, seconds }: { tries: number; seconds: number }): Limiter {
  const entries = new Map<string, { count: number; until: number }>();

  function entryOf(key: string) {
    const known = entries.get(key);
    if (known && known.until > clock()) return known;
    entries.delete(key);
    const oldest = entries.keys().next();
    if (entries.size >= MAX_KEYS && !oldest.done) entries.delete(oldest.value);
    const fresh = { count: 0, until: clock() + seconds * 1000 };
    entries.set(key, fresh);
    return fresh;
  }

  return {
    take(key) {
      const entry = entryOf(key);
      if (entry.count >= tries) return Math.ceil((entry.until - clock()) / 1000);
      entry.count += 1;
      return 0;
    },
    giveBack(key) {
      const entry = entries.get(key);
      if (entry && entry.count > 0) entry.count -= 1;
    },
  };
}
