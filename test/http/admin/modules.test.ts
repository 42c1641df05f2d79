// Connected modules as an administrator sees and sets them (A8.2-A8.9, B.7, C30, C36).
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Company } from '../../../src/domain/companies/company.ts';
import { createGroup } from '../../../src/domain/groups/commands.ts';
import { addMembers } from '../../../src/domain/groups/member-commands.ts';
import { reconcile } from '../../../src/domain/provisioning/reconcile-commands.ts';
import { deactivateUser } from '../../../src/domain/users/commands.ts';
import { type InstanceId, newId } from '../../../src/lib/ids.ts';
import { createLog } from '../../../src/lib/log.ts';
import { type ConnectedModule, connectAnother, makeConnected } from '../../support/api.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import { but, change, filled, post, settingsOf, tellAccount, mainWords as wordsOf } from '../../support/connected.ts';
import { type AtDesk, atDesk } from '../../support/console.ts';
import { makeCompany, makePerson } from '../../support/people.ts';
import type { Page } from '../../support/visitor.ts';

let app: TestApp;
let company: Company;
let admin: AtDesk;
let module: ConnectedModule;
let foreign: ConnectedModule;
let counter = 0;

const path = (id: InstanceId, tab = '') => `/admin/modules/${id}${tab === '' ? '' : `/${tab}`}`;
const open = (address: string): Promise<Page> => admin.visitor.open(address);
const settings = () => settingsOf(app, company, module.instanceId);

beforeAll(async () => {
  app = await startApp({ log: process.env.SHOW ? createLog('error') : createLog('silent') });
  company = await makeCompany(app, 'Northwind IT');
  const other = await makeCompany(app, 'Another Company');
  admin = await atDesk(app, company, { username: 'ada' });
  foreign = await makeConnected(app, other, { product: { name: 'Theirs', product: 'workplace' } });
});
afterAll(() => app.stop());

beforeEach(async () => {
  const name = `Workplace ${++counter}`;
  module = await makeConnected(app, company, {
    product: { name: `Product ${counter}`, product: 'workplace' },
    instance: { name },
  });
});

describe('the list', () => {
  it('B.7 shows what is connected here, with state, people and contact, and nothing of another company', async () => {
    const words = wordsOf(await open(`/admin/modules?q=${module.module.name}`));
    expect(words).toContain('1 module');
    expect(words).toMatch(new RegExp(`Workplace ${counter} Product ${counter} Enabled 1 person Never No problem`));
    expect(wordsOf(await open('/admin/modules?q=Theirs'))).toContain('No module matches');
  });

  it('finds by name and product, filters by state, orders and leafs in the database', async () => {
    const shared = await makeConnected(app, company, { product: { name: 'Leaf', product: 'rmm' } });
    for (let i = 1; i <= 30; i += 1)
      await connectAnother(app, company, shared, { name: `Leaf ${String(i).padStart(2, '0')}`, tenant: `leaf-${i}` });
    await app.runtime.db('module_instances').where({ name: 'Leaf 07' }).update({ is_enabled: false });
    const first = wordsOf(await open('/admin/modules?q=leaf&size=25&sort=name'));
    expect(first).toContain('31 modules');
    expect(first).toContain('1 to 25 of 31');
    expect(first).toContain('Leaf 24');
    expect(first).not.toContain('Leaf 25');
    expect(wordsOf(await open('/admin/modules?q=leaf&size=25&page=2'))).toContain('Leaf 30');
    const off = wordsOf(await open('/admin/modules?q=leaf&state=off'));
    expect(off).toContain('1 module');
    expect(off).toContain('Leaf 07');
    expect(wordsOf(await open('/admin/modules?q=leaf&state=enabled'))).toContain('30 modules');
    expect(wordsOf(await open('/admin/modules?q=leaf&state=required'))).toContain('No module matches');
    const descending = wordsOf(await open('/admin/modules?q=leaf&sort=name&direction=descending&size=25'));
    expect(descending.indexOf('Leaf 30')).toBeLessThan(descending.indexOf('Leaf 29'));
    expect(descending).not.toContain('Leaf 01');
  });

  it('counts active people once, through active groups that open it', async () => {
    const lab = await makeCompany(app, 'Counting Ltd');
    const { visitor } = await atDesk(app, lab);
    const one = await makeConnected(app, lab, { product: { name: 'Counted', product: 'workplace' } });
    await makePerson(app, lab);
    const gone = await makePerson(app, lab);
    await app.runtime
      .db('users')
      .where({ id: gone.user.id })
      .update({ base_status: 'Deactivated', deactivated_reason: 'admin' });
    await makePerson(app, lab, { groups: ['No Module Access'] });
    expect(wordsOf(await visitor.open('/admin/modules'))).toContain('2 people');
    expect(wordsOf(await visitor.open(path(one.instanceId)))).toMatch(/People with access 2 people/);
  });

  it('says where to begin while nothing is connected', async () => {
    const { visitor } = await atDesk(app, await makeCompany(app, 'New Ltd'));
    const page = await visitor.open('/admin/modules');
    expect(wordsOf(page)).toContain('No module is connected yet');
    expect(page.body).toContain('href="/admin/modules/explore"');
  });

  it('tells of deliveries that fail, on the list and on each page of the module', async () => {
    await app.runtime.db('delivery_lanes').insert({
      instance_id: module.instanceId,
      company_id: company.id,
      failures: 3,
      last_problem: '503 Service Unavailable',
    });
    expect(wordsOf(await open(`/admin/modules?q=${module.module.name}`))).toContain('Failing');
    for (const tab of ['', 'settings', 'exceptions', 'access-groups'])
      expect(wordsOf(await open(path(module.instanceId, tab))), tab).toContain('503 Service Unavailable');
  });
});

describe('Explore', () => {
  it('B.8 shows the catalogue: what each can do, where and by whom it is connected, and where the module is', async () => {
    const words = wordsOf(await open('/admin/modules/explore'));
    expect(words).toContain('Admin > Extensions & Integrations > Kaseya Integrations > KaseyaOne');
    expect(words).toContain('member of the team Administrators');
    expect(words).toContain('Connecting begins in the module');
    const found = await open(`/admin/modules/explore?q=${encodeURIComponent(module.module.name)}`);
    expect(wordsOf(found)).toContain('1 module');
    expect(wordsOf(found)).toContain('Connected');
    expect(found.body).toContain(`href="${new URL(module.redirectUri).origin}/"`);
    expect(wordsOf(await open('/admin/modules/explore?q=spanning'))).toContain('Not on this server');
    expect(wordsOf(await open('/admin/modules/explore?q=nothing+like+it'))).toContain('No module matches');
  });
});

describe('the overview', () => {
  it('shows how it is connected, what is on, credentials and what happened', async () => {
    await change(app, company, module.instanceId, {
      provisioning: { on: true, values: { permission: 'Team Access', timeZone: 'Europe/Berlin' } },
      deprovisioning: { on: true, graceDays: 7, removal: 'remove' },
    });
    const words = wordsOf(await open(path(module.instanceId)));
    expect(words).toContain('Permissions: Team Access, Time-zone: Europe/Berlin');
    expect(words).toContain('held for 7 days, then deleted');
    expect(words).toMatch(/Machine credentials …[0-9a-f]{6} made just now Not used yet/);
    expect(words).toMatch(/The operator connected Product \d+\./);
    expect(words).toContain('Tenant at the module');
  });

  it('renames, and keeps what was typed when that is refused', async () => {
    const page = await open(path(module.instanceId));
    const refused = await admin.visitor.submit(page, { name: ' ' }, '/rename');
    expect(refused.status).toBe(422);
    expect(wordsOf(refused)).toContain('Enter a name of 1 to 60 characters');
    const long = await admin.visitor.submit(page, { name: 'x'.repeat(61) }, '/rename');
    expect(long.status).toBe(422);
    expect(long.body).toContain('x'.repeat(61));
    const before = (await settings()).version;
    const done = await admin.visitor.submit(page, { name: 'Files <b>' }, '/rename');
    expect(wordsOf(done)).toContain('The module is named Files <b> now.');
    expect(done.body).not.toContain('<b>');
    expect((await settings()).version).toBeGreaterThan(before);
    const [event] = await app.runtime.store.audit.listRecent(1, { action: 'module.rename' });
    expect(event?.details).toMatchObject({ name: 'Files <b>', instanceId: module.instanceId });
  });
});

describe('the settings', () => {
  const at = () => path(module.instanceId, 'settings');
  const form = async () => filled(await open(at()), at());

  it('A8.9 saves all at once, and only on Save', async () => {
    const fields = but(await form(), {
      provisioning: 'yes',
      'values.permission': 'Read only',
      'values.timeZone': 'UTC',
      override: 'The test tenant comes next week',
      deprovisioning: 'yes',
      graceDays: '30',
      removal: 'remove',
    });
    const saved = await post(admin.visitor, at(), fields);
    expect(saved.status).toBe(303);
    expect(await settings()).toMatchObject({
      enabled: true,
      require: { state: 'off' },
      provisioning: { on: true, values: { permission: 'Read only', timeZone: 'UTC' } },
      deprovisioning: { on: true, graceDays: 30, removal: 'remove' },
    });
    expect(await form()).toEqual(
      expect.arrayContaining([
        ['graceDays', '30'],
        ['values.timeZone', 'UTC'],
      ]),
    );
  });

  it('A8.7, C33 refuses provisioning without its values, by field, and keeps what was typed', async () => {
    const fields = but(await form(), {
      provisioning: 'yes',
      'values.permission': 'Team Access',
      'values.timeZone': '',
      graceDays: '91',
      override: 'Because',
    });
    const page = await post(admin.visitor, at(), fields);
    expect(page.status).toBe(422);
    expect(page.body).toContain('value="91"');
    expect(page.body).toContain('value="Because"');
    expect(page.body).toMatch(/<option value="Team Access" selected/);
    const second = await post(admin.visitor, at(), but(fields, { graceDays: '14' }));
    expect(second.status).toBe(422);
    expect(wordsOf(second)).toContain('Choose Time-zone: automatic provisioning needs it.');
    expect(second.body).toMatch(/name="values.timeZone" aria-invalid="true"/);
    expect((await settings()).provisioning.on).toBe(false);
  });

  it('provisioning needs a passed contract test, or a reason that is put on record', async () => {
    const values = { provisioning: 'yes', 'values.permission': 'Team Access', 'values.timeZone': 'UTC' };
    const page = await post(admin.visitor, at(), but(await form(), values));
    expect(page.status).toBe(422);
    expect(page.body).toContain(`href="${path(module.instanceId, 'test')}"`);
    expect((await settings()).provisioning.on).toBe(false);
  });

  it('somebody else was faster: both values are shown, nothing is lost, and the next Save counts', async () => {
    const mine = but(await form(), { deprovisioning: 'yes', graceDays: '30' });
    await change(app, company, module.instanceId, { deprovisioning: { on: false, graceDays: 3, removal: 'disable' } });
    const page = await post(admin.visitor, at(), mine);
    expect(page.status).toBe(409);
    expect(wordsOf(page)).toContain('Somebody else saved these settings');
    expect(wordsOf(page)).toMatch(/Saved meanwhile: 3/);
    expect(wordsOf(page)).toMatch(/Saved meanwhile: off/);
    expect(page.body).toContain('value="30"');
    expect((await settings()).deprovisioning).toMatchObject({ on: false, graceDays: 3 });
    expect((await post(admin.visitor, at(), filled(page, at()))).status).toBe(303);
    expect((await settings()).deprovisioning).toMatchObject({ on: true, graceDays: 30 });
  });

  it('C30 turning the login off asks first, says who loses it, and keeps all else', async () => {
    await change(app, company, module.instanceId, {
      deprovisioning: { on: true, graceDays: 7, removal: 'disable' },
    });
    const asked = await post(admin.visitor, at(), but(await form(), { enabled: null }));
    expect(asked.status).toBe(200);
    expect(wordsOf(asked)).toMatch(/1 person can’t enter Workplace \d+ through KaseyaOne any more/);
    expect((await settings()).enabled).toBe(true);
    expect((await post(admin.visitor, at(), filled(asked, at()))).status).toBe(303);
    const after = await settings();
    expect(after).toMatchObject({ enabled: false, deprovisioning: { on: true, graceDays: 7 } });
    expect(wordsOf(await open(`/admin/modules?q=${module.module.name}&state=off`))).toContain('1 module');
  });

  it('A8.8 turning deprovisioning on says how many accounts are suspended by it', async () => {
    const leaver = await makePerson(app, company, { groups: ['No Module Access'] });
    await tellAccount(app, company, module.instanceId, { id: 'left', userId: leaver.user.id });
    await tellAccount(app, company, module.instanceId, { id: 'stays', userId: admin.person.user.id });
    const asked = await post(admin.visitor, at(), but(await form(), { deprovisioning: 'yes' }));
    expect(wordsOf(asked)).toContain('1 account of somebody who has no access any more is suspended');
    expect((await settings()).deprovisioning.on).toBe(false);
    await post(admin.visitor, at(), filled(asked, at()));
    expect((await settings()).deprovisioning.on).toBe(true);
  });

  it('A8.7 turning provisioning on says first how many accounts it makes at once, and with what; as many are made', async () => {
    const lab = await makeCompany(app, `Making ${++counter}`);
    const { visitor } = await atDesk(app, lab);
    const { instanceId } = await makeConnected(app, lab, {
      product: { name: `Made ${counter}`, product: 'workplace' },
    });
    const { db } = app.runtime;
    await db('module_instances')
      .where({ id: instanceId })
      .update({ scim_url: 'https://workplace.example/scim', sealed_scim_token: 'sealed' });
    const address = path(instanceId, 'settings');
    const form = async () => filled(await visitor.open(address), address);
    const values = { provisioning: 'yes', 'values.permission': 'Team Access', 'values.timeZone': 'Europe/Berlin' };
    // Besides the administrator: one to make; others have no access, an account, an address of their own account, or none verified.
    await makePerson(app, lab);
    await makePerson(app, lab, { groups: ['No Module Access'] });
    const [known, fits, unverified, gone] = [
      await makePerson(app, lab),
      await makePerson(app, lab),
      await makePerson(app, lab),
      await makePerson(app, lab),
    ];
    await tellAccount(app, lab, instanceId, { id: 'known', userId: known.user.id });
    await tellAccount(app, lab, instanceId, { id: 'fits' });
    const { email_key } = await db('users').where({ id: fits.user.id }).first('email_key');
    await db('module_accounts').where({ instance_id: instanceId, external_id: 'fits' }).update({ email_key });
    await db('users').where({ id: unverified.user.id }).update({ email_verified_at: null });
    await deactivateUser(app.operator(), lab.id, gone.user.id);

    const refused = await post(visitor, address, but(await form(), values));
    expect(refused.status, 'what is refused asks nothing').toBe(422);
    const asked = await post(
      visitor,
      address,
      but(await form(), { ...values, override: 'The test tenant comes next week' }),
    );
    expect(wordsOf(asked)).toMatch(/Makes 2 accounts in .* now, with Team Access and Europe\/Berlin\./);
    expect(wordsOf(asked)).toContain('1 person has an account there already');
    expect(asked.body).not.toContain('btn-danger');
    expect((await settingsOf(app, lab, instanceId)).provisioning.on).toBe(false);
    expect((await post(visitor, address, filled(asked, address))).status).toBe(303);
    expect((await settingsOf(app, lab, instanceId)).provisioning.on).toBe(true);
    const hint = {
      companyId: lab.id,
      userIds: null,
      instanceIds: [instanceId],
      cause: 'test',
      actId: newId(),
      actorId: null,
    };
    await reconcile(app.operator(), hint);
    const made = await db('deliveries').where({ instance_id: instanceId, act: 'create' });
    expect(made.map(({ user_id }) => user_id)).toContain(fits.user.id);
    expect(made, 'and one that is tied').toHaveLength(3);
    expect((await post(visitor, address, but(await form(), { graceDays: '9' }))).status, 'it is on already').toBe(303);
  });

  it('A8.7 access groups decide whom provisioning makes an account for, and with which permission', async () => {
    const lab = await makeCompany(app, `Ruling ${++counter}`);
    const { visitor } = await atDesk(app, lab, { groups: ['No Module Access'] });
    const { instanceId } = await makeConnected(app, lab, {
      product: { name: `Ruled ${counter}`, product: 'workplace' },
    });
    await app.runtime
      .db('module_instances')
      .where({ id: instanceId })
      .update({ scim_url: 'https://workplace.example/scim', sealed_scim_token: 'sealed' });
    const [inside] = [await makePerson(app, lab), await makePerson(app, lab)];
    const ruled = await createGroup(app.operator(), lab.id, {
      name: 'Ruled',
      isActive: true,
      instanceIds: [instanceId],
    });
    await addMembers(app.operator(), lab.id, ruled.id, [inside.user.id]);
    await change(app, lab, instanceId, {
      accessGroups: { on: true, rules: [{ groupId: ruled.id, permission: 'Read only' }] },
    });
    const address = path(instanceId, 'settings');
    const fields = but(filled(await visitor.open(address), address), {
      provisioning: 'yes',
      'values.permission': 'Team Access',
      'values.timeZone': 'UTC',
      override: 'The test tenant comes next week',
    });
    expect(wordsOf(await post(visitor, address, fields))).toMatch(
      /Makes 1 account in .* now, with the permission of the access groups and UTC\./,
    );
  });

  it('turning Require on saves the rest, and leads to the page that looks first', async () => {
    const page = await post(admin.visitor, at(), but(await form(), { require: 'yes', graceDays: '9' }));
    expect(page.headers.location).toMatch(new RegExp(`${path(module.instanceId, 'require')}$`));
    expect(await settings()).toMatchObject({ require: { state: 'off' }, deprovisioning: { graceDays: 9 } });
  });

  it('a product shows only what it can do', async () => {
    const plain = await makeConnected(app, company, { product: { name: 'Plain', product: 'spanning' } });
    const words = wordsOf(await open(path(plain.instanceId, 'settings')));
    expect(words).toContain('Enable Log In with KaseyaOne');
    expect(words).not.toContain('Enable Automatic User Provisioning');
    for (const tab of ['require', 'exceptions', 'access-groups'])
      expect((await admin.visitor.send(path(plain.instanceId, tab))).status, tab).toBe(404);
  });

  it('nonsense in the form is refused, and changes nothing', async () => {
    const before = await settings();
    for (const changes of [{ graceDays: 'soon' }, { removal: 'burn' }, { graceDays: '-1' }, { graceDays: '1e9' }]) {
      const page = await post(admin.visitor, at(), but(await form(), changes));
      expect(page.status, JSON.stringify(changes)).toBe(422);
    }
    expect((await post(admin.visitor, at(), but(await form(), { version: 'x' }))).status).toBe(409);
    expect(await settings()).toEqual(before);
  });
});

describe('disconnecting', () => {
  it('A8.3 says who loses what and what stays, and then does it', async () => {
    await tellAccount(app, company, module.instanceId, { id: '17', userId: admin.person.user.id });
    const at = path(module.instanceId, 'disconnect');
    const asked = await open(at);
    expect(wordsOf(asked)).toContain(`1 person loses Workplace ${counter} in KaseyaOne at once`);
    expect(wordsOf(asked)).toContain('1 account at the module that belongs to people here stays');
    const done = await admin.visitor.follow(await post(admin.visitor, at, filled(asked, at)));
    expect(wordsOf(done)).toContain(`Workplace ${counter} is disconnected.`);
    for (const tab of ['', 'settings', 'disconnect'])
      expect((await admin.visitor.send(path(module.instanceId, tab))).status).toBe(404);
  });

  it("API-02 another company's module cannot be disconnected, renamed or set", async () => {
    for (const tab of ['disconnect', 'rename', 'settings', 'require/start', 'exceptions/new', 'access-groups'])
      expect((await post(admin.visitor, path(foreign.instanceId, tab), [['name', 'Mine']])).status, tab).toBe(404);
    expect(await app.runtime.db('module_instances').where({ id: foreign.instanceId })).toHaveLength(1);
  });
});
