// argon2id behind a bounded queue, so that a crowd of sign-ins cannot starve everything else (DOS-01, F7).
import argon2 from 'argon2';
import { busy } from './errors.ts';

/** OWASP's second choice: 19 MiB, two passes, one lane (AUT-04). */
const parameters = { type: argon2.argon2id, memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;

/** Nothing matches it, and refusing it is the work of today's hashes (AUT-05). A constant: no crowd can spoil its making. */
const decoy = `$argon2id$v=19$m=${parameters.memoryCost},p=${parameters.parallelism},t=${parameters.timeCost}$${'A'.repeat(22)}$${'A'.repeat(43)}`;

const maxBytes = 1024;

export interface PasswordHasher {
  /** @throws AppError 503 when the queue is full. */
  hash(password: string): Promise<string>;
  /**
   * Compares with a stored hash; with `null` it does the same work against a hash that nothing matches,
   * so that "no such person" takes as long as "wrong password" (AUT-05).
   */
  verify(hash: string | null, password: string): Promise<boolean>;
  /**
   * Lets as many in at a time as have a place, running or waiting, and turns the others away at once:
   * for what reads before it hashes, since in a crowd that reading alone would hold everybody up.
   * @throws AppError 503 when there is no place.
   */
  admit<T>(act: () => Promise<T>): Promise<T>;
  /** True when a stored hash is weaker than what is made today. */
  needsRehash(hash: string): boolean;
}

/** Passwords are compared in one Unicode form, whatever the keyboard sent (AUT-01). */
export function normalisePassword(password: string): string {
  return password.normalize('NFKC');
}

/** True when a password is too long to be hashed at all (DOS-02). */
export function isOverlong(password: string): boolean {
  return Buffer.byteLength(password) > maxBytes;
}

/** @param running hashes computed at the same time; @param waiting further ones that may wait. */
export function createPasswordHasher(options: { running: number; waiting: number }): PasswordHasher {
  const queue: (() => void)[] = [];
  let running = 0;
  let admitted = 0;

  async function inTurn<T>(compute: () => Promise<T>): Promise<T> {
    if (running >= options.running) {
      if (queue.length >= options.waiting) throw busy();
      await new Promise<void>((resolve) => queue.push(resolve));
    } else {
      running += 1;
    }
    try {
      return await compute();
    } finally {
      // The place is handed on, never given back while somebody waits.
      const next = queue.shift();
      if (next) next();
      else running -= 1;
    }
  }

  return {
    hash: (password) => inTurn(() => argon2.hash(normalisePassword(password), parameters)),
    async verify(stored, password) {
      // An overlong password is never right; a short stand-in keeps the time the same.
      const candidate = isOverlong(password) ? '' : normalisePassword(password);
      const matches = await inTurn(() => argon2.verify(stored ?? decoy, candidate));
      return matches && stored !== null && !isOverlong(password);
    },
    async admit(act) {
      if (admitted >= options.running + options.waiting) throw busy();
      admitted += 1;
      try {
        return await act();
      } finally {
        admitted -= 1;
      }
    },
    needsRehash: (stored) => argon2.needsRehash(stored, parameters),
  };
}
