// Realistic values for the report on a module's accounts, its plans and links.
import type { Moment, Shell } from '../../src/web/views.ts';
import { sampleInstance, sampleInstanceId, sampleInstanceInTrouble } from './samples-modules.ts';
import type { Sample } from './view-samples.ts';

const path = `/admin/modules/${sampleInstanceId}/accounts`;
const moment: Moment = { text: '3 minutes ago', exact: '22 Nov 2026, 12:57:00', iso: '2026-11-22T12:57:00.000Z' };

export function moduleAccountSamples(shell: (here: Shell['here']) => Shell, markup: string): Sample[] {
  const here = shell('instances');
  const instance = sampleInstance('Accounts');
  const pages = {
    words: '1 to 3 of 3',
    sizes: [{ value: '50', label: '50 a page', selected: true }],
    previous: null,
    next: `${path}?page=2`,
  };
  const card = (label: string, count: string, tone: 'good' | 'wait' | 'danger' | 'off', change = '') => ({
    label,
    count,
    change,
    tone,
    href: `${path}?class=x`,
    isHere: label === 'Orphan in the module',
  });
  const line = {
    account: 'ada@northwind.example',
    person: { name: 'Ada Root', href: '/admin/users/a' },
    isAdministrator: true,
    class: { tone: 'danger' as const, word: 'Wrong permission', more: '' },
    isNew: true,
    before: 'Team Access',
    after: 'Administrator',
    why: 'Through Workplace Team.',
    link: null,
    unlink: `${path}/unlink?account=1`,
    whyPerson: '/admin/users/a/why?module=m',
  };
  const filters = {
    search: '',
    classes: [{ value: '', label: 'Everything that differs', selected: true }],
    onlyNew: false,
    chips: [],
    clear: null,
  };
  const report = {
    shell: here,
    instance,
    here: path,
    report: {
      at: moment,
      words: '1,204 accounts',
      note: '',
      isLatest: true,
      cards: [
        card('Matched', '1,180', 'good'),
        card('Orphan in the module', '12', 'wait', '2 new, 1 gone'),
        card('Missing', '0', 'off'),
        card('Wrong status', '7', 'danger', '7 new'),
        card('Wrong permission', '3', 'danger'),
        card('Wrong time zone', '1', 'wait'),
        card('Duplicate', '2', 'wait'),
        card('Local password works', '1', 'danger'),
      ],
    },
    progress: null,
    failed: '',
    read: `${path}/read`,
    latest: path,
    history: `${path}/history`,
    plan: `${path}/plans/new`,
    export: `${path}/reports/a/export`,
    filters,
    count: '3 lines',
    lines: [
      line,
      {
        ...line,
        account: markup,
        person: null,
        isAdministrator: false,
        class: { tone: 'wait' as const, word: 'Orphan in the module', more: '' },
        isNew: false,
        before: 'Active · Team Access · Europe/Berlin',
        after: '',
        why: `${markup} has this address, but it is not verified.`,
        link: `${path}/link?account=2`,
        unlink: null,
      },
      {
        ...line,
        account: '',
        person: { name: markup, href: null },
        before: 'No account',
        unlink: null,
        whyPerson: null,
      },
    ],
    isFiltered: false,
    pages,
  };
  const chips = [{ label: markup, without: path }];
  const plan = {
    shell: here,
    instance,
    back: path,
    here: `${path}/plans/a`,
    state: { tone: 'wait' as const, word: 'Not applied', more: '' },
    madeAt: moment,
    by: 'ada.root',
    hash: '3f9a0c1d2e4b',
    counts: ['Create', 'Change', 'Suspend', 'Give back', 'Leave alone'].map((label, i) => ({
      label,
      value: String(i),
    })),
    second: '',
    changed: null,
    problem: null,
    apply: { action: `${path}/plans/a/apply`, button: 'Apply to 6 accounts', isDanger: true },
    drop: `${path}/plans/a/drop`,
    again: `${path}/plans/new`,
    task: null,
    download: `${path}/plans/a/export`,
    filters: {
      search: '',
      acts: [{ value: '', label: 'All acts', selected: true }],
      chips: [],
      clear: null,
    },
    count: '2 lines',
    lines: [
      {
        account: 'ben@northwind.example',
        person: { name: 'Ben Leaver', href: '/admin/users/b' },
        isAdministrator: true,
        act: { tone: 'danger' as const, word: 'Suspend', more: '' },
        before: 'Active · Team Access · Europe/Berlin',
        after: 'Suspended · Team Access · Europe/Berlin',
        rule: 'Has no access any more. They were deactivated.',
      },
      {
        account: '',
        person: { name: markup, href: null },
        isAdministrator: false,
        act: { tone: 'off' as const, word: 'Leave alone', more: '' },
        before: 'No account',
        after: '',
        rule: 'Their e-mail address is not verified.',
      },
    ],
    isFiltered: false,
    pages,
  };
  const link = {
    shell: here,
    instance,
    back: path,
    account: {
      name: 'grace@northwind.example',
      facts: [
        { label: 'Name', value: 'Grace Number' },
        { label: 'At the module', value: 'Active · Team Access' },
      ],
    },
    accountId: '17',
    find: `${path}/link`,
    search: 'grace',
    action: `${path}/link`,
    problem: null,
    isSearched: true,
    people: [
      { id: 'a', name: 'Grace Number', words: 'grace, grace@northwind.example, Active' },
      { id: 'b', name: markup, words: markup },
    ],
  };
  const newPlan = {
    shell: here,
    instance,
    problem: null,
    back: path,
    action: `${path}/plans`,
    classes: [
      { value: 'status', label: 'Wrong status (7)', help: 'Who has lost access is suspended.', checked: true },
      { value: 'orphan', label: 'Orphan in the module (12)', help: 'Never removed.', checked: false },
    ],
    orphans: [
      { value: 'ignore', label: 'Leave them alone', help: 'They are listed.', checked: true },
      { value: 'suspend', label: 'Suspend them', help: 'Exempt accounts stay.', checked: false },
    ],
    untouched: ['Duplicates are touched by no plan.'],
  };
  return [
    { view: 'admin/module-accounts/report', variant: 'typical', title: 'Accounts', locals: report },
    {
      view: 'admin/module-accounts/report',
      variant: 'reading',
      title: 'Accounts',
      locals: { ...report, progress: { words: '400 of 1,204 accounts', max: 1204, value: 400 } },
    },
    {
      view: 'admin/module-accounts/report',
      variant: 'nothing-found',
      title: 'Accounts',
      locals: {
        ...report,
        instance: sampleInstanceInTrouble('Accounts', markup),
        report: { ...report.report, note: 'It announced 1,204 accounts, and sent 1,100.', isLatest: false },
        failed: 'It did not answer within 15 seconds.',
        plan: null,
        lines: [],
        isFiltered: true,
        filters: { ...filters, search: markup, chips, clear: path },
      },
    },
    {
      view: 'admin/module-accounts/report',
      variant: 'first',
      title: 'Accounts',
      locals: { ...report, report: null, plan: null, lines: [], progress: null },
    },
    {
      view: 'admin/module-accounts/report',
      variant: 'first-reading',
      title: 'Accounts',
      locals: { ...report, report: null, plan: null, lines: [], progress: { words: 'Asking', max: null, value: 0 } },
    },
    {
      view: 'admin/module-accounts/report',
      variant: 'unreadable',
      title: 'Accounts',
      locals: { ...report, report: null, read: null, plan: null, lines: [] },
    },
    {
      view: 'admin/module-accounts/history',
      variant: 'typical',
      title: 'Reports',
      locals: {
        shell: here,
        instance,
        back: path,
        readings: [
          {
            href: `${path}/reports/a`,
            at: moment,
            by: markup,
            state: { tone: 'good', word: 'Done', more: '' },
            accounts: '1,204',
            wrong: '24',
          },
          {
            href: null,
            at: moment,
            by: 'daily',
            state: { tone: 'danger', word: 'Failed', more: 'It did not answer within 15 seconds.' },
            accounts: '0',
            wrong: '',
          },
        ],
        plans: [
          {
            href: `${path}/plans/a`,
            at: moment,
            by: markup,
            state: { tone: 'good', word: 'Applied', more: '' },
            words: '7 acts',
          },
        ],
      },
    },
    {
      view: 'admin/module-accounts/history',
      variant: 'none',
      title: 'Reports',
      locals: { shell: here, instance, back: path, readings: [], plans: [] },
    },
    { view: 'admin/module-accounts/new-plan', variant: 'typical', title: 'Make a plan', locals: newPlan },
    {
      view: 'admin/module-accounts/new-plan',
      variant: 'refused',
      title: 'Make a plan',
      locals: {
        ...newPlan,
        problem: { sentence: 'Choose what the plan is about.', field: null, code: null },
        classes: newPlan.classes.map((one) => ({ ...one, checked: false })),
      },
    },
    { view: 'admin/module-accounts/plan', variant: 'typical', title: 'Plan', locals: plan },
    {
      view: 'admin/module-accounts/plan',
      variant: 'second',
      title: 'Plan',
      locals: {
        ...plan,
        second: 'It suspends 40 of 200 active accounts. So another administrator has to apply it.',
        apply: { action: `${path}/plans/a/apply`, button: 'Ask for a second administrator', isDanger: false },
      },
    },
    {
      view: 'admin/module-accounts/plan',
      variant: 'changed',
      title: 'Plan',
      locals: {
        ...plan,
        apply: null,
        problem: null,
        changed: {
          words: '2 lines are not as they were. It can’t be applied any more: make a new one.',
          lines: [{ who: markup, was: 'Active to Suspended', now: 'Active: left alone' }],
          more: null,
        },
        lines: [],
        isFiltered: true,
        filters: { ...plan.filters, search: markup, chips, clear: `${path}/plans/a` },
      },
    },
    {
      view: 'admin/module-accounts/plan',
      variant: 'applied',
      title: 'Plan',
      locals: {
        ...plan,
        state: { tone: 'good', word: 'Applied', more: '' },
        apply: null,
        drop: null,
        task: '/admin/tasks/a',
        lines: [],
      },
    },
    { view: 'admin/module-accounts/link', variant: 'typical', title: 'Link', locals: link },
    {
      view: 'admin/module-accounts/link',
      variant: 'nobody',
      title: 'Link',
      locals: {
        ...link,
        account: { name: markup, facts: [{ label: 'E-mail', value: markup }] },
        search: markup,
        people: [],
        problem: { sentence: 'Choose the person whose account this is.', field: null, code: null },
      },
    },
  ];
}
