// The contract test as administrators and operators run it: who may, what it needs, what it says, and what is left of it.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { findCommand } from '../../../src/cli/commands.ts';
import { parseOptions } from '../../../src/cli/options.ts';
import type { Company } from '../../../src/domain/companies/company.ts';
import type { ContractRun } from '../../../src/domain/integrations/contract.ts';
import { startContractRun } from '../../../src/domain/integrations/contract-commands.ts';
import { contractStanding } from '../../../src/domain/integrations/contract-queries.ts';
import { connectModule, createModule } from '../../../src/domain/modules/commands.ts';
import { reviveContracts, runContract } from '../../../src/jobs/contract/run.ts';
import type { InstanceId } from '../../../src/lib/ids.ts';
import { createOutgoing } from '../../../src/lib/outgoing.ts';
import { days, minutes } from '../../../src/lib/time.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import { type AtDesk, atDesk, refusesOthers } from '../../support/console.ts';
import { type FakeServer, startFake } from '../../support/contract-fake.ts';
import { makeCompany } from '../../support/people.ts';
import { wordsOf } from '../../support/visitor.ts';

let app: TestApp;
let company: Company;
let other: Company;
let admin: AtDesk;
let server: FakeServer;
let counter = 0;

const addresses: string[] = ['/admin/modules/019ac000-0000-7000-8000-000000000001/test'];

beforeAll(async () => {
  app = await startApp({ start: true });
  company = await makeCompany(app, 'Northwind IT');
  other = await makeCompany(app, 'Another');
  admin = await atDesk(app, company);
});
afterAll(() => app.stop());
beforeEach(async () => {
  server = await startFake();
});
afterEach(() => server.stop());

/** A tenant of a product that has the whole of Workplace. */
async function connect({ isTest = true, of = company, clientId = '', scim = server as FakeServer | null } = {}) {
  const id =
    clientId ||
    (
      await createModule(
        app.operator(),
        {
          name: `Workplace ${++counter}`,
          product: 'workplace',
          metadata: { redirect_uris: ['https://module.example/cb'] },
        },
        app.runtime.complaint,
      )
    ).module.clientId;
  const { instanceId } = await connectModule(app.operator(), of.id, {
    clientId: id,
    name: `Tenant ${++counter}`,
    isTest,
    ...(scim ? { scim: { url: scim.url, token: scim.token } } : {}),
  });
  return { instanceId, clientId: id, path: `/admin/modules/${instanceId}/test` };
}

const outgoing = createOutgoing({ mayReachLoopback: true });
/** Runs it here and now, without waiting. */
async function run(instanceId: InstanceId, target: 'module' | 'fake' = 'module'): Promise<ContractRun> {
  const begun = await startContractRun(app.operator(), company.id, instanceId, {
    target,
    hasConsent: true,
    isDirect: true,
  });
  const parts = { outgoing, clock: app.clock.now, sleep: async () => {} };
  const ended = await runContract(app.operator(), company.id, begun.id, parts);
  if (!ended) throw new Error('no run');
  return ended;
}
const latest = (instanceId: InstanceId) => app.runtime.store.of(company.id).contracts.findLatest(instanceId);

async function untilOver(instanceId: InstanceId): Promise<ContractRun> {
  for (let i = 0; i < 300; i++) {
    const found = await latest(instanceId);
    if (found && found.finishedAt !== null) return found;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error('it does not end');
}

describe('the page', () => {
  refusesOthers(() => ({ app, company }), addresses);

  it('one button runs it as a job that survives leaving; each case shows what went over the wire (A8.7)', async () => {
    const { instanceId, path } = await connect();
    const page = await admin.visitor.open(path);
    expect(page.status).toBe(200);
    expect(wordsOf(page)).toContain('Not passed yet');
    expect(page.body).not.toContain('name="consent"');
    const running = await admin.visitor.submit(page, { target: 'module' }, path);
    expect(running.status).toBe(200);
    expect(wordsOf(running)).toMatch(/of 14 cases/);
    const ended = await untilOver(instanceId);
    expect(ended.results.filter(({ outcome }) => outcome !== 'passed')).toEqual([]);
    expect(ended.state).toBe('passed');
    expect(server.fake.accounts).toEqual([]);
    const after = await admin.visitor.open(path);
    expect(wordsOf(after)).toContain('The contract test was passed today.');
    expect(after.body).toContain('answered by the test itself');
    expect(after.body).not.toContain(server.token);
    const events = await app.runtime.store.audit.listRecent(1, { action: 'module.test.done' });
    expect(events[0]).toMatchObject({ target_id: instanceId, details: { state: 'passed', failed: [] } });
  }, 60_000);

  it('API-01 the instance of another company is none', async () => {
    const { path } = await connect({ of: other });
    expect((await admin.visitor.send(path)).status).toBe(404);
  });

  it('WEB-06 takes no form without its token', async () => {
    const { path, instanceId } = await connect();
    expect((await admin.visitor.send(path, { form: { target: 'fake' } })).status).toBe(403);
    expect(await latest(instanceId)).toBeNull();
  });

  it('wants consent where it is no test tenant, and keeps what was chosen', async () => {
    const { path, instanceId } = await connect({ isTest: false });
    const page = await admin.visitor.open(path);
    expect(page.body).toContain('name="consent"');
    const refused = await admin.visitor.submit(page, { target: 'module' }, path);
    expect(refused.status).toBe(422);
    expect(wordsOf(refused)).toContain('is not a test tenant');
    expect(await latest(instanceId)).toBeNull();
    const taken = await admin.visitor.submitOnce(refused, { target: 'module', consent: 'yes' }, path);
    expect(taken.status).toBe(303);
    await untilOver(instanceId);
  }, 60_000);

  it('one at a time', async () => {
    const { instanceId } = await connect();
    const request = { target: 'fake' as const, hasConsent: false, isDirect: true };
    await startContractRun(app.operator(), company.id, instanceId, request);
    await expect(startContractRun(app.operator(), company.id, instanceId, request)).rejects.toMatchObject({
      status: 409,
    });
  });

  it('without an address for accounts there is the fake alone', async () => {
    const { path } = await connect({ scim: null });
    const page = await admin.visitor.open(path);
    expect(page.body).not.toContain('value="module"');
    expect((await admin.visitor.submit(page, { target: 'module' }, path)).status).toBe(422);
  });
});

describe('whether it speaks for the settings of today', () => {
  const standing = (instanceId: InstanceId) => contractStanding(app.operator(), company.id, instanceId);

  it('a pass counts for 90 days, for all instances of the product in the company, and for no other company', async () => {
    const { instanceId, clientId } = await connect();
    const productive = await connect({ isTest: false, clientId });
    const elsewhere = await connect({ of: other, clientId });
    expect(await standing(instanceId)).toMatchObject({ passed: false, at: null });
    expect((await run(instanceId)).state).toBe('passed');
    expect(await standing(instanceId)).toMatchObject({ passed: true });
    expect(await standing(productive.instanceId)).toMatchObject({ passed: true });
    expect(await contractStanding(app.operator(), other.id, elsewhere.instanceId)).toMatchObject({ passed: false });
    const later = { ...app.operator(), now: new Date(app.clock.now().getTime() + days(91)) };
    expect(await contractStanding(later, company.id, instanceId)).toMatchObject({ passed: false });
  });

  it('a pass of the fake proves nothing of the module', async () => {
    const { instanceId } = await connect();
    expect((await run(instanceId, 'fake')).state).toBe('passed');
    expect(await standing(instanceId)).toMatchObject({ passed: false });
  });

  it('a failure counts for nothing', async () => {
    const bad = await startFake({ misbehaves: ['ignores-active'] });
    const { instanceId } = await connect({ scim: bad });
    const ended = await run(instanceId);
    expect(ended.state).toBe('failed');
    expect(ended.results.filter(({ outcome }) => outcome === 'failed').map(({ name }) => name)).toEqual(['suspend']);
    expect(await standing(instanceId)).toMatchObject({ passed: false });
    await bad.stop();
  });

  it('another profile asks for another test', async () => {
    const { instanceId, clientId } = await connect();
    await run(instanceId);
    await app.runtime.db.raw(
      `update modules set profile = jsonb_set(profile, '{deletion}', '"disable"') where client_id = ?`,
      [clientId],
    );
    expect(await standing(instanceId)).toMatchObject({ passed: false });
  });
});

it('a runner that is killed leaves nothing that works: its accounts go, and the run is stopped', async () => {
  const { instanceId } = await connect();
  const begun = await startContractRun(app.operator(), company.id, instanceId, {
    target: 'module',
    hasConsent: true,
    isDirect: true,
  });
  const { contracts } = app.runtime.store.of(company.id);
  // As far as a killed runner had come: it has made an account, and said that it runs.
  await contracts.save(begun.id, [], app.clock.now());
  const name = `unified-login-test-${begun.id.replaceAll('-', '').slice(-10)}-a@example.com`;
  const headers = { authorization: `Bearer ${server.token}` };
  server.fake.handle({
    method: 'POST',
    address: server.url.concat('/Users'),
    headers,
    body: JSON.stringify({ userName: name }),
  });
  expect(server.fake.accounts).toHaveLength(1);
  app.clock.advance(minutes(2));
  await reviveContracts(app.operator());
  const ended = await untilOver(instanceId);
  expect(ended.state).toBe('stopped');
  expect(ended.problem).toContain('run it again');
  expect(server.fake.accounts).toEqual([]);
}, 40_000);

describe('the command', () => {
  const command = findCommand('contract-test');
  const call = (args: string[]) =>
    command?.run({
      runtime: app.runtime,
      work: app.operator(),
      options: parseOptions(command.options, args),
      readStandardInput: async () => '',
      readFile: async () => Buffer.alloc(0),
    });

  it('runs against the fake by the name of the instance, and says what was seen', async () => {
    const { instanceId } = await connect();
    const { rows } = await app.runtime.db.raw('select name from module_instances where id = ?', [instanceId]);
    const result = await call(['--company', 'Northwind IT', '--instance', rows[0].name, '--fake']);
    expect(result?.failed).toBe(false);
    expect(result?.text).toContain('14 passed, 0 failed, 0 skipped of 14.');
    expect(result?.json).toMatchObject({ state: 'passed', target: 'fake', instance: instanceId });
  }, 60_000);

  it('fails with the case, what was seen and what to do', async () => {
    const bad = await startFake({ misbehaves: ['ignores-active'] });
    const { instanceId } = await connect({ scim: bad });
    const result = await call(['--company', 'Northwind IT', '--instance', instanceId]);
    expect(result?.failed).toBe(true);
    expect(result?.text).toMatch(/FAILED {3}Suspend: /);
    expect(result?.text).toContain('What to do:');
    await bad.stop();
  }, 60_000);

  it('knows no instance of another company', async () => {
    const { instanceId } = await connect({ of: other });
    await expect(call(['--company', 'Northwind IT', '--instance', instanceId, '--fake'])).rejects.toMatchObject({
      status: 404,
    });
  });
});
