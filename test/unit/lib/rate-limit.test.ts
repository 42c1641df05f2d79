import { describe, expect, it } from 'vitest';
import { createRateLimit } from '../../../src/lib/rate-limit.ts';
import { hours, minutes, seconds } from '../../../src/lib/time.ts';

const start = Date.parse('2026-11-22T09:00:00Z');
const at = (milliseconds: number) => new Date(start + milliseconds);

describe('a rate limit', () => {
  it('DOS-03 gives so many turns at once, says how long to wait, and gives them back evenly', () => {
    const limit = createRateLimit([{ turns: 60, within: minutes(1) }]);
    for (let i = 0; i < 60; i += 1) expect(limit.take('a', at(0)), `turn ${i}`).toBe(0);
    expect(limit.take('a', at(0))).toBe(1000);
    expect(limit.take('a', at(400))).toBe(600);
    expect(limit.take('a', at(1000))).toBe(0);
    expect(limit.take('a', at(1000))).toBe(1000);
    for (let i = 0; i < 30; i += 1) expect(limit.take('a', at(seconds(31)))).toBe(0);
    expect(limit.take('a', at(seconds(31)))).toBe(1000);
  });

  it('DOS-03 whoever is refused is not made to wait longer for having asked', () => {
    const limit = createRateLimit([{ turns: 7, within: minutes(1) }]);
    for (let i = 0; i < 7; i += 1) expect(limit.take('a', at(0))).toBe(0);
    for (let i = 0; i < 1000; i += 1) limit.take('a', at(i));
    expect(limit.take('a', at(minutes(1) / 7))).toBe(0);
  });

  it('DOS-03 counts each key for itself', () => {
    const limit = createRateLimit([{ turns: 1, within: minutes(1) }]);
    expect(limit.take('a', at(0))).toBe(0);
    expect(limit.take('b', at(0))).toBe(0);
    expect(limit.take('a', at(0))).toBe(minutes(1));
  });

  it('DOS-03 holds several rates at once: whoever keeps to the short one meets the long one', () => {
    const limit = createRateLimit([
      { turns: 10, within: minutes(1) },
      { turns: 50, within: hours(1) },
    ]);
    let served = 0;
    for (let second = 0; second < 3600; second += 1) while (limit.take('a', at(seconds(second))) === 0) served += 1;
    expect(served).toBeGreaterThanOrEqual(50);
    // A full bucket, and what runs into it within the hour.
    expect(served).toBeLessThanOrEqual(100);
    expect(limit.take('a', at(hours(1)))).toBe(0);
  });

  it('DOS-03 keeps so many keys at most, the latest ones, and forgets those that have all their turns again', () => {
    const limit = createRateLimit([{ turns: 1, within: minutes(1) }], 100);
    limit.take('old', at(0));
    for (let i = 0; i < 1000; i += 1) expect(limit.take(`k${i}`, at(i))).toBe(0);
    expect(limit.size).toBe(100);
    expect(limit.take('k999', at(1000))).toBeGreaterThan(0);
    limit.take('later', at(minutes(2)));
    expect(limit.size).toBe(1);
  });

  it('DOS-03 a flood of other keys does not free one that goes on asking', () => {
    const limit = createRateLimit([{ turns: 1, within: hours(1) }], 100);
    limit.take('a', at(0));
    for (let i = 0; i < 1000; i += 1) {
      limit.take(`k${i}`, at(i));
      expect(limit.take('a', at(i))).toBeGreaterThan(0);
    }
  });

  it('DOS-03 a clock that is put back makes nobody wait longer than one turn takes', () => {
    const limit = createRateLimit([{ turns: 60, within: minutes(1) }]);
    for (let i = 0; i < 60; i += 1) limit.take('a', at(hours(5)));
    expect(limit.take('a', at(0))).toBe(1000);
    expect(limit.take('a', at(1000))).toBe(0);
  });
});
