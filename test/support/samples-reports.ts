// The audit log and the dashboard.
import type { ChartTable } from '../../src/web/admin/dashboard/views.ts';
import type { Moment, Shell } from '../../src/web/views.ts';
import type { Sample } from './view-samples.ts';

const moment: Moment = { text: '2 minutes ago', exact: 'Nov 22, 2026, 10:00:00 AM', iso: '2026-11-22T10:00:00.000Z' };
const ended: Moment = { text: 'in 9 minutes', exact: 'Nov 22, 2026, 10:11:00 AM', iso: '2026-11-22T10:11:00.000Z' };

export function reportSamples(shell: (here: Shell['here']) => Shell, markup: string): Sample[] {
  return [...auditSamples(shell('audit'), markup), ...dashboardSamples(shell('dashboard'), markup)];
}

function auditSamples(shell: Shell, markup: string): Sample[] {
  const line = { at: moment, who: 'Ada Root', ip: '203.0.113.7', code: '', isAlarming: false };
  const filters = {
    person: '',
    actions: [
      {
        label: 'Logins and sessions',
        choices: [
          { value: 'all:signIn', label: 'Logins and sessions: all', selected: false },
          { value: 'login.fail', label: 'Login: fail', selected: false },
        ],
      },
    ],
    isAnyAction: true,
    ranges: [
      { value: '', label: 'Any time', selected: true },
      { value: 'week', label: 'Last 7 days', selected: false },
    ],
    from: '',
    to: '',
    ip: '',
    code: '',
    isMoreOpen: false,
    chips: [],
    clear: null,
  };
  const list = {
    shell,
    filters,
    zone: 'Europe/Berlin',
    events: [
      { ...line, id: '3', href: '/admin/audit/3', sentence: 'Ada Root reset Ben User’s second factor.' },
      {
        ...line,
        id: '2',
        href: '/admin/audit/2',
        sentence: `A login as “${markup}” was refused: there is no such person.`,
        who: 'Somebody not logged in',
        code: 'T94X-3NV5',
        isAlarming: true,
      },
      {
        ...line,
        id: '1',
        href: '/admin/audit/1',
        sentence: 'Ada Root logged in with password and code.',
        ip: '2001:db8:85a3:8d3:1319:8a2e:370:7348',
      },
    ],
    isFiltered: false,
    unknownPerson: '',
    links: { newest: null, newer: null, older: '/admin/audit?before=1' },
    hidden: [],
  };
  const event = {
    shell,
    sentence: 'Ada Root edited Ben User’s data: last name from “User” to “Uther”.',
    at: moment,
    facts: [
      { label: 'Action', value: 'Edit (user.edit)', href: null },
      { label: 'Who', value: 'Ada Root', href: '/admin/users/a' },
      { label: 'Device', value: 'Mozilla/5.0 (Windows NT 10.0) Chrome/140.0 Safari/537.36', href: null },
    ],
    why: null,
    changes: [{ field: 'last name', before: 'User', after: 'Uther' }],
    details: [],
    seal: { seq: '1,204', hash: 'ab'.repeat(32), at: moment },
    back: '/admin/audit',
  };
  return [
    { view: 'admin/audit/list', variant: 'typical', title: 'Audit log', locals: list },
    {
      view: 'admin/audit/list',
      variant: 'filtered',
      title: 'Audit log',
      locals: {
        ...list,
        filters: {
          ...filters,
          person: 'ben',
          ip: markup,
          isMoreOpen: true,
          chips: [
            { label: 'Ben User', without: '/admin/audit' },
            { label: `Address ${markup}`, without: '/admin/audit' },
          ],
          clear: '/admin/audit',
        },
        isFiltered: true,
        links: { newest: '/admin/audit', newer: '/admin/audit?after=3', older: null },
        hidden: [{ name: 'person', value: 'ben' }],
      },
    },
    {
      view: 'admin/audit/list',
      variant: 'unknown-person',
      title: 'Audit log',
      locals: { ...list, events: [], isFiltered: true, unknownPerson: markup },
    },
    { view: 'admin/audit/event', variant: 'change', title: 'Event 3', locals: event },
    {
      view: 'admin/audit/event',
      variant: 'refusal',
      title: 'Event 2',
      locals: {
        ...event,
        sentence: `A login as “${markup}” was refused: the password was wrong.`,
        why: {
          sentence: 'The login was refused: the password was wrong.',
          link: { href: '/admin/users/b', label: 'Open the person' },
        },
        changes: [],
        details: [{ label: 'username', value: markup }],
        seal: null,
      },
    },
  ];
}

function dashboardSamples(shell: Shell, markup: string): Sample[] {
  const cell = (number: number) => ({ text: number.toLocaleString('en'), number });
  const signIns: ChartTable = {
    id: 'sign-ins',
    title: 'Logins by day',
    summary: '1,204 logins and 32 refused ones in 30 days.',
    kind: 'line',
    head: 'Day',
    series: [
      { label: 'Logins', tone: 'accent' },
      { label: 'Refused', tone: 'danger' },
    ],
    rows: Array.from({ length: 30 }, (_, day) => ({
      label: `${day + 1} Nov`,
      tone: null,
      values: [cell(day % 7 > 4 ? 120 + day : 900 + ((day * 37) % 200)), cell((day * 13) % 40)],
    })),
  };
  const people: ChartTable = {
    id: 'people',
    title: 'People by status',
    summary: 'Active: 1,100, Invited: 80, LockedOut: 3, Deactivated: 21.',
    kind: 'bar',
    head: 'Status',
    series: [{ label: 'People', tone: 'accent' }],
    rows: [
      { label: 'Active', tone: 'good', values: [cell(1100)] },
      { label: 'Invited', tone: 'wait', values: [cell(80)] },
      { label: 'LockedOut', tone: 'danger', values: [cell(3)] },
      { label: 'Deactivated', tone: 'off', values: [cell(21)] },
    ],
  };
  const secondFactor: ChartTable = {
    ...people,
    id: 'second-factor',
    title: 'People by 2FA',
    head: '2FA',
    rows: [
      { label: 'Enrolled', tone: 'good', values: [cell(1010)] },
      { label: 'Not Enrolled', tone: 'wait', values: [cell(194)] },
    ],
  };
  const person = (name: string, act: string) => ({
    name,
    username: 'lou.locked',
    href: '/admin/users/a',
    until: ended,
    act: `/admin/users/a/${act}`,
  });
  const page = {
    shell,
    figures: [
      { label: 'Logins', value: '24,120', more: 'in 30 days', href: '/admin/audit', tone: 'plain' as const },
      { label: 'Refused logins', value: '612', more: 'in 30 days', href: '/admin/audit', tone: 'plain' as const },
      { label: 'Locked out', value: '3', more: 'right now', href: '/admin/users', tone: 'danger' as const },
      { label: 'Invitations', value: '12', more: 'run out in 3 days', href: '/admin/users', tone: 'wait' as const },
      { label: 'Mails', value: '0', more: 'did not arrive in 30 days', href: '/admin/mail', tone: 'plain' as const },
    ],
    ranges: [
      { label: '7 days', href: '/admin?days=7', isCurrent: false },
      { label: '30 days', href: '/admin', isCurrent: true },
      { label: '90 days', href: '/admin?days=90', isCurrent: false },
    ],
    signIns,
    zone: 'Europe/Berlin',
    people,
    secondFactor,
    counted: { ...moment, text: 'just now' },
    locked: {
      lines: [person('Lou Locked', 'unlock'), person(markup, 'unlock')],
      all: { href: '/admin/users?status=LockedOut', words: 'All 12 people' },
    },
    runningOut: { lines: [person('Ida Invited', 'resend')], all: null },
    mails: {
      lines: [
        {
          at: moment,
          recipient: 'zoe@nowhere.example',
          what: 'Invitation',
          why: `550 5.1.1 ${markup}`,
          href: '/admin/users/z',
        },
        { at: moment, recipient: 'gone@nowhere.example', what: 'Test', why: '', href: null },
      ],
      all: null,
      none: '',
    },
  };
  return [
    { view: 'admin/dashboard/page', variant: 'typical', title: 'Dashboard', locals: page },
    {
      view: 'admin/dashboard/page',
      variant: 'calm',
      title: 'Dashboard',
      locals: {
        ...page,
        locked: { lines: [], all: null },
        runningOut: { lines: [], all: null },
        mails: { lines: [], all: null, none: 'Every mail of the last 30 days went out.' },
      },
    },
  ];
}
