import { afterAll, beforeAll, expect, it } from 'vitest';
import { queueForgotten } from '../../../src/domain/users/password-commands.ts';
import { startApp, type TestApp } from '../../support/app.ts';

let app: TestApp;
beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.stop());

it('DOS-06 one network address asks 300 times in ten minutes, then it must wait, and nothing more is queued', async () => {
  const ask = (ip: string) => {
    const origin = { requestId: 'test', ip, agent: 'test' };
    return queueForgotten(app.runtime.work({ kind: 'stranger', name: 'a visitor' }, origin), {
      kind: 'company',
      email: 'nobody@example.com',
    });
  };
  const crowd = await Promise.allSettled(Array.from({ length: 310 }, () => ask('203.0.113.7')));
  const refused = crowd.filter((result) => result.status === 'rejected');
  expect(refused).toHaveLength(10);
  for (const { reason } of refused) expect(reason).toMatchObject({ status: 429, retryAfter: 600 });
  const { rows }: { rows: { n: number }[] } = await app.runtime.db.raw(
    `select count(*)::int as n from pgboss.job where name = 'forgotten'`,
  );
  expect(rows[0]?.n).toBe(300);
  await ask('203.0.113.8');
  app.clock.advance(11 * 60_000);
  await ask('203.0.113.7');
});
