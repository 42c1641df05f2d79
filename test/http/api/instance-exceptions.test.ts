// Exceptions and entries over the API for modules (A8.6, C28, C30), and the search for whom to exempt.
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Company } from '../../../src/domain/companies/company.ts';
import { addException, changeException, removeException } from '../../../src/domain/integrations/exception-commands.ts';
import { listExceptions, searchAccounts } from '../../../src/domain/integrations/exception-queries.ts';
import { toAccount } from '../../../src/jobs/scim.ts';
import { type InstanceId, newId } from '../../../src/lib/ids.ts';
import { days, after as later, minutes, seconds } from '../../../src/lib/time.ts';
import { connectAnother, makeConnected } from '../../support/api.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import { makeCompany, makePerson, type TestPerson } from '../../support/people.ts';
import {
  accountsWereRead,
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
} from '../../support/requirement.ts';

let app: TestApp;
let company: Company;
let otherCompany: Company;

beforeAll(async () => {
  app = await startApp();
  company = await makeCompany(app);
  otherCompany = await makeCompany(app);
});
afterAll(() => app.stop());

const acting = { id: '17', name: 'Ada Root' };
const inDays = (n: number) => later(app.clock.now(), days(n)).toISOString();
const given = (more: object = {}) => ({
  account_id: 'ada',
  user_name: 'ada@northwind.example',
  kind: 'person',
  reason: 'Her phone is lost',
  ends_at: inDays(7),
  acting,
  ...more,
});

describe('the sealed emergency account', () => {
  it('raises an alarm when it is used: on record each time, a mail to each administrator once an hour', async () => {
    const stage = await makeStage(app, await makeCompany(app));
    const { api } = stage.module;
    const sealed = { account_id: 'sealed', user_name: 'sealed@northwind.example', kind: 'emergency' };
    const made = await api.post('/instance/exceptions', given({ ...sealed, ends_at: null, no_end: true }));
    expect(made.status).toBe(201);
    const use = (accountId = 'sealed') =>
      api.post('/instance/emergencies', { account_id: accountId, at: app.clock.now().toISOString() });
    // Five at once are five uses and one mail.
    const answers = await Promise.all([1, 2, 3, 4, 5].map(() => use()));
    expect(answers.map(({ status }) => status)).toEqual([204, 204, 204, 204, 204]);
    const told = async () => (await mailsOf(app, stage, 'emergencyUsed')).filter((to) => to === stage.admin.user.email);
    expect([(await eventsOf(app, stage, 'module.emergency')).length, (await told()).length]).toEqual([5, 1]);
    app.clock.advance(minutes(61));
    expect((await use()).status).toBe(204);
    expect((await told()).length).toBe(2);
  });

  it('API-02 is one of this instance, and sealed', async () => {
    const stage = await makeStage(app, company);
    expect((await stage.module.api.post('/instance/exceptions', given())).status).toBe(201);
    for (const accountId of ['ada', 'nobody']) {
      const answer = await stage.module.api.post('/instance/emergencies', {
        account_id: accountId,
        at: app.clock.now().toISOString(),
      });
      expect(answer.status).toBe(404);
    }
  });
});

describe('exceptions', () => {
  it('A8.6 is added with reason and end, told to the module at once, and put on record with who did it', async () => {
    const stage = await makeStage(app, company);
    const { api } = stage.module;
    const { version } = await settingsOf(app, stage);
    const { status, body } = await api.post('/instance/exceptions', given());
    expect([status, body]).toEqual([
      201,
      {
        id: expect.any(String),
        kind: 'person',
        account_id: 'ada',
        user_name: 'ada@northwind.example',
        reason: 'Her phone is lost',
        ends_at: body.ends_at,
      },
    ]);
    const settings = (await api.get('/instance/settings')).body;
    expect([settings.version, settings.exceptions]).toEqual([version + 1, [body]]);
    expect((await api.delete(`/instance/exceptions/${body.id}`, { acting })).status).toBe(204);
    expect((await api.delete(`/instance/exceptions/${body.id}`)).status).toBe(404);
    expect((await api.get('/instance/settings')).body).toMatchObject({ version: version + 2, exceptions: [] });
    const events = await eventsOf(app, stage, 'module.exception');
    expect(events.map(({ details, actor }) => [details.change, details.reason, actor.name.split(' (')[0]])).toEqual([
      ['added', 'Her phone is lost', 'Ada Root'],
      ['removed', 'Her phone is lost', 'Ada Root'],
    ]);
  });

  it.each<[string, () => object, string]>([
    ['no reason', () => ({ reason: '  ' }), 'reason'],
    ['a reason of two lines', () => ({ reason: 'a\nb' }), 'reason'],
    ['no end, and no choice', () => ({ ends_at: null }), 'ends_at'],
    ['an end and the choice of none', () => ({ no_end: true }), 'ends_at'],
    ['an end in the past', () => ({ ends_at: inDays(-1) }), 'ends_at'],
    ['an end in two years', () => ({ ends_at: inDays(800) }), 'ends_at'],
    ['no account', () => ({ account_id: ' ' }), 'account_id'],
    ['an account without a name that nobody has read', () => ({ user_name: undefined }), 'user_name'],
    ['a kind that there is not', () => ({ kind: 'robot' }), 'kind'],
  ])('refuses %s with 422 by field', async (_, more, field) => {
    const stage = await makeStage(app, company);
    const { status, body } = await stage.module.api.post('/instance/exceptions', given(more()));
    expect([status, Object.keys(body.fields)]).toEqual([422, [field]]);
    expect((await stage.module.api.get('/instance/settings')).body.exceptions).toEqual([]);
  });

  it('exempts without an end by choice alone, and lists those that have none', async () => {
    const stage = await makeStage(app, company);
    const { body } = await stage.module.api.post('/instance/exceptions', given({ ends_at: null, no_end: true }));
    expect(body.ends_at).toBeNull();
    await stage.module.api.post('/instance/exceptions', given({ account_id: 'ben', user_name: 'ben' }));
    const list = await listExceptions(stage.console(), company.id, stage.module.instanceId);
    expect([list.withoutEnd, list.rows.map(({ accountId, endsAt }) => [accountId, endsAt === null])]).toEqual([
      1,
      [
        ['ada', true],
        ['ben', false],
      ],
    ]);
  });

  it('one account is exempt once, also when two ask at the same time', async () => {
    const stage = await makeStage(app, company);
    const answers = await Promise.all([1, 2].map(() => stage.module.api.post('/instance/exceptions', given())));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 422]);
    expect(answers.find(({ status }) => status === 422)?.body.fields).toEqual({
      account_id: 'This account is exempt already.',
    });
  });

  it('the last way in: 409 over the API, too, and named', async () => {
    const stage = await makeReady(app, company);
    await save(app, stage, { require: true });
    const { api } = stage.module;
    const { exceptions } = (await api.get('/instance/settings')).body;
    expect((await api.delete(`/instance/exceptions/${exceptions[0].id}`, { acting })).status).toBe(204);
    const { status, body } = await api.delete(`/instance/exceptions/${exceptions[1].id}`, { acting });
    expect([status, body.code, body.way_in]).toEqual([
      409,
      'last_way_in',
      { account_id: 'ben', user_name: 'ben@northwind.example', kind: 'person' },
    ]);
    expect(body.detail).toMatch(
      /^ben@northwind\.example is the last one who can get into Connected \d+ without KaseyaOne/,
    );
  });

  it('is not for a module that cannot require the login', async () => {
    const plain = await makeConnected(app, company);
    const { status, body } = await plain.api.post('/instance/exceptions', given());
    expect([status, body.detail]).toEqual([
      422,
      expect.stringMatching(/cannot require the login, so nobody needs an exception there\.$/),
    ]);
  });

  it("API-02 another instance's exception, another company's, and whoever may not", async () => {
    const stage = await makeStage(app, company);
    const { id } = (await stage.module.api.post('/instance/exceptions', given())).body;
    const sibling = await connectAnother(app, company, stage.module, { tenant: 'another' });
    expect((await sibling.api.delete(`/instance/exceptions/${id}`)).status).toBe(404);
    expect((await sibling.api.delete('/instance/exceptions/nonsense')).status).toBe(404);
    const stranger = await makePerson(app, otherCompany, { role: 'Admin' });
    const user = await makePerson(app, company);
    const input = { accountId: 'ada', kind: 'person', reason: 'Because', endsAt: null, noEnd: true } as const;
    const { instanceId } = stage.module;
    for (const [work, companyId, status] of [
      [asPerson(app, stranger), otherCompany.id, 404],
      [asPerson(app, stranger), company.id, 403],
      [asPerson(app, user), company.id, 403],
    ] as const) {
      await expect(addException(work, companyId, instanceId, input)).rejects.toMatchObject({ status });
      await expect(removeException(work, companyId, instanceId, id)).rejects.toMatchObject({ status });
      await expect(
        changeException(work, companyId, instanceId, { id, kind: 'person', reason: 'x', endsAt: null, noEnd: true }),
      ).rejects.toMatchObject({ status });
      await expect(searchAccounts(work, companyId, instanceId, 'a')).rejects.toMatchObject({ status });
      await expect(listExceptions(work, companyId, instanceId)).rejects.toMatchObject({ status });
    }
    expect((await stage.module.api.get('/instance/settings')).body.exceptions).toHaveLength(1);
  });
});

describe('the search for whom to exempt', () => {
  it('fits each word in any place, 20 at most, and says who is exempt, active, an administrator', async () => {
    const stage = await makeStage(app, company);
    const many = Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`tech${String(i).padStart(2, '0')}`, {}]));
    await accountsWereRead(app, company, stage.module, {
      ...many,
      ada: { isAdministrator: true },
      b_n: { isActive: false, hasLocalLogin: null },
    });
    await exempts(app, stage, 'ada');
    const find = (words: string) => searchAccounts(stage.console(), company.id, stage.module.instanceId, words);
    expect(await find('tech')).toHaveLength(20);
    expect((await find('TECH07 northwind')).map(({ id }) => id)).toEqual(['tech07']);
    expect(await find('ada')).toEqual([
      {
        id: 'ada',
        userName: 'ada@northwind.example',
        name: 'ada',
        email: 'ada@northwind.example',
        isActive: true,
        isAdministrator: true,
        hasLocalLogin: true,
        isExempt: true,
      },
    ]);
    // What people type means itself.
    expect((await find('b_n')).map(({ id }) => id)).toEqual(['b_n']);
    expect(await find('%')).toEqual([]);
    expect(await find('  ')).toEqual([]);
  });

  it('a person in the console exempts only what the module has told of', async () => {
    const stage = await makeStage(app, company);
    await expect(exempts(app, stage, 'nobody')).rejects.toMatchObject({
      fields: { accountId: 'Choose an account of the module.' },
    });
  });
});

describe('POST /instance/entries (C28)', () => {
  const report = (stage: Pick<Stage, 'module'>, { user }: TestPerson, id: string, more: object = {}) =>
    stage.module.api.post('/instance/entries', {
      sub: user.id,
      account: { id, user_name: `${id}@northwind.example`, administrator: false },
      ...more,
    });
  const linkOf = (instanceId: InstanceId, externalId: string) =>
    app.runtime
      .db('module_accounts')
      .where({ instance_id: instanceId, external_id: externalId })
      .first('user_id', 'linked_by', 'life', 'is_administrator', 'user_name');

  it('makes the link before any reading, and keeps it: the same again changes nothing', async () => {
    const stage = await makeStage(app, company);
    const person = await makePerson(app, company);
    const { instanceId } = stage.module;
    for (let i = 0; i < 2; i += 1) expect((await report(stage, person, '17')).status).toBe(204);
    expect(await linkOf(instanceId, '17')).toEqual({
      user_id: person.user.id,
      linked_by: 'entry',
      life: 'live',
      is_administrator: false,
      user_name: '17@northwind.example',
    });
    const events = await app.runtime.db('audit_events').where({ action: 'module.link', target_id: person.user.id });
    expect(events).toHaveLength(1);
  });

  it('links an account that was read, and says of a new one that the module made it', async () => {
    const stage = await makeStage(app, company);
    const [one, two] = [await makePerson(app, company), await makePerson(app, company)];
    await accountsWereRead(app, company, stage.module, { ada: {} });
    const account = { id: 'ada', user_name: 'ada.renamed', administrator: true };
    expect((await report(stage, one, 'ada', { account })).status).toBe(204);
    expect(await linkOf(stage.module.instanceId, 'ada')).toMatchObject({
      user_id: one.user.id,
      linked_by: 'entry',
      is_administrator: true,
      user_name: 'ada.renamed',
    });
    expect((await report(stage, two, 'new', { created: true })).status).toBe(204);
    expect(await linkOf(stage.module.instanceId, 'new')).toMatchObject({ user_id: two.user.id, linked_by: 'created' });
    const events = await app.runtime.db('audit_events').where({ target_id: two.user.id }).pluck('action');
    expect(events).toContain('module.jitCreate');
  });

  it('an id of any length is one account, whether the API names it or SCIM', async () => {
    const stage = await makeStage(app, company);
    const person = await makePerson(app, company);
    const long = `${'cn=ada,'.repeat(60)}dc=example`;
    const known = createHash('sha256').update(long).digest('base64url');
    expect(toAccount({ id: long, userName: 'ada' })?.externalId).toBe(known);
    const named = (id: string) => ({ account: { id, user_name: 'ada@northwind.example', administrator: false } });
    expect((await report(stage, person, '', named(long))).status).toBe(204);
    expect(await linkOf(stage.module.instanceId, known)).toMatchObject({ user_id: person.user.id });
    const other = await makePerson(app, company);
    expect((await report(stage, other, '', named(`${long}x`))).status).toBe(204);
    const { api } = stage.module;
    const made = await api.post(
      '/instance/exceptions',
      given({ account_id: long, kind: 'emergency', acting: { id: long, name: 'Ada Root' } }),
    );
    expect([made.status, made.body.account_id]).toEqual([201, known]);
    const at = app.clock.now().toISOString();
    expect((await api.post('/instance/emergencies', { account_id: long, at })).status).toBe(204);
    for (const id of ['', '  ', 'two\nlines'])
      expect((await api.post('/instance/exceptions', given({ account_id: id }))).status).toBe(422);
  });

  it('is unique on both sides: 409, and nothing moves', async () => {
    const stage = await makeStage(app, company);
    const [one, two] = [await makePerson(app, company), await makePerson(app, company)];
    await report(stage, one, 'a');
    for (const [person, account] of [
      [two, 'a'],
      [one, 'b'],
    ] as const) {
      const { status, body } = await report(stage, person, account);
      expect([status, body.code]).toEqual([409, 'linked_elsewhere']);
    }
    expect(await linkOf(stage.module.instanceId, 'a')).toMatchObject({ user_id: one.user.id });
    expect(await linkOf(stage.module.instanceId, 'b')).toBeUndefined();
    // In another instance they are somebody else.
    const other = await makeStage(app, company);
    expect((await report(other, two, 'a')).status).toBe(204);
  });

  it('of two people who claim one account at the same moment one gets it', async () => {
    const stage = await makeStage(app, company);
    const people = [await makePerson(app, company), await makePerson(app, company)];
    const answers = await Promise.all(people.map((person) => report(stage, person, 'shared')));
    expect(answers.map(({ status }) => status).sort()).toEqual([204, 409]);
  });

  it('API-02 nobody of another company, no deleted person, no nonsense', async () => {
    const stage = await makeStage(app, company);
    const stranger = await makePerson(app, otherCompany);
    for (const sub of [stranger.user.id, newId(), 'nonsense', '']) {
      const { status, body } = await report(stage, stranger, 'x', { sub });
      expect([status, Object.keys(body.fields)]).toEqual([422, ['sub']]);
    }
    expect(await linkOf(stage.module.instanceId, 'x')).toBeUndefined();
  });

  it('confirms a trial by the second sign-in of an administrator, over two nodes', async () => {
    const stage = await makeReady(app, company);
    const node = await app.node();
    await save(app, stage, { require: true });
    const account = { id: 'ada', user_name: 'ada@northwind.example', administrator: true };
    await report(stage, stage.admin, 'ada', { account });
    const stateOf = async () => (await stage.module.api.get('/instance/settings')).body.require.state;
    expect(await stateOf()).toBe('trial');
    app.clock.advance(seconds(2));
    await enter(node, stage.module, stage.admin);
    expect((await report(stage, stage.admin, 'ada', { account })).status).toBe(204);
    expect(await stateOf()).toBe('on');
    app.clock.advance(minutes(60));
    expect(await stateOf()).toBe('on');
  });

  it('where the company has several of the module, an entry counts for the one that was entered, whatever is reported', async () => {
    const stage = await makeReady(app, company);
    const sibling = await connectAnother(app, company, stage.module, { tenant: 'second' });
    const look = async (api: Stage['module']['api']) =>
      (await api.post('/instance/require/preflight', { acting: { ...acting, sub: stage.admin.user.id } })).body
        .checks[0].passed;
    expect(await look(sibling.api)).toBe(false);
    await report({ module: { ...stage.module, ...sibling } }, stage.admin, 'root');
    expect([await look(sibling.api), await look(stage.module.api)]).toEqual([false, true]);
  });
});
