// 50,000 accounts of one module, and as many people: read, linked and judged in under a minute, with under 200 MB more (issue 4).
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Company } from '../../../src/domain/companies/company.ts';
import { requestReading } from '../../../src/domain/provisioning/drift-commands.ts';
import { makePlan } from '../../../src/domain/provisioning/plan-commands.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import { connectForDrift, setDriftSettings } from '../../support/drift.ts';
import { testKey } from '../../support/keys.ts';
import { makeCompany } from '../../support/people.ts';
import { ScimServer, scimUser } from '../../support/scim-server.ts';
import { type Server, startServer } from '../../support/server.ts';

const total = 50_000;

describe('a drift run of 50,000 accounts', () => {
  let app: TestApp;
  let company: Company;
  let server: Server | null = null;
  const scim = new ScimServer();

  beforeAll(async () => {
    // Runs no jobs itself: what is measured is the process of the server.
    app = await startApp();
    await scim.start();
    company = await makeCompany(app);
    await app.runtime.db.raw(
      `with made as (
         insert into users (id, company_id, username, username_key, email, email_key, email_verified_at, first_name, last_name, role,
           base_status, must_enrol_2fa, source)
         select gen_random_uuid(), :company, 'p' || n, 'p' || n, 'p' || n || '@mail.example', 'p' || n || '@mail.example', now(), 'Mira',
           'Voss ' || n, 'User', case when n % 50 = 7 then 'Deactivated' else 'Active' end, false, 'csv'
         from generate_series(1, :total::int) n returning id)
       insert into group_members (company_id, group_id, user_id)
       select :company, g.id, made.id from made join access_groups g on g.company_id = :company and g.kind = 'system-all'`,
      { company: company.id, total },
    );
    await app.runtime.db.raw('analyze');
    // Nine of ten are somebody's; the others belong to nobody, and as many people have no account.
    scim.users = Array.from({ length: total }, (_, i) =>
      scimUser(`account-${i}`, {
        emails: [{ value: i % 10 === 9 ? `stray${i}@mail.example` : `p${i + 1}@mail.example` }],
        roles: [{ value: 'Team Access', primary: true }],
        timezone: 'Europe/Berlin',
      }),
    );
  }, 120_000);
  afterAll(async () => {
    await server?.stop();
    await scim.stop();
    await app.stop();
  });

  const resident = (pid: number): number =>
    process.platform === 'linux'
      ? Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024
      : 0;

  it('takes under 60 seconds and 200 MB', async () => {
    const instanceId = await connectForDrift(app, company, scim);
    await setDriftSettings(app, company, instanceId);
    const running = await startServer({
      DATABASE_URL: app.databaseUrl,
      ENCRYPTION_KEYS: testKey.toString('base64'),
      LOG_LEVEL: 'warn',
    });
    server = running;
    const before = resident(running.pid);
    const began = Date.now();
    const { id } = await requestReading(app.operator(), company.id, instanceId);
    const { drift } = app.runtime.store.of(company.id);
    let peak = before;
    for (;;) {
      const reading = await drift.findById(id);
      peak = Math.max(peak, resident(running.pid));
      if (reading?.state === 'done') break;
      if (reading?.state === 'failed' || Date.now() - began > 120_000) throw new Error(JSON.stringify(reading));
      await sleep(100);
    }
    const seconds = (Date.now() - began) / 1000;
    const reading = await drift.findById(id);
    process.stdout.write(
      `drift of ${total} accounts: ${seconds.toFixed(1)} s, ${before.toFixed(0)} MB before, ${peak.toFixed(0)} MB at most\n`,
    );
    expect(reading).toMatchObject({
      read: total,
      isWhole: true,
      counts: { orphan: { count: total / 10 }, status: { count: 1_000 }, matched: { count: 44_000 } },
    });
    expect(reading?.counts.missing?.count).toBe(5_000);
    expect(seconds).toBeLessThan(60);
    expect(peak - before).toBeLessThan(200);
    // The largest plan that can be made of it.
    const planning = Date.now();
    const everything = ['orphan', 'missing', 'status'] as const;
    await makePlan(app.operator(), company.id, instanceId, { classes: [...everything], orphans: 'suspend' });
    process.stdout.write(`plan of 11,000 lines: ${((Date.now() - planning) / 1000).toFixed(1)} s\n`);
  }, 240_000);
});
