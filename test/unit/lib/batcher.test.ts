import { describe, expect, it } from 'vitest';
import { createBatcher } from '../../../src/lib/batcher.ts';

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('a batcher', () => {
  it('joins what is asked in one turn into one round trip, and answers each with its own', async () => {
    const batches: number[][] = [];
    const ask = createBatcher(async (items: number[]) => {
      batches.push(items);
      return items.map((item) => item * 10);
    });
    expect(await Promise.all([ask(1), ask(2), ask(3)])).toEqual([10, 20, 30]);
    expect(await ask(4)).toBe(40);
    expect(batches).toEqual([[1, 2, 3], [4]]);
  });

  it('takes what was asked in the same turn by different callers', async () => {
    const batches: string[][] = [];
    const ask = createBatcher(async (items: string[]) => {
      batches.push(items);
      return items;
    });
    const caller = async (name: string) => {
      await Promise.resolve();
      return ask(name);
    };
    await Promise.all([caller('a'), caller('b'), ask('c')]);
    expect(batches).toHaveLength(1);
    expect(batches[0]?.sort()).toEqual(['a', 'b', 'c']);
  });

  it('takes along whoever comes a turn later', async () => {
    const batches: string[][] = [];
    const ask = createBatcher(async (items: string[]) => {
      batches.push(items);
      return items;
    });
    const first = ask('a');
    await turn();
    await Promise.all([first, ask('b')]);
    expect(batches).toEqual([['a', 'b']]);
  });

  it('F1 keeps out of a batch what conflicts with it, in order, and forgets nothing', async () => {
    const batches: string[][] = [];
    const ask = createBatcher(
      async (items: string[]) => {
        batches.push(items);
        return items.map((item) => `${item} in ${batches.length}`);
      },
      (item, batch) => batch.includes(item),
    );
    const answers = await Promise.all([ask('x'), ask('y'), ask('x'), ask('x'), ask('z'), ask('y')]);
    expect(batches).toEqual([['x', 'y', 'z'], ['x', 'y'], ['x']]);
    expect(answers).toEqual(['x in 1', 'y in 1', 'x in 2', 'x in 3', 'z in 1', 'y in 2']);
  });

  it('does not mix what arrives while conflicting items wait', async () => {
    const batches: string[][] = [];
    const ask = createBatcher(
      async (items: string[]) => {
        batches.push(items);
        await new Promise((resolve) => setTimeout(resolve, 5));
        return items;
      },
      (item, batch) => batch.includes(item),
    );
    const first = [ask('x'), ask('x'), ask('x')];
    while (batches.length === 0) await turn();
    const second = [ask('x'), ask('w')];
    expect(await Promise.all([...first, ...second])).toEqual(['x', 'x', 'x', 'x', 'w']);
    expect(batches.flat().sort()).toEqual(['w', 'x', 'x', 'x', 'x']);
    for (const batch of batches) expect(new Set(batch).size).toBe(batch.length);
  });

  it('an error fails the whole batch, and the next one starts afresh', async () => {
    let calls = 0;
    const ask = createBatcher(async (items: number[]) => {
      calls += 1;
      if (items.includes(13)) throw new Error('unlucky');
      return items;
    });
    const results = await Promise.allSettled([ask(1), ask(13)]);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(await ask(2)).toBe(2);
    expect(calls).toBe(2);
  });

  it('a function that throws at once is an error like any other', async () => {
    const ask = createBatcher((): Promise<number[]> => {
      throw new Error('at once');
    });
    await expect(ask(1)).rejects.toThrow('at once');
  });

  it('lets those who come meanwhile share the next round trip', async () => {
    const batches: number[][] = [];
    let finish = () => {};
    const ask = createBatcher(async (items: number[]) => {
      batches.push(items);
      if (batches.length === 1) await new Promise<void>((resolve) => (finish = resolve));
      return items;
    });
    const asked = [ask(1)];
    while (batches.length === 0) await turn();
    asked.push(ask(2));
    await turn();
    asked.push(ask(3));
    finish();
    await Promise.all(asked);
    expect(batches).toEqual([[1], [2, 3]]);
  });

  it('makes nobody wait for a round trip that takes long', async () => {
    let isUnderWay = false;
    const ask = createBatcher(async (items: string[]) => {
      isUnderWay = true;
      if (items.includes('slow')) await new Promise((resolve) => setTimeout(resolve, 400));
      return items;
    });
    const order: string[] = [];
    const slow = ask('slow').then((name) => order.push(name));
    while (!isUnderWay) await turn();
    await ask('quick').then((name) => order.push(name));
    await slow;
    expect(order).toEqual(['quick', 'slow']);
  });
});
