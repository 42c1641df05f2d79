import { describe, expect, it } from 'vitest';
import type { Settings } from '../../../../src/domain/integrations/settings.ts';
import { createSettingsCopies } from '../../../../src/domain/integrations/settings-copies.ts';
import type { InstanceId } from '../../../../src/lib/ids.ts';

const one = 'one' as InstanceId;

function world() {
  const present = new Map<string, Settings>();
  const asked: InstanceId[][] = [];
  const put = (id: InstanceId, version: number) =>
    present.set(id, { instanceId: id, version } as Partial<Settings> as Settings);
  const copies = createSettingsCopies(async (ids) => {
    asked.push(ids);
    return ids.flatMap((id) => present.get(id) ?? []);
  });
  return { put, copies, asked, present };
}

describe('copies of settings', () => {
  it('a warm one is not read again', async () => {
    const { put, copies, asked } = world();
    put(one, 1);
    await copies.get([{ id: one, version: 1 }]);
    expect((await copies.get([{ id: one, version: 1 }])).get(one)?.version).toBe(1);
    expect(asked).toEqual([[one]]);
  });

  it('is never older than what asks', async () => {
    const { put, copies, asked } = world();
    put(one, 1);
    await copies.get([{ id: one, version: 1 }]);
    put(one, 2);
    expect((await copies.get([{ id: one, version: 2 }])).get(one)?.version).toBe(2);
    expect(asked).toHaveLength(2);
    // A request that began before the change may go by the newer ones.
    expect((await copies.get([{ id: one, version: 1 }])).get(one)?.version).toBe(2);
    expect(asked).toHaveLength(2);
  });

  it('a slow reading of the old ones does not take the place of the new ones', async () => {
    let answer: (settings: Settings[]) => void = () => {};
    const at = (version: number) => [{ instanceId: one, version } as Partial<Settings> as Settings];
    const answers = [new Promise<Settings[]>((resolve) => (answer = resolve)), Promise.resolve(at(2))];
    const copies = createSettingsCopies(() => answers.shift() ?? Promise.resolve([]));
    const slow = copies.get([{ id: one, version: 1 }]);
    await copies.get([{ id: one, version: 2 }]);
    answer(at(1));
    await slow;
    expect((await copies.get([{ id: one, version: 2 }])).get(one)?.version).toBe(2);
  });

  it('what is gone is not there', async () => {
    const { copies } = world();
    expect((await copies.get([{ id: one, version: 1 }])).size).toBe(0);
  });

  it('keeps 5,000, and forgets those that were used least', async () => {
    const { put, copies, asked } = world();
    const ids = Array.from({ length: 5001 }, (_, i) => `instance ${i}` as InstanceId);
    for (const id of ids) put(id, 1);
    const [first, second] = ids;
    for (const id of ids.slice(0, 5000)) await copies.get([{ id, version: 1 }]);
    await copies.get([{ id: first as InstanceId, version: 1 }]);
    await copies.get([{ id: ids[5000] as InstanceId, version: 1 }]);
    expect(asked).toHaveLength(5001);
    await copies.get([{ id: first as InstanceId, version: 1 }]);
    expect(asked).toHaveLength(5001);
    await copies.get([{ id: second as InstanceId, version: 1 }]);
    expect(asked).toHaveLength(5002);
  });
});
