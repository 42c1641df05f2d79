import type { Moment, Shell } from '../../src/web/views.ts';
import type { Sample } from './view-samples.ts';

export function inviteSamples(shell: (here: Shell['here']) => Shell, markup: string): Sample[] {
  const at: Moment = { text: '2 minutes ago', exact: 'Nov 22, 2026, 10:00:00 AM', iso: '2026-11-22T10:00:00.000Z' };
  const group = (
    name: string,
    more: Partial<{ checked: boolean; isActive: boolean; isExclusive: boolean; note: string }>,
  ) => ({
    id: name,
    name,
    checked: false,
    isActive: true,
    isExclusive: false,
    note: '',
    ...more,
  });
  const form = {
    shell: shell('users'),
    problem: null,
    action: '/admin/users/new',
    back: '/admin/users',
    check: '/admin/users/check',
    values: { firstName: '', lastName: '', email: '', username: '' },
    notes: { firstName: null, lastName: null, email: null, username: null, role: null, groups: null },
    roles: ['', 'Admin', 'Billing and Purchasing', 'User', 'Co-Managed User'].map((value) => ({
      value,
      label: value === '' ? 'Choose a role' : value,
      selected: value === '',
    })),
    groups: [
      group('All Module Access', { checked: true, note: 'Every module that is connected' }),
      group('Field', { isActive: false }),
      group('No Module Access', { isExclusive: true, note: 'No module; chosen, it clears the others' }),
      group(markup, {}),
    ],
  };
  const page = {
    shell: shell('users'),
    problem: null,
    action: '/admin/users/import',
    back: '/admin/users',
    template: '/admin/users/import/users.zip',
    maxBytes: 10_485_760,
    tooLarge: 'This file is larger than 10 MB.',
    maxRows: '10,000',
    recent: [],
  };
  const sentence = 'A username has 50 characters at most. Choose a shorter one.';
  const fileSentence = 'Line 7: a quotation mark opens in this row and never closes.';
  const long = `${'a'.repeat(48)}@example.com`;
  return [
    { view: 'admin/users/new', variant: 'first', title: 'New User', locals: form },
    {
      view: 'admin/users/new',
      variant: 'refused',
      title: 'New User',
      locals: {
        ...form,
        problem: { sentence, field: 'username', code: null },
        values: { firstName: markup, lastName: 'Lovelace', email: long, username: long },
        notes: {
          ...form.notes,
          username: { kind: 'problem', sentence },
          email: { kind: 'warning', sentence: `${markup} (ben) has this e-mail, too.` },
        },
      },
    },
    { view: 'admin/users/import', variant: 'first', title: 'Bulk Invite Users', locals: page },
    {
      view: 'admin/users/import',
      variant: 'refused',
      title: 'Bulk Invite Users',
      locals: {
        ...page,
        problem: { sentence: fileSentence, field: 'file', code: null },
        recent: [
          {
            href: '/admin/tasks/a',
            title: `Invite 1,204 people from ${markup}.csv`,
            state: { tone: 'good', word: 'Done', more: '' },
            counts: '1,200 imported, 1 skipped, 3 failed',
            at,
          },
          {
            href: '/admin/tasks/b',
            title: 'Invite 3 people from users.csv',
            state: { tone: 'wait', word: 'Running', more: '' },
            counts: '0 imported, 0 skipped, 0 failed',
            at,
          },
        ],
      },
    },
  ];
}
