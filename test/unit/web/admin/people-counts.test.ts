import { describe, expect, it } from 'vitest';
import type { CompanyId } from '../../../../src/lib/ids.ts';
import { createPeopleCounter } from '../../../../src/web/admin/dashboard/people-counts.ts';
import type { Work } from '../../../../src/work.ts';

const company = 'c' as CompanyId;
const none = { active: 0, lockedOut: 0, invited: 0, deactivated: 0, enrolled: 0, notEnrolled: 0 };

function setUp(took: number) {
  let clock = 0;
  let asked = 0;
  const counter = createPeopleCounter(
    async () => {
      asked += 1;
      clock += took;
      return { ...none, active: asked };
    },
    () => clock,
  );
  const count = async (second: number) =>
    (await counter.count({ now: new Date(second * 1000) } as Work, company)).counts.active;
  return { count, counter, asked: () => asked, pass: (ms: number) => (clock += ms) };
}

describe('counting people', () => {
  it('a quick count is asked anew each time: a small company sees the truth', async () => {
    const { count } = setUp(3);
    expect([await count(0), await count(0), await count(0)]).toEqual([1, 2, 3]);
  });

  it('a slow one is kept, the longer the slower, a minute at most', async () => {
    const { count, pass } = setUp(50);
    expect([await count(0), await count(1)]).toEqual([1, 1]);
    pass(20_001);
    expect(await count(21), 'nobody waits: the old answer, while it is counted anew').toBe(1);
    expect(await count(22)).toBe(2);
    pass(11 * 60_000);
    expect(await count(900), 'an answer that is too old is waited for').toBe(3);
    const slow = setUp(5000);
    await slow.count(0);
    slow.pass(59_000);
    expect(await slow.count(59)).toBe(1);
    slow.pass(2000);
    expect([await slow.count(61), await slow.count(62)]).toEqual([1, 2]);
  });

  it('a crowd counts once', async () => {
    const { counter, asked } = setUp(3);
    await Promise.all(Array.from({ length: 20 }, () => counter.count({ now: new Date() } as Work, company)));
    expect(asked()).toBe(1);
  });

  it('a failure is not kept', async () => {
    let asked = 0;
    const counter = createPeopleCounter(async () => {
      asked += 1;
      if (asked === 1) throw new Error('down');
      return none;
    });
    await expect(counter.count({ now: new Date() } as Work, company)).rejects.toThrow('down');
    await expect(counter.count({ now: new Date() } as Work, company)).resolves.toMatchObject({ counts: none });
  });
});
