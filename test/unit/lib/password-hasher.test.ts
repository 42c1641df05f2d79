import argon2 from 'argon2';
import { describe, expect, it } from 'vitest';
import { AppError } from '../../../src/lib/errors.ts';
import { createPasswordHasher } from '../../../src/lib/password-hasher.ts';

const hasher = createPasswordHasher({ running: 2, waiting: 64 });

describe('password hashes', () => {
  it('AUT-04, F7 are argon2id with 19 MiB, two passes, one lane, parameters and a salt of 16 bytes inside', async () => {
    const [one, two] = await Promise.all([hasher.hash('Violet-Harbour-42'), hasher.hash('Violet-Harbour-42')]);
    const parts = /^\$argon2id\$v=19\$([mtp=,0-9]+)\$([A-Za-z0-9+/]+)\$[A-Za-z0-9+/]{43}$/.exec(one ?? '');
    expect(parts?.[1]?.split(',').sort()).toEqual(['m=19456', 'p=1', 't=2']);
    expect(Buffer.from(parts?.[2] ?? '', 'base64').length).toBeGreaterThanOrEqual(16);
    expect(one).not.toBe(two);
  });

  it('AUT-04 tells a weaker hash from today’s', async () => {
    const weak = await argon2.hash('x', { type: argon2.argon2id, memoryCost: 8192, timeCost: 1, parallelism: 1 });
    expect(hasher.needsRehash(weak)).toBe(true);
    expect(hasher.needsRehash(await hasher.hash('x'))).toBe(false);
    expect(await hasher.verify(weak, 'x')).toBe(true);
  });

  it('AUT-01 use the whole password', async () => {
    const stored = await hasher.hash(`${'x'.repeat(72)}a`);
    expect(await hasher.verify(stored, `${'x'.repeat(72)}a`)).toBe(true);
    expect(await hasher.verify(stored, `${'x'.repeat(72)}b`)).toBe(false);
    const longest = await hasher.hash(`${'x'.repeat(1023)}a`);
    expect(await hasher.verify(longest, `${'x'.repeat(1023)}a`)).toBe(true);
    expect(await hasher.verify(longest, `${'x'.repeat(1023)}b`)).toBe(false);
  });

  it('AUT-01 are the same for every Unicode form of a password', async () => {
    const composed = await hasher.hash('Caf\u00e9-Stra\u00dfe-\ufb01x');
    expect(await hasher.verify(composed, 'Cafe\u0301-Stra\u00dfe-fix')).toBe(true);
    const decomposed = await hasher.hash('Cafe\u0301-42');
    expect(await hasher.verify(decomposed, 'Caf\u00e9-42')).toBe(true);
    expect(await hasher.verify(decomposed, 'Cafe-42')).toBe(false);
  });

  it('DOS-02, F7 a password of more than 1,024 bytes is never right, not even as the stand-in that is hashed for it', async () => {
    const stored = await hasher.hash('');
    expect(await hasher.verify(stored, 'x'.repeat(1025))).toBe(false);
    expect(await hasher.verify(stored, '')).toBe(true);
  });

  it('AUT-05 nobody’s password is never right, and takes the work of a hash', async () => {
    for (const typed of ['', 'nothing matches this', 'Violet-Harbour-42'])
      expect(await hasher.verify(null, typed)).toBe(false);
    const time = async (stored: string | null) => {
      const startedAt = performance.now();
      await hasher.verify(stored, 'wrong');
      return performance.now() - startedAt;
    };
    const stored = await hasher.hash('Violet-Harbour-42');
    const medians = { known: [] as number[], unknown: [] as number[] };
    for (let i = 0; i < 15; i += 1) {
      medians.known.push(await time(stored));
      medians.unknown.push(await time(null));
    }
    const median = (times: number[]) => times.sort((a, b) => a - b)[7] ?? 0;
    expect(median(medians.unknown)).toBeGreaterThan(median(medians.known) / 2);
  });
});

describe('the queue before them', () => {
  it('F7, DOS-01 computes as many as it is told, lets some wait, and refuses the rest at once', async () => {
    const small = createPasswordHasher({ running: 1, waiting: 3 });
    await small.verify(null, 'warms up');
    const results = await Promise.allSettled(Array.from({ length: 10 }, () => small.verify(null, 'x')));
    const refused = results.filter((result) => result.status === 'rejected').map(({ reason }) => reason as AppError);
    expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(4);
    expect(refused).toHaveLength(6);
    for (const error of refused) expect(error).toMatchObject({ code: 'busy', status: 503, retryAfter: 2 });
    expect(refused[0]).toBeInstanceOf(AppError);
    expect(await small.verify(null, 'after the crowd')).toBe(false);
  });

  it('F7, DOS-01 a crowd at the very start leaves the hasher whole', async () => {
    const fresh = createPasswordHasher({ running: 1, waiting: 0 });
    const stored = await hasher.hash('Violet-Harbour-42');
    const results = await Promise.allSettled(
      Array.from({ length: 5 }, () => fresh.verify(stored, 'Violet-Harbour-42')),
    );
    expect(results.some((result) => result.status === 'rejected')).toBe(true);
    expect(await fresh.verify(stored, 'Violet-Harbour-42')).toBe(true);
    expect(await fresh.verify(null, 'x')).toBe(false);
  });
});
