// Realistic values for the pages of deliveries, receipts and the contract test.
import type { ContractViews } from '../../src/web/admin/contract/views.ts';
import type { DeliveryLine, DeliveryViews } from '../../src/web/admin/deliveries/views.ts';
import type { PersonHead } from '../../src/web/admin/users/person-views.ts';
import type { Moment, Shell } from '../../src/web/views.ts';
import { sampleInstance, sampleInstanceId, sampleInstanceInTrouble } from './samples-modules.ts';
import type { Sample } from './view-samples.ts';

const path = `/admin/modules/${sampleInstanceId}`;
const moment: Moment = { text: '2 minutes ago', exact: 'Nov 22, 2026, 10:00:00 AM', iso: '2026-11-22T10:00:00.000Z' };

const head: PersonHead = {
  name: 'Ben User',
  initials: 'BU',
  username: 'ben.user',
  role: 'User',
  status: { tone: 'off', word: 'Deactivated', more: 'by an administrator' },
  blocked: null,
  acts: [],
  more: [],
  tabs: [{ label: 'Module accounts', href: '/admin/users/a/accounts', isHere: true }],
};

const delivery = (change: Partial<DeliveryLine> = {}): DeliveryLine => ({
  href: `${path}/deliveries/a`,
  act: 'Suspend',
  person: 'Ben User',
  personHref: '/admin/users/a/accounts',
  instance: 'Northwind Workplace',
  channel: 'Account',
  queuedAt: moment,
  status: { tone: 'good', word: 'Verified', more: '' },
  isLate: false,
  tries: '1',
  answer: '200',
  ...change,
});

export function deliverySamples(shell: (here: Shell['here']) => Shell, markup: string): Sample[] {
  const ugly = delivery({
    person: markup,
    personHref: null,
    status: { tone: 'danger', word: 'Failed', more: 'next try in 4 minutes' },
    isLate: true,
    tries: '12',
    answer: `503: ${markup}`,
  });
  const pages = {
    words: '1 to 2 of 2',
    sizes: [{ value: '50', label: '50 a page', selected: true }],
    previous: null,
    next: `${path}/deliveries?page=2`,
  };
  const any = (label: string) => [{ value: '', label, selected: true }];
  const list = {
    shell: shell('instances'),
    instance: sampleInstance('Deliveries'),
    action: `${path}/deliveries`,
    search: '',
    states: any('Any state'),
    acts: any('Any act'),
    person: null,
    hidden: [],
    deliveries: [delivery(), delivery({ act: 'Create' })],
    pages,
    count: '2 deliveries',
    isFiltered: false,
    lane: { status: { tone: 'good' as const, word: 'Open', more: '' }, words: 'Last answered well 2 minutes ago.' },
    resend: null,
    demand: `${path}/provision`,
  };
  const shown = {
    name: 'Ben User',
    userId: 'a',
    href: '/admin/users/a/accounts',
    title: 'Create the account of Ben User',
    nothing: '',
    why: ['Through Technicians.', 'ben.user has no account there that is known.'],
    requests: [
      {
        title: 'Change of the account (SCIM)',
        asked: 'POST https://workplace.example/scim/v2/Users',
        headers: 'authorization: Bearer …',
        body: '{\n  "userName": "ben.user"\n}',
      },
    ],
    mark: 'abc',
    button: 'Create the account of Ben User now',
  };
  const demand = {
    shell: shell('instances'),
    instance: sampleInstance('Deliveries'),
    action: `${path}/provision`,
    back: `${path}/deliveries`,
    person: '',
    unknown: '',
    problem: null,
    shown: null,
  };
  const one = {
    shell: shell('instances'),
    title: 'Suspend Ben User in Northwind Workplace',
    lead: 'Queued 2 minutes ago.',
    back: { href: `${path}/deliveries`, label: 'Deliveries to Northwind Workplace' },
    status: { tone: 'good' as const, word: 'Verified', more: '' },
    isLate: false,
    steps: [
      { words: 'Queued', at: moment },
      { words: 'Sent', at: moment },
      { words: 'Accepted by the module', at: moment },
      { words: 'Verified by reading it back', at: moment },
    ],
    facts: [
      { label: 'Because', value: 'deactivated by Ada Root' },
      { label: 'Tries', value: '1' },
    ],
    wanted: '{\n  "active": false\n}',
    answer: '200',
    sentAs: null,
    resend: null,
  };
  const line = {
    subject: 'Sessions',
    status: { tone: 'good' as const, word: 'Ended', more: '' },
    at: moment,
    sentence: 'All 3 ended.',
  };
  const end = {
    shell: shell('users'),
    name: 'Ben User',
    lead: 'ben.user · ben@northwind.example · Deactivated',
    back: { href: '/admin/users/a/accounts', label: 'Ben User' },
    banner: {
      tone: 'good' as const,
      icon: 'circle-check',
      words: 'All access ended at Nov 22, 2026, 10:00:03 AM.',
      more: '',
    },
    lines: [line, { ...line, subject: 'Tokens' }],
    events: [{ sentence: 'Ada Root deactivated Ben User.', at: moment, chain: `1042:${'9f86d081'.repeat(8)}` }],
    download: '/admin/users/a/end-of-access',
    verify: 'https://login.example.com/jwks',
  };
  const account = {
    instance: 'Northwind Workplace',
    module: 'Datto Workplace',
    icon: null,
    status: { tone: 'wait' as const, word: 'Suspended', more: '' },
    facts: [
      { label: 'Account', value: 'ben.user@northwind.example' },
      { label: 'Held until', value: 'Dec 6, 2026, 10:00:00 AM' },
    ],
    deliveries: [delivery(), delivery({ act: 'Create' })],
    all: `${path}/deliveries?user=a`,
    demand: `${path}/provision?user=a`,
    undo: '/admin/users/a/accounts/b/undo',
  };
  const undo: DeliveryViews['admin/deliveries/undo'] = {
    shell: shell('users'),
    title: 'Undo the suspension of Ben User in Northwind Workplace?',
    lead: 'The account ben.user in Northwind Workplace is suspended since Nov 22, 2026, 10:00:00 AM. They were deactivated.',
    sentences: [
      'Ben User can enter Northwind Workplace again with the account ben.user.',
      'It comes back as it was: Team Access.',
    ],
    problem: null,
    refusal: null,
    action: '/admin/users/a/accounts/b/undo',
    button: 'Restore the account of Ben User',
    cancel: '/admin/users/a/accounts',
  };
  const person = {
    shell: shell('users'),
    head,
    end: { ...end.banner, href: '/admin/users/a/end-of-access' },
    accounts: [account, { ...account, instance: 'RMM', module: '', deliveries: [], facts: [], all: null, undo: null }],
  };
  return [
    { view: 'admin/deliveries/list', variant: 'typical', title: 'Deliveries', locals: list },
    {
      view: 'admin/deliveries/list',
      variant: 'ugly',
      title: 'Deliveries',
      locals: {
        ...list,
        instance: sampleInstanceInTrouble('Deliveries', markup),
        search: markup,
        person: { name: markup, without: `${path}/deliveries` },
        hidden: [{ name: 'user', value: 'a' }],
        deliveries: [ugly, delivery({ person: 'The module itself', personHref: null, channel: 'Event', tries: '' })],
        isFiltered: true,
        lane: { status: { tone: 'danger' as const, word: 'Paused', more: 'until in 4 minutes' }, words: markup },
        resend: { action: `${path}/deliveries/resend`, button: 'Send 12 deliveries again' },
      },
    },
    {
      view: 'admin/deliveries/list',
      variant: 'empty',
      title: 'Deliveries',
      locals: { ...list, deliveries: [], count: '0 deliveries' },
    },
    { view: 'admin/deliveries/demand', variant: 'nobody-chosen', title: 'Provision', locals: demand },
    {
      view: 'admin/deliveries/demand',
      variant: 'shown',
      title: 'Provision',
      locals: { ...demand, person: 'ben', shown },
    },
    {
      view: 'admin/deliveries/demand',
      variant: 'ugly',
      title: 'Provision',
      locals: {
        ...demand,
        instance: sampleInstanceInTrouble('Deliveries', markup),
        person: markup,
        unknown: 'There is nobody of this username here.',
        problem: { sentence: 'It has changed since it was shown.', field: null, code: null },
        shown: { ...shown, title: markup, nothing: markup, why: [], requests: [], mark: '', button: '' },
      },
    },
    { view: 'admin/deliveries/one', variant: 'verified', title: 'Suspend', locals: one },
    {
      view: 'admin/deliveries/one',
      variant: 'failed',
      title: 'Suspend',
      locals: {
        ...one,
        title: markup,
        isLate: true,
        status: { tone: 'danger', word: 'Failed', more: 'next try in 4 minutes' },
        steps: [
          { words: 'Queued', at: moment },
          { words: markup, at: moment },
          { words: 'Next try', at: null },
        ],
        facts: [{ label: 'Because', value: markup }],
        wanted: '',
        answer: `503: ${markup}`,
        sentAs: `${path}/deliveries/b`,
        resend: `${path}/deliveries/a/resend`,
      },
    },
    { view: 'admin/deliveries/person', variant: 'leaver', title: 'Ben User', locals: person },
    {
      view: 'admin/deliveries/person',
      variant: 'ugly',
      title: 'Ben User',
      locals: {
        ...person,
        end: { tone: 'danger', icon: 'alert-circle', words: '1 thing has not ended.', more: markup, href: '/a' },
        accounts: [
          {
            ...account,
            instance: markup,
            module: markup,
            facts: [{ label: 'Because', value: markup }],
            deliveries: [ugly],
          },
        ],
      },
    },
    {
      view: 'admin/deliveries/person',
      variant: 'empty',
      title: 'Ben User',
      locals: { ...person, end: null, accounts: [] },
    },
    { view: 'admin/deliveries/undo', variant: 'held', title: 'Undo', locals: undo },
    {
      view: 'admin/deliveries/undo',
      variant: 'refused',
      title: 'Undo',
      locals: {
        ...undo,
        title: markup,
        lead: markup,
        refusal: { sentence: markup, change: { href: '/admin/users/a/activate', label: markup } },
      },
    },
    {
      view: 'admin/deliveries/undo',
      variant: 'gone',
      title: 'Undo',
      locals: { ...undo, refusal: { sentence: 'They were deleted.', change: null } },
    },
    { view: 'admin/deliveries/end', variant: 'ended', title: 'End of access', locals: end },
    {
      view: 'admin/deliveries/end',
      variant: 'ugly',
      title: 'End of access',
      locals: {
        ...end,
        name: markup,
        banner: { tone: 'wait', icon: 'clock-pause', words: '2 things are still ending.', more: markup },
        lines: [{ subject: markup, status: { tone: 'danger', word: 'Failed', more: '' }, at: null, sentence: markup }],
        events: [{ sentence: markup, at: moment, chain: 'Not sealed yet' }],
      },
    },
    ...contractSamples(shell, markup),
  ];
}

function contractSamples(shell: (here: Shell['here']) => Shell, markup: string): Sample[] {
  const exchange = {
    asked: 'POST https://workplace.example/scim/v2/Users',
    sent: '{\n  "userName": "unified-login-test-a1"\n}',
    answered: '201 · etag: W/"1"',
    received: '{\n  "id": "17"\n}',
    isInjected: false,
  };
  const passed = {
    title: 'Create',
    status: { tone: 'good' as const, word: 'Passed', more: '' },
    sentence: 'The account was made and answered with its id.',
    advice: '',
    exchanges: [exchange],
    count: '1 request with its answer',
  };
  const run = {
    title: 'Against the module',
    status: { tone: 'good' as const, word: 'Passed', more: '' },
    isRunning: false,
    by: 'Ada Root',
    at: moment,
    problem: '',
    done: 14,
    total: 14,
    progress: '14 of 14 cases',
    counts: [
      { label: 'Passed', value: '14' },
      { label: 'Failed', value: '0' },
      { label: 'Skipped', value: '0' },
    ],
    cases: [passed, { ...passed, title: 'Suspend' }],
  };
  const page: ContractViews['admin/contract/page'] = {
    shell: shell('instances'),
    instance: sampleInstance('Test'),
    here: `${path}/test?run=a`,
    standing: { status: { tone: 'good', word: 'Passed', more: '' }, words: 'The contract test was passed today.' },
    start: {
      action: `${path}/test`,
      targets: [
        { value: 'module', label: 'This module', selected: true },
        { value: 'fake', label: 'The built-in fake', selected: false },
      ],
      consent: '',
      hasConsent: false,
    },
    problem: null,
    run,
    others: [{ href: `${path}/test?run=b`, words: 'Against the built-in fake', at: moment, status: run.status }],
  };
  const failed = {
    ...passed,
    title: 'Duplicate e-mail address',
    status: { tone: 'danger' as const, word: 'Failed', more: '' },
    sentence: markup,
    advice: markup,
    exchanges: [{ ...exchange, asked: markup, sent: markup, received: markup, isInjected: true }],
  };
  return [
    { view: 'admin/contract/page', variant: 'passed', title: 'Contract test', locals: page },
    {
      view: 'admin/contract/page',
      variant: 'failed',
      title: 'Contract test',
      locals: {
        ...page,
        instance: sampleInstanceInTrouble('Test', markup),
        start: page.start && { ...page.start, consent: markup },
        problem: { sentence: 'Accept this to go on.', field: 'consent', code: null },
        run: { ...run, status: failed.status, problem: markup, cases: [failed, { ...passed, exchanges: [] }] },
      },
    },
    {
      view: 'admin/contract/page',
      variant: 'running',
      title: 'Contract test',
      locals: {
        ...page,
        start: null,
        run: { ...run, isRunning: true, done: 3, progress: '3 of 14 cases' },
        others: [],
      },
    },
    {
      view: 'admin/contract/page',
      variant: 'none-yet',
      title: 'Contract test',
      locals: { ...page, run: null, others: [] },
    },
  ];
}
