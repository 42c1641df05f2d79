// Settings of a connected module over the API, and the same command from the console (A8.6-A8.9, B.7, C30).
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Company } from '../../../src/domain/companies/company.ts';
import { actOnGroup } from '../../../src/domain/groups/change-commands.ts';
import { createGroup, renameGroup } from '../../../src/domain/groups/commands.ts';
import { profileHashOf } from '../../../src/domain/integrations/contract.ts';
import { saveSettings } from '../../../src/domain/integrations/settings-commands.ts';
import { type InstanceId, newId } from '../../../src/lib/ids.ts';
import { minutes } from '../../../src/lib/time.ts';
import { makeConnected } from '../../support/api.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import { queuedMailTo } from '../../support/mailbox.ts';
import { makeCompany, makePerson, type TestPerson } from '../../support/people.ts';
import {
  accountsWereRead,
  allOff,
  asPerson,
  enter,
  eventsOf,
  exempts,
  mailsOf,
  makeReady,
  makeStage,
  type Stage,
  save,
  settingsOf,
  wire,
} from '../../support/requirement.ts';

let app: TestApp;
let company: Company;
let otherCompany: Company;
let stage: Stage;

beforeAll(async () => {
  app = await startApp();
  company = await makeCompany(app);
  otherCompany = await makeCompany(app);
});
afterAll(() => app.stop());

const acting = { id: '17', name: 'Ada Root' };
const path = '/instance/settings';
const fresh = async () => {
  stage = await makeStage(app, company);
  return stage.module.api;
};
const put = (body: object, etag: string | null) =>
  stage.module.api.put(path, { acting, ...body }, etag === null ? {} : { 'if-match': etag });
const etagOf = async () => String((await stage.module.api.get(path)).headers.etag);

describe('GET /instance/settings', () => {
  it('answers all that a module keeps', async () => {
    const api = await fresh();
    const { status, headers, body } = await api.get(path);
    expect([status, headers.etag]).toEqual([200, `"${body.version}"`]);
    const { profile } = stage.module.module;
    expect(body).toEqual({
      version: expect.any(Number),
      instance: {
        id: stage.module.instanceId,
        name: 'Northwind IT',
        company: { id: company.id, name: company.name },
      },
      enabled: true,
      require: { on: false, state: 'off', trial_ends_at: null },
      exceptions: [],
      local_login_url: 'https://workplace.example/login/local',
      provisioning: { on: false, values: {} },
      deprovisioning: { on: false, grace_days: 14, removal: 'disable' },
      access_groups: { on: false, rules: [] },
      profile: {
        capabilities: profile.capabilities,
        fields: profile.fields,
        administrators: ['Full Access'],
        linkMode: 'email',
        severalMatches: 'refuse',
        deletion: 'remove',
      },
      keep_for: 604_800,
    });
  });

  it('is 304 while nothing is new (RFC 9110 13.1.2), whichever way the tag is written', async () => {
    const api = await fresh();
    const etag = await etagOf();
    for (const known of [etag, `W/${etag}`, `"0", ${etag}`, '*']) {
      const answer = await api.get(path, { 'if-none-match': known });
      expect([answer.status, answer.body, answer.headers.etag]).toEqual([304, null, etag]);
    }
    expect((await api.get(path, { 'if-none-match': '"0"' })).status).toBe(200);
    await save(app, stage, { deprovisioning: { on: true, graceDays: 3, removal: 'remove' } });
    const news = await api.get(path, { 'if-none-match': etag });
    expect([news.status, news.body.deprovisioning.grace_days]).toEqual([200, 3]);
  });

  it('tells of a trial until it ends, and of it no more in that second; of exceptions only those in force', async () => {
    stage = await makeReady(app, company);
    await save(app, stage, { require: true });
    const { trialEndsAt } = (await settingsOf(app, stage)).require;
    const during = await stage.module.api.get(path);
    expect(during.body.require).toEqual({ on: true, state: 'trial', trial_ends_at: trialEndsAt?.toISOString() });
    expect(during.body.exceptions.map((one: { account_id: string }) => one.account_id)).toEqual(['ada', 'ben']);
    app.clock.advance(Number(trialEndsAt) - app.clock.now().getTime());
    expect((await stage.module.api.get(path)).body.require).toEqual({ on: false, state: 'off', trial_ends_at: null });
    app.clock.advance(minutes(31 * 24 * 60));
    expect((await stage.module.api.get(path)).body.exceptions).toEqual([]);
  });
});

describe('PUT /instance/settings', () => {
  it('saves all at once, and answers what is in force', async () => {
    await fresh();
    const before = await settingsOf(app, stage);
    const deprovisioning = { on: true, graceDays: 0, removal: 'remove' } as const;
    const answer = await put({ settings: wire({ ...allOff, deprovisioning }) }, await etagOf());
    expect([answer.status, answer.body.deprovisioning]).toEqual([200, { on: true, grace_days: 0, removal: 'remove' }]);
    expect(answer.headers.etag).toBe(`"${before.version + 1}"`);
    const [event] = await eventsOf(app, stage, 'module.settings');
    expect(event?.details).toMatchObject({
      name: 'Northwind IT',
      before: { deprovision: false, graceDays: 14, removal: 'disable' },
      after: { deprovision: true, graceDays: 0, removal: 'remove' },
    });
    expect(event?.actor).toMatchObject({
      kind: 'module',
      name: expect.stringMatching(/^Ada Root \(in Connected \d+\)$/),
    });
  });

  it('changes nothing, and grows no version, when nothing differs', async () => {
    await fresh();
    const etag = await etagOf();
    const answer = await put({ settings: wire(allOff) }, etag);
    expect([answer.status, answer.headers.etag]).toEqual([200, etag]);
    expect(await eventsOf(app, stage, 'module.settings')).toEqual([]);
  });

  it('needs to be told which version it was made from: 428 without, 412 with another', async () => {
    await fresh();
    const none = await put({ settings: wire(allOff) }, null);
    expect([none.status, none.body.code]).toEqual([428, 'precondition_required']);
    for (const other of ['"999999"', `W/${await etagOf()}`, '*', '"x"', 'nonsense']) {
      const stale = await put({ settings: wire({ ...allOff, enabled: false }) }, other);
      expect([other, stale.status, stale.body.code]).toEqual([other, 412, 'precondition_failed']);
    }
    expect((await settingsOf(app, stage)).enabled).toBe(true);
  });

  it('of two who save at once, one from the console: one wins, the other is told and loses nothing', async () => {
    await fresh();
    const etag = await etagOf();
    const { version } = await settingsOf(app, stage);
    const settings = { ...allOff, deprovisioning: { on: true, graceDays: 5, removal: 'disable' } as const };
    const [answer, outcome] = await Promise.all([
      put({ settings: wire({ ...allOff, deprovisioning: { ...settings.deprovisioning, graceDays: 6 } }) }, etag),
      saveSettings(stage.console(), company.id, stage.module.instanceId, { version, settings }),
    ]);
    const days = (await settingsOf(app, stage)).deprovisioning.graceDays;
    expect([answer.status, outcome.outcome, days]).toEqual(
      answer.status === 200 ? [200, 'stale', 6] : [412, 'saved', 5],
    );
    expect(outcome).toMatchObject({ settings: { deprovisioning: { graceDays: days } } });
    expect(await eventsOf(app, stage, 'module.settings')).toHaveLength(1);
  });

  it('API-03 takes no member that is not its own', async () => {
    await fresh();
    const more = { version: 99, company_id: otherCompany.id, is_test: true, profile: { capabilities: [] } };
    const settings = { ...wire(allOff), ...more, deprovisioning: { on: true, grace_days: 3, removal: 'disable' } };
    const answer = await put({ settings, ...more }, await etagOf());
    expect(answer.status).toBe(200);
    const instance = await app.runtime.store.of(company.id).instances.findById(stage.module.instanceId);
    expect([instance?.isTest, answer.body.profile.capabilities.length]).toEqual([false, 6]);
  });

  it.each<[string, object, string]>([
    ['a grace of a hundred days', { deprovisioning: { on: true, grace_days: 100, removal: 'disable' } }, 'grace_days'],
    ['a removal that there is not', { deprovisioning: { on: true, grace_days: 1, removal: 'burn' } }, 'removal'],
    ['provisioning without its values (A8.7)', { provisioning: { on: true, values: {} } }, 'values.permission'],
    ['Require without Enable (D.10-14)', { enabled: false, require: true }, 'require'],
    ['access groups without a rule', { access_groups: { on: true, rules: [] } }, 'access_groups'],
  ])('refuses %s with 422 by field', async (_, settings, field) => {
    await fresh();
    const { status, body } = await put({ settings: { ...wire(allOff), ...settings } }, await etagOf());
    expect([status, body.code]).toEqual([422, 'invalid']);
    expect(Object.keys(body.fields).join()).toContain(field);
  });

  it('needs to be told who acts', async () => {
    await fresh();
    const answer = await stage.module.api.put(path, { settings: wire(allOff) }, { 'if-match': await etagOf() });
    expect([answer.status, Object.keys(answer.body.fields)]).toEqual([422, ['acting']]);
  });
});

describe('provisioning and the contract test (A8.7)', () => {
  const provisioning = { on: true, values: { permission: 'Team Access', timeZone: 'Europe/Berlin' } };
  const passed = async ({ module }: Stage) =>
    app.runtime.db('contract_runs').insert({
      id: newId(),
      company_id: company.id,
      instance_id: module.instanceId,
      module_id: module.module.id,
      target: 'module',
      profile_hash: profileHashOf(module.module.profile),
      state: 'passed',
      actor: JSON.stringify({ kind: 'operator', name: 'test' }),
      created_at: app.clock.now(),
      beat_at: app.clock.now(),
      finished_at: app.clock.now(),
    });

  it('begins only with a passed one, or with a reason that is put on record', async () => {
    await fresh();
    const settings = wire({ ...allOff, provisioning });
    const refused = await put({ settings }, await etagOf());
    expect([refused.status, Object.keys(refused.body.fields)]).toEqual([422, ['provisioning']]);
    expect(refused.body.fields.provisioning).toMatch(/contract test.*Or write down why it is to begin without\.$/);
    const poor = await put({ settings, override: 'no' }, await etagOf());
    expect([poor.status, Object.keys(poor.body.fields)]).toEqual([422, ['override']]);
    const override = 'Their test tenant is being built';
    expect((await put({ settings, override }, await etagOf())).status).toBe(200);
    const [event] = await eventsOf(app, stage, 'module.settings');
    expect(event?.details.override).toBe(override);
    const told = () => mailsOf(app, stage, 'contractOverridden');
    expect(await told()).toContain(stage.admin.user.email);
    expect((await queuedMailTo(app, stage.admin.user.email, 'contractOverridden')).text).toContain(override);
    const once = (await told()).length;
    // What is on may be changed without asking again.
    const changed = { on: true, values: { ...provisioning.values, permission: 'Read only' } };
    expect((await put({ settings: wire({ ...allOff, provisioning: changed }) }, await etagOf())).status).toBe(200);
    expect(await told()).toHaveLength(once);
  });

  it('DOS-06 a module that turns it off and on again and again is told of five times an hour', async () => {
    await fresh();
    const settings = wire({ ...allOff, provisioning });
    const told = async () =>
      (await mailsOf(app, stage, 'contractOverridden')).filter((to) => to === stage.admin.user.email).length;
    for (let i = 0; i < 7; i += 1) {
      const override = 'Their test tenant is being built';
      expect((await put({ settings, override }, await etagOf())).status).toBe(200);
      expect((await put({ settings: wire(allOff) }, await etagOf())).status).toBe(200);
    }
    expect([await told(), (await eventsOf(app, stage, 'module.settings')).length]).toEqual([5, 14]);
  });

  it('begins without a word once it was passed, and puts no reason on record that nobody needed', async () => {
    await fresh();
    await passed(stage);
    const answer = await put({ settings: wire({ ...allOff, provisioning }), override: 'Just in case' }, await etagOf());
    expect([answer.status, answer.body.provisioning]).toEqual([200, provisioning]);
    const [event] = await eventsOf(app, stage, 'module.settings');
    expect(event?.details).not.toHaveProperty('override');
  });
});

describe('access groups (D.7, C35)', () => {
  const groupOf = async (admin: TestPerson, of: Company, name: string, instanceIds: InstanceId[]) =>
    (await createGroup(asPerson(app, admin), of.id, { name, isActive: true, instanceIds })).id;

  it('keeps the order of the rules, and lists the groups that open the instance', async () => {
    const api = await fresh();
    const one = await groupOf(stage.admin, company, 'Techs', [stage.module.instanceId]);
    const two = await groupOf(stage.admin, company, 'Leads', [stage.module.instanceId]);
    await groupOf(stage.admin, company, 'Elsewhere', []);
    const { body } = await api.get('/instance/groups');
    expect(body.groups.map(({ name }: { name: string }) => name)).toEqual(['All Module Access', 'Leads', 'Techs']);
    const rules = [
      { group_id: two, permission: 'Full Access' },
      { group_id: one, permission: 'Read only' },
    ];
    const saved = await put({ settings: { ...wire(allOff), access_groups: { on: true, rules } } }, await etagOf());
    expect(saved.body.access_groups.rules).toEqual([
      { group_id: two, group: 'Leads', permission: 'Full Access' },
      { group_id: one, group: 'Techs', permission: 'Read only' },
    ]);
    const swapped = { on: true, rules: rules.toReversed() };
    const again = await put({ settings: { ...wire(allOff), access_groups: swapped } }, await etagOf());
    expect(again.body.access_groups.rules.map(({ group }: { group: string }) => group)).toEqual(['Techs', 'Leads']);
    const twice = { on: true, rules: [rules[0], rules[0]] };
    const refused = await put({ settings: { ...wire(allOff), access_groups: twice } }, await etagOf());
    expect(refused.body.fields).toEqual({ 'rules.1': 'This rule stands there twice.' });
  });

  it('a group that is renamed or deleted makes the copies of its rules old', async () => {
    const api = await fresh();
    const instances = [stage.module.instanceId];
    const id = await groupOf(stage.admin, company, 'Guests', instances);
    const rules = [{ group_id: id, permission: 'Read only' }];
    await put({ settings: { ...wire(allOff), access_groups: { on: false, rules } } }, await etagOf());
    const before = await etagOf();
    await renameGroup(stage.console(), company.id, id, 'Visitors');
    const renamed = await api.get(path, { 'if-none-match': before });
    expect([renamed.status, renamed.body.access_groups.rules[0].group]).toEqual([200, 'Visitors']);
    await actOnGroup(stage.console(), company.id, id, { kind: 'delete' });
    const gone = await api.get(path, { 'if-none-match': String(renamed.headers.etag) });
    expect([gone.status, gone.body.access_groups.rules]).toEqual([200, []]);
  });

  it("API-02 another company's group is as unknown as none", async () => {
    await fresh();
    const stranger = await makePerson(app, otherCompany, { role: 'Admin' });
    const theirs = await groupOf(stranger, otherCompany, 'Theirs', []);
    const none = await app.runtime.store.of(company.id).groups.getSystem('system-none');
    const rulesFor = (groupId: string) => ({ on: true, rules: [{ group_id: groupId, permission: 'Read only' }] });
    for (const [groupId, problem] of [
      [theirs, 'There is no such access group.'],
      [newId(), 'There is no such access group.'],
      ['nonsense', 'There is no such access group.'],
      [none.id, 'This group opens no module.'],
    ] as const) {
      const { status, body } = await put(
        { settings: { ...wire(allOff), access_groups: rulesFor(groupId) } },
        await etagOf(),
      );
      expect([status, body.fields]).toEqual([422, { 'rules.0': problem }]);
    }
  });
});

describe('Require over the API (C30)', () => {
  it('the pre-flight looks at who acts there; Require waits for it, and Save says what stands in the way', async () => {
    stage = await makeStage(app, company);
    const { api } = stage.module;
    await accountsWereRead(app, company, stage.module, {
      ada: { isAdministrator: true },
      ben: { isAdministrator: true },
    });
    const look = async (who: object) => (await api.post('/instance/require/preflight', { acting: who })).body;
    const local = await look(acting);
    expect(local.ready).toBe(false);
    expect(local.checks[0]).toMatchObject({ name: 'signed_in', passed: false, under_way: false });
    expect(local.checks[0].sentence).toMatch(/^You are not in Connected \d+ through KaseyaOne\./);
    const refused = await put({ settings: wire({ ...allOff, require: true }) }, await etagOf());
    expect([refused.status, refused.body.code, refused.body.preflight]).toEqual([409, 'preflight', local]);
    await enter(app, stage.module, stage.admin);
    const who = { ...acting, sub: stage.admin.user.id };
    expect((await look(who)).checks[0].passed).toBe(true);
    // Of another company, or nobody at all.
    const stranger = await makePerson(app, otherCompany, { role: 'Admin' });
    for (const sub of [stranger.user.id, newId(), 'nonsense'])
      expect((await look({ ...acting, sub })).checks[0].passed).toBe(false);
    await exempts(app, stage, 'ada');
    await exempts(app, stage, 'ben', { kind: 'emergency' });
    const ready = await look(who);
    expect([ready.ready, ready.trial_minutes]).toEqual([true, 30]);
    expect(ready.ways_in).toEqual([
      { account_id: 'ada', user_name: 'ada@northwind.example', kind: 'person' },
      { account_id: 'ben', user_name: 'ben@northwind.example', kind: 'emergency' },
    ]);
    const begun = await put({ settings: wire({ ...allOff, require: true }), acting: who }, await etagOf());
    expect([begun.status, begun.body.require.state]).toEqual([200, 'trial']);
    expect((await settingsOf(app, stage)).require.trialBy).toBe(stage.admin.user.id);
    // A save of something else leaves the trial as it is.
    const kept = await put({ settings: wire({ ...allOff, require: true }) }, await etagOf());
    expect(kept.body.require).toEqual(begun.body.require);
    const ended = await put({ settings: wire(allOff) }, await etagOf());
    expect(ended.body.require.on).toBe(false);
  });
});

describe('Enable off (B.6, C21)', () => {
  it('takes the module from everybody at once, and looks at what follows', async () => {
    await fresh();
    await put({ settings: wire({ ...allOff, enabled: false }) }, await etagOf());
    const count = async (name: string) => {
      const { rows } = await app.runtime.db.raw(
        'select count(*)::int as count from pgboss.job where name = ? and data::text like ?',
        [name, `%${name === 'lost-access' ? stage.module.module.id : stage.module.instanceId}%`],
      );
      return rows[0].count;
    };
    expect(await count('lost-access')).toBe(1);
    expect(await count('settings-changed')).toBeGreaterThan(0);
    expect(await count('reconcile')).toBeGreaterThan(0);
  });
});

it("API-02 settings of another company's instance: 404 for its administrator, 403 for a stranger, 403 for another module", async () => {
  await fresh();
  const stranger = await makePerson(app, otherCompany, { role: 'Admin' });
  const input = { version: 1, settings: allOff };
  const { instanceId } = stage.module;
  await expect(saveSettings(asPerson(app, stranger), otherCompany.id, instanceId, input)).rejects.toMatchObject({
    status: 404,
  });
  await expect(saveSettings(asPerson(app, stranger), company.id, instanceId, input)).rejects.toMatchObject({
    status: 403,
  });
  const user = await makePerson(app, company);
  await expect(saveSettings(asPerson(app, user), company.id, instanceId, input)).rejects.toMatchObject({ status: 403 });
  const other = await makeConnected(app, company);
  const work = app.runtime.work({ kind: 'module', name: 'x', instanceId: other.instanceId });
  await expect(saveSettings(work, company.id, instanceId, input)).rejects.toMatchObject({ status: 403 });
});
