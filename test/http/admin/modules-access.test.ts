// Requiring the login, exceptions, and access groups of a connected module, as an administrator does it (A8.6, C30, C34, C35, D.7).
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Company } from '../../../src/domain/companies/company.ts';
import { createGroup } from '../../../src/domain/groups/commands.ts';
import type { Group } from '../../../src/domain/groups/group.ts';
import { addException } from '../../../src/domain/integrations/exception-commands.ts';
import { decidePermission } from '../../../src/domain/integrations/permission.ts';
import { previewRules } from '../../../src/domain/integrations/rule-queries.ts';
import { findProduct } from '../../../src/domain/modules/catalogue.ts';
import type { GroupId, InstanceId } from '../../../src/lib/ids.ts';
import { createLog } from '../../../src/lib/log.ts';
import { after, days, minutes } from '../../../src/lib/time.ts';
import { type ConnectedModule, makeConnected } from '../../support/api.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import {
  but,
  change,
  enter,
  filled,
  post,
  settingsOf,
  tellAccount,
  tellReading,
  mainWords as wordsOf,
} from '../../support/connected.ts';
import { type AtDesk, atDesk } from '../../support/console.ts';
import { makeCompany, makePerson } from '../../support/people.ts';
import type { Page } from '../../support/visitor.ts';

let app: TestApp;
let company: Company;
let admin: AtDesk;
let module: ConnectedModule;
let counter = 0;

const path = (tab = '', id: InstanceId = module.instanceId) => `/admin/modules/${id}${tab === '' ? '' : `/${tab}`}`;
const open = (tab: string): Promise<Page> => admin.visitor.open(path(tab));
const settings = () => settingsOf(app, company, module.instanceId);
const tell = (id: string, isAdministrator = false) =>
  tellAccount(app, company, module.instanceId, { id, isAdministrator });
const exempt = (accountId: string, kind: 'person' | 'emergency' = 'person') =>
  addException(app.operator(), company.id, module.instanceId, {
    accountId,
    kind,
    reason: 'On call',
    endsAt: after(app.clock.now(), days(30)),
    noEnd: false,
  });
const exemptNames = async () =>
  (await app.runtime.store.of(company.id).exceptions.list(module.instanceId)).map(({ userName }) => userName);

beforeAll(async () => {
  app = await startApp({ log: process.env.SHOW ? createLog('error') : createLog('silent') });
  // Of a single company nobody is asked for its name.
  for (const name of ['One Ltd', 'Another Ltd']) await makeCompany(app, name);
});
afterAll(() => app.stop());

beforeEach(async () => {
  // Tokens are dated by the machine's clock.
  app.clock.advance(Date.now() - app.clock.now().getTime());
  company = await makeCompany(app, `Access ${++counter} Ltd`);
  admin = await atDesk(app, company, { username: 'ada' });
  module = await makeConnected(app, company, {
    product: { name: `Workplace ${counter}`, product: 'workplace' },
    instance: { localLoginUrl: 'https://workplace.example/login/local' },
  });
  await tell('root', true);
  await tell('deputy', true);
  await tell('ben');
});

/** All that the pre-flight asks for. */
async function makeReady(): Promise<void> {
  await exempt('root');
  await exempt('deputy');
  await tellReading(app, company, module.instanceId);
  await enter(app, admin.visitor, module);
}

describe('requiring the login', () => {
  it('C30 shows what it would mean, check by check, and refuses to begin while one fails', async () => {
    const page = await open('require');
    const words = wordsOf(page);
    expect(words).toContain('No administrator could get in without KaseyaOne.');
    expect(words).toContain('You have not entered');
    expect(words).toContain('3 accounts of 3 active lose the local login.');
    expect(words).toContain('root@module.example');
    expect(page.body).not.toContain('/require/start');
    const refused = await post(admin.visitor, path('require/start'), [['version', String((await settings()).version)]]);
    expect(refused.status).toBe(409);
    expect(wordsOf(refused)).toContain('something stands in the way');
    expect((await settings()).require.state).toBe('off');
  });

  it('begins as a trial that every page of the module tells of, and that ends by a button', async () => {
    await makeReady();
    const page = await open('require');
    expect(wordsOf(page)).toContain('2 administrators can get into');
    expect(wordsOf(page)).toContain('1 account of 3 active loses the local login.');
    const begun = await admin.visitor.submit(page, {}, '/require/start');
    expect(wordsOf(begun)).toContain('The trial has begun: 30 minutes.');
    expect((await settings()).require.state).toBe('trial');
    app.clock.advance(minutes(12));
    for (const tab of ['', 'settings', 'exceptions', 'access-groups', 'require'])
      expect(wordsOf(await open(tab)), tab).toContain('is on trial: 18 minutes left.');
    const list = await admin.visitor.open('/admin/modules?state=trial');
    expect(wordsOf(list)).toContain('Trial 18 minutes left');
    const ended = await admin.visitor.submit(await open('require'), {}, '/require/end');
    expect(wordsOf(ended)).toContain('can be entered with a local login again. Exceptions are kept.');
    expect((await settings()).require.state).toBe('off');
    expect(await exemptNames()).toHaveLength(2);
  });

  it('a second administrator who comes in the new way keeps it; the page says so, and can end it', async () => {
    await makeReady();
    await admin.visitor.submit(await open('require'), {}, '/require/start');
    // Tokens count in whole seconds, and one of the same second is no later entry.
    await new Promise((resolve) => setTimeout(resolve, 1100));
    const second = await atDesk(app, company, { username: 'deputy', role: 'User' });
    await enter(app, second.visitor, module);
    const account = { id: 'deputy', user_name: 'deputy@module.example', administrator: true };
    const told = await module.api.post('/instance/entries', { sub: second.person.user.id, account });
    expect(told.status).toBe(204);
    const page = await open('require');
    expect(wordsOf(page)).toContain('Log In with KaseyaOne is required');
    expect(wordsOf(page)).not.toContain('on trial');
    expect(wordsOf(await admin.visitor.open('/admin/modules?state=required'))).toContain('Required');
    const ended = await admin.visitor.submit(page, {}, '/require/end');
    expect(wordsOf(ended)).toContain('can be entered with a local login again.');
    expect((await settings()).require.state).toBe('off');
  });

  it('a trial that is over is shown as none, and saving other settings does not begin another', async () => {
    await makeReady();
    await admin.visitor.submit(await open('require'), {}, '/require/start');
    app.clock.advance(minutes(20));
    // A session that is idle for half an hour ends.
    await open('');
    app.clock.advance(minutes(11));
    const page = await open('settings');
    expect(wordsOf(page)).not.toContain('on trial');
    await post(admin.visitor, path('settings'), but(filled(page, path('settings')), { graceDays: '3' }));
    expect(await settings()).toMatchObject({ require: { state: 'off' }, deprovisioning: { graceDays: 3 } });
  });

  it('saving settings keeps a requirement that is in force, and taking the switch away ends it', async () => {
    await makeReady();
    await admin.visitor.submit(await open('require'), {}, '/require/start');
    const fields = filled(await open('settings'), path('settings'));
    expect(fields).toContainEqual(['require', 'yes']);
    await post(admin.visitor, path('settings'), but(fields, { graceDays: '3' }));
    expect((await settings()).require.state).toBe('trial');
    await post(
      admin.visitor,
      path('settings'),
      but(filled(await open('settings'), path('settings')), { require: null }),
    );
    expect((await settings()).require.state).toBe('off');
  });

  it('begins from the settings that were shown alone', async () => {
    await makeReady();
    const page = await open('require');
    await change(app, company, module.instanceId, { deprovisioning: { on: true, graceDays: 1, removal: 'disable' } });
    const refused = await admin.visitor.submit(page, {}, '/require/start');
    expect(refused.status).toBe(409);
    expect(wordsOf(refused)).toContain('The settings were changed while you had this page open.');
    expect((await settings()).require.state).toBe('off');
  });
});

describe('exceptions', () => {
  const form = () => open('exceptions/new?account=ben');

  it('A8.6 are found by typing, and added one at a time with a reason and an end', async () => {
    const found = await open('exceptions?q=BEN');
    expect(wordsOf(found)).toContain('ben@module.example');
    expect(wordsOf(found)).not.toContain('deputy@module.example');
    expect(found.body).toContain('/exceptions/new?account=ben"');
    const day = after(app.clock.now(), days(32)).toISOString().slice(0, 10);
    const added = await admin.visitor.submit(await form(), { reason: 'Night shift', endsAt: day, kind: 'person' });
    expect(wordsOf(added)).toContain('ben@module.example may log in to');
    const [row] = await app.runtime.store.of(company.id).exceptions.list(module.instanceId);
    expect(row).toMatchObject({ accountId: 'ben', kind: 'person', reason: 'Night shift', createdBy: 'ada' });
    // The end of the day where the administrator is, who has chosen no zone.
    expect(row?.endsAt?.toISOString()).toBe(`${day}T23:59:00.000Z`);
    expect(wordsOf(await open('exceptions?q=ben'))).toMatch(/ben@module\.example Exempt /);
  });

  it('want a reason and an end, and keep what was typed', async () => {
    const noReason = await admin.visitor.submit(await form(), { reason: ' ', kind: 'emergency' });
    expect(noReason.status).toBe(422);
    expect(wordsOf(noReason)).toContain('Enter a reason');
    expect(noReason.body).toMatch(/value="emergency" checked/);
    const noEnd = await admin.visitor.submit(await form(), { reason: 'Night shift', endsAt: '' });
    expect(noEnd.status).toBe(422);
    expect(noEnd.body).toContain('value="Night shift"');
    expect(noEnd.body).toMatch(/name="endsAt"[^>]*aria-invalid="true"/);
    for (const endsAt of ['2020-01-01', '2036-01-01', 'soon', '2026-02-31'])
      expect((await admin.visitor.submit(await form(), { reason: 'Night shift', endsAt })).status, endsAt).toBe(422);
    expect(await exemptNames()).toEqual([]);
  });

  it('"no end" is chosen on purpose, and marked', async () => {
    const added = await admin.visitor.submit(await form(), { reason: 'Sealed', kind: 'emergency', noEnd: 'yes' });
    expect(wordsOf(added)).toContain('1 without end');
    expect(wordsOf(added)).toMatch(/Sealed emergency account Sealed No end/);
  });

  it('an account that the module has not told of leads back to the search', async () => {
    expect((await open('exceptions/new?account=nobody')).url).toMatch(/\/exceptions$/);
    const sent = await post(admin.visitor, path('exceptions/new'), [
      ['account', 'nobody'],
      ['reason', 'x'],
    ]);
    expect(sent.status).toBe(303);
    expect(await exemptNames()).toEqual([]);
  });

  it('can be changed, and removed after a look at what it means', async () => {
    const { id } = await exempt('ben');
    const saved = await admin.visitor.submit(await open(`exceptions/${id}`), { reason: 'Day shift' });
    expect(wordsOf(saved)).toContain('The exception of ben@module.example is saved.');
    expect(wordsOf(saved)).toContain('Day shift');
    const asked = await open(`exceptions/${id}/remove`);
    expect(wordsOf(asked)).toContain('because: Day shift');
    const removed = await admin.visitor.submit(asked, {}, '/remove');
    expect(wordsOf(removed)).toContain('ben@module.example is not exempt any more.');
    expect(await exemptNames()).toEqual([]);
    expect((await admin.visitor.send(path(`exceptions/${id}`))).status).toBe(404);
  });

  it('the last way in stays: the refusal names it', async () => {
    await makeReady();
    await admin.visitor.submit(await open('require'), {}, '/require/start');
    const [first, second] = await app.runtime.store.of(company.id).exceptions.list(module.instanceId);
    const remove = async (id = '') => admin.visitor.submit(await open(`exceptions/${id}/remove`), {}, '/remove');
    expect((await remove(first?.id)).status).toBe(200);
    const refused = await remove(second?.id);
    expect(refused.status).toBe(409);
    expect(wordsOf(refused)).toContain(`${second?.userName} is the last one who can get into`);
    expect(await exemptNames()).toEqual([second?.userName]);
  });
});

describe('access groups', () => {
  let techs: Group;
  let leads: Group;
  const at = () => path('access-groups');
  const rule = (group: { id: string }, permission: string): [string, string][] => [
    ['group', group.id],
    ['permission', permission],
  ];
  const version = async (): Promise<[string, string]> => ['version', String((await settings()).version)];
  const rules = async () =>
    (await settings()).accessGroups.rules.map(({ group, permission }) => `${group}: ${permission}`);
  const all = () => app.runtime.store.of(company.id).groups.getSystem('system-all');

  beforeEach(async () => {
    const make = (name: string) =>
      createGroup(app.operator(), company.id, { name, isActive: true, instanceIds: [module.instanceId] });
    techs = await make('Techs');
    leads = await make('Leads');
  });

  it('rules are added, moved and removed as a draft, without script; nothing counts before Save', async () => {
    const draft: [string, string][] = [...rule(techs, 'Team Access'), ...rule(leads, 'Full Access')];
    const shown = async (act: string) => {
      const page = await post(admin.visitor, at(), [await version(), ...draft, ['act', act]]);
      expect(page.status).toBe(200);
      return filled(page, at())
        .filter(([name]) => name === 'permission')
        .map(([, value]) => value);
    };
    expect(await shown('add')).toEqual(['Team Access', 'Full Access', '']);
    expect(await shown('up.1')).toEqual(['Full Access', 'Team Access']);
    expect(await shown('down.0')).toEqual(['Full Access', 'Team Access']);
    expect(await shown('up.0')).toEqual(['Team Access', 'Full Access']);
    expect(await shown('remove.0')).toEqual(['Full Access']);
    expect(await shown('remove.9')).toEqual(['Team Access', 'Full Access']);
    expect(await shown('nonsense')).toEqual(['Team Access', 'Full Access']);
    expect(await rules()).toEqual([]);
  });

  it('Save keeps their order; the first that fits decides', async () => {
    const everybody = await all();
    const saved = await post(admin.visitor, at(), [
      await version(),
      ['on', 'yes'],
      ...rule(leads, 'Full Access'),
      ...rule(everybody, 'Read only'),
      ['group', ''],
      ['permission', ''],
    ]);
    expect(saved.status).toBe(303);
    expect(await rules()).toEqual(['Leads: Full Access', `${everybody.name}: Read only`]);
    expect((await settings()).accessGroups.on).toBe(true);
    expect(wordsOf(await open('access-groups'))).toContain('Full Access 0 people Read only 1 person');
  });

  it('C34 says who fits no rule before they are refused', async () => {
    await makePerson(app, company, { groups: ['Techs'] });
    const sent: [string, string][] = [await version(), ['on', 'yes'], ...rule(techs, 'Team Access')];
    const asked = await post(admin.visitor, at(), sent);
    expect(wordsOf(asked)).toContain('1 person of 2 people who may enter fits no rule');
    expect(wordsOf(asked)).toContain('1 person gets Team Access.');
    expect(wordsOf(asked)).toContain('Pat Example');
    expect(await rules()).toEqual([]);
    expect((await post(admin.visitor, at(), filled(asked, at()))).status).toBe(303);
    expect(await rules()).toEqual(['Techs: Team Access']);
  });

  it('refuses half a rule, an unknown permission and a group of another company, by rule', async () => {
    const other = await makeCompany(app);
    const theirs = await createGroup(app.operator(), other.id, { name: 'Theirs', isActive: true });
    const bad: [string, string][][] = [
      rule(techs, ''),
      rule(techs, 'Owner'),
      rule(theirs, 'Team Access'),
      rule({ id: 'x' }, 'Team Access'),
    ];
    for (const one of bad) {
      const page = await post(admin.visitor, at(), [await version(), ...rule(leads, 'Read only'), ...one]);
      expect(page.status, JSON.stringify(one)).toBe(422);
      expect(page.body).toMatch(/class="field-error"/);
    }
    const empty = await post(admin.visitor, at(), [await version(), ['on', 'yes']]);
    expect(empty.status).toBe(422);
    expect(empty.body).toMatch(/name="on"[^>]*aria-invalid="true"/);
    expect(await rules()).toEqual([]);
  });

  it('somebody else was faster: both are shown', async () => {
    const mine = [await version(), ...rule(leads, 'Full Access')];
    await change(app, company, module.instanceId, {
      accessGroups: { on: false, rules: [{ groupId: techs.id, permission: 'Read only' }] },
    });
    const page = await post(admin.visitor, at(), mine);
    expect(page.status).toBe(409);
    expect(wordsOf(page)).toContain('1. Techs → Read only');
    expect(filled(page, at())).toContainEqual(['permission', 'Full Access']);
    expect((await post(admin.visitor, at(), filled(page, at()))).status).toBe(303);
    expect(await rules()).toEqual(['Leads: Full Access']);
  });

  it('of very many people the page comes first, and the count when it is asked for', async () => {
    const everybody = await all();
    await app.runtime.db.raw(
      `with people as (
         insert into users (id, company_id, username, username_key, email, email_key, first_name, last_name, role, base_status, source, created_at)
         select gen_random_uuid(), ?, 'crowd' || n, 'crowd' || n, 'crowd' || n || '@example.com', 'crowd' || n || '@example.com',
           'Cro', 'Wd', 'User', 'Active', 'form', now() from generate_series(1, 10000) n returning id)
       insert into group_members (company_id, group_id, user_id) select ?, ?, id from people`,
      [company.id, company.id, everybody.id],
    );
    const page = await open('access-groups');
    expect(wordsOf(page)).toContain('they are counted when you ask for it');
    expect(page.body).toMatch(/id="preview"[^>]* hx-post="[^"]+\/access-groups" hx-trigger="load"/);
    const asked = await post(admin.visitor, at(), [
      await version(),
      ...rule(everybody, 'Read only'),
      ['act', 'preview'],
    ]);
    expect(wordsOf(asked)).toContain('10,001 people may enter through their groups. Read only 10,001 people');
    expect(wordsOf(await admin.visitor.open('/admin/modules'))).toContain('more than 10,000 people');
  });

  it.each(['one', 'many'] as const)(
    'D.7 the preview counts what the decision says of each person (%s)',
    async (mode) => {
      const profile = findProduct(mode === 'one' ? 'workplace' : 'rmm')?.profile;
      if (!profile) throw new Error('no such product');
      const choices = profile.fields[0]?.choices ?? [];
      const idle = await createGroup(app.operator(), company.id, {
        name: 'Idle',
        isActive: false,
        instanceIds: [module.instanceId],
      });
      const elsewhere = await createGroup(app.operator(), company.id, {
        name: 'Elsewhere',
        isActive: true,
        instanceIds: [],
      });
      const sets = [
        ['Techs'],
        ['Leads'],
        ['Techs', 'Leads'],
        ['Leads', 'Idle'],
        ['Idle'],
        ['Elsewhere'],
        ['Techs', 'Elsewhere'],
      ];
      const people = [];
      for (const groups of sets) people.push(await makePerson(app, company, { groups, totpSecret: null }));
      const drafted = [
        { groupId: idle.id, permission: choices[2] ?? '' },
        { groupId: elsewhere.id, permission: choices[2] ?? '' },
        { groupId: leads.id, permission: choices[1] ?? '' },
        { groupId: techs.id, permission: choices[0] ?? '' },
        { groupId: leads.id, permission: choices[2] ?? '' },
      ];
      const preview = await previewRules(app.operator(), company.id, module.instanceId, { mode, rules: drafted });
      const opening = new Set<GroupId>([techs.id, leads.id, (await all()).id]);
      const expected = new Map<string, number>();
      let reaching = 0;
      let refused = 0;
      for (const { user } of [...people, admin.person]) {
        const mine = (await app.runtime.store.of(company.id).groups.listOf(user.id)).map(({ id }) => id);
        const groupIds = mine.filter((id) => opening.has(id));
        if (groupIds.length === 0) continue;
        reaching += 1;
        const accessGroups = { on: true, rules: drafted.map((one) => ({ ...one, group: '' })) };
        const provisioning = { on: false, values: {} };
        const decision = decidePermission(profile, { accessGroups, provisioning }, { role: user.role, groupIds });
        if (decision.outcome !== 'granted') refused += 1;
        else for (const one of decision.permissions) expected.set(one, (expected.get(one) ?? 0) + 1);
      }
      expect(preview.people).toBe(reaching);
      expect(preview.none.count).toBe(refused);
      expect(preview.none.sample).toHaveLength(refused);
      expect(
        Object.fromEntries(
          preview.permissions.filter(({ count }) => count > 0).map(({ permission, count }) => [permission, count]),
        ),
      ).toEqual(Object.fromEntries(expected));
    },
  );
});
