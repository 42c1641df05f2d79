import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Company } from '../../../src/domain/companies/company.ts';
import { startTask } from '../../../src/domain/tasks/commands.ts';
import type { NewRow, Outcome, TaskHandler } from '../../../src/domain/tasks/task.ts';
import { reviveTasks, runTaskJob } from '../../../src/jobs/task.ts';
import { conflict, invalid } from '../../../src/lib/errors.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import { makeCompany } from '../../support/people.ts';

const rows = (count: number): NewRow[] =>
  Array.from({ length: count }, (_, i) => ({
    position: i + 1,
    label: `row ${i + 1}`,
    data: { n: i + 1 },
    userId: null,
  }));

const fine: Outcome = { outcome: 'succeeded', userId: null };

describe('a task', () => {
  let app: TestApp;
  let company: Company;

  beforeAll(async () => {
    app = await startApp();
    company = await makeCompany(app);
  });
  afterAll(() => app.stop());

  const begin = (count: number, inputHash?: string) =>
    startTask(app.operator(), company.id, {
      kind: 'bulk',
      title: `Do ${count}`,
      params: {},
      rows: rows(count),
      ...(inputHash === undefined ? {} : { inputHash }),
    });
  const run = (taskId: string, handler: TaskHandler) =>
    runTaskJob({ bulk: handler }, app.clock.now).handle(app.operator(), { taskId, companyId: company.id });
  const find = async (id: string) => {
    const { tasks } = app.runtime.store.of(company.id);
    const all = await tasks.listRows(id, ['waiting', 'succeeded', 'skipped', 'failed'], { after: 0, limit: 100_000 });
    return { task: await tasks.findById(id), rows: all };
  };

  it('does every row, counts the outcomes, and ends with them', async () => {
    const { id } = await begin(25);
    const chunks: number[] = [];
    await run(id, {
      chunk: 10,
      run: async (_work, _task, rows) => {
        chunks.push(rows.length);
        return rows.map(({ position }) =>
          position === 3
            ? { outcome: 'skipped', message: 'there already' }
            : position === 4
              ? { outcome: 'failed', field: 'Email', message: 'wrong' }
              : fine,
        );
      },
    });
    const { task, rows } = await find(id);
    expect(chunks).toEqual([10, 10, 5]);
    expect(task).toMatchObject({ state: 'done', total: 25, succeeded: 23, skipped: 1, failed: 1 });
    expect(task?.finishedAt).not.toBeNull();
    expect(rows[3]).toMatchObject({ outcome: 'failed', field: 'Email', message: 'wrong' });
    const recent = await app.runtime.store.audit.listRecent(5, { action: 'import.done' });
    expect(recent[0]?.details).toMatchObject({ succeeded: 23, skipped: 1, failed: 1 });
  });

  it.each([1, 10])('a row that is refused fails alone, in chunks of %i', async (chunk) => {
    const { id } = await begin(12);
    await run(id, {
      chunk,
      run: async (_work, _task, rows) => {
        if (rows.some(({ position }) => position === 5))
          throw invalid('The Root Admin cannot be deactivated.', { role: 'x' });
        return rows.map(() => fine);
      },
    });
    const { task, rows } = await find(id);
    expect(task).toMatchObject({ state: 'done', succeeded: 11, failed: 1 });
    expect(rows[4]).toMatchObject({
      outcome: 'failed',
      field: 'role',
      message: 'The Root Admin cannot be deactivated.',
    });
  });

  it('what was done with a row and its outcome are one commit: a runner that breaks off leaves the rest, and the next goes on', async () => {
    const { id } = await begin(20);
    const done: number[] = [];
    const handler = (breaksAt: number): TaskHandler => ({
      chunk: 1,
      run: async (work, _task, rows) => {
        const [row] = rows;
        if (row?.position === breaksAt) throw new Error('the process was killed');
        await work.store.of(company.id).preferences.find('00000000-0000-4000-8000-000000000000' as never, 'x');
        done.push(row?.position ?? 0);
        return rows.map(() => fine);
      },
    });
    await expect(run(id, handler(8))).rejects.toThrow('killed');
    expect((await find(id)).task).toMatchObject({ state: 'running', succeeded: 7 });
    await run(id, handler(0));
    expect(done).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
    expect((await find(id)).task).toMatchObject({ state: 'done', succeeded: 20 });
  });

  it('a row that fails every time, for no reason of its own, fails in the end, and the others are done', async () => {
    const { id } = await begin(6);
    const handler: TaskHandler = {
      chunk: 1,
      run: async (_work, _task, rows) => {
        if (rows[0]?.position === 3) throw new TypeError('a bug');
        return rows.map(() => fine);
      },
    };
    for (const _ of [1, 2]) await expect(run(id, handler)).rejects.toThrow('a bug');
    await run(id, handler);
    const { task, rows } = await find(id);
    expect(task).toMatchObject({ state: 'done', succeeded: 5, failed: 1 });
    expect(rows[2]?.message).toContain('Something went wrong on our side');
    expect(rows[2]?.message).not.toContain('a bug');
  });

  it('two runners share the rows: none is done twice, and it is finished once', async () => {
    const { id } = await begin(200);
    const done: number[] = [];
    let finished = 0;
    const handler: TaskHandler = {
      chunk: 5,
      run: async (_work, _task, rows) => {
        done.push(...rows.map(({ position }) => position));
        return rows.map(() => fine);
      },
      finished: async () => {
        finished += 1;
      },
    };
    await Promise.all([run(id, handler), run(id, handler), run(id, handler)]);
    expect(done.sort((a, b) => a - b)).toEqual(Array.from({ length: 200 }, (_, i) => i + 1));
    expect(finished).toBe(1);
  });

  it('two runners share the rows: what one is refused is written at its own row, while the other is at work', async () => {
    const { id } = await begin(60);
    const done: number[] = [];
    const handler: TaskHandler = {
      chunk: 1,
      run: async (_work, _task, rows) => {
        await sleep(1);
        const position = rows[0]?.position ?? 0;
        if (position % 2 === 1) throw conflict(`refused ${position}`);
        done.push(position);
        return rows.map(() => fine);
      },
    };
    await Promise.all([run(id, handler), run(id, handler), run(id, handler)]);
    const { task, rows } = await find(id);
    expect(task).toMatchObject({ state: 'done', total: 60, succeeded: 30, skipped: 30, failed: 0 });
    expect(done.sort((a, b) => a - b)).toEqual(Array.from({ length: 30 }, (_, i) => 2 * (i + 1)));
    for (const { position, outcome, message } of rows)
      expect({ outcome, message }, `row ${position}`).toEqual(
        position % 2 === 1
          ? { outcome: 'skipped', message: `refused ${position}` }
          : { outcome: 'succeeded', message: null },
      );
  });

  it('C17 the same file sent twice, also at the same moment, is one task while it is being worked on', async () => {
    const [one, two] = await Promise.all([begin(3, 'hash-of-a-file'), begin(3, 'hash-of-a-file')]);
    expect(one.id).toBe(two.id);
    await run(one.id, { chunk: 10, run: async (_work, _task, rows) => rows.map(() => fine) });
    expect((await begin(3, 'hash-of-a-file')).id).not.toBe(one.id);
  });

  it('that nobody has touched for a while is handed out again, once', async () => {
    const { id } = await begin(3);
    app.clock.advance(31_000);
    const handed: string[] = [];
    const work = {
      ...app.operator(),
      jobs: {
        enqueue: async (_work: unknown, _name: string, payload: object) =>
          void handed.push(Reflect.get(payload, 'taskId')),
        enqueueMany: async () => {},
      },
    };
    await Promise.all([reviveTasks(work), reviveTasks(work)]);
    expect(handed.filter((one) => one === id)).toEqual([id]);
  });
});
