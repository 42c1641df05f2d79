// Realistic values for the pages of the console, noun by noun; see view-samples.ts.
import { peopleColumns } from '../../src/web/admin/users/views.ts';
import type { Shell } from '../../src/web/views.ts';
import { batchSamples } from './samples-batches.ts';
import { bulkSamples } from './samples-bulk.ts';
import { deliverySamples } from './samples-deliveries.ts';
import { groupSamples } from './samples-groups.ts';
import { inviteSamples } from './samples-invite.ts';
import { mailSamples } from './samples-mail.ts';
import { moduleAccountSamples } from './samples-module-accounts.ts';
import { moduleImportSamples } from './samples-module-import.ts';
import { moduleSamples } from './samples-modules.ts';
import { personSamples } from './samples-person.ts';
import { reportSamples } from './samples-reports.ts';
import { securitySamples } from './samples-security.ts';
import { ssoSamples } from './samples-sso.ts';
import { taskSamples } from './samples-tasks.ts';
import { whySamples } from './samples-why.ts';
import type { Sample } from './view-samples.ts';

export function consoleSamples(shell: (here: Shell['here']) => Shell, markup: string): Sample[] {
  const pages = {
    words: '1 to 3 of 10,000+',
    sizes: [{ value: '50', label: '50 a page', selected: true }],
    previous: '/admin/users',
    next: '/admin/users?page=3',
  };
  const any = (label: string) => [{ value: '', label, selected: true }];
  const filters = {
    search: '',
    roles: any('Any role'),
    statuses: any('Any status'),
    secondFactors: any('Any 2FA'),
    groups: any('Any group'),
    hidden: [{ name: 'sort', value: 'email' }],
    chips: [],
    clear: null,
  };
  const head = ({ key, label }: (typeof peopleColumns)[number]) => ({
    key,
    label,
    sort: `/admin/users?sort=${key}`,
    sorted: key === 'email' ? ('ascending' as const) : null,
    sortIcon: 'arrow-up' as const,
    look: 'cell-short',
  });
  const person = (id: string, firstName: string) => ({
    id,
    href: `/admin/users/${id}`,
    name: `${firstName} Locked`,
    initials: 'AL',
    firstName,
    lastName: 'Locked',
    username: 'lou',
    email: 'lou@northwind.example',
    role: 'User',
    status: { tone: 'danger' as const, word: 'LockedOut', more: '9 minutes left' },
    secondFactor: 'Enrolled',
    invite: '',
    lastLogin: null,
    isMailBlocked: true,
    acts: {
      edit: `/admin/users/${id}/edit`,
      deactivate: `/admin/users/${id}/deactivate`,
      activate: null,
      unlock: `/admin/users/${id}/unlock`,
      delete: `/admin/users/${id}/delete`,
      resend: null,
      resetSecondFactor: `/admin/users/${id}/reset-2fa`,
      resetPassword: `/admin/users/${id}/reset-password`,
    },
  });
  const list = {
    shell: shell('users'),
    filters,
    columns: peopleColumns.map(head),
    allColumns: peopleColumns.map(({ key, label }, at) => ({
      key,
      label,
      shown: true,
      isFirst: at === 0,
      isLast: at === peopleColumns.length - 1,
    })),
    columnOrder: peopleColumns.map(({ key }) => key).join(','),
    people: [person('a', 'Lou'), person('b', markup)],
    pages,
    count: 'more than 10,000 people',
    isFiltered: false,
    query: 'sort=email',
  };
  const chips = [{ label: markup, without: '/admin/users' }];
  return [
    ...bulkSamples(shell, markup),
    ...mailSamples(shell, markup),
    ...moduleAccountSamples(shell, markup),
    ...moduleImportSamples(shell, markup),
    ...deliverySamples(shell, markup),
    ...groupSamples(shell, markup),
    ...moduleSamples(shell, markup),
    ...inviteSamples(shell, markup),
    ...securitySamples(shell, markup),
    ...batchSamples(shell, markup),
    ...whySamples(shell, markup),
    ...ssoSamples(shell, markup),
    ...taskSamples(shell, markup),
    ...reportSamples(shell, markup),
    { view: 'admin/users/list', variant: 'typical', title: 'Users', locals: list },
    {
      view: 'admin/users/list',
      variant: 'nobody',
      title: 'Users',
      locals: {
        ...list,
        people: [],
        isFiltered: true,
        filters: { ...filters, search: markup, chips, clear: '/admin/users' },
      },
    },
    ...personSamples(shell, markup),
  ];
}
