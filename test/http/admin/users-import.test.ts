// Bulk Invite CSV (A.4, C17, C18, C49): the page, the upload, the task, its report, the failed rows, and taking it back.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Company } from '../../../src/domain/companies/company.ts';
import { createGroup } from '../../../src/domain/groups/commands.ts';
import { readCsv } from '../../../src/domain/imports/csv-file.ts';
import { tellWhoBegan } from '../../../src/domain/imports/finished.ts';
import { startTask } from '../../../src/domain/tasks/commands.ts';
import { mayUndo, undoFor } from '../../../src/domain/tasks/task.ts';
import { deleteUser } from '../../../src/domain/users/admin-commands.ts';
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

  it('A3.9 mail to a blocked address is not sent, the person is there, and the report says so', async () => {
    await app.runtime.store.mails.suppress('bounced@mail.example', '550 no such user', app.clock.now());
    const { task, page } = await run('bouncy,bounced@mail.example,User,Admins,Bo,Uncy');
    expect(task).toMatchObject({ succeeded: 1 });
    expect(wordsOf(page)).toContain('2 bouncy Mail to this address is blocked');
    const mails = await app.runtime.db('mails').where({ recipient: 'bounced@mail.example' });
    expect(mails).toMatchObject([{ state: 'suppressed' }]);
  });

  it('C13 an e-mail that somebody has, too, also in the same file, is remarked upon, and no failure', async () => {
    await makePerson(app, company, { username: 'elder', email: 'family@mail.example' });
    const { task, page } = await run(
      'solo,solo@mail.example,User,Admins,So,Lo',
      'twin1,Twin@mail.example,User,Admins,Tw,In',
      'twin2,twin@mail.example,User,Admins,Tw,In',
      'child,Family@mail.example,User,Admins,Chi,Ld',
    );
    expect(task).toMatchObject({ succeeded: 4, failed: 0 });
    const words = wordsOf(page);
    expect(words).toContain('3 twin1 twin2 has this e-mail, too.');
    expect(words).toContain('4 twin2 twin1 has this e-mail, too.');
    expect(words).toContain('5 child elder has this e-mail, too.');
    expect(words).not.toContain('2 solo');
  });

  it('names the file as the administrator does, whatever its letters', async () => {
    const answer = await send('Übersicht “neu” \u202e名簿.csv', 'uml,uml@mail.example,User,Admins,Um,Laut');
    expect(await finishedTask(app, company, answer.headers.location ?? '')).toMatchObject({
      title: 'Invite 1 person from Übersicht “neu” 名簿.csv',
    });
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

describe('failed rows', () => {
  it('C17, C49, D.10 no. 17 come as a file that is mended and uploaded again; what was right is not invited twice', async () => {
    const { task, address, page } = await run(
      'nia,nia@mail.example,User,Admins,Nia,Right',
      '@oli,oli@mail.example,User,admins,Oli,"Wr, ""ong"',
      'pat,=1+1,User,Admins,Pat,Wrong',
      'nia,other@mail.example,User,Admins,Nia,Twice',
    );
    expect(task).toMatchObject({ succeeded: 1, failed: 3 });
    expect(page.body).toContain(`${address}/failed-rows`);
    const file = await admin.visitor.open(`${address}/failed-rows`);
    expect(file.headers['content-type']).toBe('text/csv; charset=utf-8');
    expect(file.headers['content-disposition']).toBe('attachment; filename="failed-rows.csv"');
    const lines = file.body.replace('\ufeff', '').split('\r\n');
    expect(lines[0]).toBe(`${head},Line,Column,Reason`);
    expect(lines[1]).toMatch(/^'@oli,oli@mail\.example,User,admins,Oli,"Wr, ""ong",3,"?Last Name, Groups|^'@oli,.*,3,/);
    expect(lines[2]).toMatch(/^pat,'=1\+1,User,Admins,Pat,Wrong,4,Email,/);
    const mended = file.body
      .replace(',admins,', ',Admins,')
      .replace('"Wr, ""ong"', 'Mended')
      .replace("'=1+1", 'pat@mail.example')
      .replace(/nia,other[^\r]*\r\n/, '');
    const answer = await uploadFile(admin.visitor, path, { name: 'failed-rows.csv', bytes: mended });
    const again = await finishedTask(app, company, answer.headers.location ?? '');
    expect(again).toMatchObject({ total: 2, succeeded: 2, failed: 0 });
    expect(await find('@oli'), 'the apostrophe is taken off again').toMatchObject({ lastName: 'Mended' });
    expect(await find("'@oli")).toBeNull();
  });

  it('API-02 are nobody else’s: another role 403, another company 404, no such task 404', async () => {
    const { address } = await run('qq,wrong,User,Admins,Q,Q');
    for (const [options, at, status] of [
      [{ role: 'User' }, company, 403],
      [{}, other, 404],
    ] as const) {
      const { visitor } = await atDesk(app, at, options);
      expect((await visitor.send(`${address}/failed-rows`)).status).toBe(status);
      expect((await visitor.send(`${address}/undo`)).status).toBe(status);
    }
    expect((await admin.visitor.send('/admin/tasks/00000000-0000-4000-8000-000000000000/failed-rows')).status).toBe(
      404,
    );
    expect((await admin.visitor.send('/admin/tasks/x/undo')).status).toBe(404);
  });
});

describe('taking an import back', () => {
  const lines = (prefix: string, count: number) =>
    Array.from({ length: count }, (_, i) => `${prefix}${i},${prefix}${i}@mail.example,User,Admins,Un,Do`);

  it('T19, C15, C16 deletes who has not signed in, keeps and names who has, once and with its report', async () => {
    const { address } = await run(...lines('undo', 5));
    await app.runtime
      .db('users')
      .where({ company_id: company.id, username: 'undo1' })
      .update({ base_status: 'Active', last_login_at: app.clock.now(), first_name: 'Kept' });
    const gone = await find('undo2');
    if (gone) await deleteUser(app.operator(), company.id, gone.id);

    const page = await admin.visitor.open(`${address}/undo`);
    expect(wordsOf(page)).toContain('deletes 3 people');
    expect(wordsOf(page)).toContain('Kept Do (undo1): Has logged in since, and is kept.');
    expect(await find('undo0'), 'asking changes nothing').not.toBeNull();
    expect((await admin.visitor.send(`${address}/undo`, { form: {} })).status, 'WEB-06').toBe(403);

    const answer = await admin.visitor.submitOnce(page, {}, '/undo');
    expect(answer.status).toBe(303);
    const task = await finishedTask(app, company, answer.headers.location ?? '');
    expect(task).toMatchObject({ kind: 'undo', state: 'done', succeeded: 3, skipped: 2, failed: 0 });
    const report = wordsOf(await admin.visitor.open(answer.headers.location ?? ''));
    expect(report).toContain('undo1 Has logged in since, and is kept.');
    expect(report).toContain('undo2 Is deleted already.');
    for (const username of ['undo0', 'undo2', 'undo3', 'undo4']) expect(await find(username)).toBeNull();
    expect(await find('undo1')).not.toBeNull();
    const [event] = await app.runtime.store.audit.listRecent(1, { action: 'import.undo' });
    expect(event).toMatchObject({ details: { deleted: 3, kept: 2 }, actor: { id: admin.person.user.id } });

    expect((await admin.visitor.submitOnce(page, {}, '/undo')).status, 'once').toBe(409);
    expect((await admin.visitor.open(`${address}/undo`)).status).toBe(409);
    const old = await admin.visitor.open(address);
    expect(old.body).not.toContain('Take this import back');
    expect(old.body).toContain('This import was taken back');
  });

  it('C15 the same file can be uploaded anew, and the old invitation is dead', async () => {
    const { address } = await run(...lines('anew', 2));
    const [mail] = await mailsTo(app, 'anew0@mail.example', 'invitation');
    const link = String(mail?.data.link);
    expect((await app.visitor().open(link)).status).toBe(200);
    const answer = await admin.visitor.submitOnce(await admin.visitor.open(`${address}/undo`), {}, '/undo');
    await finishedTask(app, company, answer.headers.location ?? '');
    expect((await app.visitor().open(link)).status).toBe(410);
    expect((await run(...lines('anew', 2))).task).toMatchObject({ succeeded: 2, skipped: 0 });
  });

  it('of many at the same moment one begins', async () => {
    const { address } = await run(...lines('race', 3));
    const page = await admin.visitor.open(`${address}/undo`);
    const answers = await Promise.all(Array.from({ length: 4 }, () => admin.visitor.submitOnce(page, {}, '/undo')));
    expect(answers.map(({ status }) => status).sort()).toEqual([303, 409, 409, 409]);
    const begun = answers.find(({ status }) => status === 303);
    expect(await finishedTask(app, company, begun?.headers.location ?? '')).toMatchObject({ succeeded: 3 });
  });

  it('is possible for 14 days, to the last second and not one longer; an import of nobody offers none', async () => {
    const { task, address } = await run(...lines('late', 1));
    const { id: nobody } = (await run('zz,wrong,User,Admins,Z,Z')).task;
    expect((await admin.visitor.open(`/admin/tasks/${nobody}/undo`)).status).toBe(409);
    const ends = (task.finishedAt?.getTime() ?? 0) + undoFor;
    expect(mayUndo(task, new Date(ends - 1000))).toBe(true);
    expect(mayUndo(task, new Date(ends))).toBe(false);
    await app.runtime
      .db('tasks')
      .where({ id: task.id })
      .update({ finished_at: new Date(app.clock.now().getTime() - undoFor) });
    expect((await admin.visitor.open(`${address}/undo`)).status).toBe(409);
    expect((await admin.visitor.open(address)).body).not.toContain('Take this import back');
  });
});

describe('a long import', () => {
  it('D.8 mails who began it when it took over a minute, with the counts and the way to the report', async () => {
    const { person, visitor } = await atDesk(app, company);
    const { id } = await startTask(
      app.runtime.work({ kind: 'user', id: person.user.id, name: person.user.username }),
      company.id,
      { kind: 'csv', title: 'Invite', params: {}, rows: [], inputHash: 'made-up' },
    );
    await finishedTask(app, company, id);
    expect(await mailsTo(app, person.user.email, 'importFinished'), 'it was quick').toHaveLength(0);
    const done = await app.runtime.store.of(company.id).tasks.findById(id);
    if (!done) throw new Error('no task');
    const later = { ...app.operator(), now: new Date(app.clock.now().getTime() + 61_000) };
    await tellWhoBegan(later, { ...done, succeeded: 9, skipped: 1, failed: 2 });
    const [mail] = await mailsTo(app, person.user.email, 'importFinished');
    expect(mail?.data).toMatchObject({ counts: { imported: 9, skipped: 1, failed: 2 }, href: `/admin/tasks/${id}` });
    expect((await visitor.open(`/admin/tasks/${id}`)).status).toBe(200);
  });
});

describe('10,000 people', () => {
  it('scale: are invited with their mails queued; prints the rows a second', async () => {
    const rows = Array.from(
      { length: 10_000 },
      (_, i) => `bulk${i},bulk${i}@mail.example,User,All Module Access;Admins,Bulk,Person ${i}`,
    );
    const startedAt = performance.now();
    const answer = await send('many.csv', ...rows);
    expect(answer.status).toBe(303);
    const uploaded = performance.now();
    const task = await finishedTask(app, company, answer.headers.location ?? '', 100_000);
    const ended = performance.now();
    expect(task).toMatchObject({ state: 'done', total: 10_000, succeeded: 10_000 });
    const mails = await app.runtime.db('mails').where('recipient', 'like', 'bulk%@mail.example').count('* as n');
    expect(Number(mails[0]?.n)).toBe(10_000);
    const members = await app.runtime.db('group_members').where({ company_id: company.id }).count('* as n');
    expect(Number(members[0]?.n)).toBeGreaterThanOrEqual(20_000);
    process.stdout.write(
      `10,000 rows: read and kept in ${Math.round(uploaded - startedAt)} ms, invited in ${Math.round(ended - uploaded)} ms: ${Math.round(10_000 / ((ended - startedAt) / 1000))} rows/s\n`,
    );
  }, 120_000);
});
