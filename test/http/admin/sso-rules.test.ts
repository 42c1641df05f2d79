// Mapping rules as a draft, the plan over everybody, its being applied, a second administrator, undo; enforcing with its pre-flight.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Company } from '../../../src/domain/companies/company.ts';
import { addBreakGlass } from '../../../src/domain/federation/break-glass-commands.ts';
import type { StoredConnection } from '../../../src/domain/federation/connection-repository.ts';
import { cameInThrough } from '../../../src/domain/federation/enforce-commands.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import { but, filled, post } from '../../support/connected.ts';
import { type AtDesk, atDesk } from '../../support/console.ts';
import {
  arrive,
  claimsOf,
  getConnection,
  groupsOf,
  makeConnection,
  propose,
  runTask,
} from '../../support/federation.ts';
import { makeCompany, makePerson } from '../../support/people.ts';
import { type Page, wordsOf as text } from '../../support/visitor.ts';

let app: TestApp;
beforeAll(async () => {
  app = await startApp();
  // With one company alone nobody would be asked for its name.
  for (let i = 0; i < 2; i += 1) await makeCompany(app);
}, 60_000);
afterAll(() => app.stop());

interface Stage {
  company: Company;
  admin: AtDesk;
  connection: StoredConnection;
  path: string;
}

/** A connection through which people with these groups came. */
async function stage(people: Record<string, string[]> = {}): Promise<Stage> {
  const company = await makeCompany(app);
  const admin = await atDesk(app, company);
  const connection = await makeConnection(app, company, { name: 'Contoso' });
  for (const [name, groups] of Object.entries(people))
    await arrive(app, connection, claimsOf(`${name}@contoso.example`, { groups: groupsOf(...groups) }));
  return { company, admin, connection, path: `/admin/sso/${connection.id}` };
}

type Rule = { test?: string; claim?: string; value: string; role?: string; groups?: string[]; stops?: boolean };

const fieldsOf = (version: number, on: boolean, rules: Rule[]): [string, string][] => [
  ['version', String(version)],
  ...(on ? [['on', 'yes'] as [string, string]] : []),
  ...rules.flatMap(({ test = 'group', claim = '', value, role = '', groups = [], stops }, at): [string, string][] => [
    ['id', ''],
    ['test', test],
    ['claim', claim],
    ['value', value],
    ['role', role],
    ...groups.map((id): [string, string] => ['group', `${at}:${id}`]),
    ...(stops ? [['stops', String(at)] as [string, string]] : []),
  ]),
];

const send = ({ admin, path }: Stage, fields: [string, string][]): Promise<Page> =>
  post(admin.visitor, `${path}/rules`, fields);

const field: Rule = { value: 'Field', role: 'User' };

async function planned(on: Stage, mapping: boolean, rules: Rule[]): Promise<string> {
  const { version } = await getConnection(app, on.company, on.connection.id);
  const page = await send(on, fieldsOf(version, mapping, rules));
  expect(page.status, text(page)).toBe(303);
  return page.headers.location ?? '';
}

describe('mapping rules', () => {
  it('C22 are a draft without script: added, moved, removed, and nothing counts', async () => {
    const on = await stage();
    const { version } = on.connection;
    const two = [field, { test: 'one-of', claim: 'department', value: 'IT; Sales', role: 'Admin', stops: true }];
    const moved = await send(on, [...fieldsOf(version, true, two), ['act', 'up.1']]);
    const fields = filled(moved, `${on.path}/rules`);
    expect(fields.filter(([name]) => name === 'value').map(([, value]) => value)).toEqual(['IT; Sales', 'Field']);
    // The box that was ticked went with its rule.
    expect(fields.filter(([name]) => name === 'stops')).toEqual([['stops', '0']]);
    const removed = await send(on, [...fieldsOf(version, true, two), ['act', 'remove.0']]);
    expect(filled(removed, `${on.path}/rules`).filter(([name]) => name === 'value')).toEqual([['value', 'IT; Sales']]);
    const added = await send(on, [...fieldsOf(version, true, two), ['act', 'add']]);
    expect(filled(added, `${on.path}/rules`).filter(([name]) => name === 'value')).toHaveLength(3);
    const { mappingRules } = app.runtime.store.of(on.company.id);
    expect(await mappingRules.list(on.connection.id)).toEqual([]);
  });

  it('say at the rule what is wrong with it, and keep all of them', async () => {
    const on = await stage();
    const page = await send(on, fieldsOf(on.connection.version, false, [field, { value: 'Sales' }]));
    expect(page.status).toBe(422);
    expect(page.body).toContain('value="Sales"');
    expect(page.body.split('class="sso-rule"')[2]).toContain('Choose a role, or at least one access group.');
    const none = await send(on, fieldsOf(on.connection.version, true, []));
    expect(none.status).toBe(422);
    expect(text(none)).toContain('Enable Mapping Rules needs a rule');
  });

  it('that somebody else changed meanwhile are shown beside the draft: 409', async () => {
    const on = await stage();
    const page = await send(on, fieldsOf(on.connection.version - 1, false, [field]));
    expect(page.status).toBe(409);
    expect(text(page)).toContain('Enable Mapping Rules is off');
    expect(page.body).toContain('value="Field"');
  });

  it('keep their ids and groups from one plan to the next', async () => {
    const on = await stage({ mia: ['Field'] });
    const [group] = await app.runtime.store.of(on.company.id).groups.list();
    const plan = await planned(on, false, [{ ...field, groups: [group?.id ?? ''], stops: true }]);
    await on.admin.visitor.submit(await on.admin.visitor.open(`${plan}/apply`), {}, '/apply');
    const { mappingRules } = app.runtime.store.of(on.company.id);
    const [rule] = await mappingRules.list(on.connection.id);
    expect(rule).toMatchObject({ when: { kind: 'group', value: 'Field' }, groupIds: [group?.id], stops: true });
    const form = await on.admin.visitor.open(`${on.path}/rules`);
    const again = await send(on, but(filled(form, `${on.path}/rules`), { value: 'Fields' }));
    await on.admin.visitor.submit(await on.admin.visitor.open(`${again.headers.location}/apply`), {}, '/apply');
    expect((await mappingRules.list(on.connection.id))[0]).toMatchObject({ id: rule?.id, when: { value: 'Fields' } });
  });
});

describe('the plan', () => {
  it('T15 shows who a typo would deactivate before anything happens, and can be dropped', async () => {
    const on = await stage({ mia: ['Field'], leo: ['Field'], kim: ['Sales'] });
    const plan = await planned(on, true, [{ ...field, value: 'Feild' }]);
    const page = await on.admin.visitor.open(plan);
    expect(text(page)).toContain('Deactivated 3 Reactivated 0');
    expect(text(page)).toMatch(/Enable Mapping Rules is turned on\. New rule 1\. group “Feild” → User/);
    const found = await on.admin.visitor.open(`${plan}?q=mia&act=deactivate`);
    expect(text(found)).toContain('1 person');
    expect(text(found)).not.toContain('leo@contoso.example');
    const csv = await on.admin.visitor.send(`${plan}/export`);
    expect(csv.headers['content-type']).toContain('text/csv');
    expect(csv.body).toContain('kim@contoso.example');
    expect(text(await on.admin.visitor.submit(page, {}, '/drop'))).toContain('Nothing has been changed');
    expect(await app.runtime.store.of(on.company.id).mappingRules.list(on.connection.id)).toEqual([]);
  });

  it('T15, T18 is applied as it stands after a question, and undone', async () => {
    const on = await stage({ mia: ['Field'], kim: ['Sales'] });
    const plan = await planned(on, true, [field]);
    const ask = await on.admin.visitor.open(`${plan}/apply`);
    expect(text(ask)).toContain('1 person is deactivated, and logged out everywhere at once.');
    const task = await on.admin.visitor.submitOnce(ask, {}, '/apply');
    expect(task.headers.location).toMatch(/^\/admin\/tasks\//);
    await runTask(app, on.company, task.headers.location?.split('/').at(-1) ?? '');
    const report = await on.admin.visitor.open(task.headers.location ?? '');
    expect(report.body).toContain('href="/admin/sso" aria-current="page"');
    expect(report.body).toContain(`href="${plan}">Back to the plan</a>`);
    expect(text(report).match(/\bDone\b/g)).toHaveLength(1);
    const kim = async () =>
      (await app.runtime
        .db('users')
        .where({ company_id: on.company.id, email_key: 'kim@contoso.example' })
        .first()) as {
        base_status: string;
      };
    expect((await kim()).base_status).toBe('Deactivated');
    const undo = await on.admin.visitor.submitOnce(await on.admin.visitor.open(`${plan}/undo`), {}, '/undo');
    await runTask(app, on.company, undo.headers.location?.split('/').at(-1) ?? '');
    expect((await kim()).base_status).toBe('Active');
    expect(text(await on.admin.visitor.open(plan))).toContain('Undone');
  });

  it('is refused with the difference when its inputs have changed', async () => {
    const on = await stage({ mia: ['Field'], kim: ['Sales'] });
    const plan = await planned(on, true, [field]);
    await arrive(app, on.connection, claimsOf('kim@contoso.example', { groups: groupsOf('Field') }));
    const page = await on.admin.visitor.open(plan);
    expect(text(page)).toContain('Something has changed since this plan was made.');
    expect(page.body).not.toContain(`${plan}/apply`);
    // Whom it concerns is worked out for those who ask, or have tried.
    expect(page.body).not.toContain('difference-list');
    const asked = await on.admin.visitor.open(`${plan}?changes=yes`);
    const forced = await post(on.admin.visitor, `${plan}/apply`, []);
    expect(forced.status).toBe(409);
    for (const told of [asked, forced]) {
      expect(text(told)).toContain('1 person is not as they were');
      expect(text(told)).toContain('kim@contoso.example Was:');
      expect(told.body).not.toContain('changes=yes');
    }
    expect((await on.admin.visitor.send(`${plan}/apply`)).headers.location).toBe(plan);
  });

  it('that takes an administrator away waits for a second one', async () => {
    const on = await stage({ boss: ['Sales'] });
    await app.runtime
      .db('users')
      .where({ company_id: on.company.id, email_key: 'boss@contoso.example' })
      .update({ role: 'Admin' });
    const plan = await planned(on, true, [field]);
    const asked = await on.admin.visitor.submit(await on.admin.visitor.open(`${plan}/apply`), {}, '/apply');
    expect(text(asked)).toContain('Waits for a second administrator');
    expect(asked.body).not.toContain(`${plan}/apply`);
    const second = await atDesk(app, on.company);
    const page = await second.visitor.open(plan);
    expect(text(page)).toContain('you confirm it as the second administrator');
    const done = await second.visitor.submitOnce(await second.visitor.open(`${plan}/apply`), {}, '/apply');
    expect(done.headers.location).toMatch(/^\/admin\/tasks\//);
  });

  it('that made somebody an administrator is undone by two: one asks, the page says so, another one does it', async () => {
    const on = await stage({ mia: ['Field'] });
    const plan = await planned(on, false, [{ ...field, role: 'Admin' }]);
    const task = await on.admin.visitor.submitOnce(await on.admin.visitor.open(`${plan}/apply`), {}, '/apply');
    await runTask(app, on.company, task.headers.location?.split('/').at(-1) ?? '');
    const question = await on.admin.visitor.open(`${plan}/undo`);
    expect(text(question)).toContain('It takes an administrator away. Nothing changes before another administrator');
    const asked = await on.admin.visitor.submit(question, {}, '/undo');
    expect(text(asked)).toContain('You have asked for it to be undone');
    expect(asked.body).not.toContain(`${plan}/undo`);
    const second = await atDesk(app, on.company);
    expect(text(await second.visitor.open(plan))).toContain('you confirm that as the second administrator');
    const undo = await second.visitor.submitOnce(await second.visitor.open(`${plan}/undo`), {}, '/undo');
    expect(undo.headers.location).toMatch(/^\/admin\/tasks\//);
  });

  it('that turned the connection off brings back the rules only, where no test was passed, and says so', async () => {
    const on = await stage({ mia: ['Field'] });
    const id = await propose(app, on.company, on.connection.id, { enabled: false });
    const plan = `${on.path}/plans/${id}`;
    const question = await on.admin.visitor.open(`${plan}/undo`);
    expect(text(question)).toContain('The connection stays off');
    const done = await on.admin.visitor.submit(question, {}, '/undo');
    expect(text(done)).toContain('Test it, then enable it.');
  });

  it('with a typo says that nobody has come with that group, and leads back to the rules as they were typed', async () => {
    const on = await stage({ mia: ['Field'], pat: ['Sales'] });
    const plan = await planned(on, true, [
      { value: 'Feild', role: 'Admin' },
      { value: 'Sales', role: 'User' },
    ]);
    const page = await on.admin.visitor.open(plan);
    expect(text(page)).toContain('Nobody has come with the group “Feild” so far. Did you mean “Field”?');
    expect(text(page)).not.toContain('“Sales” so far');
    const href = /href="([^"]+\/rules\?plan=[^"]+)"/.exec(page.body)?.[1] ?? '';
    const rules = `${on.path}/rules`;
    const draft = filled(await on.admin.visitor.open(href), rules);
    expect(draft.filter(([name]) => ['on', 'value', 'role'].includes(name))).toEqual([
      ['on', 'yes'],
      ['value', 'Feild'],
      ['role', 'Admin'],
      ['value', 'Sales'],
      ['role', 'User'],
    ]);
    // What counts is still what was saved.
    expect(filled(await on.admin.visitor.open(rules), rules).some(([name]) => name === 'value')).toBe(false);
    const right = draft.map(([name, value]): [string, string] => [name, value === 'Feild' ? 'Field' : value]);
    const mended = await post(on.admin.visitor, rules, right);
    const next = await on.admin.visitor.open(mended.headers.location ?? '');
    expect(text(next)).not.toContain('Nobody has come');
    const other = await makeConnection(app, on.company, { name: 'Other' });
    const elsewhere = href.replace(on.connection.id, other.id);
    expect((await on.admin.visitor.send(elsewhere)).status).toBe(404);
  });

  it('API-02 of another connection or company is not there', async () => {
    const on = await stage({ mia: ['Field'] });
    const plan = await planned(on, false, [field]);
    const other = await makeConnection(app, on.company, { name: 'Other' });
    const { status } = await on.admin.visitor.send(plan.replace(on.connection.id, other.id));
    expect(status).toBe(404);
    const stranger = await atDesk(app, await makeCompany(app));
    expect((await stranger.visitor.send(plan)).status).toBe(404);
  });
});

describe('Enforce Log In with SSO', () => {
  it('C26 shows the pre-flight, begins with a trial when it is passed, and ends at any time', async () => {
    const on = await stage();
    const { visitor } = on.admin;
    const first = await visitor.open(`${on.path}/enforce`);
    expect(text(first)).toContain('You have not logged in through Contoso in the last 10 minutes.');
    expect(first.body).not.toContain('/enforce/start');
    const refused = await post(visitor, `${on.path}/enforce/start`, [['version', String(on.connection.version)]]);
    expect(refused.status).toBe(409);
    expect(text(refused)).toContain('something stands in the way');

    await makeReady(on);
    const ready = await visitor.open(`${on.path}/enforce`);
    expect(text(ready)).toContain('Start the trial of');
    const stale = await post(visitor, `${on.path}/enforce/start`, [['version', '1']]);
    expect(text(stale)).toContain('The connection was changed while you had this page open.');
    const trial = await visitor.submit(ready, {}, '/start');
    expect(text(trial)).toContain('The trial runs');
    for (const tab of ['', '/settings', '/log'])
      expect(text(await visitor.open(on.path + tab))).toContain('is on trial');
    // Coming in once more, later, confirms it.
    app.clock.advance(1000);
    await comeIn(on);
    const enforced = await visitor.open(`${on.path}/enforce`);
    expect(text(enforced)).toContain('Log In with SSO is enforced');
    expect(text(await visitor.open('/admin/sso'))).toContain('Enforced');
    expect(text(await visitor.submit(enforced, {}, '/end'))).toContain('Passwords count again');
  });

  /** All the way in. */
  async function comeIn({
    company,
    admin,
    connection,
  }: Pick<Stage, 'company' | 'admin' | 'connection'>): Promise<void> {
    const { user } = admin.person;
    await arrive(app, connection, claimsOf(user.email));
    await cameInThrough(app.operator(), await getConnection(app, company, connection.id), user.id);
  }

  /** Signed in through it, tested, and two ways in. */
  async function makeReady({
    company,
    admin,
    connection,
  }: Pick<Stage, 'company' | 'admin' | 'connection'>): Promise<void> {
    const { user } = await makePerson(app, company, { role: 'Admin' });
    for (const userId of [user.id, admin.person.user.id])
      await addBreakGlass(app.operator(), company.id, { userId, reason: 'On call', endsAt: null, noEnd: true });
    await comeIn({ company, admin, connection });
    const { testedHashOf } = await import('../../../src/domain/federation/tested.ts');
    const present = await getConnection(app, company, connection.id);
    await app.runtime.store.of(company.id).connections.setTested(connection.id, testedHashOf(present), app.clock.now());
  }
});
