// Realistic values for the pages of Single Sign-On.
import { findProduct, guideOf } from '../../src/web/admin/sso/products.ts';
import type { SetupStep, SsoField, SsoHead, SsoRuleLine, SsoSwitch } from '../../src/web/admin/sso/views.ts';
import { ssoAddresses } from '../../src/web/sso/connector.ts';
import type { Moment, Shell } from '../../src/web/views.ts';
import type { Sample } from './view-samples.ts';

const path = '/admin/sso/a';
const moment: Moment = { text: '2 minutes ago', exact: 'Nov 22, 2026, 10:00:00 AM', iso: '2026-11-22T10:00:00.000Z' };

const head = (here: string, change: Partial<SsoHead> = {}): SsoHead => ({
  id: 'a',
  name: 'Northwind Entra',
  kind: 'Microsoft Entra ID, SAML 2.0',
  status: { tone: 'good', word: 'Enabled', more: '' },
  trial: null,
  ending: null,
  tabs: ['Overview', 'Test', 'Settings', 'Mapping rules', 'Plans', 'Enforce', 'Log'].map((label) => ({
    label,
    href: `${path}/${label}`,
    isHere: label === here,
  })),
  ...change,
});

const step = (title: string, state: SetupStep['state']): SetupStep => ({
  title,
  words: 'What it is good for.',
  href: `${path}/test`,
  link: 'Open it',
  isOptional: false,
  state,
});

const inTrouble = (here: string, markup: string): SsoHead =>
  head(here, {
    name: markup,
    kind: 'OpenID Connect',
    status: { tone: 'wait', word: 'Trial', more: '9 minutes left' },
    trial: { left: '9 minutes left', until: moment, href: `${path}/enforce` },
    ending: { words: 'The certificate ends in 3 days: get the new one in time.', href: `${path}/settings` },
  });

const field = (name: string, change: Partial<SsoField> = {}): SsoField => ({
  name,
  label: name,
  kind: 'text',
  value: 'value',
  help: 'As it is sent.',
  optional: false,
  maxLength: 400,
  choices: [],
  isWrong: false,
  error: '',
  theirs: '',
  ...change,
});

const setting = (name: string, change: Partial<SsoSwitch> = {}): SsoSwitch => ({
  name,
  label: `Switch ${name}`,
  help: 'What it does.',
  checked: true,
  isWrong: false,
  error: '',
  theirs: '',
  ...change,
});

const refusal = (sentence: string, name: string | null) => ({
  sentence,
  field: name,
  code: null,
  fields: name === null ? {} : { [name]: sentence },
});

const guide = (key: string) => {
  const product = findProduct(key);
  if (!product) throw new Error(key);
  return guideOf(product, { addresses: ssoAddresses('https://login.example.com'), companyIdentifier: 'K7Q2' });
};

const groups = [
  { id: 'g1', name: 'All Module Access', checked: true, isActive: true },
  { id: 'g2', name: 'Field', checked: false, isActive: false },
];

const rule = (number: number, change: Partial<SsoRuleLine> = {}): SsoRuleLine => ({
  number: String(number),
  at: String(number - 1),
  id: `r${number}`,
  tests: [
    { value: 'group', label: 'Group is', selected: true },
    { value: 'equals', label: 'Claim is', selected: false },
  ],
  claim: '',
  value: 'Sales',
  roles: [{ value: '', label: 'Role as it is', selected: true }],
  groups,
  groupWords: '1 access group',
  stops: false,
  up: null,
  down: null,
  remove: `remove.${number - 1}`,
  error: '',
  ...change,
});

export function ssoSamples(shell: (here: Shell['here']) => Shell, markup: string): Sample[] {
  return [
    ...listSamples(shell, markup),
    ...newSamples(shell, markup),
    ...metadataSamples(shell, markup),
    ...connectionSamples(shell, markup),
    ...testSamples(shell, markup),
    ...ruleSamples(shell, markup),
    ...planSamples(shell, markup),
    ...enforceSamples(shell, markup),
    ...logSamples(shell, markup),
    ...domainSamples(shell, markup),
    ...peopleSamples(shell, markup),
  ];
}

type Make = (shell: (here: Shell['here']) => Shell, markup: string) => Sample[];

const listSamples: Make = (shell, markup) => {
  const list = {
    shell: shell('sso'),
    connections: [],
    add: '/admin/sso/new',
    domains: { href: '/admin/sso/domains', words: '1 of 2 proved.' },
    breakGlass: { href: '/admin/sso/break-glass', words: 'Nobody yet.' },
  };
  const line = {
    href: path,
    name: 'Northwind Entra',
    kind: 'Microsoft Entra ID, SAML 2.0',
    status: { tone: 'good' as const, word: 'Enabled', more: '' },
    next: null,
    people: '412 people',
    lastSeen: moment,
    certificate: { moment, warning: '' },
  };
  const next = { link: 'Test it', href: `${path}/test` };
  const ugly = { ...line, name: markup, next, lastSeen: null, certificate: { moment, warning: 'Ends soon' } };
  return [
    { view: 'admin/sso/list', title: 'Single Sign-On', variant: 'none', locals: list },
    {
      view: 'admin/sso/list',
      title: 'Single Sign-On',
      variant: 'some',
      locals: { ...list, connections: [line, ugly, { ...line, certificate: null }] },
    },
    {
      view: 'admin/sso/choose',
      title: 'Add a connection',
      variant: 'all',
      locals: {
        shell: shell('sso'),
        back: '/admin/sso',
        products: [{ href: '/admin/sso/new/okta', name: 'Okta', words: 'Workforce Identity' }],
      },
    },
  ];
};

const bring = {
  action: '/admin/sso/metadata/entra',
  file: '/admin/sso/metadata',
  hidden: { name: 'product', value: 'entra' },
  carried: [],
  url: field('settings.metadataUrl', { kind: 'url' }),
  text: field('metadata', { kind: 'lines', value: '', help: '' }),
  isPasted: false,
  fileError: '',
};

const metadataSamples: Make = (shell, markup) => {
  const locals = {
    shell: shell('sso'),
    connection: head('Settings'),
    problem: null,
    back: path,
    bring: { ...bring, hidden: { name: 'connection', value: 'a' } },
    preview: null,
  };
  const certificate = { subject: 'CN=Northwind', ends: moment, warning: '', fingerprint: 'AB:CD' };
  const preview = {
    isSame: false,
    lines: [{ label: 'Issuer', before: 'https://old.example', after: markup }],
    certificates: [
      { ...certificate, fate: { tone: 'good' as const, word: 'New', more: '' } },
      { ...certificate, subject: markup, warning: 'Ended', fate: { tone: 'danger' as const, word: 'Goes', more: '' } },
    ],
    sentences: ['Logins go by it at once: test it right after.'],
    action: `${path}/metadata/save`,
    hidden: [{ name: 'entityId', value: markup }],
  };
  const page = (variant: string, more: object): Sample => ({
    view: 'admin/sso/metadata',
    title: 'Metadata',
    variant,
    locals: { ...locals, ...more },
  });
  return [
    page('empty', {}),
    page('preview', { preview }),
    page('same', { preview: { ...preview, isSame: true, lines: [], certificates: [], hidden: [] } }),
    page('refused', {
      connection: inTrouble('Settings', markup),
      problem: refusal('This is no metadata.', 'metadata'),
      bring: {
        ...bring,
        isPasted: true,
        text: field('metadata', { kind: 'lines', value: markup, isWrong: true, error: 'This is no metadata.' }),
      },
    }),
  ];
};

const newSamples: Make = (shell, markup) => {
  const locals = {
    shell: shell('sso'),
    problem: null,
    back: '/admin/sso/new',
    product: { key: 'entra', name: 'Microsoft Entra ID' },
    guide: guide('entra'),
    metadata: {
      ...bring,
      carried: [{ name: 'name', value: markup }],
      read: 'The metadata is read, with 1 certificate.',
      warning: 'The certificate ended on Nov 21, 2026. Logins still work: we go by its key.',
    },
    form: {
      action: '/admin/sso/new/entra',
      fields: [
        field('name', { value: '', isFocused: true }),
        field('settings.ssoUrl', { kind: 'url' }),
        field('settings.certificates', { kind: 'lines' }),
      ],
      more: [field('attributes.email'), field('attributes.groups', { optional: true, help: '' })],
      hidden: [{ name: 'settings.signRequests', value: 'yes' }],
    },
  };
  const wrong = field('settings.ssoUrl', {
    kind: 'url',
    value: markup,
    isWrong: true,
    error: 'Enter the whole address.',
  });
  return [
    { view: 'admin/sso/new', title: 'Connect Entra ID', variant: 'saml', locals },
    {
      view: 'admin/sso/new',
      title: 'Connect Entra ID',
      variant: 'refused',
      locals: {
        ...locals,
        problem: refusal('Enter the whole address.', 'settings.ssoUrl'),
        form: { ...locals.form, fields: [wrong] },
      },
    },
    {
      view: 'admin/sso/new',
      title: 'Connect Entra ID',
      variant: 'bad-file',
      locals: {
        ...locals,
        problem: refusal(`No metadata: ${markup}`, 'file'),
        metadata: { ...locals.metadata, fileError: 'No metadata.', read: '', warning: '' },
      },
    },
    {
      view: 'admin/sso/new',
      title: 'Connect OpenID Connect',
      variant: 'oidc',
      locals: {
        ...locals,
        product: { key: 'oidc', name: 'OpenID Connect' },
        guide: guide('oidc'),
        metadata: null,
        form: {
          ...locals.form,
          fields: [
            field('name'),
            field('settings.issuer', { kind: 'url' }),
            field('clientSecret', { kind: 'password', help: '' }),
          ],
        },
      },
    },
  ];
};

const connectionSamples: Make = (shell, markup) => {
  const overview = {
    shell: shell('sso'),
    connection: head('Overview'),
    setup: {
      title: 'What is left to do',
      words: '1 of 3 done',
      isOpen: true,
      steps: [step('Fill in Okta', 'done'), step('Test it', 'next'), { ...step(markup, 'open'), isOptional: true }],
    },
    enable: { words: 'It is off.', href: `${path}/enable`, button: 'Enable' },
    switches: [
      {
        label: 'Enable Mapping Rules',
        status: { tone: 'off' as const, word: 'Off', more: '' },
        words: '2 rules',
        href: `${path}/rules`,
      },
    ],
    facts: [{ label: 'Issuer', value: 'https://sts.windows.net/0c6f2a9e/' }],
    lastSeen: moment,
    people: '412 people',
    tested: moment,
    isTested: false,
    certificates: [{ subject: 'CN=Northwind', ends: moment, warning: 'Ends soon', fingerprint: 'AB:CD' }],
    metadata: {
      words: 'Once a day.',
      read: moment,
      problem: '',
      ours: '',
      refresh: `${path}/refresh`,
      bring: `${path}/metadata`,
    },
    stopped: null,
    guide: guide('okta'),
    remove: `${path}/delete`,
  };
  const settings = {
    shell: shell('sso'),
    connection: head('Settings'),
    problem: null,
    action: `${path}/settings`,
    version: '3',
    drawn: 'pnBn5aLmPtDM LBTmTtr4-3sM',
    enabled: setting('enabled'),
    second: setting('asksSecondFactor', { checked: false }),
    sections: [
      {
        id: 'protocol',
        title: 'Identity provider',
        lead: 'Test it again.',
        fields: [field('name'), field('settings.certificates', { kind: 'lines' })],
        switches: [setting('settings.signRequests')],
      },
    ],
    creation: {
      setting: setting('creation.on'),
      role: field('creation.role', { kind: 'choice', choices: [{ value: 'User', label: 'User', selected: true }] }),
      groups,
      groupsError: '',
      groupsTheirs: '',
    },
  };
  return [
    { view: 'admin/sso/overview', title: 'Northwind Entra', variant: 'saml', locals: overview },
    {
      view: 'admin/sso/overview',
      title: 'Northwind Entra',
      variant: 'trouble',
      locals: {
        ...overview,
        connection: inTrouble('Overview', markup),
        setup: null,
        stopped: {
          words: '2 people came without their groups.',
          people: [
            {
              name: markup,
              href: '/admin/users/b',
              words: 'Their groups were not sent.',
              at: moment,
              userId: 'b',
              mayAccept: false,
            },
            {
              name: 'Cem',
              href: '/admin/users/c',
              words: 'An empty list came.',
              at: moment,
              userId: 'c',
              mayAccept: true,
            },
          ],
          accept: `${path}/accept-emptied`,
        },
        lastSeen: null,
        tested: null,
        metadata: {
          words: 'Bring them.',
          read: null,
          problem: `It describes ${markup}`,
          ours: 'From 22 December 2026, 16:00 our requests are signed with a new certificate. Let your identity provider read our metadata again before then; both certificates stand in it.',
          refresh: '',
          bring: `${path}/metadata`,
        },
      },
    },
    {
      view: 'admin/sso/overview',
      title: 'Northwind OIDC',
      variant: 'oidc',
      locals: { ...overview, guide: guide('oidc'), certificates: [], metadata: null },
    },
    { view: 'admin/sso/settings', title: 'Settings', variant: 'typical', locals: settings },
    {
      view: 'admin/sso/settings',
      title: 'Settings',
      variant: 'refused',
      locals: {
        ...settings,
        connection: inTrouble('Settings', markup),
        problem: refusal('Enter a name.', 'name'),
        sections: [
          {
            id: 'protocol',
            title: 'Identity provider',
            lead: '',
            fields: [field('name', { isWrong: true, error: 'Enter a name.', value: markup, theirs: markup })],
            switches: [],
          },
        ],
        creation: { ...settings.creation, groupsError: 'Choose groups from the list.', groupsTheirs: 'Field' },
      },
    },
  ];
};

const testSamples: Make = (shell, markup) => {
  const result = {
    shell: shell('sso'),
    connection: head('Test'),
    problem: null,
    again: `${path}/test`,
    mend: { settings: `${path}/settings`, guide: path },
    bind: null,
  };
  const arrived = {
    kind: 'arrived' as const,
    title: 'The test passed',
    isMissing: false,
    onward: { words: 'It can be enabled now.', href: `${path}/enable`, button: 'Enable Northwind Entra' },
    checks: [
      { title: 'An e-mail address', passed: true, sentence: 'It is ada@northwind.example.', isNeeded: true },
      { title: 'Groups', passed: false, sentence: 'No groups came.', isNeeded: true },
      { title: 'Names', passed: false, sentence: 'Missing.', isNeeded: false },
    ],
    issuer: 'https://sts.windows.net/0c6f2a9e/',
    subject: 'ada',
    claims: [
      { name: 'Email', values: ['ada@northwind.example'], used: 'E-mail' },
      { name: markup, values: [markup, 'b'], used: '' },
    ],
    decision: {
      title: 'Would be created, and let in',
      tone: 'good' as const,
      lines: ['Nobody here has the address.'],
      becomes: [{ label: 'Role', value: 'User' }],
    },
  };
  return [
    {
      view: 'admin/sso/test',
      title: 'Test',
      variant: 'first',
      locals: {
        shell: shell('sso'),
        connection: head('Test'),
        action: `${path}/test`,
        words: 'A real login.',
        tested: null,
      },
    },
    {
      view: 'admin/sso/test',
      title: 'Test',
      variant: 'passed',
      locals: {
        shell: shell('sso'),
        connection: inTrouble('Test', markup),
        action: `${path}/test`,
        words: 'A.',
        tested: moment,
      },
    },
    {
      view: 'admin/sso/test-result',
      title: 'Test',
      variant: 'arrived',
      locals: {
        ...result,
        outcome: arrived,
        bind: { action: `${path}/test/bind`, ticket: 'a.b', username: 'ada.root', words: 'Only this lets you in.' },
      },
    },
    {
      view: 'admin/sso/test-result',
      title: 'Test',
      variant: 'refused',
      locals: {
        ...result,
        problem: refusal('That account belongs to another person here.', null),
        outcome: {
          ...arrived,
          title: 'Something is missing',
          isMissing: true,
          onward: null,
          decision: { ...arrived.decision, title: 'Would be refused', tone: 'danger' as const, becomes: [] },
        },
      },
    },
    {
      view: 'admin/sso/test-result',
      title: 'Test',
      variant: 'not-this-person',
      locals: {
        ...result,
        outcome: {
          ...arrived,
          title: 'The connection works, but this person would not get in',
          decision: { ...arrived.decision, title: 'Would be refused', tone: 'danger' as const, becomes: [] },
        },
      },
    },
    {
      view: 'admin/sso/test-result',
      title: 'Test',
      variant: 'unfit',
      locals: { ...result, outcome: { ...arrived, title: 'This person would be refused', onward: null } },
    },
    {
      view: 'admin/sso/test-result',
      title: 'Test',
      variant: 'problem',
      locals: {
        ...result,
        outcome: {
          kind: 'problem' as const,
          sentence: 'The signature does not fit.',
          advice: 'It was changed on its way.',
          code: 'K7Q2-M4XB',
          details: [{ name: 'Sent', value: markup }],
        },
      },
    },
    {
      view: 'admin/sso/test-result',
      title: 'Test',
      variant: 'gone',
      locals: { ...result, outcome: { kind: 'gone' as const } },
    },
  ];
};

const ruleSamples: Make = (shell, markup) => {
  const rules = {
    shell: shell('sso'),
    connection: head('Mapping rules'),
    problem: null,
    action: `${path}/rules`,
    version: '4',
    setting: setting('on'),
    rules: [rule(1, { down: 'down.0' }), rule(2, { up: 'up.1', stops: true })],
    theirs: [],
    knownGroups: ['Sales', 'Field'],
    knownClaims: ['department'],
    open: null,
  };
  return [
    { view: 'admin/sso/rules', title: 'Mapping rules', variant: 'two', locals: rules },
    {
      view: 'admin/sso/rules',
      title: 'Mapping rules',
      variant: 'none',
      locals: { ...rules, rules: [], knownGroups: [], knownClaims: [] },
    },
    {
      view: 'admin/sso/rules',
      title: 'Mapping rules',
      variant: 'refused',
      locals: {
        ...rules,
        connection: inTrouble('Mapping rules', markup),
        problem: refusal('Enable Mapping Rules needs a rule.', 'on'),
        setting: setting('on', { isWrong: true, error: 'Enable Mapping Rules needs a rule.' }),
        rules: [rule(1, { value: markup, claim: markup, error: 'Enter a value.' })],
        theirs: ['Enable Mapping Rules is off', `1. group “${markup}” → User`],
        open: { href: `${path}/plans/p`, at: moment, words: 'A plan has not been applied' },
      },
    },
  ];
};

const planSamples: Make = (shell, markup) => {
  const any = (label: string) => [{ value: '', label, selected: true }];
  const line = {
    person: { name: 'Ben User', href: '/admin/users/b', username: 'ben.user' },
    isAdministrator: false,
    act: { tone: 'danger' as const, word: 'Deactivated', more: '' },
    before: 'Active · User · Field',
    after: 'Deactivated by mapping · User · Field',
    rule: 'In no mapped group.',
    seen: moment,
  };
  const plan = {
    shell: shell('sso'),
    connection: head('Plans'),
    problem: null,
    back: `${path}/plans`,
    here: `${path}/plans/p`,
    state: { tone: 'wait' as const, word: 'Not applied', more: '' },
    madeAt: moment,
    by: 'ada.root',
    hash: '0123456789ab',
    changes: [
      'Enable Mapping Rules is turned on.',
      'Nobody has come with the group “Slaes” so far. Did you mean “Sales”?',
    ],
    edit: `${path}/rules?plan=p`,
    counts: [{ label: 'Deactivated', value: '412' }],
    second: '',
    changed: null,
    apply: { href: `${path}/plans/p/apply`, button: 'Apply to 412 people' },
    drop: `${path}/plans/p/drop`,
    note: '',
    undo: null,
    again: `${path}/rules`,
    task: null,
    download: `${path}/plans/p/export`,
    filters: { search: '', acts: any('Everybody'), chips: [], clear: null },
    count: '2 people',
    lines: [line, { ...line, isAdministrator: true, after: '', seen: null }],
    isFiltered: false,
    pages: { words: '1 to 2 of 2', sizes: any('50 a page'), previous: null, next: `${path}/plans/p?page=2` },
  };
  return [
    { view: 'admin/sso/plan', title: 'Plan', variant: 'ready', locals: plan },
    {
      view: 'admin/sso/plan',
      title: 'Plan',
      variant: 'changed',
      locals: {
        ...plan,
        connection: inTrouble('Plans', markup),
        second: 'It deactivates 412 of 500 active people.',
        changed: {
          words: 'Rules have changed.',
          lines: [{ who: markup, was: 'A', now: 'B' }],
          more: `${path}/plans/p?changes=yes`,
        },
        apply: null,
        filters: {
          search: markup,
          acts: any('Everybody'),
          chips: [{ label: markup, without: `${path}/plans/p` }],
          clear: `${path}/plans/p`,
        },
        lines: [],
        isFiltered: true,
      },
    },
    {
      view: 'admin/sso/plan',
      title: 'Plan',
      variant: 'applied',
      locals: {
        ...plan,
        problem: { sentence: 'It is too late.', field: null, code: null },
        apply: null,
        drop: null,
        edit: null,
        note: 'The connection stays off.',
        undo: { href: `${path}/plans/p/undo`, until: moment },
        task: '/admin/tasks/t',
        lines: [],
      },
    },
    {
      view: 'admin/sso/plans',
      title: 'Plans',
      variant: 'none',
      locals: { shell: shell('sso'), connection: head('Plans'), plans: [], rules: `${path}/rules` },
    },
    {
      view: 'admin/sso/plans',
      title: 'Plans',
      variant: 'one',
      locals: {
        shell: shell('sso'),
        connection: inTrouble('Plans', markup),
        plans: [{ href: `${path}/plans/p`, at: moment, by: markup, state: plan.state, words: '412 deactivated' }],
        rules: `${path}/rules`,
      },
    },
  ];
};

const enforceSamples: Make = (shell, markup) => {
  const enforce = {
    shell: shell('sso'),
    connection: head('Enforce'),
    problem: null,
    state: 'off' as const,
    checks: [
      { title: 'You have tried it yourself', passed: true, sentence: 'You logged in 2 minutes ago.', mend: null },
      { title: 'Somebody can get in without it', passed: true, sentence: 'Ada Root and Ben User can.', mend: null },
    ],
    isReady: true,
    loses: {
      words: '412 people of 500 active lose the password as a way in.',
      reasons: ['400 people have never logged in through this connection'],
      sample: [{ name: 'Ben User', username: 'ben.user', reason: 'has never logged in' }],
      more: 'and 411 more',
    },
    ways: [
      { name: 'Ada Root', username: 'ada.root', kind: 'Root Admin', endsAt: null },
      { name: 'Ben User', username: 'ben.user', kind: 'break-glass', endsAt: moment },
    ],
    trial: null,
    minutes: 15,
    version: '3',
    path: `${path}/enforce`,
    start: `${path}/enforce/start`,
    end: `${path}/enforce/end`,
    overview: path,
    breakGlass: '/admin/sso/break-glass',
    loginUrl: 'https://login.example.com/login/northwind',
  };
  return [
    { view: 'admin/sso/enforce', title: 'Enforce', variant: 'ready', locals: enforce },
    {
      view: 'admin/sso/enforce',
      title: 'Enforce',
      variant: 'not-ready',
      locals: {
        ...enforce,
        state: 'disabled' as const,
        problem: refusal('Something stands in the way.', null),
        checks: [
          {
            title: 'Tested',
            passed: false,
            sentence: `${markup} has not passed.`,
            mend: { href: `${path}/test`, words: `Test ${markup}` },
          },
        ],
        isReady: false,
        loses: { ...enforce.loses, reasons: [], sample: [], more: '' },
        ways: [],
      },
    },
    {
      view: 'admin/sso/enforce',
      title: 'Enforce',
      variant: 'trial',
      locals: {
        ...enforce,
        connection: inTrouble('Enforce', markup),
        state: 'trial' as const,
        trial: { left: '9 minutes left', until: moment },
      },
    },
    { view: 'admin/sso/enforce', title: 'Enforce', variant: 'on', locals: { ...enforce, state: 'on' as const } },
  ];
};

const logSamples: Make = (shell, markup) => {
  const log = {
    shell: shell('sso'),
    connection: head('Log'),
    action: `${path}/log`,
    code: '',
    outcomes: [{ value: '', label: 'Any outcome', selected: true }],
    count: '0 logins',
    isFiltered: false,
    attempts: [],
  };
  const danger = { tone: 'danger' as const, word: 'Wrong audience', more: '' };
  const attempt = {
    shell: shell('sso'),
    connection: head('Log'),
    back: `${path}/log`,
    overview: path,
    title: 'Login of somebody unknown',
    at: moment,
    status: danger,
    code: 'K7Q2-M4XB',
    person: null,
    who: 'Not known',
    shown: 'The answer was meant for another service.',
    advice: 'Set the audience at the identity provider.',
    release: `${path}/people/b/release`,
    trace: [],
    details: [{ name: 'Sent', value: markup }],
    assertion: JSON.stringify({ email: markup, other: { department: Array(30).fill('Field engineering') } }, null, 2),
  };
  return [
    { view: 'admin/sso/log', title: 'Log', variant: 'none', locals: log },
    {
      view: 'admin/sso/log',
      title: 'Log',
      variant: 'some',
      locals: {
        ...log,
        code: markup,
        isFiltered: true,
        attempts: [
          { href: `${path}/log/1`, at: moment, status: danger, person: null, who: 'Test', code: 'K7Q2-M4XB' },
          {
            href: `${path}/log/2`,
            at: moment,
            status: { tone: 'good' as const, word: 'Logged in', more: '' },
            person: { name: markup, href: '/admin/users/b' },
            who: '',
            code: '',
          },
        ],
      },
    },
    { view: 'admin/sso/attempt', title: 'Login', variant: 'refused', locals: attempt },
    {
      view: 'admin/sso/attempt',
      title: 'Login',
      variant: 'signed-in',
      locals: {
        ...attempt,
        connection: inTrouble('Log', markup),
        status: { tone: 'good' as const, word: 'Logged in', more: '' },
        code: '',
        person: { name: 'Ben User', href: '/admin/users/b' },
        shown: '',
        advice: '',
        release: null,
        trace: ['Known at this identity provider as ben.user.'],
        assertion: `{ "email": ${JSON.stringify(markup)} }`,
      },
    },
  ];
};

const domainSamples: Make = (shell, markup) => {
  const domains = {
    shell: shell('sso'),
    problem: null,
    back: '/admin/sso',
    onward: [{ name: 'Northwind Entra', href: path }],
    action: '/admin/sso/domains',
    value: '',
    looked: null,
    domains: [],
  };
  const proved = {
    domain: 'northwind.example',
    status: { tone: 'good' as const, word: 'Proved', more: '' },
    since: moment,
    proof: null,
    verify: '/admin/sso/domains/northwind.example/verify',
    remove: '/admin/sso/domains/northwind.example/remove',
  };
  const open = {
    ...proved,
    domain: 'northwind-it.example',
    status: { tone: 'wait' as const, word: 'Not proved', more: '' },
    proof: { host: '_unified-login.northwind-it.example', record: 'unified-login-verification=abc' },
  };
  return [
    { view: 'admin/sso/domains', title: 'E-mail domains', variant: 'none', locals: domains },
    {
      view: 'admin/sso/domains',
      title: 'E-mail domains',
      variant: 'two',
      locals: {
        ...domains,
        looked: { domain: open.domain, sentence: 'There is another TXT record.', found: [markup] },
        domains: [proved, open],
      },
    },
    {
      view: 'admin/sso/domains',
      title: 'E-mail domains',
      variant: 'refused',
      locals: { ...domains, value: markup, problem: refusal('Enter a domain such as example.com.', 'domain') },
    },
  ];
};

const peopleSamples: Make = (shell, markup) => {
  const people = {
    shell: shell('sso'),
    back: '/admin/sso',
    onward: [
      { name: 'Northwind Entra', href: path },
      { name: markup, href: path },
    ],
    action: '/admin/sso/break-glass',
    search: '',
    found: [],
    foundMore: '',
    people: [],
    count: '0 people',
    withoutEnd: 0,
    isEnforced: false,
  };
  const line = {
    name: 'Ben User',
    username: 'ben.user',
    role: 'Admin',
    href: '/admin/users/b',
    reason: 'On call',
    endsAt: moment,
    status: { tone: 'good' as const, word: 'Way in', more: 'administrator' },
    by: 'ada.root',
    since: moment,
    change: '/admin/sso/break-glass/b',
    remove: '/admin/sso/break-glass/b/remove',
  };
  const person = {
    shell: shell('sso'),
    problem: null,
    title: 'Add Ben User',
    person: { id: 'b', name: 'Ben User', words: 'ben.user · Admin' },
    values: { reason: 'On call', endsAt: '2026-12-22', noEnd: false },
    least: '2026-11-22',
    most: '2027-11-22',
    action: '/admin/sso/break-glass/new',
    button: 'Add Ben User',
    back: '/admin/sso/break-glass',
  };
  return [
    {
      view: 'admin/sso/break-glass',
      title: 'Break-glass people',
      variant: 'none',
      locals: { ...people, isEnforced: true },
    },
    {
      view: 'admin/sso/break-glass',
      title: 'Break-glass people',
      variant: 'some',
      locals: {
        ...people,
        search: markup,
        found: [
          {
            name: 'Ben User',
            words: 'ben.user · Admin',
            href: '/admin/sso/break-glass/new?person=b',
            isOn: false,
            isAble: true,
          },
          {
            name: 'Cem User',
            words: 'cem · User',
            href: '/admin/sso/break-glass/new?person=c',
            isOn: true,
            isAble: true,
          },
          {
            name: markup,
            words: 'ada · Root Admin',
            href: '/admin/sso/break-glass/new?person=a',
            isOn: false,
            isAble: false,
          },
        ],
        foundMore: 'The first 10 are shown.',
        people: [line, { ...line, reason: markup, endsAt: null }],
        withoutEnd: 1,
      },
    },
    {
      view: 'admin/sso/break-glass',
      title: 'Break-glass people',
      variant: 'nobody-found',
      locals: { ...people, search: 'zzz' },
    },
    { view: 'admin/sso/break-glass-person', title: 'Add', variant: 'new', locals: person },
    {
      view: 'admin/sso/break-glass-person',
      title: 'Add',
      variant: 'refused',
      locals: {
        ...person,
        person: { ...person.person, name: markup },
        problem: refusal('Enter the day on which it ends.', 'endsAt'),
      },
    },
  ];
};
