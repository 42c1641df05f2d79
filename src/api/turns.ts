// Of what one module asks, a few things are done at a time: others' sign-ins must not wait for connections that it holds (DOS-07).
import { AppError } from '../lib/errors.ts';

export interface Turns {
  /** Runs it now, or once it is this caller's turn. @throws AppError 429 when too many wait already */
  take<T>(key: string, act: () => Promise<T>): Promise<T>;
}

const tooMany = () =>
  new AppError('too_many_requests', 'That is more at a time than can be done. Ask again in a moment.', {
    status: 429,
    retryAfter: 1,
  });

/** @param atOnce what runs for one key; `waiting` more may stand in line. */
export function createTurns({ atOnce, waiting }: { atOnce: number; waiting: number }): Turns {
  const lines = new Map<string, { running: number; line: (() => void)[] }>();

  /** The place is handed on, so nobody can slip in between. */
  function end(key: string): void {
    const here = lines.get(key);
    const next = here?.line.shift();
    if (next) next();
    else if (here) {
      here.running -= 1;
      if (here.running === 0) lines.delete(key);
    }
  }

  return {
    async take(key, act) {
      const here = lines.get(key) ?? { running: 0, line: [] };
      lines.set(key, here);
      if (here.running < atOnce) here.running += 1;
      else if (here.line.length >= waiting) throw tooMany();
      else await new Promise<void>((resolve) => here.line.push(resolve));
      try {
        return await act();
      } finally {
        end(key);
      }
    },
  };
}
