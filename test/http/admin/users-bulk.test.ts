// Acts on many people: preview with its exceptions, the act as a task, the report; export.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Company } from '../../../src/domain/companies/company.ts';
import { createGroup } from '../../../src/domain/groups/commands.ts';
import { inviteUser } from '../../../src/domain/users/commands.ts';
import type { UserId } from '../../../src/lib/ids.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import { type AtDesk, atDesk, otherRoles } from '../../support/console.ts';
import { makeCompany, makePerson, type TestPerson } from '../../support/people.ts';
import type { Page } from '../../support/visitor.ts';

const list = '/admin/users';

describe('bulk acts', () => {
  let app: TestApp;
  let company: Company;
  let other: Company;
  let admin: AtDesk;
  let root: TestPerson;
  let ben: TestPerson;
  let cleo: TestPerson;
  let invitedId: UserId;
  let stranger: TestPerson;

  beforeAll(async () => {
    app = await startApp({ start: true });
    company = await makeCompany(app);
    other = await makeCompany(app);
    stranger = await makePerson(app, other, { username: 'stranger' });
    root = await makePerson(app, company, { username: 'root', role: 'Root Admin' });
    admin = await atDesk(app, company, { username: 'zoe' });
    ben = await makePerson(app, company, { username: 'ben' });
    cleo = await makePerson(app, company, { username: '=cleo', email: 'cleo@mail.example', role: 'Co-Managed User' });
    const { user } = await inviteUser(app.operator(), company.id, {
      firstName: 'Ina',
      lastName: 'Vited',
      email: 'ina@mail.example',
      username: 'ina',
      role: 'User',
    });
    invitedId = user.id;
  });
  afterAll(() => app.stop());

  const token = async () => /name="csrf" value="([^"]+)"/.exec((await admin.visitor.open(list)).body)?.[1] ?? '';
  const post = async (path: string, fields: [string, string][]): Promise<Page> => {
    const body = new URLSearchParams([['csrf', await token()], ...fields]).toString();
    return admin.visitor.send(path, {
      body,
      headers: { 'content-type': 'application/x-www-form-urlencoded', origin: admin.visitor.origin },
    });
  };
  const selecting = (act: string, ids: string[], more: [string, string][] = []): [string, string][] => [
    ['act', act],
    ...ids.map((id): [string, string] => ['id', id]),
    ...more,
  ];
  const words = (page: Page) => page.body.replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ');
  const find = (id: UserId) => app.runtime.store.of(company.id).users.findById(id);
  /** Runs an act to its end. @returns the report's page in words */
  const run = async (fields: [string, string][]): Promise<string> => {
    const answer = await post(`${list}/bulk/run`, fields);
    expect(answer.status, words(answer)).toBe(303);
    const report = answer.headers.location ?? '';
    let page = await admin.visitor.open(report);
    await expect
      .poll(
        async () => {
          page = await admin.visitor.open(report);
          return page.body.includes('hx-trigger="every 1s"');
        },
        { timeout: 15_000 },
      )
      .toBe(false);
    return words(page);
  };

  it('names the count and the exceptions before it acts: root, oneself, the wrong state', async () => {
    const ids = [root, admin.person, ben, cleo].map(({ user }) => user.id);
    const page = await post(`${list}/bulk`, selecting('deactivate', [...ids, invitedId]));
    expect(page.status).toBe(200);
    expect(words(page)).toContain('Deactivate 2 people?');
    expect(words(page)).toContain('The Root Admin cannot be deactivated.');
    expect(words(page)).toContain('You cannot deactivate yourself.');
    expect(words(page)).toContain('This person has not signed up yet: delete the invitation instead.');
    expect((await find(ben.user.id))?.baseStatus).toBe('Active');
  });

  it('API-02 people of another company are not among the selected', async () => {
    const page = await post(`${list}/bulk`, selecting('delete', [stranger.user.id]));
    expect(words(page)).toContain('There is nobody among them to whom this can be done.');
    expect((await post(`${list}/bulk/run`, selecting('delete', [stranger.user.id]))).status).toBe(422);
    expect((await app.runtime.store.of(other.id).users.findById(stranger.user.id))?.baseStatus).toBe('Active');
  });

  it('all that match: deactivates whom the rule allows and reports the others as skipped', async () => {
    const report = await run([
      ['act', 'deactivate'],
      ['all', 'yes'],
      ['query', ''],
    ]);
    expect(report).toMatch(/Succeeded 2/);
    expect(report).toMatch(/Skipped 3/);
    expect((await find(ben.user.id))?.baseStatus).toBe('Deactivated');
    expect((await find(cleo.user.id))?.baseStatus).toBe('Deactivated');
    expect((await find(root.user.id))?.baseStatus).toBe('Active');
    expect((await find(admin.person.user.id))?.baseStatus).toBe('Active');
    const events = await app.runtime.store.audit.listRecent(50, { action: 'user.deactivate' });
    expect(events.map(({ actor }) => actor.name)).toEqual(['zoe', 'zoe']);
  });

  it('activates, changes roles and groups, resends, resets, deletes', async () => {
    const both = [ben.user.id, cleo.user.id];
    await run(selecting('activate', both));
    expect((await find(ben.user.id))?.baseStatus).toBe('Active');
    await run(selecting('change-role', both, [['role', 'Billing and Purchasing']]));
    expect((await find(cleo.user.id))?.role).toBe('Billing and Purchasing');
    const group = await createGroup(app.operator(), company.id, { name: 'Field', isActive: true });
    const groupsOf = async (id: UserId) =>
      (await app.runtime.store.of(company.id).groups.listOf(id)).map(({ name }) => name);
    await run(selecting('add-to-group', both, [['group', group.id]]));
    expect(await groupsOf(ben.user.id)).toContain('Field');
    expect(await run(selecting('add-to-group', both, [['group', group.id]]))).toContain('is a member already');
    await run(selecting('remove-from-group', both, [['group', group.id]]));
    expect(await groupsOf(ben.user.id)).not.toContain('Field');
    expect(await run(selecting('resend', [invitedId]))).toMatch(/Succeeded 1/);
    expect(await run(selecting('reset-password', both))).toMatch(/Succeeded 2/);
    expect(await run(selecting('delete', [invitedId]))).toMatch(/Succeeded 1/);
    expect(await find(invitedId)).toBeNull();
  });

  it.each([
    [[['act', 'explode']], 'Choose what to do'],
    [[['act', 'delete']], 'Select somebody first'],
    [
      [
        ['act', 'delete'],
        ['id', 'no-uuid'],
      ],
      'Select somebody first',
    ],
  ] as [[string, string][], string][])('says what is missing: %j', async (fields, sentence) => {
    const page = await post(`${list}/bulk`, fields);
    expect(page.status).toBe(422);
    expect(words(page)).toContain(sentence);
  });

  it('A1.4 Root Admin is no choice, nor is a group of another company', async () => {
    expect(
      (await post(`${list}/bulk/run`, selecting('change-role', [ben.user.id], [['role', 'Root Admin']]))).status,
    ).toBe(422);
    const theirs = await createGroup(app.operator(), other.id, { name: 'Theirs', isActive: true });
    expect(
      (await post(`${list}/bulk/run`, selecting('add-to-group', [ben.user.id], [['group', theirs.id]]))).status,
    ).toBe(422);
  });

  it('D.10 no. 17, C49 exports the chosen fields, never the status, and no formula', async () => {
    const asked = await post(`${list}/bulk`, selecting('export', [ben.user.id, cleo.user.id]));
    expect(words(asked)).not.toContain('Status');
    const file = await post(
      `${list}/bulk/export`,
      selecting(
        'export',
        [ben.user.id, cleo.user.id],
        [
          ['field', 'username'],
          ['field', 'role'],
          ['field', 'status'],
        ],
      ),
    );
    expect(file.headers['content-disposition']).toContain('users.csv');
    const lines = file.body
      .replace(/^\ufeff/, '')
      .trim()
      .split('\r\n');
    expect(lines[0]).toBe('Username,Role');
    expect(lines.slice(1).sort()).toEqual(["'=cleo,Billing and Purchasing", 'ben,Billing and Purchasing']);
    const [event] = await app.runtime.store.audit.listRecent(1, { action: 'user.export' });
    expect(event?.details).toMatchObject({ count: 2, fields: ['Username', 'Role'] });
  });

  it.each(otherRoles)('D.3, API-01 refuses the role %s', async (role) => {
    const { visitor } = await atDesk(app, company, { role });
    const { body } = await visitor.open('/settings/profile');
    const csrf = /name="csrf" value="([^"]+)"/.exec(body)?.[1] ?? '';
    for (const path of ['bulk', 'bulk/run', 'bulk/export']) {
      const page = await visitor.send(`${list}/${path}`, { form: { csrf, act: 'delete', id: ben.user.id } });
      expect(page.status, path).toBe(403);
    }
  });

  it('WEB-06 takes our own forms only', async () => {
    const page = await admin.visitor.send(`${list}/bulk/run`, { form: { act: 'delete', id: ben.user.id } });
    expect(page.status).toBe(403);
  });
});
