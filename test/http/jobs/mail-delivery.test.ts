// Mails on their way: a mail server that takes them, refuses them, is down and comes back.
import { setTimeout } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Company } from '../../../src/domain/companies/company.ts';
import { sendMail } from '../../../src/domain/mails/commands.ts';
import { settleMail } from '../../../src/domain/mails/delivery-commands.ts';
import type { MailKind, StoredMail } from '../../../src/domain/mails/mail.ts';
import { keepHouse } from '../../../src/jobs/housekeeping.ts';
import { days, hours, minutes } from '../../../src/lib/time.ts';
import { freePort, startApp, type TestApp } from '../../support/app.ts';
import { makeCompany, makePerson } from '../../support/people.ts';
import { startSmtp, type TestSmtp } from '../../support/smtp.ts';

let app: TestApp;
let smtp: TestSmtp;
let company: Company;

beforeAll(async () => {
  smtp = await startSmtp();
  app = await startApp({
    start: true,
    environment: {
      SMTP_URL: smtp.url,
      MAIL_FROM: 'KaseyaOne <noreply@login.example>',
      MAIL_FROM_DOMAINS: 'contoso.example',
    },
  });
  company = await makeCompany(app, 'Contoso');
});
afterEach(() => smtp.takeAll());
afterAll(async () => {
  await app?.stop();
  await smtp?.stop();
});

const soon = (at: number) => new Date(app.clock.now().getTime() + at).toISOString();

async function send(
  recipient: string,
  kind: MailKind = 'passwordReset',
  more: object = {},
  at: Company | null = company,
) {
  const data = {
    name: 'Ben',
    company: 'Contoso',
    username: 'ben',
    link: 'https://login.example/l/1',
    expiresAt: soon(hours(24)),
    at: soon(0),
    ip: '203.0.113.7',
    publicUrl: app.url,
    ...more,
  };
  await sendMail(app.operator(), { kind, companyId: at?.id ?? null, userId: null, recipient, data });
}

async function mailOf(recipient: string, isDone: (mail: StoredMail) => boolean): Promise<StoredMail> {
  for (const end = Date.now() + 20_000; Date.now() < end; await setTimeout(50)) {
    const mail = (await app.runtime.store.mails.listRecent(100)).find((one) => one.recipient === recipient);
    if (mail && isDone(mail)) return mail;
  }
  throw new Error(`the mail to ${recipient} is not there yet`);
}

const settled = (mail: StoredMail) => mail.state !== 'queued';
const isBlocked = (address: string) => app.runtime.store.mails.isSuppressed(address);

describe('a mail on its way', () => {
  it('is sent, keeps what the server said, and loses its values at once (API-15)', async () => {
    await send('ok@contoso.example');
    const mail = await mailOf('ok@contoso.example', settled);
    expect(mail).toMatchObject({
      state: 'sent',
      answer: '250 2.0.0 Ok: queued as TEST1',
      error: null,
      sealedData: null,
    });
    expect(mail.sentAt).not.toBeNull();
    const [taken] = smtp.mails.filter(({ to }) => to === 'ok@contoso.example');
    expect(taken?.from).toBe('noreply@login.example');
    expect(taken?.source).toMatch(/^Auto-Submitted: auto-generated\r$/m);
    expect(taken?.source).toContain(`Message-ID: <${mail.id}@login.example>`);
  });

  it('A3.9 an unknown mailbox bounces, and the next mail to it is not tried', async () => {
    smtp.answer('gone@', '550 5.1.1 <gone@contoso.example>: User unknown');
    await send('gone@contoso.example');
    const mail = await mailOf('gone@contoso.example', settled);
    expect(mail).toMatchObject({ state: 'bounced', sealedData: null, answer: null });
    expect(mail.error).toContain('5.1.1');
    expect(await isBlocked('Gone@Contoso.Example')).toBe(true);
    await send('gone@contoso.example');
    expect(await mailOf('gone@contoso.example', () => true)).toMatchObject({ state: 'suppressed', sealedData: null });
  });

  it.each([
    ['550 5.7.1 Unable to relay', 'RCPT TO'],
    ['554 5.7.1 Relay access denied', 'RCPT TO'],
    ['554 Transaction failed', 'DATA'],
  ] as const)('A3.9 "%s" at %s is a failure, and blocks nobody', async (line, at) => {
    const recipient = `relay${line.length}@contoso.example`;
    smtp.answer(recipient, line, at);
    await send(recipient);
    expect(await mailOf(recipient, settled)).toMatchObject({ state: 'failed', error: line, sealedData: null });
    expect(await isBlocked(recipient)).toBe(false);
  });

  it('asked to come later it waits, says until when, and goes out then', async () => {
    smtp.answer('later@', '450 4.2.0 Greylisted');
    await send('later@contoso.example');
    const waiting = await mailOf('later@contoso.example', (mail) => mail.state === 'deferred');
    expect(waiting).toMatchObject({ error: '450 4.2.0 Greylisted', attempts: 1 });
    expect((waiting.nextTryAt?.getTime() ?? 0) - app.clock.now().getTime()).toBeLessThanOrEqual(5000);
    expect(waiting.sealedData).not.toBeNull();
    smtp.takeAll();
    const sent = await mailOf('later@contoso.example', (mail) => mail.state === 'sent');
    expect(sent).toMatchObject({ attempts: 2, error: null, nextTryAt: null, sealedData: null });
  });

  it('an address that was blocked while its mail waited gets none', async () => {
    smtp.answer('meanwhile@', '450 4.2.0 Greylisted');
    await send('meanwhile@contoso.example');
    await mailOf('meanwhile@contoso.example', (mail) => mail.state === 'deferred');
    await app.runtime.store.mails.suppress('meanwhile@contoso.example', 'gone', app.clock.now());
    smtp.takeAll();
    const mail = await mailOf('meanwhile@contoso.example', (mail) => mail.state === 'suppressed');
    expect(mail.sealedData).toBeNull();
    expect(smtp.mails.some(({ to }) => to === 'meanwhile@contoso.example')).toBe(false);
  });

  it('a link that has run out is not sent any more', async () => {
    await send('stale@contoso.example', 'passwordReset', { expiresAt: soon(-minutes(1)) });
    const mail = await mailOf('stale@contoso.example', settled);
    expect(mail.state).toBe('failed');
    expect(mail.error).toContain('ran out before');
  });

  it('one that can never be written fails at once, instead of waiting for ever', async () => {
    await send('broken@contoso.example', 'passwordReset', { link: 'javascript:alert(1)' });
    expect(await mailOf('broken@contoso.example', settled)).toMatchObject({ state: 'failed', sealedData: null });
  });

  it('is given up after four days, not before (RFC 5321 section 4.5.4.1)', async () => {
    smtp.answer('never@', '450 4.2.0 Not now');
    await send('never@contoso.example', 'passwordChanged');
    const mail = await mailOf('never@contoso.example', (mail) => mail.state === 'deferred');
    const work = (at: number) => ({ ...app.operator(), now: new Date(mail.createdAt.getTime() + at) });
    const later = { outcome: 'deferred', answer: '450 4.2.0 Not now' } as const;
    const old = { ...mail, attempts: 60 };
    await settleMail(work(days(4) - hours(2)), old, later);
    const waiting = await mailOf('never@contoso.example', () => true);
    expect(waiting.state).toBe('deferred');
    expect(waiting.nextTryAt?.getTime()).toBe(mail.createdAt.getTime() + days(4) - hours(1));
    await settleMail(work(days(4) - minutes(30)), old, later);
    expect(await mailOf('never@contoso.example', () => true)).toMatchObject({
      state: 'failed',
      error: 'Given up after 4 days: 450 4.2.0 Not now',
      sealedData: null,
    });
  });

  it('AUT-16 names with line breaks add no header and no recipient', async () => {
    const { mailTexts } = app.runtime.store.of(company.id);
    const evil = 'Eve\r\nBcc: all@evil.example';
    // Past every check, as if it had got into the table.
    await mailTexts.saveSettings(
      { senderName: evil, replyTo: null, fromAddress: 'a@contoso.example' },
      app.clock.now(),
    );
    await send('crlf@contoso.example', 'passwordReset', { name: evil, company: evil, username: evil });
    await mailOf('crlf@contoso.example', (mail) => mail.state === 'sent');
    const [mail, ...more] = smtp.mails.filter(({ to }) => to === 'crlf@contoso.example');
    expect(more).toEqual([]);
    expect(smtp.mails.some(({ to }) => to.includes('evil'))).toBe(false);
    expect(mail?.source.split('\r\n\r\n')[0]).not.toMatch(/^Bcc:/im);
    expect(mail?.from).toBe('a@contoso.example');
  });

  it("bears the company's words, sender and address for answers; from an address whose domain is no longer allowed, the operator's", async () => {
    const other = await makeCompany(app, 'Fabrikam');
    const { mailTexts } = app.runtime.store.of(other.id);
    const text = { subject: 'Neues Passwort für {company}', heading: 'Hallo', intro: 'Hallo {name}', outro: '{link}' };
    await mailTexts.save('passwordReset', text, app.clock.now());
    const settings = {
      senderName: 'Fabrikam IT',
      replyTo: 'help@fabrikam.example',
      fromAddress: 'it@fabrikam.example',
    };
    await mailTexts.saveSettings(settings, app.clock.now());
    await send('words@fabrikam.example', 'passwordReset', { company: 'Fabrikam' }, other);
    await mailOf('words@fabrikam.example', (mail) => mail.state === 'sent');
    const mail = smtp.mails.find(({ to }) => to === 'words@fabrikam.example');
    expect(mail?.source).toContain('From: Fabrikam IT <noreply@login.example>');
    expect(mail?.source).toContain('Reply-To: help@fabrikam.example');
    expect(mail?.source).toContain('Subject: =?UTF-8?Q?Neues_Passwort_f=C3=BCr_Fabrikam?=');
    expect(mail?.source).toContain('Answers go to help@fabrikam.example.');
  });
});

describe('without the mail server', () => {
  it('pages answer at once, mails wait, and go out when it is back', async () => {
    const port = await freePort();
    const down = await startApp({ start: true, environment: { SMTP_URL: `smtp://127.0.0.1:${port}` } });
    let back: TestSmtp | null = null;
    try {
      const person = await makePerson(down, await makeCompany(down, 'Northwind'));
      // With one company only, its name is not asked for.
      await makeCompany(down, 'Contoso');
      const visitor = down.visitor();
      const form = await visitor.open('/forgot/password');
      const before = performance.now();
      const answer = await visitor.submit(form, { username: person.user.username, company: 'Northwind' });
      expect(answer.status).toBe(200);
      expect(performance.now() - before).toBeLessThan(3000);
      const state = async () => (await down.runtime.store.mails.listRecent(5))[0];
      for (let i = 0; i < 200 && (await state())?.state !== 'deferred'; i += 1) await setTimeout(50);
      expect(await state()).toMatchObject({ state: 'deferred' });
      expect((await state())?.error).toContain('ECONNREFUSED');
      back = await startSmtp(port);
      for (let i = 0; i < 600 && back.mails.length === 0; i += 1) await setTimeout(50);
      expect(back.mails.map(({ to }) => to)).toEqual([person.user.email]);
    } finally {
      await down.stop();
      await back?.stop();
    }
  });
});

describe('how long mails are kept', () => {
  it('values for 30 days where nobody sends them, mails for 180', async () => {
    const kept = await startApp({});
    try {
      const work = kept.operator();
      const put = (recipient: string, age: number) =>
        sendMail(
          { ...work, now: new Date(work.now.getTime() - age) },
          { kind: 'test', companyId: null, userId: null, recipient, data: { publicUrl: kept.url } },
        );
      await put('new@x.example', days(29));
      await put('old@x.example', days(31));
      await put('ancient@x.example', days(181));
      await keepHouse(work);
      const mails = await kept.runtime.store.mails.listRecent(10);
      expect(mails.map(({ recipient, sealedData }) => [recipient, sealedData !== null])).toEqual([
        ['new@x.example', true],
        ['old@x.example', false],
      ]);
    } finally {
      await kept.stop();
    }
  });
});
