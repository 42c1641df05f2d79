// Mail in the console: what was sent, blocked addresses (A3.9, C50), the company's own texts (D.8) and its sender.
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Company } from '../../../src/domain/companies/company.ts';
import { sendMail } from '../../../src/domain/mails/commands.ts';
import { liftBlock, sendTestMail } from '../../../src/domain/mails/suppression-commands.ts';
import { changeMailSettings, changeMailText, resetMailText } from '../../../src/domain/mails/text-commands.ts';
import { AppError } from '../../../src/lib/errors.ts';
import { newId, type UserId } from '../../../src/lib/ids.ts';
import { minutes } from '../../../src/lib/time.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import { type AtDesk, atDesk, refusesOthers } from '../../support/console.ts';
import { makeCompany, makePerson, type TestPerson } from '../../support/people.ts';
import { startSmtp, type TestSmtp } from '../../support/smtp.ts';
import { formsOf, type Page, unescapeHtml, wordsOf } from '../../support/visitor.ts';

let app: TestApp;
let smtp: TestSmtp;
let company: Company;
let other: Company;
let desk: AtDesk;
let gone: TestPerson;
let theirs: TestPerson;

beforeAll(async () => {
  smtp = await startSmtp();
  app = await startApp({ start: true, environment: { SMTP_URL: smtp.url, MAIL_FROM_DOMAINS: 'northwind.example' } });
  company = await makeCompany(app, 'Northwind');
  other = await makeCompany(app, 'Contoso');
  desk = await atDesk(app, company, { username: 'ada' });
  gone = await makePerson(app, company, { username: 'gone', email: 'Gone@northwind.example' });
  theirs = await makePerson(app, other, { username: 'theirs', email: 'theirs@contoso.example' });
});
afterAll(async () => {
  await app?.stop();
  await smtp?.stop();
});

const open = (path: string) => desk.visitor.send(path);
const token = async () =>
  formsOf(await open('/admin/mail/settings')).find((form) => form.values.csrf)?.values.csrf ?? '';
const post = async (path: string, form: Record<string, string> = {}) =>
  desk.visitor.send(path, { form: { csrf: await token(), ...form } });
const events = (action: string) => app.runtime.store.audit.listRecent(50, { action });

async function eventually<T>(ask: () => Promise<T | null | undefined | false>): Promise<T> {
  for (const end = Date.now() + 15_000; Date.now() < end; await setTimeout(50)) {
    const answer = await ask();
    if (answer) return answer;
  }
  throw new Error('it did not come to that');
}

const mailTo = async (recipient: string, state: string) =>
  eventually(async () =>
    (await app.runtime.store.mails.listRecent(100)).find((one) => one.recipient === recipient && one.state === state),
  );

async function mail(person: TestPerson, at: Company): Promise<void> {
  await sendMail(app.operator(), {
    kind: 'deactivated',
    companyId: at.id,
    userId: person.user.id,
    recipient: person.user.email,
    data: { name: 'Pat', company: at.name, username: person.user.username },
  });
}

async function block(person: TestPerson, at: Company): Promise<void> {
  smtp.answer(person.user.email, '550 5.1.1 User unknown');
  await mail(person, at);
  await mailTo(person.user.email, 'bounced');
}

const texts = { subject: 'Hallo {name}', heading: 'Willkommen', intro: 'Hallo {name}', outro: '{link}\n\nBis bald' };

describe('who may use it', () => {
  refusesOthers(
    () => ({ app, company }),
    [
      '/admin/mail',
      '/admin/mail/blocked',
      '/admin/mail/texts',
      '/admin/mail/texts/invitation',
      '/admin/mail/texts/invitation/preview/html',
      '/admin/mail/texts/invitation/reset',
      '/admin/mail/settings',
    ],
  );

  it('API-01 the commands refuse other roles and strangers to the company, whatever the surface', async () => {
    const user = await makePerson(app, company, { role: 'Billing and Purchasing' });
    const foreign = await makePerson(app, other, { role: 'Admin' });
    for (const actor of [user, foreign]) {
      const work = app.runtime.work({ kind: 'user', id: actor.user.id, name: 'x' });
      const acts = [
        () => changeMailText(work, company.id, 'invitation', { ...texts }),
        () => resetMailText(work, company.id, 'invitation'),
        () => changeMailSettings(work, company.id, {}),
        () => sendTestMail(work, company.id, gone.user.id),
        () => liftBlock(work, company.id, gone.user.id),
      ];
      for (const act of acts) await expect(act()).rejects.toMatchObject({ status: 403 });
    }
  });

  it('WEB-06 nothing changes without the token, nor by GET', async () => {
    for (const path of ['/admin/mail/texts/invitation', '/admin/mail/texts/invitation/reset', '/admin/mail/settings'])
      expect((await desk.visitor.send(path, { form: { ...texts, senderName: 'Eve' } })).status, path).toBe(403);
    await open('/admin/mail/texts/invitation/reset');
    const { mailTexts } = app.runtime.store.of(company.id);
    expect(await mailTexts.list()).toEqual([]);
    expect((await mailTexts.findSettings()).senderName).toBeNull();
  });
});

describe('what was sent', () => {
  it('shows person, kind, state and what the server said, and never what the mail said', async () => {
    const pat = await makePerson(app, company, { email: 'shown@northwind.example' });
    await mail(pat, company);
    await mailTo('shown@northwind.example', 'sent');
    const page = await open('/admin/mail?q=shown');
    expect(page.status).toBe(200);
    expect(wordsOf(page)).toContain(
      'shown@northwind.example Pat Example Account deactivated Sent 250 2.0.0 Ok: queued as TEST1',
    );
    expect(page.body).toContain(`/admin/users/${pat.user.id}`);
    expect(wordsOf(page)).toContain('1 mail');
  });

  it('filters by state, kind and recipient, and pages', async () => {
    const pat = await makePerson(app, company, { email: 'filtered_a@northwind.example' });
    await mail(pat, company);
    await mailTo(pat.user.email, 'sent');
    const count = async (query: string) => (await open(`/admin/mail?${query}`)).body.split('<tr>').length - 2;
    expect(await count('q=FILTERED_A')).toBe(1);
    expect(await count('q=f_ltered')).toBeLessThan(1);
    expect(await count('q=filtered&state=sent&kind=deactivated')).toBe(1);
    expect(await count('q=filtered&state=bounced')).toBeLessThan(1);
    expect(await count('q=filtered&kind=invitation')).toBeLessThan(1);
    expect(await count('q=filtered&state=nonsense&kind=__proto__')).toBe(1);
    for (let i = 0; i < 26; i += 1) await mail(pat, company);
    const first = await open('/admin/mail?q=filtered&size=25');
    expect(wordsOf(first)).toContain('1 to 25 of 27');
    expect(first.body).toContain('page=2');
    expect(wordsOf(await open('/admin/mail?q=filtered&size=25&page=2'))).toContain('26 to 27 of 27');
  });

  it("API-02 another company's mails are not there, also not those to the same address", async () => {
    await mail(theirs, other);
    await mailTo(theirs.user.email, 'sent');
    const page = await open('/admin/mail?q=theirs@contoso');
    expect(page.body).not.toContain(theirs.user.id);
    expect(wordsOf(page)).toContain('No mail matches');
  });

  it('WEB-08 shows what a server said as words', async () => {
    const pat = await makePerson(app, company, { email: 'markup@northwind.example' });
    smtp.answer('markup@', '554 <script>alert(1)</script> no', 'DATA');
    await mail(pat, company);
    await mailTo('markup@northwind.example', 'failed');
    const page = await open('/admin/mail?q=markup');
    expect(page.body).not.toContain('<script>alert');
    expect(wordsOf(page)).toContain('554 <script>alert(1)</script> no');
  });

  it('says when mails wait for the server', async () => {
    const pat = await makePerson(app, company, { email: 'waits@northwind.example' });
    smtp.answer('waits@', '451 4.3.0 Later');
    await mail(pat, company);
    await mailTo('waits@northwind.example', 'deferred');
    const words = wordsOf(await open('/admin/mail'));
    expect(words).toContain('1 mail waits for the mail server');
    expect(words).toMatch(/Waiting next try/);
  });
});

describe('A3.9, C50 a blocked address', () => {
  const page = () => open(`/admin/mail/blocked/${gone.user.id}`);
  const status = async (act: () => Promise<unknown>) =>
    act().then(
      () => 200,
      (error) => (error instanceof AppError ? error.status : 500),
    );

  it('stands in the list with its reason; the row of the person warns', async () => {
    await block(gone, company);
    const words = wordsOf(await open('/admin/mail/blocked'));
    expect(words).toContain('Gone@northwind.example Pat Example 550 5.1.1 User unknown');
    expect(words).toContain('1 blocked address');
    expect(wordsOf(await open('/admin/users?q=gone'))).toContain('Mail blocked');
    expect(wordsOf(await open('/admin/mail/blocked?q=nobody'))).toContain('No blocked address matches');
  });

  it('API-02 other companies see nothing of it, and we nothing of theirs: 404', async () => {
    await block(theirs, other);
    expect(wordsOf(await open('/admin/mail/blocked'))).not.toContain('theirs@');
    for (const id of [theirs.user.id, newId<UserId>(), desk.person.user.id, 'x']) {
      expect((await open(`/admin/mail/blocked/${id}`)).status, 'page').toBe(404);
      expect((await open(`/admin/mail/blocked/${id}/lift`)).status, 'question').toBe(404);
      expect((await post(`/admin/mail/blocked/${id}/test`)).status, 'test').toBe(404);
      expect((await post(`/admin/mail/blocked/${id}/lift`)).status, 'lift').toBe(404);
    }
    expect(await status(() => liftBlock(app.operator(), company.id, theirs.user.id))).toBe(404);
    expect(await app.runtime.store.mails.isSuppressed(theirs.user.email)).toBe(true);
  });

  it('cannot be lifted before a test mail was taken', async () => {
    expect(wordsOf(await page())).toContain('Possible as soon as the state of a test mail is Sent');
    expect((await open(`/admin/mail/blocked/${gone.user.id}/lift`)).status).toBe(303);
    const refused = await post(`/admin/mail/blocked/${gone.user.id}/lift`);
    expect(refused.status).toBe(409);
    expect(wordsOf(refused)).toContain('Send a test mail first');
    expect(await app.runtime.store.mails.isSuppressed(gone.user.email)).toBe(true);
  });

  it('a test mail goes out in spite of the block; refused again, it proves nothing', async () => {
    const sent = await post(`/admin/mail/blocked/${gone.user.id}/test`);
    expect(sent.status).toBe(303);
    await eventually(async () => wordsOf(await page()).includes('Bounced'));
    expect((await post(`/admin/mail/blocked/${gone.user.id}/lift`)).status).toBe(409);
    expect((await events('mail.test'))[0]?.target_id).toBe(gone.user.id);
  });

  it('DOS-06 test mails: one a minute, five an hour, also when asked for at the same moment', async () => {
    const again = await post(`/admin/mail/blocked/${gone.user.id}/test`);
    expect(again.status).toBe(409);
    expect(wordsOf(again)).toContain('a moment ago');
    app.clock.advance(minutes(2));
    const work = app.operator();
    const results = await Promise.all(
      Array.from({ length: 6 }, () => status(() => sendTestMail(work, company.id, gone.user.id))),
    );
    expect(results.sort()).toEqual([200, 409, 409, 409, 409, 409]);
  });

  it('is lifted after one was taken, on a page that says what follows; it is recorded, and mail goes out again', async () => {
    smtp.takeAll();
    app.clock.advance(minutes(2));
    await eventually(async () =>
      (await app.runtime.store.mails.listRecent(50)).every(({ state }) => state !== 'queued'),
    );
    await post(`/admin/mail/blocked/${gone.user.id}/test`);
    await eventually(async () => wordsOf(await page()).includes('A test mail was taken'));
    const question = await open(`/admin/mail/blocked/${gone.user.id}/lift`);
    expect(wordsOf(question)).toContain('Lift the block of Gone@northwind.example');
    expect(wordsOf(question)).toContain('it is blocked again by itself');
    const lifted = await desk.visitor.submit(question, {}, '/lift');
    expect(lifted.status).toBe(200);
    expect(wordsOf(lifted)).toContain('Mail to Gone@northwind.example goes out again.');
    const [event] = await events('mail.lift');
    expect(event).toMatchObject({ company_id: company.id, target_id: gone.user.id });
    expect(event?.details).toMatchObject({ address: 'Gone@northwind.example', reason: '550 5.1.1 User unknown' });
    const before = smtp.mails.length;
    await mail(gone, company);
    await eventually(async () => smtp.mails.length > before);
    expect((await page()).status, 'nothing is left to lift').toBe(404);
  });

  it('a test mail that was taken before the address was refused again proves nothing', async () => {
    const pat = await makePerson(app, company, { email: 'twice@northwind.example' });
    await block(pat, company);
    smtp.takeAll();
    app.clock.advance(1000);
    await sendTestMail(app.operator(), company.id, pat.user.id);
    await mailTo(pat.user.email, 'sent');
    app.clock.advance(1000);
    await app.runtime.store.mails.suppress(pat.user.email, '550 5.1.1 gone again', app.clock.now());
    expect(await status(() => liftBlock(app.operator(), company.id, pat.user.id))).toBe(409);
  });
});

describe('D.8 texts', () => {
  const here = '/admin/mail/texts/invitation';
  const frame = (page: Page) => page.headers['content-security-policy'];

  it('shows our words first, saves others, and says that they are the company’s', async () => {
    expect(unescapeHtml((await open(here)).body)).toContain('Welcome to {brand}');
    const saved = await desk.visitor.follow(await post(here, texts));
    expect(wordsOf(saved)).toContain('The text of “Invitation” is saved.');
    expect(unescapeHtml(saved.body)).toContain('value="Hallo {name}"');
    expect(wordsOf(await open('/admin/mail/texts'))).toMatch(/Invitation .*? Hallo \{name\} Yours,/);
    const [event] = await events('mail.settings');
    expect(event?.details).toMatchObject({ before: { 'invitation mail': null }, after: { 'invitation mail': texts } });
  });

  it.each([
    [{ intro: 'Hi {nme}' }, 'There is no placeholder {nme} in this mail.'],
    [{ outro: 'Bye' }, 'The button is missing'],
    [{ subject: '' }, 'The subject cannot be empty.'],
    [{ intro: 'x'.repeat(2001) }, '2000 characters at most'],
  ])('422 for %o: the sentence at the field, and what was typed is kept', async (change, sentence) => {
    const refused = await post(here, { ...texts, heading: 'kept words', ...change });
    expect(refused.status).toBe(422);
    expect(wordsOf(refused)).toContain(sentence);
    expect(refused.body).toContain('value="kept words"');
    expect((await app.runtime.store.of(company.id).mailTexts.find('invitation'))?.text).toEqual(texts);
  });

  it('the preview is the mail itself: of what is in force, and of what is typed', async () => {
    const stored = await open(`${here}/preview/html`);
    expect(stored.headers['content-type']).toBe('text/html; charset=utf-8');
    expect(wordsOf(stored)).toContain('Hallo Ada');
    expect(wordsOf(stored)).toContain('Company Name Northwind');
    const typed = await post(`${here}/preview/text`, { ...texts, intro: 'Moin {name}' });
    expect(typed.headers['content-type']).toBe('text/plain; charset=utf-8');
    expect(typed.body).toContain('Subject: Hallo Ada');
    expect(typed.body).toContain('Moin Ada');
    const refused = await post(`${here}/preview/html`, { ...texts, intro: '{nme}' });
    expect(refused.status).toBe(422);
    expect(refused.headers['content-type']).toBe('text/plain; charset=utf-8');
    expect(refused.body).toContain('no placeholder {nme}');
    expect(
      (await app.runtime.store.of(company.id).mailTexts.find('invitation'))?.text,
      'looking saves nothing',
    ).toEqual(texts);
  });

  it('WEB-05, WEB-08 markup in a text stays text, and the frame can neither run nor load anything', async () => {
    const evil = '<img src=x onerror=alert(1)><script>alert(2)</script>';
    const page = await post(`${here}/preview/html`, { ...texts, heading: evil, intro: evil });
    expect(page.status).toBe(200);
    expect(page.body).not.toMatch(/<img|<script/);
    expect(frame(page)).toBe("default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; sandbox");
    expect(frame(await open(here))).toMatch(/frame-src 'self'$/);
    expect(frame(await open('/admin/mail'))).not.toContain('frame-src');
  });

  it('what is sent has these words', async () => {
    const data = {
      name: 'Ben',
      company: 'Northwind',
      username: 'ben',
      link: `${app.url}/welcome/x`,
      expiresAt: new Date(app.clock.now().getTime() + minutes(60)).toISOString(),
    };
    const recipient = 'words@northwind.example';
    await sendMail(app.operator(), { kind: 'invitation', companyId: company.id, userId: null, recipient, data });
    await mailTo(recipient, 'sent');
    const sent = smtp.mails.find(({ to }) => to === recipient);
    expect(sent?.source).toContain('Subject: Hallo Ben');
    expect(sent?.source).toContain('Bis bald');
  });

  it('is reset on a page that asks; unknown mails and those of nobody are 404', async () => {
    const question = await open(`${here}/reset`);
    expect(wordsOf(question)).toContain('Your own words are deleted');
    expect(wordsOf(await desk.visitor.submit(question, {}, '/reset'))).toContain('has its default text again');
    expect((await open(`${here}/reset`)).status, 'nothing to reset').toBe(303);
    for (const kind of ['forgotCompany', 'test', 'nothing', '__proto__'])
      for (const path of [`/admin/mail/texts/${kind}`, `/admin/mail/texts/${kind}/preview/html`])
        expect((await open(path)).status, path).toBe(404);
    expect((await open(`${here}/preview/pdf`)).status).toBe(404);
  });

  it("API-02 another company's words stay its own", async () => {
    await changeMailText(app.operator(), other.id, 'locked', {
      subject: 'Theirs',
      heading: 'h',
      intro: 'i',
      outro: '',
    });
    expect(wordsOf(await open('/admin/mail/texts'))).not.toContain('Theirs');
  });
});

describe('the sender', () => {
  it('is saved, and shown as mails will have it', async () => {
    const form = {
      senderName: 'Northwind IT',
      replyTo: 'it@northwind.example',
      fromAddress: 'login@northwind.example',
    };
    const saved = await desk.visitor.follow(await post('/admin/mail/settings', form));
    expect(wordsOf(saved)).toContain('The sender of your mails is saved.');
    for (const value of Object.values(form)) expect(saved.body).toContain(`value="${value}"`);
    expect(wordsOf(await open('/admin/mail/texts/locked'))).toContain('From Northwind IT <login@northwind.example>');
  });

  it.each([
    ['senderName', 'boss@bank.example'],
    ['senderName', 'Eve\r\nBcc: all@evil.example'],
    ['replyTo', 'nobody'],
    ['fromAddress', 'it@bank.example'],
  ])('AUT-16 422 for %s %j, and what was typed is kept', async (field, value) => {
    const refused = await post('/admin/mail/settings', { senderName: 'Kept', [field]: value });
    expect(refused.status).toBe(422);
    expect(refused.body).toMatch(new RegExp(`name="${field}"[^>]*aria-invalid="true"`));
    if (field !== 'senderName') expect(refused.body).toContain('value="Kept"');
    expect((await app.runtime.store.of(company.id).mailTexts.findSettings()).senderName).toBe('Northwind IT');
  });
});
