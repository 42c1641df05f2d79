import { defaultTexts } from '../../src/domain/mails/default-texts.ts';
import type { Moment, Shell } from '../../src/web/views.ts';
import type { Sample } from './view-samples.ts';

export function mailSamples(shell: (here: Shell['here']) => Shell, markup: string): Sample[] {
  const moment: Moment = { text: '2 minutes ago', exact: 'Nov 22, 2026, 10:00:00 AM', iso: '2026-11-22T10:00:00.000Z' };
  const tab = (label: string, href: string, isHere = false) => ({ label, href, isHere });
  const page = { shell: shell('mail'), tabs: [tab('Mails', '/admin/mail', true), tab('Texts', '/admin/mail/texts')] };
  const pages = {
    words: '1 to 3 of 10,000+',
    sizes: [{ value: '50', label: '50 a page', selected: true }],
    previous: '/admin/mail',
    next: '/admin/mail?page=3',
  };
  const any = (label: string) => [{ value: '', label, selected: true }];
  const filters = { search: '', states: any('Any state'), kinds: any('Any mail'), chips: [], clear: null };
  const sent = { tone: 'good' as const, word: 'Sent', more: '' };
  const bounced = { tone: 'danger' as const, word: 'Bounced', more: '' };
  const line = {
    kind: 'Invitation',
    recipient: 'ben@contoso.example',
    person: { name: 'Ben User', href: '/admin/users/a' },
    status: sent,
    answer: '250 2.0.0 Ok: queued as 4XyZ',
    at: moment,
  };
  const list = {
    ...page,
    filters,
    notice: '12 mails wait for the mail server, which did not take them yet.',
    mails: [
      line,
      { ...line, recipient: markup, person: { name: markup, href: '/admin/users/b' }, status: bounced, answer: markup },
    ],
    pages,
    count: 'more than 10,000 mails',
    isFiltered: false,
  };
  const person = {
    ...page,
    problem: null,
    name: markup,
    person: '/admin/users/a',
    email: 'ben@contoso.example',
    reason: '550 5.1.1 User unknown',
    since: moment,
    lastRefusedAt: moment,
    tests: [],
    isUnderWay: false,
    here: '/admin/mail/blocked/a',
    sendTest: '/admin/mail/blocked/a/test',
    lift: null,
  };
  const blocked = {
    ...page,
    search: '',
    people: [
      { name: markup, email: 'ben@contoso.example', reason: markup, since: moment, href: '/admin/mail/blocked/a' },
    ],
    pages,
    count: '1 blocked address',
    isFiltered: false,
  };
  const { preview: _, ...words } = defaultTexts.invitation;
  const text = {
    ...page,
    problem: null,
    kind: 'Invitation',
    occasion: 'To a new user.',
    action: '/admin/mail/texts/invitation',
    values: words,
    limits: { subject: 150, heading: 100, intro: 2000, outro: 2000 },
    placeholders: [
      { name: '{name}', words: 'Name of the person', isNeeded: false },
      { name: '{link}', words: 'The button', isNeeded: true },
    ],
    reset: '/admin/mail/texts/invitation/reset',
    preview: {
      html: '/admin/mail/texts/invitation/preview/html',
      text: '/admin/mail/texts/invitation/preview/text',
      from: 'KaseyaOne <noreply@localhost>',
    },
  };
  const settings = {
    ...page,
    problem: null,
    action: '/admin/mail/settings',
    values: { senderName: '', replyTo: '', fromAddress: '' },
    operator: { name: 'KaseyaOne', address: 'noreply@localhost' },
    fromDomains: null,
  };
  const refused = (field: string, sentence: string) => ({ sentence, field, code: null });
  const test = { status: { tone: 'wait' as const, word: 'Queued', more: '' }, answer: '', at: moment };
  return [
    { view: 'admin/mail/list', variant: 'typical', title: 'Mail', locals: list },
    {
      view: 'admin/mail/list',
      variant: 'none',
      title: 'Mail',
      locals: {
        ...list,
        notice: '',
        mails: [],
        isFiltered: true,
        filters: {
          ...filters,
          search: markup,
          chips: [{ label: markup, without: '/admin/mail' }],
          clear: '/admin/mail',
        },
      },
    },
    { view: 'admin/mail/blocked', variant: 'typical', title: 'Blocked addresses', locals: blocked },
    {
      view: 'admin/mail/blocked',
      variant: 'none',
      title: 'Blocked addresses',
      locals: { ...blocked, people: [], count: 'none' },
    },
    { view: 'admin/mail/blocked-person', variant: 'first', title: 'Blocked', locals: person },
    {
      view: 'admin/mail/blocked-person',
      variant: 'refused',
      title: 'Blocked',
      locals: {
        ...person,
        problem: { sentence: 'A moment ago.', field: null, code: null },
        tests: [test],
        isUnderWay: true,
      },
    },
    {
      view: 'admin/mail/blocked-person',
      variant: 'proved',
      title: 'Blocked',
      locals: { ...person, tests: [{ status: sent, answer: markup, at: moment }], lift: '/admin/mail/blocked/a/lift' },
    },
    {
      view: 'admin/mail/lift',
      variant: 'first',
      title: 'Lift the block',
      locals: {
        ...page,
        problem: null,
        name: markup,
        email: markup,
        action: '/admin/mail/blocked/a/lift',
        cancel: '/admin/mail/blocked/a',
      },
    },
    {
      view: 'admin/mail/texts',
      variant: 'typical',
      title: 'Texts of mails',
      locals: {
        ...page,
        texts: [
          {
            kind: 'Invitation',
            occasion: 'To a new user.',
            subject: markup,
            href: '/admin/mail/texts/invitation',
            changedAt: moment,
          },
          {
            kind: 'Locked',
            occasion: 'After failures.',
            subject: 'Locked',
            href: '/admin/mail/texts/locked',
            changedAt: null,
          },
        ],
      },
    },
    { view: 'admin/mail/text', variant: 'typical', title: 'Invitation', locals: text },
    {
      view: 'admin/mail/text',
      variant: 'refused',
      title: 'Invitation',
      locals: {
        ...text,
        reset: null,
        values: { ...words, intro: markup },
        problem: refused('intro', 'There is no placeholder {nme} in this mail.'),
      },
    },
    {
      view: 'admin/mail/text-reset',
      variant: 'first',
      title: 'Reset',
      locals: {
        ...page,
        kind: 'Invitation',
        changed: { ...words, subject: markup },
        ours: words,
        action: '/admin/mail/texts/invitation/reset',
        cancel: '/admin/mail/texts/invitation',
      },
    },
    { view: 'admin/mail/settings', variant: 'first', title: 'Sender of mails', locals: settings },
    {
      view: 'admin/mail/settings',
      variant: 'refused',
      title: 'Sender of mails',
      locals: {
        ...settings,
        values: { senderName: markup, replyTo: '', fromAddress: '' },
        fromDomains: 'contoso.example',
        problem: refused('senderName', 'The sender name cannot contain @.'),
      },
    },
  ];
}
