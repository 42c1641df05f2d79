// A module with a valid credential that lies, exaggerates or pries; and what is no entry, though it looks like one.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Company } from '../../../src/domain/companies/company.ts';
import { watchExceptions } from '../../../src/domain/integrations/exception-clock.ts';
import { preflight } from '../../../src/domain/integrations/requirement-commands.ts';
import { days, hours, after as later } from '../../../src/lib/time.ts';
import { connectAnother, makeConnected } from '../../support/api.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import { answerOf, authorizeAddress, makeCompany, makePerson, redeem, signIn } from '../../support/people.ts';
import {
  accountsWereRead,
  allOff,
  enter,
  exempts,
  mailsOf,
  makeReady,
  makeStage,
  type Stage,
  save,
  settingsOf,
  wire,
} from '../../support/requirement.ts';
import { claimsOf } from '../oidc/relying-party.ts';

let app: TestApp;
let company: Company;

beforeAll(async () => {
  app = await startApp();
  company = await makeCompany(app);
});
afterAll(() => app.stop());

const signedIn = async (stage: Stage) =>
  (await preflight(stage.console(), stage.company.id, stage.module.instanceId)).checks.find(
    ({ name }) => name === 'signed_in',
  )?.passed;

/** The sign-in of a connect ceremony, redeemed. */
async function ceremony({ module, admin }: Stage): Promise<void> {
  const scope = 'openid email profile module.connect';
  const answer = answerOf(await signIn(app, app.visitor(), admin, authorizeAddress(module, { scope })));
  expect((await redeem(app, module, answer.get('code') ?? '')).status).toBe(200);
}

describe('what counts as an entry (C30)', () => {
  it('the sign-in of a connect ceremony is none: it lets nobody into the module', async () => {
    const stage = await makeStage(app, company);
    await ceremony(stage);
    expect(await signedIn(stage)).toBe(false);
    await enter(app, stage.module, stage.admin);
    expect(await signedIn(stage)).toBe(true);
  });

  it('nor does it confirm a trial, whatever the module reports', async () => {
    const stage = await makeReady(app, company);
    await save(app, stage, { require: true });
    // The engine has a clock of its own, which no test moves: the trial is moved instead.
    await app.runtime
      .db('integration_settings')
      .where({ instance_id: stage.module.instanceId })
      .update({ trial_began_at: new Date(Date.now() - 5000) });
    await app.runtime.db('oidc_records').where({ kind: 'AccessToken', account_id: stage.admin.user.id }).delete();
    await ceremony(stage);
    const account = { id: 'ada', user_name: 'ada@northwind.example', administrator: true };
    const report = await stage.module.api.post('/instance/entries', { sub: stage.admin.user.id, account });
    expect(report.status).toBe(204);
    expect((await settingsOf(app, stage)).require.state).toBe('trial');
  });

  it('an entry to one instance is none to another of the same product, also for whoever has accounts in both', async () => {
    const stage = await makeStage(app, company, { name: 'A first' });
    const other = await connectAnother(app, company, stage.module, { name: 'B second', tenant: 'b-second' });
    for (const { instanceId } of [stage.module, other])
      await app.runtime.db('module_accounts').insert({
        company_id: company.id,
        instance_id: instanceId,
        external_id: 'ada',
        user_name: 'ada',
        is_active: true,
        confirmed_at: app.clock.now(),
        user_id: stage.admin.user.id,
        linked_by: 'entry',
        life: 'live',
      });
    await enter(app, stage.module, stage.admin);
    expect(await signedIn(stage)).toBe(true);
    expect(await signedIn({ ...stage, module: { ...stage.module, ...other } })).toBe(false);
  });
});

describe('settings of a hostile module', () => {
  const put = async (stage: Stage, values: Record<string, string>, enabled = true) => {
    const { version } = await settingsOf(app, stage);
    const settings = { ...wire({ ...allOff, enabled, provisioning: { on: enabled, values } }) };
    return stage.module.api.put(
      '/instance/settings',
      { settings, acting: { id: '17', name: 'Eve' }, override: 'no test today' },
      { 'if-match': `"${version}"` },
    );
  };
  const good = { permission: 'Team Access', timeZone: 'Europe/Berlin' };

  it('API-03 values that the profile does not name are not stored, and are in nobody’s ID token', async () => {
    const stage = await makeStage(app, company);
    const many = Object.fromEntries(Array.from({ length: 3000 }, (_, i) => [`field${i}`, 'x'.repeat(200)]));
    const saved = await put(stage, { ...many, ...good });
    expect([saved.status, saved.body.provisioning.values]).toEqual([200, good]);
    const answer = answerOf(await signIn(app, app.visitor(), stage.admin, authorizeAddress(stage.module)));
    const { body } = await redeem(app, stage.module, answer.get('code') ?? '');
    expect(claimsOf(String(body.id_token)).module_access).toMatchObject({ provision: { values: good } });
  });

  it('API-13 a value with the name of a switch hides no change of that switch', async () => {
    const stage = await makeStage(app, company);
    const names = { login: 'x', provision: 'x' };
    expect((await put(stage, { ...names, ...good })).status).toBe(200);
    expect((await put(stage, { ...names, ...good }, false)).status).toBe(200);
    expect((await settingsOf(app, stage)).enabled).toBe(false);
    const events = await app.runtime
      .db('audit_events')
      .where({ action: 'module.settings', target_id: stage.module.instanceId })
      .orderBy('id');
    expect(events.at(-1)?.details).toMatchObject({ before: { login: true }, after: { login: false } });
  });
});

describe('names that a hostile module gives', () => {
  it('are one line: an account with a line break in its name is refused', async () => {
    const stage = await makeStage(app, company);
    await accountsWereRead(app, company, stage.module, { ada: {} });
    await exempts(app, stage, 'ada');
    for (const account of [
      { id: 'eve', user_name: 'eve\r\nBcc: all@example.com', administrator: false },
      { id: 'e\u0007ve', user_name: 'eve', administrator: false },
    ]) {
      const answer = await stage.module.api.post('/instance/entries', { sub: stage.admin.user.id, account });
      expect(answer.status).toBe(422);
    }
  });
});

describe('a module with pairwise names (OAU-25)', () => {
  it('reports entries and who acts by the names that it knows, and by ours nobody', async () => {
    const admin = await makePerson(app, company, { role: 'Admin' });
    const module = await makeConnected(app, company, {
      product: {
        product: 'workplace',
        metadata: { redirect_uris: ['https://pairwise.example/callback'], subject_type: 'pairwise' },
      },
    });
    module.redirectUri = 'https://pairwise.example/callback';
    const answer = answerOf(await signIn(app, app.visitor(), admin, authorizeAddress(module)));
    const sub = String(claimsOf(String((await redeem(app, module, answer.get('code') ?? '')).body.id_token)).sub);
    expect(sub).not.toBe(admin.user.id);
    const acting = (one: string) => ({ acting: { id: '17', name: 'Ada', sub: one } });
    const isIn = async (one: string) =>
      (await module.api.post('/instance/require/preflight', acting(one))).body.checks[0].passed;
    expect([await isIn(sub), await isIn(admin.user.id)]).toEqual([true, false]);
    const account = { id: '17', user_name: 'ada', administrator: false };
    const report = async (one: string) => (await module.api.post('/instance/entries', { sub: one, account })).status;
    expect([await report(admin.user.id), await report('x'.repeat(43)), await report(sub)]).toEqual([422, 422, 204]);
    const row = await app.runtime.db('module_accounts').where({ instance_id: module.instanceId }).first('user_id');
    expect(row.user_id).toBe(admin.user.id);
    // Somebody who has just come to the company is found, too.
    const newcomer = await makePerson(app, company);
    const page = answerOf(await signIn(app, app.visitor(), newcomer, authorizeAddress(module)));
    const theirs = String(claimsOf(String((await redeem(app, module, page.get('code') ?? '')).body.id_token)).sub);
    account.id = '18';
    expect(await report(theirs)).toBe(204);
  });
});

describe('reminders (A8.6, DOS-06)', () => {
  it('an exception that is short from the beginning reminds nobody of what was just said', async () => {
    const own = await makeCompany(app);
    const stage = await makeStage(app, own);
    const add = async (id: string, endsAt: Date) => {
      const body = { account_id: id, user_name: id, kind: 'person', reason: 'soon over', ends_at: endsAt };
      expect((await stage.module.api.post('/instance/exceptions', { ...body, acting })).status).toBe(201);
    };
    const acting = { id: '17', name: 'Eve' };
    for (let i = 0; i < 20; i += 1) await add(`short${i}`, later(app.clock.now(), hours(2)));
    await add('longer', later(app.clock.now(), days(3)));
    const told = async () => (await mailsOf(app, stage, 'exceptionEnds')).length;
    await watchExceptions(app.operator());
    expect(await told()).toBe(0);
    app.clock.advance(days(2) + 1000);
    await watchExceptions(app.operator());
    expect(await told()).toBe(1);
  });
});
