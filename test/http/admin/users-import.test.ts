// Bulk Invite CSV (A.4, C17, C18, C49): the page, the upload, the task, its report, the failed rows, and taking it back.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Company } from '../../../src/domain/companies/company.ts';
import { createGroup } from '../../../src/domain/groups/commands.ts';
import { readCsv } from '../../../src/domain/imports/csv-file.ts';
import { startTask } from '../../../src/domain/tasks/commands.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import { eventsOf, mailsTo } from '../../support/attempts.ts';
import { type AtDesk, atDesk, refusesOthers } from '../../support/console.ts';
import { makeCompany, makePerson } from '../../support/people.ts';
import { finishedTask } from '../../support/tasks.ts';
import { multipart, multipartType, uploadFile } from '../../support/upload.ts';
import { wordsOf } from '../../support/visitor.ts';

const path = '/admin/users/import';
const head = 'Username,Email,Role,Groups,First Name,Last Name';

let app: TestApp;
let company: Company;
let other: Company;
let admin: AtDesk;

beforeAll(async () => {
  app = await startApp({ start: true });
  company = await makeCompany(app, 'Northwind IT');
  other = await makeCompany(app, 'Contoso');
  admin = await atDesk(app, company);
  await createGroup(app.operator(), company.id, { name: 'Admins', isActive: true });
  await createGroup(app.operator(), company.id, { name: 'Field', isActive: false });
});
afterAll(() => app.stop());

const send = (name: string, ...lines: string[]) =>
  uploadFile(admin.visitor, path, { name, bytes: [head, ...lines].join('\r\n') });

/** Uploads, waits for the end, and gives the task with its page. */
async function run(...lines: string[]) {
  const answer = await send('users.csv', ...lines);
  expect(answer.status, wordsOf(answer)).toBe(303);
  const address = answer.headers.location ?? '';
  const task = await finishedTask(app, company, address);
  return { task, address, page: await admin.visitor.open(address) };
}

const find = (username: string) => app.runtime.store.of(company.id).users.findByUsername(username);

describe('the page', () => {
  refusesOthers(() => ({ app, company }), [path, `${path}/users.zip`]);

  it('A4.1, A4.6 offers the template, and takes the file with and without a script', async () => {
    const page = await admin.visitor.open(path);
    expect(wordsOf(page)).toContain('download our template and instructions');
    expect(page.body).toContain('Upload and invite');
    const zip = await admin.visitor.send(`${path}/users.zip`);
    expect(zip.headers['content-disposition']).toBe('attachment; filename="users.zip"');
    expect(zip.headers['content-type']).toBe('application/zip');
  });

  it('WEB-06 takes no file without the token, and of nobody who may not', async () => {
    const body = multipart({ csrf: 'made-up' }, { name: 'users.csv', bytes: head });
    const headers = { 'content-type': multipartType, origin: app.url };
    expect((await admin.visitor.send(path, { body, headers })).status).toBe(403);
    expect((await app.visitor().send(path, { body, headers })).status).toBe(403);
    // The token may be right: the role is not.
    const { visitor } = await atDesk(app, company, { role: 'User' });
    const token = /name="csrf" value="([^"]+)"/.exec((await visitor.open('/settings/profile')).body)?.[1] ?? '';
    const refused = await visitor.send(path, {
      body: multipart(
        { csrf: token },
        { name: 'users.csv', bytes: `${head}\nx,x@x.example,User,All Module Access,X,X` },
      ),
      headers,
    });
    expect(refused.status).toBe(403);
    expect(await find('x')).toBeNull();
  });
});

describe('an upload', () => {
  it('T1, A4.7, D.10 no. 3 invites the lines that are right and reports the others by line, column and reason', async () => {
    await makePerson(app, company, { username: 'there' });
    const { task, page } = await run(
      'ivy,ivy@mail.example,user,All Module Access,Ivy,O’Neill-Ødegård',
      'ivan,ivan@mail.example,BILLING AND PURCHASING,Admins; Field,Иван,Петров',
      '',
      'wrong1,wrong1@mail.example,User,admins,Ada,Case',
      'wrong2,not an address,King,Admins,Ada,Two',
      `${'a'.repeat(48)}@example.com,long@mail.example,User,Admins,Ada,Long`,
      'wrong4,w4@mail.example,User,,Ada,NoGroup',
      'wrong5,w5@mail.example,Root Admin,Admins,Ada,Root',
      'wrong6,w6@mail.example,User,Admins,Ada😀,<b>',
      'IVY,second@mail.example,User,Admins,Ivy,Second',
      'There,there@mail.example,User,Admins,The,Re',
      'none,none@mail.example,Co-managed user,No Module Access;Admins,No,One',
      '@formula,=1+1,User,Admins,=cmd,-x',
    );
    expect(task).toMatchObject({ state: 'done', total: 12, succeeded: 3, skipped: 1, failed: 8 });
    const words = wordsOf(page);
    for (const line of [
      '5 wrong1 Groups There is no group named "admins". Names must match to the letter.',
      '6 wrong2 Email, Role Enter a valid e-mail address',
      'A username has 50 characters at most. Choose a shorter one.',
      '8 wrong4 Groups Choose at least one access group.',
      '9 wrong5 Role Choose one of the four roles.',
      'The first name may hold letters, digits, spaces, dashes and apostrophes only.',
      '11 IVY Username Line 2 has the same username already.',
      '12 There Username There is a person with this username already.',
      '14 @formula First Name, Email',
    ])
      expect(words).toContain(line);
    expect(await find('ivy')).toMatchObject({
      baseStatus: 'Invited',
      mustEnrol2fa: true,
      role: 'User',
      source: 'csv',
      lastName: 'O’Neill-Ødegård',
    });
    expect(await find('ivan')).toMatchObject({ role: 'Billing and Purchasing', firstName: 'Иван' });
    expect(await mailsTo(app, 'ivy@mail.example', 'invitation')).toHaveLength(1);
    const groupsOf = async (username: string) => {
      const user = await find(username);
      if (!user) throw new Error(`no ${username}`);
      return (await app.runtime.store.of(company.id).groups.listOf(user.id)).map(({ name }) => name);
    };
    expect(await groupsOf('ivan')).toEqual(['Admins', 'Field']);
    expect(await groupsOf('none'), 'C19').toEqual(['No Module Access']);
    const ivy = await find('ivy');
    const [event] = ivy ? await eventsOf(app, { user: ivy } as never, 'user.create') : [];
    expect(event).toMatchObject({ actor: { kind: 'user', id: admin.person.user.id }, details: { source: 'csv' } });
  });

  it('C18 the same file again skips everybody, and makes nobody twice', async () => {
    const lines = ['kim,kim@mail.example,User,Admins,Kim,Two', 'lee,lee@mail.example,User,Admins,Lee,Two'];
    expect((await run(...lines)).task).toMatchObject({ succeeded: 2 });
    expect((await run(...lines)).task).toMatchObject({ succeeded: 0, skipped: 2, failed: 0 });
    expect(await mailsTo(app, 'kim@mail.example', 'invitation')).toHaveLength(1);
  });

  it('A3.9 mail to a blocked address is not sent, and the person is there', async () => {
    await app.runtime.store.mails.suppress('bounced@mail.example', '550 no such user', app.clock.now());
    expect((await run('bouncy,bounced@mail.example,User,Admins,Bo,Uncy')).task).toMatchObject({ succeeded: 1 });
    const mails = await app.runtime.db('mails').where({ recipient: 'bounced@mail.example' });
    expect(mails).toMatchObject([{ state: 'suppressed' }]);
  });

  it.each([
    ['no file', null, 422, 'Choose a CSV file first.'],
    ['an empty file', '', 422, 'This file is empty.'],
    ['a wrong head', 'User,Mail\na,b', 422, 'These columns are missing'],
    [
      'a quote that never closes',
      `${head}\n"a,b,c`,
      422,
      'Line 2: a quotation mark opens in this row and never closes.',
    ],
    ['50 MB', Buffer.alloc(50 * 1024 * 1024, 65), 422, 'This file is larger than 10 MB.'],
    ['a little over 10 MB', Buffer.alloc(10 * 1024 * 1024 + 1, 65), 422, 'This file is larger than 10 MB.'],
  ])('refuses %s at the field, and begins nothing', async (_what, bytes, status, sentence) => {
    const count = () => app.runtime.db('tasks').count();
    const before = await count();
    const startedAt = performance.now();
    const page = await uploadFile(admin.visitor, path, bytes === null ? null : { name: 'users.csv', bytes });
    expect(page.status).toBe(status);
    expect(wordsOf(page)).toContain(sentence);
    expect(page.body).toMatch(/id="file"[^>]*aria-invalid="true"/);
    expect(await count()).toEqual(before);
    expect(performance.now() - startedAt).toBeLessThan(3000);
  });

  it('WEB-13 a body that breaks off is 400, and the next request is served', async () => {
    const page = await admin.visitor.open(path);
    const token = /name="csrf" value="([^"]+)"/.exec(page.body)?.[1] ?? '';
    const whole = multipart({ csrf: token }, { name: 'users.csv', bytes: `${head}\na,b,c,d,e,f` });
    const headers = { 'content-type': multipartType, origin: app.url };
    const broken = await admin.visitor.send(path, { body: whole.subarray(0, whole.length - 45), headers });
    expect(broken.status).toBe(400);
    expect(
      (await admin.visitor.send(path, { body: 'x', headers: { ...headers, 'content-type': 'multipart/form-data' } }))
        .status,
    ).toBe(400);
    expect((await admin.visitor.open(path)).status).toBe(200);
  });

  it('API-02 a task of another company is 404', async () => {
    const { address } = await run('moe,moe@mail.example,User,Admins,Moe,One');
    const { visitor } = await atDesk(app, other);
    expect((await visitor.send(address)).status).toBe(404);
    expect((await admin.visitor.open(path)).body).toContain('Invite 1 person from users.csv');
  });

  it('API-01 each chunk asks again: who is no administrator any more invites nobody', async () => {
    const { person } = await atDesk(app, other);
    await app.runtime.db('users').where({ id: person.user.id }).update({ role: 'User' });
    const work = app.runtime.work({ kind: 'user', id: person.user.id, name: person.user.username });
    const [row] = await readCsv(Buffer.from(`${head}\nzed,zed@mail.example,User,All Module Access,Z,Z`));
    const rows = [2, 3].map((position) => ({ position, label: 'zed', data: { ...row }, userId: null }));
    const { id } = await startTask(work, other.id, { kind: 'csv', title: 'Invite', params: {}, rows });
    const task = await finishedTask(app, other, `/admin/tasks/${id}`);
    expect(task).toMatchObject({ state: 'done', succeeded: 0, failed: 2 });
    expect(await app.runtime.store.of(other.id).users.findByUsername('zed')).toBeNull();
  });
});
