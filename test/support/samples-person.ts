import type { Moment, Shell } from '../../src/web/views.ts';
import type { Sample } from './view-samples.ts';

const at: Moment = { text: '2 minutes ago', exact: 'Nov 22, 2026, 10:00:00 AM', iso: '2026-11-22T10:00:00.000Z' };
const path = '/admin/users/a';
const long = 'Bartholomew-Maximilian O’Shaughnessy-Featherstonehaugh';

export function personSamples(shell: (here: Shell['here']) => Shell, markup: string): Sample[] {
  const head = {
    name: 'Lou Locked',
    initials: 'LL',
    username: 'lou',
    role: 'User',
    status: { tone: 'danger' as const, word: 'LockedOut', more: '9 minutes left' },
    blocked: null,
    acts: [
      { label: 'Unlock', href: `${path}/unlock`, icon: 'lock-open', isDanger: false },
      { label: 'Edit', href: `${path}/edit`, icon: 'pencil', isDanger: false },
    ],
    more: [{ label: 'Delete', href: `${path}/delete`, icon: 'trash', isDanger: true }],
    tabs: [
      { label: 'Overview', href: path, isHere: true },
      { label: 'Security', href: `${path}/security`, isHere: false },
    ],
  };
  const ugly = {
    ...head,
    name: markup,
    username: markup,
    blocked: { email: `${'x'.repeat(80)}@example.com`, href: '/admin/mail/blocked/a' },
    more: [],
  };
  const page = { shell: shell('users'), head };
  const told = { sentence: 'Ada Root unlocked Lou Locked.', at, from: '203.0.113.7 · Chrome on Windows' };
  const pages = {
    words: '1 to 2 of 2',
    sizes: [{ value: '50', label: '50 a page', selected: true }],
    previous: null,
    next: null,
  };
  const module = {
    name: 'Workplace',
    module: 'Workplace',
    icon: null,
    status: { tone: 'good' as const, word: 'Can enter', more: '' },
    because: 'Through All Module Access.',
    why: `${path}/why?module=m`,
  };
  const overview = {
    ...page,
    facts: [{ label: 'First Name', value: 'Lou' }],
    createdAt: at,
    lastLogin: at,
    timeZone: 'UTC',
    emailChange: null,
    groups: [
      { name: 'All Module Access', isActive: true, href: '/admin/groups/a' },
      { name: 'Contractors', isActive: false, href: '/admin/groups/b' },
    ],
    editGroups: `${path}/edit#groups`,
    modules: [module, { ...module, name: markup, status: { tone: 'off' as const, word: 'Cannot enter', more: '' } }],
    canEnter: '1 of 2',
    since: at,
    history: [told, { ...told, from: '' }],
  };
  const session = { id: 's1', device: 'Chrome on Windows', ip: '203.0.113.7', startedAt: at, lastSeenAt: at };
  const security = {
    ...page,
    passwordSet: { words: 'Set', at },
    secondFactor: { words: 'Authenticator app, set up', at },
    recoveryCodes: '9 left',
    browsers: '2 known',
    lock: { words: 'Locked until 10:00, after 5 failed logins', unlock: `${path}/unlock` },
    sessions: [
      { ...session, modules: ['Workplace'], isMine: false },
      { ...session, id: 's2', modules: [], isMine: true },
    ],
    endOne: `${path}/sessions/end`,
    endAll: `${path}/end-sessions`,
    whyNot: '',
  };
  const values = { firstName: 'Lou', lastName: long, email: 'lou@northwind.example', phone: '' };
  const edit = {
    shell: shell('users'),
    back: path,
    name: `Lou ${long}`,
    action: `${path}/edit`,
    problem: null,
    losing: null,
    username: 'lou',
    values,
    emailHelp: 'The new address counts once the link mailed to it is opened.',
    emailFixed: '',
    role: 'User',
    roleFixed: '',
    roles: [{ value: 'User', label: 'User', selected: true }],
    timeZones: [
      { value: '', label: 'Not chosen', selected: true },
      { value: 'Europe/Berlin', label: 'Europe/Berlin', selected: false },
    ],
    groups: [
      {
        id: 'a',
        name: 'All Module Access',
        checked: true,
        isExclusive: false,
        isActive: true,
        note: 'Every module that is connected',
      },
      { id: 'b', name: markup, checked: false, isExclusive: true, isActive: false, note: '' },
    ],
    version: 'v1',
  };
  const act = {
    shell: shell('users'),
    back: path,
    title: 'Deactivate User',
    person: {
      name: 'Lou Locked',
      username: 'lou',
      email: 'lou@northwind.example',
      initials: 'LL',
      status: head.status,
    },
    lead: 'Lou Locked can no longer log in here or to any module.',
    stops: ['The session ends at once, also in Workplace.'],
    stays: ['All settings and access groups are kept.'],
    refusal: null,
    problem: null,
    action: `${path}/deactivate`,
    button: 'Deactivate Lou Locked',
    isDanger: true,
    typeName: null,
  };
  const wrongName = { sentence: 'Type lou to delete this person.', field: 'username', code: null };
  const wrongEmail = { sentence: 'Enter a valid e-mail address.', field: 'email', code: null };
  return [
    { view: 'admin/users/overview', variant: 'typical', title: 'Lou Locked', locals: overview },
    {
      view: 'admin/users/overview',
      variant: 'ugly',
      title: 'Lou Locked',
      locals: {
        ...overview,
        head: ugly,
        facts: [{ label: 'Email', value: markup }],
        lastLogin: null,
        emailChange: { words: `${markup} counts once its link is opened.`, cancel: `${path}/cancel-email` },
        modules: [],
        since: null,
        history: [],
      },
    },
    { view: 'admin/users/security', variant: 'typical', title: 'Security', locals: security },
    {
      view: 'admin/users/security',
      variant: 'nothing',
      title: 'Security',
      locals: {
        ...security,
        head: ugly,
        passwordSet: { words: 'Not set', at: null },
        secondFactor: { words: 'Not Enrolled', at: null },
        lock: { words: 'Not locked', unlock: null },
        sessions: [],
        endOne: null,
        endAll: null,
      },
    },
    {
      view: 'admin/users/security',
      variant: 'not-ours-to-end',
      title: 'Security',
      locals: { ...security, endOne: null, endAll: null, whyNot: 'Only the Root Admin can end their own sessions.' },
    },
    {
      view: 'admin/users/activity',
      variant: 'typical',
      title: 'Activity',
      locals: {
        ...page,
        shows: [{ value: 'all', label: 'Everything', selected: true }],
        action: `${path}/activity`,
        events: [told, { ...told, sentence: markup }],
        pages,
        count: '2 events',
      },
    },
    {
      view: 'admin/users/activity',
      variant: 'nothing',
      title: 'Activity',
      locals: { ...page, shows: [], action: `${path}/activity`, events: [], pages, count: '0 events' },
    },
    {
      view: 'admin/users/mail',
      variant: 'typical',
      title: 'Mail',
      locals: {
        ...page,
        mails: [
          {
            kind: 'Invitation',
            recipient: markup,
            status: { tone: 'danger', word: 'Bounced', more: '' },
            error: '550 no such user',
            at,
          },
        ],
        pages,
        count: '1 mail',
        action: `${path}/mail`,
      },
    },
    {
      view: 'admin/users/mail',
      variant: 'nothing',
      title: 'Mail',
      locals: { ...page, mails: [], pages, count: '0 mails', action: `${path}/mail` },
    },
    { view: 'admin/users/edit', variant: 'typical', title: 'Edit User', locals: edit },
    {
      view: 'admin/users/edit',
      variant: 'refused',
      title: 'Edit User',
      locals: { ...edit, problem: wrongEmail, values: { ...values, firstName: markup, email: markup } },
    },
    {
      view: 'admin/users/edit',
      variant: 'takes-access-away',
      title: 'Edit User',
      locals: { ...edit, losing: { words: `Lou loses ${markup}. Save again to do it.`, value: 'a b' } },
    },
    {
      view: 'admin/users/edit',
      variant: 'root',
      title: 'Edit User',
      locals: {
        ...edit,
        role: 'Root Admin',
        roleFixed: 'The role of the Root Admin cannot be changed.',
        emailFixed: 'Only the Root Admin can change their own e-mail, in My Settings.',
      },
    },
    { view: 'admin/users/act', variant: 'typical', title: 'Deactivate User', locals: act },
    {
      view: 'admin/users/act',
      variant: 'refused-typed',
      title: 'Delete User',
      locals: { ...act, title: 'Delete User', button: 'Delete Lou Locked', typeName: 'lou', problem: wrongName },
    },
    {
      view: 'admin/users/act',
      variant: 'refused-rule',
      title: 'Deactivate User',
      locals: { ...act, person: { ...act.person, name: markup }, refusal: 'You cannot deactivate yourself.' },
    },
    {
      view: 'admin/users/act',
      variant: 'harmless',
      title: 'Unlock User',
      locals: { ...act, title: 'Unlock User', button: 'Unlock Lou Locked', isDanger: false },
    },
    {
      view: 'admin/users/link',
      variant: 'typical',
      title: 'Copy Invitation Link',
      locals: {
        shell: shell('users'),
        back: path,
        name: markup,
        link: 'https://login.example.com/invitation/x',
        until: at,
      },
    },
  ];
}
