import { describe, expect, it } from 'vitest';
import { AppError } from '../../../src/lib/errors.ts';
import { createPasswordHasher } from '../../../src/lib/password-hasher.ts';

/** Something that goes on until it is told to end. */
function held() {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { promise, end: () => resolve() };
}

describe('places before the hasher', () => {
  it('DOS-01 are as many as run and wait; whoever finds none is turned away before doing anything', async () => {
    const hasher = createPasswordHasher({ running: 1, waiting: 2 });
    const holds = [held(), held(), held()];
    const inside = holds.map(({ promise }) => hasher.admit(() => promise));
    let hasBegun = false;
    const refused = await hasher
      .admit(async () => {
        hasBegun = true;
      })
      .catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(AppError);
    expect(refused).toMatchObject({ code: 'busy', status: 503, retryAfter: expect.any(Number) });
    expect(hasBegun).toBe(false);
    holds[0]?.end();
    await inside[0];
    await expect(hasher.admit(async () => 'in')).resolves.toBe('in');
    for (const { end } of holds) end();
    await Promise.all(inside);
  });

  it('DOS-01 are given back by whoever fails', async () => {
    const hasher = createPasswordHasher({ running: 1, waiting: 0 });
    for (let i = 0; i < 3; i += 1)
      await expect(
        hasher.admit(async () => {
          throw new Error('inside');
        }),
      ).rejects.toThrow('inside');
    await expect(hasher.admit(() => hasher.hash('Violet-Harbour-42'))).resolves.toMatch(/^\$argon2id/);
  });

  it('DOS-01 whoever was let in finds room in the queue: none of them is refused there', async () => {
    const hasher = createPasswordHasher({ running: 2, waiting: 6 });
    const results = await Promise.allSettled(
      Array.from({ length: 30 }, () => hasher.admit(async () => hasher.verify(null, 'x'))),
    );
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(8);
  });
});
