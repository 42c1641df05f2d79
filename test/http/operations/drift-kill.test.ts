// kill -9 in the middle of a drift run: while pages are read, and while accounts are judged. Whoever comes next goes on at the place
// that was committed: no page is read twice, no account is judged twice, and the report is true.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Company } from '../../../src/domain/companies/company.ts';
import type { Reading } from '../../../src/domain/provisioning/drift.ts';
import { requestReading } from '../../../src/domain/provisioning/drift-commands.ts';
import { keepReadings } from '../../../src/jobs/read-accounts.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import { connectForDrift, setDriftSettings } from '../../support/drift.ts';
import { testKey } from '../../support/keys.ts';
import { makeCompany, makePerson } from '../../support/people.ts';
import { ScimServer, scimUsers } from '../../support/scim-server.ts';
import { type Server, startServer } from '../../support/server.ts';

const total = 12_000;

describe('a drift run whose process is killed', () => {
  let app: TestApp;
  let company: Company;
  let server: Server | null = null;
  const scim = new ScimServer();

  beforeAll(async () => {
    // Runs no jobs itself: only the process that is killed does.
    app = await startApp();
    await scim.start();
    company = await makeCompany(app);
  });
  afterAll(async () => {
    server?.signal('SIGKILL');
    await server?.ended;
    await scim.stop();
    await app.stop();
  });

  const start = async () => {
    server = await startServer({
      DATABASE_URL: app.databaseUrl,
      ENCRYPTION_KEYS: testKey.toString('base64'),
      LOG_LEVEL: 'warn',
    });
    // A reader that died is noticed when its reading has been silent for a while; here nobody waits for that.
    await keepReadings({ ...app.operator(), now: new Date(Date.now() + 61_000) });
    return server;
  };

  it('goes on after each death', async () => {
    const { user } = await makePerson(app, company, { username: 'ada' });
    scim.users = [{ ...scimUsers(1)[0], id: 'zz', externalId: user.id }, ...scimUsers(total - 1)];
    const instanceId = await connectForDrift(app, company, scim);
    await setDriftSettings(app, company, instanceId);
    const { id } = await requestReading(app.operator(), company.id, instanceId);
    const reading = async (): Promise<Reading> => {
      const one = await app.runtime.store.of(company.id).drift.findById(id);
      if (!one) throw new Error('the reading is gone');
      return one;
    };
    const count = async (table: string, where: Record<string, unknown>) =>
      Number((await app.runtime.db(table).where(where).count('* as n'))[0]?.n);

    for (const isThere of [
      (one: Reading) => one.read >= total / 4,
      (one: Reading) => one.read >= total / 2,
      (one: Reading) => one.state === 'judging' && one.judgedAccount !== null,
    ]) {
      const running = await start();
      for (const end = Date.now() + 30_000; !isThere(await reading()); await sleep(3))
        if (Date.now() > end) throw new Error('the reading did not get there');
      running.signal('SIGKILL');
      expect(await running.ended).toEqual({ code: null, signal: 'SIGKILL' });
      await sleep(300);
      const now = await reading();
      expect(['reading', 'judging'], 'killed in the middle').toContain(now.state);
      expect(await count('module_accounts', { instance_id: instanceId, read_id: id })).toBe(now.read);
    }

    await start();
    for (const end = Date.now() + 60_000; (await reading()).state !== 'done'; await sleep(20))
      if (Date.now() > end) throw new Error(`the reading did not end: ${JSON.stringify(await reading())}`);
    expect(await reading()).toMatchObject({
      read: total,
      isWhole: true,
      counts: { orphan: { count: total - 1 }, matched: { count: 1 } },
    });
    expect(await count('drift_findings', { read_id: id })).toBe(total);
    expect(await count('module_accounts', { instance_id: instanceId })).toBe(total);
    // A page that was on its way when the process died is asked for again, and of two readers that meet one gives up.
    const asked = scim.hits.flatMap(({ url }) => new URL(url, 'http://x').searchParams.get('startIndex') ?? []);
    expect(asked.length - new Set(asked).size).toBeLessThanOrEqual(8);
  }, 150_000);
});
