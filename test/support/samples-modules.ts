// Realistic values for the pages of connected modules.
import type { ConnectedLine, InstanceHead, ProductCard } from '../../src/web/admin/modules/views.ts';
import type { Moment, Shell } from '../../src/web/views.ts';
import type { Sample } from './view-samples.ts';

export const sampleInstanceId = '019ac000-0000-7000-8000-00000000000a';
const path = `/admin/modules/${sampleInstanceId}`;

const moment = (text: string): Moment => ({ text, exact: '22 Nov 2026, 12:57:00', iso: '2026-11-22T12:57:00.000Z' });

/** The head of an instance's pages, for whoever draws one. */
export const sampleInstance = (here: string, change: Partial<InstanceHead> = {}): InstanceHead => ({
  id: sampleInstanceId,
  name: 'Northwind Workplace',
  icon: null,
  product: 'Datto Workplace',
  status: { tone: 'good', word: 'Enabled', more: '' },
  isTest: false,
  trial: null,
  failing: null,
  tabs: ['Overview', 'Settings', 'Exceptions', 'Access groups', 'Accounts', 'Deliveries', 'Test'].map((label) => ({
    label,
    href: `${path}/${label.toLowerCase().replace(' ', '-')}`,
    isHere: label === here,
  })),
  ...change,
});

/** With everything that a head can show. */
export const sampleInstanceInTrouble = (here: string, markup: string): InstanceHead =>
  sampleInstance(here, {
    name: markup,
    product: markup,
    isTest: true,
    status: { tone: 'wait', word: 'Trial', more: '12 minutes left' },
    trial: { left: '12 minutes left', until: moment('in 12 minutes'), href: `${path}/require` },
    failing: { words: '503 Service Unavailable', href: `${path}/deliveries` },
  });

export function moduleSamples(shell: (here: Shell['here']) => Shell, markup: string): Sample[] {
  const here = shell('instances');
  const tabs = (label: string) =>
    ['Connected', 'Explore'].map((name) => ({ label: name, href: '/admin/modules', isHere: name === label }));
  const line: ConnectedLine = {
    href: path,
    name: 'Northwind Workplace',
    icon: null,
    product: 'Datto Workplace',
    isTest: false,
    status: { tone: 'good', word: 'Required', more: '' },
    people: 'more than 10,000 people',
    contact: moment('3 minutes ago'),
    deliveries: null,
  };
  const list = {
    shell: here,
    tabs: tabs('Connected'),
    filters: {
      search: '',
      states: [{ value: '', label: 'Any state', selected: true }],
      hidden: [{ name: 'sort', value: 'contact' }],
      chips: [],
      clear: null,
    },
    columns: ['Module', 'Product', 'State', 'People with access', 'Last contact', 'Deliveries'].map((label) => ({
      label,
      sort: label === 'Module' ? '/admin/modules?direction=descending' : null,
      sorted: label === 'Module' ? ('ascending' as const) : null,
      sortIcon: 'arrow-up' as const,
    })),
    modules: [
      line,
      {
        ...line,
        name: markup,
        product: '',
        isTest: true,
        status: { tone: 'wait' as const, word: 'Trial', more: '1 minute left' },
        people: '0 people',
        contact: null,
        deliveries: `${path}/deliveries`,
      },
    ],
    pages: {
      words: '1 to 2 of 2',
      sizes: [{ value: '50', label: '50 a page', selected: true }],
      previous: null,
      next: null,
    },
    count: '2 modules',
    isFiltered: false,
  };
  const nothing = { ...list, modules: [], count: '0 modules' };
  const card: ProductCard = {
    key: 'workplace',
    name: 'Datto Workplace',
    icon: null,
    isRegistered: true,
    connected: 2,
    instances: '/admin/modules?q=Datto+Workplace',
    abilities: ['Log In with KaseyaOne', 'Require Log In with KaseyaOne', 'Access Groups'],
    facts: [
      { label: 'Where', value: 'Settings > Integration Center' },
      { label: 'Who', value: 'Superuser' },
    ],
    note: '',
    address: 'https://workplace.example/',
  };
  const explore = {
    shell: here,
    tabs: tabs('Explore'),
    search: '',
    cards: [
      card,
      { ...card, key: 'b', name: markup, connected: 0, instances: '', note: markup, address: null },
      { ...card, key: 'c', isRegistered: false, connected: 0, instances: '', facts: [], address: null },
    ],
    count: '3 modules',
    cutAt: null,
  };
  const overview = {
    shell: here,
    instance: sampleInstance('Overview'),
    problem: null,
    values: { name: 'Northwind Workplace' },
    tenant: 'northwind',
    connectedAt: moment('3 days ago'),
    connectedBy: 'Ada Root',
    people: '1,204 people',
    accounts: '1,198 accounts read, 1,190 linked to people',
    contact: moment('3 minutes ago'),
    said: ['Kit 1.0', 'Goes by the present settings'],
    lastDelivery: moment('9 minutes ago'),
    addresses: [{ label: 'Opens at', value: 'https://workplace.example/' }],
    switches: [
      {
        label: 'Automatic User Provisioning',
        status: { tone: 'good' as const, word: 'On', more: '' },
        words: 'Permissions: Team Access, Time-zone: Europe/Berlin',
        href: `${path}/settings`,
      },
      { label: 'Access Groups', status: { tone: 'off' as const, word: 'Off', more: '' }, words: '', href: path },
    ],
    credentials: [
      { id: '00a1b2', createdAt: moment('1 hour ago'), lastUsedAt: moment('3 minutes ago'), endsAt: null },
      { id: '00a1b3', createdAt: moment('3 days ago'), lastUsedAt: null, endsAt: moment('in 23 hours') },
    ],
    history: [{ sentence: 'Ada Root connected Datto Workplace.', at: moment('3 days ago'), from: '203.0.113.7' }],
    rename: `${path}/rename`,
    disconnect: `${path}/disconnect`,
  };
  const noted = { isWrong: false, error: '', theirs: '' };
  const setting = (name: string, label: string) => ({ name, label, help: 'What it does.', checked: true, ...noted });
  const options = (...labels: string[]) => labels.map((label, at) => ({ value: label, label, selected: at === 0 }));
  const timeZone = {
    name: 'values.timeZone',
    label: 'Time-zone',
    optional: false,
    help: '',
    value: 'Europe/Berlin',
    isFree: false,
    choices: options('Europe/Berlin', 'UTC'),
    ...noted,
  };
  const require = {
    setting: setting('require', 'Require Log In with KaseyaOne'),
    status: { tone: 'off' as const, word: 'Not required', more: '' },
    exceptions: '2 exceptions, 1 without end',
    exceptionsHref: `${path}/exceptions`,
    preflight: `${path}/require`,
    preflightWords: 'See what requiring it would mean',
  };
  const provisioning = {
    setting: setting('provisioning', 'Enable Automatic User Provisioning'),
    fields: [
      { ...timeZone, name: 'values.permission', label: 'Permissions', help: 'A low level is advised.' },
      timeZone,
      { ...timeZone, name: 'values.department', label: 'Department', isFree: true, choices: [], optional: true },
    ],
    contract: { passed: true, words: 'The contract test was passed yesterday.', href: `${path}/test` },
    override: null,
  };
  const deprovisioning = {
    setting: setting('deprovisioning', 'Enable Automatic User Deprovisioning'),
    grace: { value: '14', least: 0, most: 90, ...noted },
    removals: options('disable', 'remove').map((one) => ({ ...one, help: 'What it means.' })),
    removalTheirs: '',
  };
  const settings = {
    shell: here,
    instance: sampleInstance('Settings'),
    problem: null,
    action: `${path}/settings`,
    version: '12',
    enabled: setting('enabled', 'Enable Log In with KaseyaOne'),
    require,
    provisioning,
    deprovisioning,
    accessGroups: { status: { tone: 'good' as const, word: 'On', more: '' }, words: '3 rules', href: path },
  };
  const noZone = 'Choose Time-zone: automatic provisioning needs it.';
  const wrongField = { ...timeZone, value: '', isWrong: true, error: noZone, theirs: markup };
  const noReason = 'Write down the reason, so that others understand it.';
  const check = { title: 'Somebody can get in without it', passed: true, isUnderWay: false, sentence: 'Two can.' };
  const preflight = {
    shell: here,
    instance: sampleInstance('Settings'),
    problem: null,
    state: 'off' as const,
    checks: [check, { ...check, passed: false, sentence: markup }, { ...check, passed: false, isUnderWay: true }],
    isReady: false,
    isUnderWay: true,
    loses: {
      words: '41 accounts of 43 active lose the local login.',
      reasons: ['40 accounts: not exempt'],
      sample: [{ userName: markup, reason: 'not exempt; enters through KaseyaOne' }],
      more: 'and 31 more',
    },
    ways: [
      { userName: markup, kind: 'Administrator of the module', endsAt: moment('in 9 days') },
      { userName: 'sealed', kind: 'Sealed emergency account', endsAt: null },
    ],
    exceptions: `${path}/exceptions`,
    settings: `${path}/settings`,
    trial: null,
    minutes: 30,
    version: '12',
    path: `${path}/require`,
    start: `${path}/require/start`,
    end: `${path}/require/end`,
    address: 'https://workplace.example/',
  };
  const noneLost = { words: 'No account of the module is known yet.', reasons: [], sample: [], more: '' };
  const stands = 'It can’t begin like this: something stands in the way.';
  const exception = {
    userName: 'ada@northwind.example',
    email: '',
    kind: 'Person',
    reason: 'On call at night',
    endsAt: moment('in 9 days'),
    status: { tone: 'good' as const, word: 'Way in', more: 'administrator' },
    by: 'ada.root',
    since: moment('3 days ago'),
    change: `${path}/exceptions/x`,
    remove: `${path}/exceptions/x/remove`,
  };
  const exceptions = {
    shell: here,
    instance: sampleInstance('Exceptions'),
    isRequired: true,
    localLogin: 'https://workplace.example/login/local',
    action: `${path}/exceptions`,
    search: 'a',
    found: [
      { name: 'Ada Root', words: 'ada · administrator of the module', isExempt: true, href: `${path}/exceptions/new` },
      { name: markup, words: markup, isExempt: false, href: `${path}/exceptions/new?account=17` },
    ],
    foundMore: 'The first 20 are shown: type more to narrow it down.',
    accounts: `${path}/accounts`,
    exceptions: [exception, { ...exception, userName: markup, email: markup, reason: markup, endsAt: null }],
    count: '2 exceptions',
    withoutEnd: 1,
    require: `${path}/require`,
  };
  const newException = {
    shell: here,
    title: 'Exempt ada@northwind.example',
    module: 'Northwind Workplace',
    problem: null,
    account: { id: '17', userName: 'ada@northwind.example', email: '', isAdministrator: true },
    values: { kind: 'person' as const, reason: '', endsAt: '2026-12-22', noEnd: false },
    least: '2026-11-22',
    most: '2027-11-22',
    action: `${path}/exceptions/new`,
    button: 'Exempt ada@northwind.example',
    back: `${path}/exceptions`,
  };
  const noEnd = 'Enter the day on which it ends, or choose "No end".';
  const rule = {
    number: '1',
    groups: options('Technicians', markup),
    permissions: options('Team Access', 'Full Access'),
    up: null,
    down: 'down.0',
    remove: 'remove.0',
    error: '',
  };
  const noGroup = 'There is no such access group.';
  const noRules = 'Add at least one rule: without one nobody could enter.';
  const accessGroups = {
    shell: here,
    instance: sampleInstance('Access groups'),
    problem: null,
    action: `${path}/access-groups`,
    version: '12',
    setting: setting('on', 'Access groups decide the permission'),
    mode: 'one' as const,
    rules: [rule, { ...rule, number: '2', up: 'up.1', down: null, remove: 'remove.1' }],
    theirs: [],
    preview: {
      words: '1,204 people may enter through their groups.',
      permissions: [{ permission: 'Team Access', count: '1,200 people' }],
      none: { count: '4 people', isLoss: true, who: `Ben User, ${markup} and 2 more` },
    },
    groupsHref: '/admin/groups',
    hasGroups: true,
  };
  const confirm = {
    shell: here,
    title: 'Disconnect Northwind Workplace?',
    lead: '1,204 people lose Northwind Workplace in KaseyaOne at once, on every device.',
    who: '',
    sentences: ['You can’t undo it.'],
    problem: null,
    action: `${path}/disconnect`,
    hidden: [{ name: 'confirmed', value: 'yes' }],
    button: 'Disconnect Northwind Workplace',
    isDanger: true,
    cancel: path,
    before: null,
  };
  const lastWay = 'ada is the last one who can get into Workplace without KaseyaOne while that is required.';
  const noName = 'Enter a name of 1 to 60 characters, on one line.';
  return [
    { view: 'admin/modules/settings', variant: 'typical', title: 'Settings', locals: settings },
    {
      view: 'admin/modules/settings',
      variant: 'refused',
      title: 'Settings',
      locals: {
        ...settings,
        instance: sampleInstanceInTrouble('Settings', markup),
        problem: {
          sentence: `${noZone} ${noReason}`,
          field: 'values.timeZone',
          code: null,
          fields: { 'values.timeZone': noZone, override: noReason },
        },
        enabled: { ...settings.enabled, checked: false, theirs: 'on' },
        provisioning: {
          ...provisioning,
          fields: [wrongField],
          contract: { passed: false, words: markup, href: `${path}/test` },
          override: { value: markup, error: noReason, isWrong: false },
        },
        deprovisioning: {
          ...deprovisioning,
          grace: { ...deprovisioning.grace, value: '', theirs: '7' },
          removals: deprovisioning.removals.slice(0, 1),
          removalTheirs: 'deleted',
        },
      },
    },
    {
      view: 'admin/modules/settings',
      variant: 'no-reason',
      title: 'Settings',
      locals: {
        ...settings,
        problem: { sentence: noReason, field: 'override', code: null, fields: { override: noReason } },
        provisioning: {
          ...provisioning,
          contract: { passed: false, words: 'Not tested.', href: `${path}/test` },
          override: { value: 'so', error: noReason, isWrong: true },
        },
      },
    },
    {
      view: 'admin/modules/settings',
      variant: 'bare',
      title: 'Settings',
      locals: { ...settings, require: null, provisioning: null, deprovisioning: null, accessGroups: null },
    },
    { view: 'admin/modules/require', variant: 'not-ready', title: 'Require', locals: preflight },
    {
      view: 'admin/modules/require',
      variant: 'ready',
      title: 'Require',
      locals: { ...preflight, checks: [check], isReady: true, isUnderWay: false },
    },
    {
      view: 'admin/modules/require',
      variant: 'refused',
      title: 'Require',
      locals: {
        ...preflight,
        instance: sampleInstanceInTrouble('Settings', markup),
        problem: { sentence: stands, field: null, code: null, fields: {} },
        loses: noneLost,
        ways: [],
        isUnderWay: false,
      },
    },
    {
      view: 'admin/modules/require',
      variant: 'trial',
      title: 'Require',
      locals: {
        ...preflight,
        instance: sampleInstanceInTrouble('Settings', markup),
        state: 'trial',
        trial: { left: '12 minutes left', until: moment('in 12 minutes') },
      },
    },
    {
      view: 'admin/modules/require',
      variant: 'trial-nowhere',
      title: 'Require',
      locals: {
        ...preflight,
        state: 'trial',
        trial: { left: '1 minute left', until: moment('in 1 minute') },
        address: null,
      },
    },
    { view: 'admin/modules/require', variant: 'on', title: 'Require', locals: { ...preflight, state: 'on' } },
    { view: 'admin/modules/require', variant: 'off', title: 'Require', locals: { ...preflight, state: 'disabled' } },
    { view: 'admin/modules/exceptions', variant: 'typical', title: 'Exceptions', locals: exceptions },
    {
      view: 'admin/modules/exceptions',
      variant: 'nobody',
      title: 'Exceptions',
      locals: {
        ...exceptions,
        isRequired: false,
        localLogin: null,
        search: '',
        found: [],
        exceptions: [],
        withoutEnd: 0,
      },
    },
    {
      view: 'admin/modules/exceptions',
      variant: 'nothing-found',
      title: 'Exceptions',
      locals: { ...exceptions, localLogin: null, search: markup, found: [], foundMore: '' },
    },
    { view: 'admin/modules/exception', variant: 'new', title: 'Exempt', locals: newException },
    {
      view: 'admin/modules/exception',
      variant: 'refused',
      title: 'Exempt',
      locals: {
        ...newException,
        problem: { sentence: noEnd, field: 'endsAt', code: null, fields: { endsAt: noEnd } },
        account: { id: markup, userName: markup, email: markup, isAdministrator: false },
        values: { kind: 'emergency', reason: markup, endsAt: '', noEnd: true },
      },
    },
    { view: 'admin/modules/access-groups', variant: 'typical', title: 'Access groups', locals: accessGroups },
    {
      view: 'admin/modules/access-groups',
      variant: 'refused',
      title: 'Access groups',
      locals: {
        ...accessGroups,
        problem: { sentence: noGroup, field: null, code: null, fields: { 'rules.0': noGroup } },
        mode: 'many',
        rules: [{ ...rule, error: noGroup }],
        theirs: ['Access groups are on', `1. ${markup} → Full Access`],
      },
    },
    {
      view: 'admin/modules/access-groups',
      variant: 'none',
      title: 'Access groups',
      locals: {
        ...accessGroups,
        problem: { sentence: noRules, field: 'on', code: null, fields: { accessGroups: noRules } },
        setting: { ...accessGroups.setting, isWrong: true, error: noRules },
        rules: [],
        hasGroups: false,
        preview: { words: 'Nobody may enter.', permissions: [], none: null },
      },
    },
    {
      view: 'admin/modules/access-groups',
      variant: 'many-people',
      title: 'Access groups',
      locals: { ...accessGroups, preview: null },
    },
    { view: 'admin/confirm', variant: 'danger', title: 'Disconnect', locals: confirm },
    {
      view: 'admin/confirm',
      variant: 'not-yet',
      title: 'Enable',
      locals: { ...confirm, isDanger: false, before: { href: '/admin/sso/a/test', button: `Test ${markup}` } },
    },
    {
      view: 'admin/confirm',
      variant: 'refused',
      title: 'Remove',
      locals: {
        ...confirm,
        problem: { sentence: lastWay, field: null, code: null, fields: {} },
        who: markup,
        isDanger: false,
      },
    },
    { view: 'admin/modules/overview', variant: 'typical', title: 'Northwind Workplace', locals: overview },
    {
      view: 'admin/modules/overview',
      variant: 'bare',
      title: 'Northwind Workplace',
      locals: {
        ...overview,
        instance: sampleInstanceInTrouble('Overview', markup),
        problem: { sentence: noName, field: 'name', code: null, fields: { name: noName } },
        values: { name: markup },
        tenant: null,
        connectedBy: '',
        accounts: '',
        contact: null,
        said: [],
        lastDelivery: null,
        addresses: [],
        credentials: [],
        history: [],
      },
    },
    { view: 'admin/modules/list', variant: 'typical', title: 'Modules', locals: list },
    { view: 'admin/modules/list', variant: 'none', title: 'Modules', locals: nothing },
    {
      view: 'admin/modules/list',
      variant: 'nothing-found',
      title: 'Modules',
      locals: {
        ...nothing,
        isFiltered: true,
        filters: {
          ...list.filters,
          search: markup,
          chips: [{ label: markup, without: '/admin/modules' }],
          clear: '/admin/modules',
        },
      },
    },
    { view: 'admin/modules/explore', variant: 'typical', title: 'Explore modules', locals: explore },
    {
      view: 'admin/modules/explore',
      variant: 'nothing-found',
      title: 'Explore modules',
      locals: { ...explore, search: markup, cards: [], cutAt: 500 },
    },
  ];
}
