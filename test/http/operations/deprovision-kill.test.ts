// kill -9 in the middle of a deprovisioning batch: nobody is forgotten, nobody is told by two receipts, and it goes on by itself.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Company } from '../../../src/domain/companies/company.ts';
import { approveBatch } from '../../../src/domain/provisioning/batch-commands.ts';
import { standingChanged } from '../../../src/domain/standing/commands.ts';
import { transaction } from '../../../src/work.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import { until } from '../../support/attempts.ts';
import { testKey } from '../../support/keys.ts';
import { makeCompany } from '../../support/people.ts';
import { type Connected, connectFake, makeCrowd } from '../../support/provisioning.ts';
import { ScimModule } from '../../support/scim-module.ts';
import { type Server, startServer } from '../../support/server.ts';

const total = 600;

describe('a deprovisioning batch whose process is killed', () => {
  let app: TestApp;
  let company: Company;
  let fake: ScimModule;
  let connected: Connected;
  let server: Server | null = null;

  beforeAll(async () => {
    // Runs no jobs itself: only the process that is killed does.
    app = await startApp();
    company = await makeCompany(app);
    fake = await new ScimModule().start();
    connected = await connectFake(app, company, fake, { events: false });
  });
  afterAll(async () => {
    server?.signal('SIGKILL');
    await server?.ended;
    await app.stop();
    await fake.stop();
  });

  const start = async () => {
    server = await startServer({
      DATABASE_URL: app.databaseUrl,
      ENCRYPTION_KEYS: testKey.toString('base64'),
      LOG_LEVEL: 'warn',
    });
    return server;
  };
  const suspended = () => [...fake.accounts.values()].filter(({ active }) => !active).length;
  const counts = async () => {
    const { rows } = await app.runtime.db.raw(
      `select state, count(*)::int as n from deliveries where instance_id = ? group by state`,
      [connected.instanceId],
    );
    return Object.fromEntries(rows.map(({ state, n }: { state: string; n: number }) => [state, n]));
  };

  it('goes on after each death, and every account is suspended and read back', async () => {
    const ids = await makeCrowd(app, connected, fake, total, 'crowd');
    fake.delayMs = 10;
    const running = await start();
    await transaction(app.operator(), async (work) => {
      await work.store.db('users').whereIn('id', ids).update({ base_status: 'Deactivated' });
      const cause = 'deactivated by test';
      await standingChanged(work, { companyId: company.id, userIds: ids, instanceIds: null, cause });
    });
    const [batch] = await until(async () => {
      const found = await app.runtime.store.of(company.id).batches.listWaiting(5);
      return found.length > 0 && (await counts()).waiting === total ? found : null;
    }, 20_000);
    expect(suspended(), 'not one before it is confirmed').toBe(0);
    expect(await approveBatch(app.operator(), company.id, batch?.id ?? '')).toBe(total);

    let now = running;
    for (const at of [total / 6, total / 2]) {
      for (const end = Date.now() + 30_000; suspended() < at; await sleep(5))
        if (Date.now() > end)
          throw new Error(
            `nothing was delivered: ${JSON.stringify(await counts())} ${JSON.stringify(await app.runtime.db('deliveries').whereNotNull('answer').whereNot({ state: 'superseded' }).limit(1))} ${now.output().slice(-3000)}`,
          );
      now.signal('SIGKILL');
      await now.ended;
      expect(suspended()).toBeLessThan(total);
      now = await start();
    }
    // The last claims of the dead end by themselves.
    await until(async () => suspended() === total, 60_000);
    await until(async () => ((await counts()).verified ?? 0) === total, 60_000);
    const patched = fake.writes().map(({ path }) => path);
    expect(new Set(patched).size).toBe(total);
    expect(patched.length - total, 'twice only what was under way at a death').toBeLessThanOrEqual(32);
    expect(await counts()).toEqual({ superseded: total, verified: total });
    const { rows } = await app.runtime.db.raw(
      `select count(*)::int as n from module_accounts where instance_id = ? and life = 'suspended' and not is_active`,
      [connected.instanceId],
    );
    expect(rows[0]?.n).toBe(total);
  }, 200_000);
});
