// New User (A.3, T1): the form, its checks on leaving a field, and what it makes.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Company } from '../../../src/domain/companies/company.ts';
import { createGroup } from '../../../src/domain/groups/commands.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import { mailsTo } from '../../support/attempts.ts';
import { type AtDesk, atDesk, refusesOthers } from '../../support/console.ts';
import { makeCompany, makePerson } from '../../support/people.ts';
import { formsOf, type Page, wordsOf } from '../../support/visitor.ts';

const path = '/admin/users/new';

let app: TestApp;
let company: Company;
let other: Company;
let admin: AtDesk;
let groups: Map<string, string>;

beforeAll(async () => {
  app = await startApp();
  company = await makeCompany(app, 'Northwind IT');
  other = await makeCompany(app, 'Contoso');
  admin = await atDesk(app, company);
  await createGroup(app.operator(), company.id, { name: 'Field', isActive: false });
  await createGroup(app.operator(), company.id, { name: 'Sales', isActive: true });
  groups = new Map((await app.runtime.store.of(company.id).groups.list()).map(({ id, name }) => [name, id]));
});
afterAll(() => app.stop());

const groupId = (name: string) => groups.get(name) ?? '';
const find = (username: string) => app.runtime.store.of(company.id).users.findByUsername(username);

const ada = {
  firstName: 'Ada',
  lastName: 'Lovelace',
  email: 'ada@mail.example',
  username: 'ada',
  role: 'User',
};

/** Sends the form as a browser does: each chosen box is a value of its own. */
async function add(fields: Partial<typeof ada>, chosen: string[] = ['All Module Access']): Promise<Page> {
  const page = await admin.visitor.open(path);
  const form = formsOf(page).find(({ action }) => action === path);
  const body = new URLSearchParams({ csrf: form?.values.csrf ?? '', ...ada, ...fields });
  for (const name of chosen) body.append('group', groups.get(name) ?? name);
  return admin.visitor.send(path, {
    body: body.toString(),
    headers: { 'content-type': 'application/x-www-form-urlencoded', origin: app.url },
  });
}

const noteOf = (page: Page, field: string) => {
  const [, attributes = '', inside = ''] =
    new RegExp(`id="${field}-note"[^>]*><p class="field-note([^>]*)>(.*?)</p>`, 's').exec(page.body) ?? [];
  return { kind: /data-kind="(\w+)"/.exec(attributes)?.[1] ?? null, words: wordsOf({ ...page, body: inside }) };
};
const inputOf = (page: Page, name: string) =>
  new RegExp(`<input[^>]*name="${name}"[^>]*value="([^"]*)"`).exec(page.body)?.[1];
const checked = (page: Page) =>
  [...page.body.matchAll(/name="group" value="([^"]+)" checked/g)].map(
    ([, id = '']) => [...groups].find(([, one]) => one === id)?.[0],
  );

describe('the form', () => {
  refusesOthers(() => ({ app, company }), [path, '/admin/users/check?email=x']);

  it('A3.5, A3.6 offers the four roles and all groups, inactive ones with their mark, All Module Access preselected', async () => {
    const page = await admin.visitor.open(path);
    expect(page.status).toBe(200);
    const words = wordsOf(page);
    for (const role of ['Admin', 'Billing and Purchasing', 'User', 'Co-Managed User']) expect(words).toContain(role);
    expect(page.body).not.toContain('<option value="Root Admin"');
    expect(words).toMatch(/Field Inactive Group/);
    expect(words).not.toMatch(/Sales Inactive Group/);
    expect(checked(page)).toEqual(['All Module Access']);
    expect(page.body, 'A3.4 nothing is cut').not.toMatch(/<input[^>]*name="username"[^>]*maxlength/);
    expect(page.body).toContain('>Add</button>');
  });

  it('WEB-06 makes nobody without the token', async () => {
    expect((await admin.visitor.send(path, { form: { ...ada, group: groupId('Sales') } })).status).toBe(403);
    expect(await find('ada')).toBeNull();
  });
});

describe('T1 adding', () => {
  it('A3.8 makes an invited person without second factor, mails the invitation, and says so on their page', async () => {
    const answer = await add({}, ['Sales', 'Field']);
    expect(answer.status).toBe(303);
    const user = await find('ada');
    expect(user).toMatchObject({ baseStatus: 'Invited', mustEnrol2fa: true, source: 'form', role: 'User' });
    expect(answer.headers.location).toBe(`/admin/users/${user?.id}`);
    const page = await admin.visitor.follow(answer);
    expect(wordsOf(page)).toContain('Ada Lovelace is invited. The invitation goes to ada@mail.example.');
    expect(wordsOf(page)).toContain('Invited');
    expect(await mailsTo(app, 'ada@mail.example', 'invitation')).toHaveLength(1);
    const memberOf = user ? await app.runtime.store.of(company.id).groups.listOf(user.id) : [];
    expect(
      memberOf.map(({ name }) => name),
      'A3.7',
    ).toEqual(['Field', 'Sales']);
  });

  it('A3.4 without a script the e-mail becomes the username, when it is short enough', async () => {
    expect((await add({ email: 'eve@mail.example', username: '' })).status).toBe(303);
    expect(await find('eve@mail.example')).not.toBeNull();
  });

  it('C19 No Module Access excludes the others', async () => {
    expect((await add({ email: 'no@mail.example', username: 'no' }, ['Sales', 'No Module Access'])).status).toBe(303);
    const user = await find('no');
    const memberOf = user ? await app.runtime.store.of(company.id).groups.listOf(user.id) : [];
    expect(memberOf.map(({ name }) => name)).toEqual(['No Module Access']);
  });

  it('C13 an e-mail that somebody has already is a warning, not a refusal', async () => {
    await makePerson(app, company, { username: 'first', email: 'shared@mail.example' });
    const page = await admin.visitor.follow(await add({ email: 'Shared@mail.example', username: 'second' }));
    expect(wordsOf(page)).toContain('Pat Example (first) has this e-mail, too.');
    expect(await find('second')).not.toBeNull();
  });

  it('A3.9 a blocked address is a warning, and the mail is not sent', async () => {
    await app.runtime.store.mails.suppress('gone@mail.example', '550', app.clock.now());
    const page = await admin.visitor.follow(await add({ email: 'gone@mail.example', username: 'gone' }));
    expect(wordsOf(page)).toContain('Mail to this address is blocked');
    expect(await app.runtime.db('mails').where({ recipient: 'gone@mail.example' })).toMatchObject([
      { state: 'suppressed' },
    ]);
  });
});

describe('D.10 nos. 1 and 2, A3.2-A3.6: what will not do is said at its field, and what was typed is kept', () => {
  const long = `${'a'.repeat(48)}@example.com`;
  const tries: [what: string, fields: Partial<typeof ada>, chosen: string[], field: string, sentence: RegExp][] = [
    ['a first name with an emoji', { firstName: 'Ada😀' }, ['Sales'], 'firstName', /letters, digits, spaces/],
    ['a first name of 49', { firstName: 'x'.repeat(49) }, ['Sales'], 'firstName', /48 characters/],
    ['a last name with markup', { lastName: '<b>' }, ['Sales'], 'lastName', /letters, digits/],
    ['no last name', { lastName: ' ' }, ['Sales'], 'lastName', /Enter the last name/],
    ['an e-mail that is none', { email: 'nobody' }, ['Sales'], 'email', /valid e-mail/],
    ['an e-mail of 101', { email: `${'a'.repeat(90)}@example.com` }, ['Sales'], 'email', /100 characters/],
    [
      'an e-mail of 60 as username',
      { email: long, username: '' },
      ['Sales'],
      'username',
      /50 characters at most\. Choose a shorter one/,
    ],
    ['a barred character', { username: 'a#b' }, ['Sales'], 'username', /cannot contain # \/ \? or/],
    ['no role', { role: '' }, ['Sales'], 'role', /four roles/],
    ['Root Admin', { role: 'Root Admin' }, ['Sales'], 'role', /four roles/],
    ['no group (C20)', {}, [], 'groups', /at least one access group/],
    ['a group of nobody', {}, ['Sales', '00000000-0000-4000-8000-000000000000'], 'groups', /no group named/],
  ];
  it.each(tries)('%s', async (_what, changes, chosen, field, sentence) => {
    const typed = { ...ada, username: 'kept', email: 'kept@mail.example', ...changes };
    const page = await add(typed, chosen);
    expect(page.status).toBe(422);
    expect(noteOf(page, field)).toEqual({ kind: 'problem', words: expect.stringMatching(sentence) });
    const shown = { ...typed, username: typed.username || typed.email };
    for (const name of ['lastName', 'email', 'username'] as const)
      expect(inputOf(page, name)?.replace('&#60;b&#62;', '<b>'), name).toBe(shown[name]);
    if (typed.role in { User: 1 }) expect(page.body).toContain('<option value="User" selected>');
    expect(checked(page)).toEqual(chosen.filter((name) => groups.has(name)));
    expect(await find('kept')).toBeNull();
  });

  it('a username that is taken, whatever its case: 409 at its field', async () => {
    await makePerson(app, company, { username: 'taken' });
    const page = await add({ username: 'TAKEN', email: 'other@mail.example' });
    expect(page.status).toBe(409);
    expect(noteOf(page, 'username')).toEqual({
      kind: 'problem',
      words: 'There is a person with this username already.',
    });
    expect(inputOf(page, 'email')).toBe('other@mail.example');
  });

  it('several at once are all said', async () => {
    const page = await add({ firstName: '', email: 'x', role: '' }, []);
    for (const field of ['firstName', 'email', 'role', 'groups'])
      expect(noteOf(page, field).kind, field).toBe('problem');
    expect(noteOf(page, 'lastName').kind).toBeNull();
  });

  it('API-02 a group of another company is none', async () => {
    const { id } = await createGroup(app.operator(), other.id, { name: 'Theirs', isActive: true });
    expect((await add({ username: 'theirs', email: 'theirs@mail.example' }, [id])).status).toBe(422);
    expect(await find('theirs')).toBeNull();
  });
});

describe('checks on leaving a field', () => {
  const check = async (field: string, value: string) =>
    noteOf(await admin.visitor.open(`/admin/users/check?${new URLSearchParams({ [field]: value })}`), field);

  it.each([
    ['firstName', 'Zoë-Marie O’Neill', null, /^$/],
    ['firstName', '李', null, /^$/],
    ['lastName', 'x'.repeat(49), 'problem', /48/],
    ['email', 'x', 'problem', /valid e-mail/],
    ['email', 'fine@mail.example', null, /^$/],
    ['email', '', null, /^$/],
    ['username', `${'a'.repeat(48)}@example.com`, 'problem', /Choose a shorter one/],
    ['username', 'a/b', 'problem', /cannot contain/],
    ['username', 'free.to.take', null, /^$/],
  ] as const)('%s %s: %s', async (field, value, kind, words) => {
    expect(await check(field, value)).toEqual({ kind, words: expect.stringMatching(words) });
  });

  it('say who is there already: a username is a problem, an e-mail a warning (C13); in another company neither', async () => {
    await makePerson(app, company, { username: 'known', email: 'known@mail.example' });
    await makePerson(app, other, { username: 'elsewhere', email: 'elsewhere@mail.example' });
    expect(await check('username', 'KNOWN ')).toMatchObject({ kind: 'problem' });
    expect(await check('email', 'KNOWN@mail.example')).toEqual({
      kind: 'warning',
      words: expect.stringContaining('Pat Example (known) has this e-mail'),
    });
    expect(await check('username', 'elsewhere')).toMatchObject({ kind: null });
    expect(await check('email', 'elsewhere@mail.example')).toMatchObject({ kind: null });
  });

  it('WEB-08 NUL and markup in a check do no harm', async () => {
    for (const value of ['\0', '<script>alert(1)</script>', '%', "'"]) {
      const page = await admin.visitor.open(
        `/admin/users/check?${new URLSearchParams({ username: value, email: value })}`,
      );
      expect(page.status, value).toBe(200);
      expect(page.body).not.toContain('<script>alert');
    }
  });
});
