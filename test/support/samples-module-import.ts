import type { CandidateLine } from '../../src/web/admin/module-import/views.ts';
import type { Moment, Shell } from '../../src/web/views.ts';
import type { Sample } from './view-samples.ts';

export function moduleImportSamples(shell: (here: Shell['here']) => Shell, markup: string): Sample[] {
  const moment: Moment = { text: '2 minutes ago', exact: 'Nov 22, 2026, 10:00:00 AM', iso: '2026-11-22T10:00:00.000Z' };
  const at = '/admin/users/import-from-module/a';
  const steps = (now: number) =>
    ['Module', 'Users', 'Role and groups', 'Review'].map((label, i) => ({
      label,
      href: i < now ? at : null,
      isNow: i === now,
    }));
  const wizard = (now: number) => ({ shell: shell('users'), steps: steps(now), problem: null });
  const problem = (sentence: string, field: string | null = null) => ({ sentence, field, code: null });
  const person = (position: number, name: string, more: Partial<CandidateLine> = {}): CandidateLine => ({
    position,
    name,
    username: 'grace.hopper',
    email: 'grace.hopper@northwind.example',
    standing: { tone: 'good', word: 'Can be imported', more: '' },
    checked: position % 2 === 0,
    role: 'User',
    groups: 'All Module Access',
    isAssigned: false,
    ...more,
  });
  const lines = [
    person(1, 'Grace Hopper'),
    person(2, markup, {
      standing: { tone: 'off', word: 'Skipped', more: `Already in KaseyaOne, with the username ${markup}.` },
      isAssigned: true,
    }),
    person(3, 'Lou', {
      standing: { tone: 'danger', word: 'Cannot be imported', more: 'The module has no last name for this person.' },
    }),
  ];
  const groups = [
    { id: 'g1', name: 'All Module Access', isActive: true, checked: true },
    { id: 'g2', name: markup, isActive: false, checked: false },
  ];
  const roles = ['', 'Admin', 'User'].map((value) => ({
    value,
    label: value || 'Choose a role',
    selected: value === '',
  }));
  const only = (name: string, icon: string | null, id: string) => ({
    name,
    icon,
    only: { id, checked: false },
    isOpen: false,
    instances: [{ id, name, checked: false }],
  });
  const source = {
    ...wizard(0),
    action: '/admin/users/import-from-module',
    modules: [
      only('Workplace', null, 'w'),
      {
        name: markup,
        icon: null,
        only: null,
        isOpen: true,
        instances: [
          { id: 'h1', name: 'Helpdesk Berlin', checked: true },
          { id: 'h2', name: markup, checked: false },
        ],
      },
    ],
    none: 'Supporting modules are not connected to KaseyaOne.',
    open: [{ href: `${at}/people`, name: markup, words: '12 of 1,204 people chosen', at: moment }],
  };
  const reading = {
    ...wizard(1),
    module: 'Workplace',
    icon: null,
    here: at,
    isReading: true,
    read: 400,
    announced: 1204,
    progress: '400 of 1,204 people',
    retry: `${at}/read-again`,
    back: '/admin/users/import-from-module',
  };
  const people = {
    ...wizard(1),
    module: 'Workplace',
    action: `${at}/people`,
    select: `${at}/select`,
    query: 'q=grace',
    search: '',
    standings: [{ value: '', label: 'Everybody', selected: true }],
    isFiltered: false,
    note: '',
    count: '1,204 people',
    chosen: '12 chosen',
    people: lines,
    selections: [
      { who: 'page' as const, label: 'Choose this page' },
      { who: 'all' as const, label: 'Choose all 1,204 people' },
      { who: 'none' as const, label: 'Choose nobody' },
    ],
    words: '51 to 53 of 1,204',
    previous: '1',
    next: '3',
  };
  const assign = {
    ...wizard(2),
    module: 'Workplace',
    action: `${at}/assign`,
    chosen: '12 people',
    roles,
    groups,
    individual: { checked: true, words: '2 people so far' },
    back: `${at}/people`,
  };
  const individual = {
    ...wizard(2),
    action: `${at}/individual`,
    query: '',
    search: '',
    shown: [{ value: '', label: 'Everybody chosen', selected: true }],
    count: '12 people',
    all: 'User; All Module Access',
    people: lines,
    pages: {
      words: '1 to 3 of 3',
      sizes: [{ value: '50', label: '50 a page', selected: true }],
      previous: null,
      next: null,
    },
    roles,
    groups,
    back: `${at}/assign`,
    next: `${at}/review`,
  };
  const review = {
    ...wizard(3),
    module: 'Workplace',
    action: `${at}/review`,
    counts: [
      { label: 'Will be invited', value: '1,200' },
      { label: 'Will be skipped', value: '3' },
      { label: 'Cannot be imported', value: '1' },
    ],
    facts: [
      { label: 'From', value: 'Workplace', change: '' },
      { label: 'Group', value: markup, change: `${at}/assign` },
    ],
    others: lines.slice(1),
    more: 'And 2 more.',
    button: 'Import 1,204 people',
    inviteDays: 14,
    back: `${at}/assign`,
  };
  return [
    { view: 'admin/module-import/source', variant: 'typical', title: 'Import Users', locals: source },
    {
      view: 'admin/module-import/source',
      variant: 'none',
      title: 'Import Users',
      locals: { ...source, modules: [], open: [] },
    },
    {
      view: 'admin/module-import/source',
      variant: 'refused',
      title: 'Import Users',
      locals: { ...source, problem: problem('Choose a module.') },
    },
    { view: 'admin/module-import/reading', variant: 'typical', title: 'Users of Workplace', locals: reading },
    {
      view: 'admin/module-import/reading',
      variant: 'begun',
      title: 'Users of Workplace',
      locals: { ...reading, announced: null, read: 0, progress: 'Asking for the list' },
    },
    {
      view: 'admin/module-import/reading',
      variant: 'failed',
      title: 'Users of Workplace',
      locals: {
        ...reading,
        isReading: false,
        problem: problem('The users of Workplace could not be read. It did not answer within 15 seconds.'),
      },
    },
    { view: 'admin/module-import/people', variant: 'typical', title: 'Users of Workplace', locals: people },
    {
      view: 'admin/module-import/people',
      variant: 'nobody',
      title: 'Users of Workplace',
      locals: {
        ...people,
        people: [],
        isFiltered: true,
        search: markup,
        note: 'About this list: It announced 1,204 people, and sent 1,000.',
        problem: problem('Choose at least one person to import.'),
      },
    },
    { view: 'admin/module-import/assign', variant: 'typical', title: 'Role and groups', locals: assign },
    {
      view: 'admin/module-import/assign',
      variant: 'refused',
      title: 'Role and groups',
      locals: { ...assign, individual: { checked: false, words: '' }, problem: problem('Choose a role.', 'role') },
    },
    {
      view: 'admin/module-import/individual',
      variant: 'typical',
      title: 'Assign Individual Users',
      locals: individual,
    },
    {
      view: 'admin/module-import/individual',
      variant: 'refused',
      title: 'Assign Individual Users',
      locals: { ...individual, problem: problem('Choose a role.', 'role') },
    },
    {
      view: 'admin/module-import/individual',
      variant: 'nobody',
      title: 'Assign Individual Users',
      locals: { ...individual, people: [], groups: [], search: markup },
    },
    { view: 'admin/module-import/review', variant: 'typical', title: 'Review', locals: review },
    {
      view: 'admin/module-import/review',
      variant: 'all',
      title: 'Review',
      locals: { ...review, others: [], more: '', problem: problem('Choose at least one person to import.') },
    },
  ];
}
