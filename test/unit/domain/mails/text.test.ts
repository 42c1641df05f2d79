import { describe, expect, it } from 'vitest';
import { defaultTexts } from '../../../../src/domain/mails/default-texts.ts';
import { giveUpDays, nextTry } from '../../../../src/domain/mails/mail.ts';
import {
  checkSettings,
  checkText,
  type MailText,
  mandatoryOf,
  placeholdersOf,
  textKinds,
} from '../../../../src/domain/mails/text.ts';
import { AppError } from '../../../../src/lib/errors.ts';
import { days, seconds } from '../../../../src/lib/time.ts';
import { composeMail } from '../../../../src/mail/compose.ts';
import { sampleData } from '../../../../src/mail/samples.ts';

const now = new Date('2026-11-22T09:30:00Z');
const context = { brand: 'KaseyaOne', createdAt: now, publicUrl: 'https://login.example.com' };
const samples = sampleData({ company: 'Contoso Ltd', publicUrl: context.publicUrl, now });
const good: MailText = { subject: 'Hi {name}', heading: 'Hello', intro: 'Dear {name},', outro: '{link}\n\nBye' };

function fieldsOf(act: () => unknown): Record<string, string> {
  try {
    act();
  } catch (error) {
    if (error instanceof AppError && error.status === 422) return error.fields;
    throw error;
  }
  return {};
}

describe("D.8 a company's own words", () => {
  it.each(textKinds)('our own words of %s pass the check that a company must pass', (kind) => {
    const { preview: _, ...text } = defaultTexts[kind];
    expect(checkText(kind, { ...text })).toEqual(text);
    const used = [...`${Object.values(text).join(' ')}`.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    for (const name of mandatoryOf(kind)) expect(used).toContain(name);
  });

  it.each(textKinds)('every placeholder of %s has a value', (kind) => {
    const names = placeholdersOf[kind].filter((name) => name !== 'link');
    const text = {
      subject: 's',
      heading: 'h',
      intro: names.map((name) => `[{${name}}]`).join('\n'),
      outro: mandatoryOf(kind).length > 0 ? '{link}' : '',
    };
    const mail = composeMail(kind, samples[kind], { ...context, text: checkText(kind, text) });
    expect(mail.text).not.toMatch(/[{}]|\[\]/);
    expect(mail.html).not.toMatch(/\[\{/);
  });

  it.each([
    ['an unknown placeholder', { intro: 'Hi {nme}' }, 'intro', /no placeholder \{nme\}/],
    ['a placeholder of another mail', { intro: '{until}' }, 'intro', /no placeholder \{until\}/],
    ['one in the subject', { subject: '{secret}' }, 'subject', /no placeholder/],
    ['the button in the subject', { subject: '{link}' }, 'subject', /stands in the text/],
    ['a missing button', { outro: 'Bye' }, 'outro', /button is missing/],
    ['two buttons', { intro: '{link}', outro: '{link}' }, 'outro', /only once/],
    ['a button inside a sentence', { outro: 'Press {link} now' }, 'outro', /line of its own/],
    ['a brace alone', { intro: 'a { b' }, 'intro', /stands alone/],
    ['a brace over lines', { intro: '{na\nme}' }, 'intro', /stands alone/],
    ['a placeholder in a placeholder', { intro: '{{name}}' }, 'intro', /stands alone/],
    ['no subject', { subject: '  ' }, 'subject', /empty/],
    ['no text', { intro: ' \n ' }, 'intro', /empty/],
    ['AUT-16 a subject of two lines', { subject: 'a\r\nBcc: x@y.example' }, 'subject', /one line/],
    ['AUT-16 a heading of two lines', { heading: 'a\u2028b' }, 'heading', /one line/],
    ['a control character', { intro: 'a\u0000b' }, 'intro', /no mail can show/],
    ['a long subject', { subject: 'x'.repeat(151) }, 'subject', /150 characters/],
    ['a long text', { intro: 'x'.repeat(2001) }, 'intro', /2000 characters/],
  ])('refuses %s', (_, change, field, sentence) => {
    const fields = fieldsOf(() => checkText('invitation', { ...good, ...change }));
    expect(Object.keys(fields)).toEqual([field]);
    expect(fields[field]).toMatch(sentence);
  });

  it('takes what browsers send: CR LF, and spaces around', () => {
    const typed = { ...good, intro: '  Dear {name},\r\nsecond\r\n\r\nthird  ', subject: ' Hi ' };
    expect(checkText('invitation', typed)).toMatchObject({ intro: 'Dear {name},\nsecond\n\nthird', subject: 'Hi' });
    expect(checkText('emailChanged', { ...good, outro: '' }).outro).toBe('');
  });

  it('WEB-08 shows markup as what it is, and reads no placeholder out of a value', () => {
    const text = { ...good, heading: '<h1>x</h1>', intro: '<img src=x onerror=alert(1)> {name}\nnext' };
    const data = { ...samples.invitation, name: '{link} <b>{company}</b>\r\n\r\n{link}' };
    const mail = composeMail('invitation', data, { ...context, text: checkText('invitation', text) });
    expect(mail.html).not.toMatch(/<img|<b>|<h1>x/);
    expect(mail.html).toContain(
      '&#60;img src=x onerror=alert(1)&#62; {link} &#60;b&#62;{company}&#60;/b&#62; {link}<br>next',
    );
    expect(mail.html.match(/>Sign Up<\/a>/g)).toHaveLength(1);
    expect(mail.text.match(/Sign Up:/g)).toHaveLength(1);
    expect(mail.subject).not.toMatch(/[\r\n]/);
  });

  it('the button stands where {link} stands', () => {
    const text = checkText('invitation', { ...good, intro: 'One\n\n{link}\n\nTwo', outro: '' });
    const mail = composeMail('invitation', samples.invitation, { ...context, text });
    expect(mail.text.indexOf('Sign Up:')).toBeGreaterThan(mail.text.indexOf('One'));
    expect(mail.text.indexOf('Sign Up:')).toBeLessThan(mail.text.indexOf('Two'));
    expect(mail.text.indexOf('Two')).toBeLessThan(mail.text.indexOf('Company Name:'));
  });

  it('shows the beginning of its own text beside the subject, not of ours', () => {
    const text = checkText('invitation', { ...good, intro: 'Guten Tag {name},\n\nes geht los.' });
    const { html } = composeMail('invitation', samples.invitation, { ...context, text });
    expect(html).toContain('overflow:hidden">es geht los.</div>');
    expect(html).not.toContain('invites you');
  });
});

describe('sender and answers', () => {
  it('takes a name and addresses, and nothing at all', () => {
    expect(checkSettings({ senderName: ' Contoso IT ', replyTo: 'it@contoso.example' }, [])).toEqual({
      senderName: 'Contoso IT',
      replyTo: 'it@contoso.example',
      fromAddress: null,
    });
    expect(checkSettings({}, [])).toEqual({ senderName: null, replyTo: null, fromAddress: null });
    expect(checkSettings({ fromAddress: 'IT@Contoso.Example' }, ['contoso.example']).fromAddress).toBe(
      'IT@Contoso.Example',
    );
  });

  it.each([
    ['senderName', 'ceo@bank.example'],
    ['senderName', 'Eve\r\nBcc: all@evil.example'],
    ['senderName', 'Eve" <x@evil.example>'],
    ['senderName', 'abc\u202edef'],
    ['senderName', 'x'.repeat(61)],
    ['replyTo', 'nobody'],
    ['replyTo', 'a@b.example, c@d.example'],
    ['replyTo', 'a@b.example\r\nBcc: c@d.example'],
    ['fromAddress', 'it@other.example'],
    ['fromAddress', 'it@sub.contoso.example'],
    ['fromAddress', 'it@contoso.example@evil.example'],
  ])('AUT-16 refuses %s %j', (field, value) => {
    expect(Object.keys(fieldsOf(() => checkSettings({ [field]: value }, ['contoso.example'])))).toEqual([field]);
  });
});

describe('when a mail that waits is tried again', () => {
  it('soon at first, then once an hour, for four days', () => {
    const gaps: number[] = [];
    let at = now;
    for (let attempts = 0; ; attempts += 1) {
      const next = nextTry({ createdAt: now, attempts }, at);
      if (!next) break;
      gaps.push((next.getTime() - at.getTime()) / seconds(1));
      at = next;
    }
    expect(gaps.slice(0, 8)).toEqual([5, 15, 60, 300, 900, 1800, 3600, 3600]);
    expect(at.getTime()).toBeLessThanOrEqual(now.getTime() + days(giveUpDays));
    expect(gaps.length).toBeGreaterThan(90);
  });
});
