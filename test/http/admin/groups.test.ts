// Groups as an administrator sees and changes them (A3.6, A3.7, B.4, C19-C21, D.10 no. 11).
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Company } from '../../../src/domain/companies/company.ts';
import { createGroup } from '../../../src/domain/groups/commands.ts';
import type { Group } from '../../../src/domain/groups/group.ts';
import { addMembers } from '../../../src/domain/groups/member-commands.ts';
import type { InstanceId } from '../../../src/lib/ids.ts';
import { newId } from '../../../src/lib/ids.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import { postRaw, signedInVisitor } from '../../support/attempts.ts';
import { makeCompany, makeModule, makePerson, type TestModule, type TestPerson } from '../../support/people.ts';
import { formsOf, type Page, type Visitor, wordsOf } from '../../support/visitor.ts';

let app: TestApp;
let company: Company;
let root: TestPerson;
let admin: TestPerson;
let visitor: Visitor;
let all: Group;
let none: Group;
let foreignGroup: Group;
let foreigner: TestPerson;
let module: TestModule;
let instanceId: InstanceId;
let group: Group;
let ben: TestPerson;
let counter = 0;

const instanceOf = async (of: TestModule): Promise<InstanceId> => {
  const [row]: { id: InstanceId }[] = await app.runtime.db('module_instances').where({ module_id: of.module.id });
  if (!row) throw new Error('not connected');
  return row.id;
};
const make = (name = `Group ${++counter}`, instanceIds = [instanceId]) =>
  createGroup(app.operator(), company.id, { name, isActive: true, instanceIds });
const path = (of: Group, tab = '') => `/admin/groups/${of.id}${tab === '' ? '' : `/${tab}`}`;
const groupsOf = async ({ user }: TestPerson) =>
  (await app.runtime.store.of(company.id).groups.listOf(user.id)).map(({ name }) => name);
/** Sends a form with fields that repeat, such as check boxes. */
async function send(page: Page, action: string, fields: [string, string][]): Promise<Page> {
  const form = formsOf(page).find((one) => one.action.endsWith(action));
  if (!form) throw new Error(`no form to ${action} on ${page.url}: ${wordsOf(page)}`);
  const hidden = hiddenOf(page, action).filter(
    ([name]) => !fields.some(([one]) => one === name && one !== 'id' && one !== 'module'),
  );
  const body = new URLSearchParams([...hidden, ...fields]).toString();
  const headers = { 'content-type': 'application/x-www-form-urlencoded', origin: visitor.origin };
  return visitor.follow(await visitor.send(form.action, { method: 'POST', body, headers }));
}
/** Hidden fields of a form, repeated ones included. */
function hiddenOf(page: Page, action: string): [string, string][] {
  const form =
    [...page.body.matchAll(/<form\b[\s\S]*?<\/form>/g)]
      .map(([text]) => text)
      .find((text) => text.includes(`${action}"`)) ?? '';
  return [...form.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)">/g)].map(
    ([, name = '', value = '']) => [name, value],
  );
}

beforeAll(async () => {
  app = await startApp();
  company = await makeCompany(app, 'Northwind IT');
  const other = await makeCompany(app, 'Another Company');
  root = await makePerson(app, company, { role: 'Root Admin', username: 'root' });
  admin = await makePerson(app, company, { role: 'Admin', username: 'ada' });
  foreigner = await makePerson(app, other, { role: 'Admin' });
  foreignGroup = await createGroup(app.operator(), other.id, { name: 'Theirs', isActive: true });
  module = await makeModule(app, [company], {}, { name: 'Workplace' });
  instanceId = await instanceOf(module);
  const { groups } = app.runtime.store.of(company.id);
  all = await groups.getSystem('system-all');
  none = await groups.getSystem('system-none');
  visitor = await signedInVisitor(app, admin);
});
afterAll(() => app.stop());
beforeEach(async () => {
  group = await make();
  ben = await makePerson(app, company, { username: `ben${++counter}`, groups: [group.name], totpSecret: null });
});

const everyPage = () =>
  ['', 'add', 'modules', 'settings', 'activate', 'deactivate', 'delete', `remove/${ben.user.id}`].map((tab) =>
    path(group, tab),
  );
const everyPost = () => ['members', 'remove-members', 'modules', 'settings', 'activate', 'deactivate', 'delete'];

describe('who may', () => {
  it('API-01 Root Admin and Admin see every page; every other role is refused everywhere', async () => {
    const rootVisitor = await signedInVisitor(app, root);
    for (const page of ['/admin/groups', '/admin/groups/new', ...everyPage()]) {
      expect((await visitor.send(page)).status, page).toBe(200);
      expect((await rootVisitor.send(page)).status, page).toBe(200);
    }
    for (const role of ['Billing and Purchasing', 'User', 'Co-Managed User'] as const) {
      const other = await signedInVisitor(app, await makePerson(app, company, { role }));
      for (const page of ['/admin/groups', '/admin/groups/new', ...everyPage()])
        expect((await other.send(page)).status, `${role} ${page}`).toBe(403);
      for (const post of everyPost())
        expect((await postRaw(other, path(group, post), { confirmed: 'yes', id: ben.user.id })).status).toBe(403);
      expect((await postRaw(other, '/admin/groups', { name: 'Mine' })).status).toBe(403);
    }
    expect((await app.visitor().send('/admin/groups')).status).toBe(303);
    expect(await groupsOf(ben)).toEqual([group.name]);
  });

  it("API-02 another company's group, person or module does not exist, nor does what is no id", async () => {
    for (const id of [foreignGroup.id, newId(), 'nonsense', "1' or '1'='1"]) {
      const base = `/admin/groups/${encodeURIComponent(id)}`;
      for (const tab of [
        '',
        '/add',
        '/modules',
        '/settings',
        '/activate',
        '/deactivate',
        '/delete',
        `/remove/${ben.user.id}`,
      ])
        expect((await visitor.send(`${base}${tab}`)).status, tab).toBe(404);
      for (const post of everyPost())
        expect((await postRaw(visitor, `${base}/${post}`, { id: ben.user.id, confirmed: 'yes' })).status).toBe(404);
    }
    expect((await visitor.send(path(group, `remove/${foreigner.user.id}`))).status).toBe(404);
    for (const post of ['members', 'remove-members'])
      expect((await postRaw(visitor, path(group, post), { id: foreigner.user.id, confirmed: 'yes' })).status).toBe(404);
    const foreign = await makeModule(app, [foreigner.company]);
    const fields = { module: await instanceOf(foreign), was: '', confirmed: 'yes' };
    expect((await postRaw(visitor, path(group, 'modules'), fields)).status).toBe(404);
  });

  it('WEB-06 nothing changes without the token of the form', async () => {
    for (const address of ['/admin/groups', ...everyPost().map((post) => path(group, post))]) {
      const page = await visitor.send(address, { form: { name: 'X', id: ben.user.id, confirmed: 'yes' } });
      expect(page.status, address).toBe(403);
    }
    expect((await app.runtime.store.of(company.id).groups.findById(group.id))?.name).toBe(group.name);
    expect(await groupsOf(ben)).toEqual([group.name]);
  });
});

describe('the list', () => {
  it('shows system groups on their own ground and custom ones, with members, modules and the Inactive Group mark', async () => {
    await createGroup(app.operator(), company.id, { name: 'Asleep', isActive: false });
    const page = await visitor.send('/admin/groups?size=200');
    expect(page.body.match(/class="row-system"/g)).toHaveLength(2);
    const rows = [...page.body.matchAll(/<tr[^>]*>[\s\S]*?<\/tr>/g)].map(([row]) => wordsOf({ ...page, body: row }));
    expect(rows[1]).toMatch(/^All Module Access System group Active \d+ members \d+ modules?$/);
    expect(rows.find((row) => row.startsWith('Asleep'))).toBe('Asleep Custom group Inactive Group 0 members 0 modules');
    expect(rows.find((row) => row.startsWith(`${group.name} `))).toBe(
      `${group.name} Custom group Active 1 member 1 module`,
    );
  });

  it('is searched, filtered and ordered by its address; nonsense and injection change nothing (API-07)', async () => {
    await createGroup(app.operator(), company.id, { name: 'Zebra 100%', isActive: true });
    const names = async (query: string) =>
      [
        ...(await visitor.send(`/admin/groups?size=200&${query}`)).body.matchAll(/class="cell-link"[^>]*>([^<]*)</g),
      ].map(([, name]) => name);
    expect(await names('q=ZEBRA')).toEqual(['Zebra 100%']);
    expect(await names('q=100%25')).toEqual(['Zebra 100%']);
    expect(await names('q=nobody-has-this')).toEqual([]);
    expect((await names('state=inactive')).every((name) => name !== group.name)).toBe(true);
    const sorted = await names('sort=name');
    expect(await names('sort=name&direction=descending')).toEqual(sorted.toReversed());
    expect(await names("sort=name'; drop table users--&direction=x&page=-1&size=1e9")).toEqual(await names(''));
    expect(wordsOf(await visitor.send('/admin/groups?q=nobody-has-this'))).toContain('No group matches');
  });
});

describe('a new group', () => {
  it('comes with its modules, and leads on to its members', async () => {
    const form = await visitor.send('/admin/groups/new');
    const page = await send(form, '/admin/groups', [
      ['name', ' Field service '],
      ['active', 'yes'],
      ['module', instanceId],
    ]);
    expect(new URL(page.url).pathname).toMatch(/^\/admin\/groups\/[0-9a-f-]{36}$/);
    expect(wordsOf(page)).toContain('Field service');
    expect(wordsOf(page)).toContain('1 module');
    expect(wordsOf(page)).toContain('Nobody is in this group');
    const [event] = await app.runtime.store.audit.listRecent(1, { action: 'group.create' });
    expect(event).toMatchObject({
      actor: { id: admin.user.id },
      details: { name: 'Field service', modules: ['Workplace'] },
    });
  });

  it.each([
    ['', 'Enter a name for the group.', 422],
    ['x'.repeat(81), 'A group name has 80 characters at most.', 422],
    ['a;b', 'A group name cannot contain ; &#60; or &#62;.', 422],
    ['All Module Access', 'There is a group of this name already.', 409],
  ])('that is refused keeps what was typed: %s', async (name, sentence, status) => {
    const form = await visitor.send('/admin/groups/new');
    const page = await send(form, '/admin/groups', [
      ['name', name],
      ['module', instanceId],
    ]);
    expect(page.status).toBe(status);
    expect(page.body).toContain(sentence);
    expect(page.body).toContain(`value="${name}"`);
    expect(page.body).toMatch(new RegExp(`value="${instanceId}" checked`));
    expect(page.body).not.toContain('name="active" value="yes" checked');
  });

  it('WEB-08 API-03 takes a name as words only, and no field that is not its own', async () => {
    const form = await visitor.send('/admin/groups/new');
    const page = await send(form, '/admin/groups', [
      ['name', 'R&D "quoted" \'all\''],
      ['kind', 'system-all'],
      ['id', group.id],
      ['company_id', foreigner.company.id],
    ]);
    expect(page.status).toBe(200);
    expect(page.body).toContain('R&#38;D &#34;quoted&#34; &#39;all&#39;');
    const [made] = await app.runtime.store.of(company.id).groups.findByNames(['R&D "quoted" \'all\'']);
    expect(made).toMatchObject({ kind: 'custom', isActive: false });
  });
});

describe('members', () => {
  it('are listed, searched and ordered', async () => {
    const zoe = await makePerson(app, company, { username: `zoe${++counter}`, groups: [group.name], totpSecret: null });
    const found = wordsOf(await visitor.send(`${path(group)}?q=${zoe.user.username}`));
    expect(found).toContain('1 member matches');
    expect(found).not.toContain(ben.user.username);
    const page = await visitor.send(`${path(group)}?sort=username&direction=descending`);
    expect(page.body.indexOf(zoe.user.username)).toBeLessThan(page.body.indexOf(ben.user.username));
    expect(page.body).toContain('aria-sort="descending"');
    expect(wordsOf(await visitor.send(`${path(group)}?q=nobody`))).toContain('No member matches');
  });

  it('are added from a search, many at once; who is in already is marked', async () => {
    const [eve, eli] = [
      await makePerson(app, company, { username: `eve${++counter}`, totpSecret: null }),
      await makePerson(app, company, { username: `eli${++counter}`, totpSecret: null }),
    ];
    const found = await visitor.send(path(group, 'add?q=example.com&size=200'));
    expect(found.body).toMatch(new RegExp(`candidate-in[\\s\\S]*?${ben.user.username}`));
    const page = await send(found, '/members', [
      ['id', eve.user.id],
      ['id', eli.user.id],
    ]);
    expect(wordsOf(page)).toMatch(/are in Group \d+ now\./);
    expect(await groupsOf(eve)).toEqual(['All Module Access', group.name]);
    expect(await groupsOf(eli)).toEqual(['All Module Access', group.name]);
    expect(wordsOf(await visitor.send(path(group, 'add?q=nobody-has-this')))).toContain('Nobody matches');
    expect(wordsOf(await send(found, '/members', []))).toContain('Choose at least one person.');
  });

  it('are removed after a page that says who loses what, and who has it still', async () => {
    const keeps = await make();
    await addMembers(app.operator(), company.id, keeps.id, [ben.user.id]);
    const still = wordsOf(await visitor.send(path(group, `remove/${ben.user.id}`)));
    expect(still).toContain(`Still open: 1 person through “${keeps.name}”`);
    expect(still).not.toContain('loses access');
    const eve = await makePerson(app, company, { username: `eve${++counter}`, groups: [group.name], totpSecret: null });
    const list = await visitor.send(path(group));
    const asked = await send(list, '/remove-members', [
      ['id', ben.user.id],
      ['id', eve.user.id],
    ]);
    expect(wordsOf(asked)).toContain('1 person loses access at once');
    expect(wordsOf(asked)).toContain('Workplace');
    expect(await groupsOf(eve), 'nothing has happened yet').toEqual([group.name]);
    const page = await send(asked, '/remove-members', []);
    expect(wordsOf(page)).toContain(`no longer in ${group.name}`);
    expect(await groupsOf(eve)).toEqual(['No Module Access']);
    expect(await groupsOf(ben)).toEqual([keeps.name]);
  });

  it('B.4 the Root Admin has no way out of All Module Access: not offered, and refused with the rule', async () => {
    const page = await visitor.send(`${path(all)}?q=root`);
    expect(page.body).not.toContain(`/remove/${root.user.id}`);
    expect(page.body).not.toContain(`value="${root.user.id}"`);
    const refused = await postRaw(visitor, path(all, 'remove-members'), { id: root.user.id, confirmed: 'yes' });
    expect(wordsOf(await visitor.follow(refused))).toContain('The Root Admin stays in All Module Access.');
    const none409 = await postRaw(visitor, path(none, 'members'), { id: root.user.id });
    expect(wordsOf(await visitor.follow(none409))).toContain('The Root Admin stays in All Module Access.');
    expect(await groupsOf(root)).toEqual(['All Module Access']);
  });

  it('C19 adding to No Module Access asks first, since everything is lost by it; leaving it is by joining', async () => {
    const found = await visitor.send(path(none, `add?q=${ben.user.username}`));
    const asked = await send(found, '/members', [['id', ben.user.id]]);
    expect(asked.url).toContain('/members');
    expect(wordsOf(asked)).toContain('1 person loses access');
    expect(await groupsOf(ben)).toEqual([group.name]);
    await send(asked, '/members', []);
    expect(await groupsOf(ben)).toEqual(['No Module Access']);
    const page = await visitor.send(path(none));
    expect(page.body).not.toContain('/remove/');
    expect(page.body).not.toContain('type="checkbox"');
  });
});

describe('modules', () => {
  it('are saved; taking one away shows first who loses it', async () => {
    const name = `Second ${++counter}`;
    const second = await makeModule(app, [company], {}, { name });
    const secondId = await instanceOf(second);
    const page = await visitor.send(path(group, 'modules'));
    expect(page.body).toMatch(new RegExp(`value="${instanceId}" checked`));
    const added = await send(page, '/modules', [
      ['module', instanceId],
      ['module', secondId],
    ]);
    expect(wordsOf(added)).toContain(`The modules of ${group.name} are saved.`);
    const asked = await send(added, '/modules', [['module', secondId]]);
    expect(wordsOf(asked)).toContain('Workplace 1 person loses access Pat Example');
    const cancel = await visitor.send(path(group, 'modules'));
    expect(cancel.body).toMatch(new RegExp(`value="${instanceId}" checked`));
    await send(asked, '/modules', []);
    const after = await visitor.send(path(group, 'modules'));
    expect(after.body).not.toMatch(new RegExp(`value="${instanceId}" checked`));
    expect(after.body).toMatch(new RegExp(`value="${secondId}" checked`));
    const [event] = await app.runtime.store.audit.listRecent(1, { action: 'group.edit' });
    expect(event?.details).toMatchObject({
      before: { modules: [name, 'Workplace'] },
      after: { modules: [name] },
    });
  });

  it('a choice that another administrator made meanwhile stays', async () => {
    const other = await instanceOf(await makeModule(app, [company], {}, { name: `Other ${++counter}` }));
    const mine = await visitor.send(path(group, 'modules'));
    const theirs = await visitor.send(path(group, 'modules'));
    await send(theirs, '/modules', [
      ['module', instanceId],
      ['module', other],
    ]);
    await send(mine, '/modules', [['module', instanceId]]);
    expect((await visitor.send(path(group, 'modules'))).body).toMatch(new RegExp(`value="${other}" checked`));
  });

  it('of a system group can be seen, and not changed', async () => {
    const page = await visitor.send(path(all, 'modules'));
    expect(page.body).toContain('disabled');
    expect(formsOf(page).filter(({ action }) => action.endsWith('/modules'))).toEqual([]);
    expect((await postRaw(visitor, path(all, 'modules'), { was: instanceId, confirmed: 'yes' })).status).toBe(409);
    expect((await visitor.send(path(all, 'modules'))).body).toMatch(new RegExp(`value="${instanceId}" checked`));
  });
});

describe('settings', () => {
  it('rename, with the message at the field when the name is taken', async () => {
    const taken = await make();
    const page = await visitor.send(path(group, 'settings'));
    const refused = await send(page, '/settings', [['name', taken.name]]);
    expect(refused.status).toBe(409);
    expect(refused.body).toContain(`value="${taken.name}"`);
    expect(refused.body).toContain('aria-invalid="true"');
    const renamed = `Renamed ${++counter}`;
    expect(wordsOf(await send(page, '/settings', [['name', renamed]]))).toContain(`The group is named ${renamed} now.`);
  });

  it('deactivate and activate say before who loses and who gets what, and D.10 no. 11 it counts at once', async () => {
    const asked = await visitor.send(path(group, 'deactivate'));
    expect(wordsOf(asked)).toContain('Workplace 1 person loses access Pat Example');
    const done = await send(asked, '/deactivate', []);
    expect(wordsOf(done)).toContain('Inactive Group');
    expect(await app.runtime.store.of(company.id).instances.listReachable(ben.user.id)).toEqual([]);
    const back = await visitor.send(path(group, 'activate'));
    expect(wordsOf(back)).toContain('1 person gets access');
    await send(back, '/activate', []);
    expect(await app.runtime.store.of(company.id).instances.listReachable(ben.user.id)).toHaveLength(1);
  });

  it('delete asks with what is lost, and leaves nobody without a group (C20)', async () => {
    const asked = await visitor.send(path(group, 'delete'));
    expect(wordsOf(asked)).toContain('1 person loses access');
    expect(wordsOf(asked)).toContain('You can’t undo it.');
    const page = await send(asked, '/delete', []);
    expect(new URL(page.url).pathname).toBe('/admin/groups');
    expect(wordsOf(page)).toContain(`${group.name} is deleted.`);
    expect((await visitor.send(path(group))).status).toBe(404);
    expect(await groupsOf(ben)).toEqual(['No Module Access']);
  });

  it('B.4 of a system group are none, and its acts are refused with the rule', async () => {
    for (const one of [all, none]) {
      expect(wordsOf(await visitor.send(path(one, 'settings')))).toContain('A system group');
      for (const act of ['deactivate', 'activate', 'delete']) {
        expect((await visitor.send(path(one, act))).status).toBe(409);
        const page = await postRaw(visitor, path(one, act), {});
        expect(page.status).toBe(409);
        expect(wordsOf(page)).toContain('is a system group');
      }
      expect((await postRaw(visitor, path(one, 'settings'), { name: 'Mine' })).status).toBe(409);
    }
  });
});
