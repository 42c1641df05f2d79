import { describe, expect, it } from 'vitest';
import type { MailKind } from '../../../src/domain/mails/mail.ts';
import { composeMail } from '../../../src/mail/compose.ts';
import type { MailData } from '../../../src/mail/data.ts';

const context = {
  brand: 'KaseyaOne',
  createdAt: new Date('2026-11-22T09:30:00Z'),
  publicUrl: 'https://login.example.com',
};
const person = { name: 'Ben', company: 'Contoso Ltd' };
const account = { ...person, username: 'ben.user' };
const in14Days = '2026-12-06T09:30:00.000Z';
const in24Hours = '2026-11-23T09:30:00.000Z';
const at = '2026-11-22T09:30:00.000Z';
const ip = '203.0.113.7';
const link = 'https://login.example.com/welcome/8f0kQ2m1Zb7?a=1&b=2';

const exception = {
  ...person,
  module: 'Datto Workplace',
  account: 'ben@contoso.example',
  reason: 'Without a phone',
  href: '/admin/modules/7/exceptions',
};

const data: MailData = {
  invitation: { ...account, link, expiresAt: in14Days },
  setup: { ...account, link, expiresAt: in24Hours },
  passwordReset: { ...account, link, expiresAt: in24Hours },
  confirmEmail: { ...account, link, expiresAt: in24Hours, email: 'ben@new.example' },
  emailChangeRequested: { ...person, at, expiresAt: in24Hours },
  emailChanged: { ...person, at },
  forgotCompany: { email: 'ben@contoso.example', companies: ['Contoso Ltd', 'Fabrikam Inc'] },
  locked: { ...account, until: '2026-11-22T09:40:00.000Z', ip },
  passwordChanged: { ...account, at, ip },
  secondFactorReset: { ...person, at, ip },
  secondFactorEnrolled: { ...person, at, ip },
  recoveryCodeUsed: { ...person, at, ip, left: 9 },
  deactivated: account,
  importFinished: {
    ...person,
    kind: 'csv',
    counts: { imported: 1204, skipped: 3, failed: 2 },
    href: '/admin/imports/7',
  },
  exportReady: { ...person, href: '/admin/exports/7' },
  exceptionEnds: { ...exception, endsAt: in14Days },
  exceptionKept: { ...exception, endsAt: in14Days },
  noWayIn: { ...person, module: 'Datto Workplace', href: '/admin/modules/7/exceptions' },
  emergencyUsed: {
    ...person,
    module: 'Datto Workplace',
    account: 'sealed@northwind.example',
    at: '2026-11-22T13:30:00.000Z',
    href: '/admin/modules/7/exceptions',
  },
  moduleConnected: {
    ...person,
    module: 'Datto Workplace',
    tenant: 'Northwind IT',
    by: 'ada.root',
    admin: 'Ada Root',
    from: '203.0.113.7',
    server: '198.51.100.4',
    at,
    href: '/admin/modules/7/disconnect',
  },
  contractOverridden: {
    ...person,
    module: 'Datto Workplace',
    by: 'ada.root',
    reason: 'No test tenant',
    from: '203.0.113.7',
    at,
    href: '/admin/modules/7/settings',
  },
  requirementReverted: { ...person, module: 'Datto Workplace', at, href: '/admin/modules/7/settings' },
  batchWaits: {
    ...person,
    module: 'Datto Workplace',
    people: 37,
    cause: 'deleted by Ada Root',
    href: '/admin/batches/7',
  },
  groupsNotSaid: {
    ...person,
    connection: 'Entra ID',
    account: 'ben@contoso.example',
    problem: 'the groups were not sent',
    href: '/admin/sso/7',
  },
  deliveriesLate: { ...person, module: 'Datto Workplace', people: 1, problem: 'It is down.', href: '/admin/modules/7' },
  certificateEnds: {
    ...person,
    connection: 'Entra ID',
    certificate: 'CN=idp',
    endsAt: in14Days,
    isOver: false,
    href: '/admin/sso/7',
  },
  certificateAdded: { ...person, connection: 'Entra ID', certificates: ['CN=idp 2027'], href: '/admin/sso/7' },
  ssoReverted: { ...person, connection: 'Entra ID', at, href: '/admin/sso/7' },
  domainLost: { ...person, domain: 'contoso.example', isLost: false, until: in14Days, href: '/admin/sso/domains' },
  breakGlassEnds: {
    ...person,
    account: 'ben.user',
    reason: 'On call',
    endsAt: in14Days,
    isKept: false,
    href: '/admin/sso/break-glass',
  },
  test: { publicUrl: 'https://login.example.com' },
};
const kinds = Object.keys(data) as MailKind[]; // the keys of a literal of that type
const withLink: MailKind[] = [
  'invitation',
  'setup',
  'passwordReset',
  'confirmEmail',
  'importFinished',
  'exportReady',
  'exceptionEnds',
  'exceptionKept',
  'noWayIn',
  'emergencyUsed',
  'moduleConnected',
  'contractOverridden',
  'requirementReverted',
  'batchWaits',
  'groupsNotSaid',
  'deliveriesLate',
  'certificateEnds',
  'certificateAdded',
  'ssoReverted',
  'domainLost',
  'breakGlassEnds',
];

describe('D.8 words of the mails', () => {
  it('invites with Sign Up, company, username and 14 days (B.1)', () => {
    const mail = composeMail('invitation', data.invitation, context);
    expect(mail.subject).toBe('Welcome to KaseyaOne');
    expect(mail.html).toMatch(/>Sign Up<\/a>/);
    expect(mail.text).toContain(`Sign Up:\n${link}`);
    expect(mail.text).toContain('Company Name: Contoso Ltd\nUsername: ben.user');
    expect(mail.text).toContain('works for 14 days, until 6 December 2026 at 09:30 UTC, and only once');
  });

  it.each(['setup', 'passwordReset', 'confirmEmail'] as const)(
    'says that the link of %s works for 24 hours',
    (kind) => {
      const mail = composeMail(kind, data[kind], context);
      expect(mail.text).toContain('works for 24 hours, until 23 November 2026 at 09:30 UTC');
      expect(mail.text).toContain(link);
    },
  );

  it('puts no link into any other mail, the notice to the old address above all', () => {
    for (const kind of kinds.filter((kind) => !withLink.includes(kind))) {
      const mail = composeMail(kind, data[kind], context);
      expect(mail.html, kind).not.toContain('<a ');
      if (kind !== 'test') expect(mail.text, kind).not.toContain('http');
    }
  });

  it('lists the companies of an address', () => {
    expect(composeMail('forgotCompany', data.forgotCompany, context).text).toContain('- Contoso Ltd\n- Fabrikam Inc');
  });

  it('says until when an account is locked and where the tries came from', () => {
    const { text } = composeMail('locked', data.locked, context);
    expect(text).toContain('Locked until: 22 November 2026 at 09:40 UTC');
    expect(text).toContain('Last try from: 203.0.113.7');
  });

  it('tells the counts of an import, and whether rows are left to mend (A5.6)', () => {
    const mail = composeMail('importFinished', data.importFinished, context);
    expect(mail.subject).toBe('Your KaseyaOne import is done, and 2 rows need you');
    expect(mail.text).toContain('Imported: 1,204\nSkipped: 3\nFailed: 2');
    const clean = { ...data.importFinished, counts: { imported: 1, skipped: 0, failed: 0 } };
    expect(composeMail('importFinished', clean, context).subject).toBe('Your KaseyaOne import is done');
  });

  it('A8.6 names the account of an exception, the module and the day on which it ends', () => {
    const mail = composeMail('exceptionEnds', data.exceptionEnds, context);
    expect(mail.subject).toBe('ben@contoso.example soon has to use KaseyaOne for Datto Workplace');
    expect(mail.text).toContain('Reason: Without a phone\nEnds: 6 December 2026 at 09:30 UTC');
    expect(mail.text).toContain('Show the exceptions:\nhttps://login.example.com/admin/modules/7/exceptions');
    const kept = composeMail('exceptionKept', data.exceptionKept, context);
    expect(kept.text).toContain('it stays in force until 6 December 2026 at 09:30 UTC');
  });

  it('C30 tells that a trial was taken back, and that nothing else was changed', () => {
    const mail = composeMail('requirementReverted', data.requirementReverted, context);
    expect(mail.subject).toBe('Local login to Datto Workplace works again: nobody confirmed the trial');
    expect(mail.text).toContain('Nothing else was changed');
    expect(mail.text).toContain('https://login.example.com/admin/modules/7/settings');
  });

  it('tells administrators that a large change waits, and that a module has not been reached', () => {
    const batch = composeMail('batchWaits', data.batchWaits, context);
    expect(batch.subject).toBe('37 people would lose Datto Workplace: confirm or refuse');
    expect(batch.text).toContain('Cause: deleted by Ada Root');
    const late = composeMail('deliveriesLate', data.deliveriesLate, context);
    expect(late.subject).toBe('Datto Workplace has not been told of 1 person yet');
    expect(late.text).toContain('Last answer: It is down.');
  });

  it('counts the recovery codes that are left', () => {
    const textFor = (left: number) => composeMail('recoveryCodeUsed', { ...data.recoveryCodeUsed, left }, context).text;
    expect(textFor(9)).toContain('9 of 10 are left');
    expect(textFor(1)).toContain('1 of 10 is left');
    expect(textFor(0)).toContain('None is left');
  });
});

describe.each(kinds)('mail %s', (kind) => {
  it('has a subject of one line, and no remote thing (AUT-15)', () => {
    const { subject, html, text } = composeMail(kind, data[kind], context);
    expect(subject).toMatch(/^[^\r\n]+$/);
    expect(html).not.toMatch(/<(img|script|link|iframe|form)\b|url\(|@import/i);
    expect(`${html}${text}`).not.toMatch(/undefined|\[object|Invalid Date/);
  });

  it('AUT-16 escapes markup and drops line breaks from every value', () => {
    const hostile = `<b>x</b>"'\r\nBcc: all@example.com\u2028`;
    const poisoned = Object.fromEntries(
      Object.entries(data[kind]).map(([key, value]) => {
        if (Array.isArray(value)) return [key, [hostile]];
        return [
          key,
          ['link', 'expiresAt', 'endsAt', 'until', 'at', 'left', 'kind', 'counts', 'people', 'href'].includes(key) ||
          typeof value === 'boolean'
            ? value
            : hostile,
        ];
      }),
    );
    // The poisoned data have the same keys as the sample they come from.
    const { subject, html, text } = composeMail(kind, poisoned as MailData[typeof kind], {
      ...context,
      brand: hostile,
    });
    expect(html).not.toContain('<b>');
    expect(subject).not.toMatch(/[\r\n\u2028]/);
    expect(text).not.toMatch(/^Bcc:/m);
    expect(html).not.toMatch(/^Bcc:/m);
  });
});

describe('links in mails', () => {
  it('AUT-15 pages of ours stand below the public address, whatever the path tries', () => {
    const write = (href: string) => composeMail('exportReady', { ...data.exportReady, href }, context).text;
    expect(write('/admin/exports/7?a=1')).toContain('Download:\nhttps://login.example.com/admin/exports/7?a=1\n');
    for (const href of [
      '//evil.example',
      '/\\evil.example',
      '/\t/evil.example',
      'https://evil.example',
      'javascript:alert(1)',
      '',
    ])
      expect(() => write(href), href).toThrow();
  });

  it.each(['javascript:alert(1)', 'data:text/html,x', 'no address'])('refuses %s', (address) => {
    expect(() => composeMail('invitation', { ...data.invitation, link: address }, context)).toThrow();
  });

  it('escapes the address in HTML', () => {
    const { html } = composeMail('invitation', data.invitation, context);
    expect(html).toContain('href="https://login.example.com/welcome/8f0kQ2m1Zb7?a=1&#38;b=2"');
  });
});
