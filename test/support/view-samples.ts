// Realistic values for every view: typical ones, the ugly ones (markup in names, very long names), and refused forms.

import type { AccessRow, Moment, Page, Shell, Tile, ViewLocals, ViewName } from '../../src/web/views.ts';
import { consoleSamples } from './console-samples.ts';

export interface Sample<N extends ViewName = ViewName> {
  view: N;
  /** Tells samples of one view apart, also in file names. */
  variant: string;
  title: string;
  locals: ViewLocals[N];
  page?: Partial<Page>;
}

export const markup = `<script>alert("x")</script>'"><img src=x onerror=alert(1)>`;
export const longName = 'Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft mbH';
export const longEmail = 'maximiliana.wolkenstein-schwarzenberg@operations.contoso.com';

const module = { name: 'Workplace', icon: null };
const chip = { username: 'ada.root', company: 'Contoso Ltd', restart: '/interaction/k3l/restart' };
const step = { action: '/interaction/k3l', module, problem: null, cantLogIn: '/interaction/k3l/help' };
const rules = {
  sentences: [
    'At least 8 characters',
    'A lower-case letter, an upper-case letter, a digit and a symbol',
    'Not a well-known password, and not your name or your company',
  ],
};
const refused = {
  sentence: "That didn't work. Check the password and the name above, or try again in a few minutes.",
  field: 'password',
  code: null,
};
const wrongCode = {
  sentence: 'That code is not right. Wait for the next one and type it in.',
  field: 'code',
  code: null,
};
const qr =
  'data:image/svg+xml,%3Csvg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 25 25"%3E%3Cpath d="M1 1h7v7H1zM17 1h7v7h-7zM1 17h7v7H1zM10 2h2v2h-2zM13 5h2v3h-2zM10 10h5v2h-5zM17 11h4v2h-4zM11 14h2v4h-2zM15 16h3v2h-3zM20 18h3v3h-3zM12 20h4v3h-4zM2 10h3v2H2zM6 12h2v3H6z"/%3E%3C/svg%3E';
const codes = ['7F3K', '9XQ2', 'M4TN', 'B8WD', 'H2PC', 'K6RV', 'Q9JE', 'T3YA', 'W5GM', 'Z8LU'].map((head, index) =>
  `${head}-${head.split('').reverse().join('')}-${1000 + index * 7}`.replace(/1/g, 'X'),
);
const download = `data:text/plain;charset=utf-8,${codes.join('%0A')}`;

const minutesAgo = (minutes: number, text: string): Moment => {
  const time = new Date(Date.UTC(2026, 10, 22, 9, 30) - minutes * 60_000);
  return { text, exact: `${time.toUTCString()}`, iso: time.toISOString() };
};

const tile = (id: string, name: string, of: string): Tile => ({
  id,
  name,
  module: of,
  icon: null,
  launch: `/launch/${id}`,
});
const tiles = [
  tile('workplace', 'Workplace', 'Workplace'),
  tile('helpdesk', 'Helpdesk', 'Workplace'),
  tile('rmm-eu', 'Remote monitoring, Europe', 'VSA'),
  tile('backup', 'Backup', 'Unified Backup'),
  tile('docs', 'Documentation of all our customers and their networks', 'IT Glue'),
];

const ownTiles = [
  { id: 'a', name: 'Workplace', module: 'Workplace', origin: 'https://module.example', isFirst: true, isLast: false },
  { id: 'b', name: markup, module: 'Helpdesk', origin: null, isFirst: false, isLast: true },
].map((tile) => ({
  ...tile,
  icon: null,
  ownName: '',
  landing: '',
  opensAt: 'https://module.example/start',
  isNameWrong: false,
  isLandingWrong: false,
}));

const shell = (here: Shell['here'], change: Partial<Shell> = {}): Shell => ({
  person: {
    name: 'Ada Root',
    username: 'ada.root',
    company: 'Contoso Ltd',
    role: 'Root Admin',
    initials: 'AR',
    picture: null,
  },
  tiles,
  here,
  adminSettings: '/admin/users',
  showSections: true,
  signOut: '/logout',
  ...change,
});

const picture =
  'data:image/svg+xml,%3Csvg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8"%3E%3Crect width="8" height="8" fill="%236a8f7a"/%3E%3Ccircle cx="4" cy="3" r="1.6" fill="%23f3e3d3"/%3E%3Cellipse cx="4" cy="8" rx="3" ry="2.8" fill="%23f3e3d3"/%3E%3C/svg%3E';

const longShell = (here: Shell['here']): Shell =>
  shell(here, {
    person: {
      name: 'Maximiliana Theodora Wolkenstein-Schwarzenberg',
      username: longEmail,
      company: longName,
      role: 'Billing and Purchasing',
      initials: 'MW',
      picture,
    },
  });

const coManaged = shell('home', {
  person: {
    name: 'Cora Managed',
    username: 'cora',
    company: 'Contoso Ltd',
    role: 'Co-Managed User',
    initials: 'CM',
    picture: null,
  },
  showSections: false,
});

const link = (label: string, description: string) => ({
  label,
  description,
  href: `https://example.com/${encodeURIComponent(label)}`,
});
const sections: ViewLocals['home/index']['sections'] = [
  {
    id: 'admin',
    title: 'Admin Settings',
    sentence: 'Who may come in, and what they may open.',
    links: [
      link('User Management', 'Invite people, change roles, unlock'),
      link('Security', 'Password rules and lock-out'),
    ],
  },
  {
    id: 'billing',
    title: 'Billing and subscriptions',
    sentence: 'What your company pays for.',
    links: [
      link('Billing information', 'Address and payment'),
      link('Subscriptions', 'Ask for licences and changes'),
      link('Invoices', 'History, to download'),
    ],
  },
  {
    id: 'learn',
    title: 'Learn and meet',
    sentence: 'Places beside your modules.',
    links: [
      link('University', 'Courses for every module'),
      link('Community', 'Questions and answers'),
      link('Store', 'More modules'),
    ],
  },
  { id: 'team', title: 'My Account Team', sentence: 'Your account manager is Grace Contact.', links: [] },
];

const timeZones = ['America/New_York', 'Asia/Tokyo', 'Europe/Berlin', 'Europe/London', 'UTC'];
const profile: ViewLocals['home/profile'] = {
  shell: shell('profile'),
  problem: null,
  actions: {
    save: '/settings/profile',
    picture: '/settings/picture',
    removePicture: '/settings/picture/remove',
    theme: '/settings/theme',
    email: '/settings/email',
    cancelEmail: '/settings/email/cancel',
  },
  newEmail: '',
  pendingEmail: null,
  values: { firstName: 'Ada', lastName: 'Root', phone: '+49 30 123456', timeZone: 'Europe/Berlin' },
  facts: { username: 'ada.root', email: 'ada@contoso.example', role: 'Root Admin', company: 'Contoso Ltd' },
  timeZones,
  companyLoginUrl: 'https://login.example.com/login/contoso-ltd',
  picture: null,
  theme: 'auto',
};

const reads = ['That it is you who logs in', 'Your name, username and time zone', 'Your e-mail address'];
const access: [AccessRow, AccessRow] = [
  {
    name: 'Remote monitoring, Europe',
    icon: null,
    reads: [...reads, 'Your phone number'],
    since: minutesAgo(40 * 1440, '1 month ago'),
    outlivesLogout: true,
    revoke: '/settings/access/a1',
  },
  {
    name: 'Workplace',
    icon: null,
    reads,
    since: minutesAgo(42, '42 minutes ago'),
    outlivesLogout: false,
    revoke: '/settings/access/a2',
  },
];

const sessions: ViewLocals['home/sessions']['sessions'] = [
  {
    id: 's1',
    current: true,
    device: 'Chrome on Windows',
    ip: '203.0.113.7',
    startedAt: minutesAgo(42, '42 minutes ago'),
    lastSeenAt: minutesAgo(0, 'now'),
    modules: ['Workplace', 'Helpdesk'],
  },
  {
    id: 's2',
    current: false,
    device: 'Safari on iPhone',
    ip: '2001:db8:85a3:8d3:1319:8a2e:370:7348',
    startedAt: minutesAgo(3 * 1440, '3 days ago'),
    lastSeenAt: minutesAgo(120, '2 hours ago'),
    modules: [],
  },
  {
    id: 's3',
    current: false,
    device: 'Firefox on Linux',
    ip: '198.51.100.23',
    startedAt: minutesAgo(9 * 1440, '9 days ago'),
    lastSeenAt: minutesAgo(1440, 'yesterday'),
    modules: ['Remote monitoring, Europe'],
  },
];

const sample = <N extends ViewName>(
  view: N,
  variant: string,
  title: string,
  locals: ViewLocals[N],
  page: Partial<Page> = {},
): Sample<N> => ({ view, variant, title, locals, page });

const upstreams = [
  { name: 'Contoso Entra ID', address: '/interaction/k3l/sso/1' },
  { name: markup, address: '/interaction/k3l/sso/2' },
];

const signInSamples = [
  sample('interaction/sso', 'first', 'Log in', {
    module: step.module,
    problem: null,
    chip,
    upstreams: upstreams.slice(0, 1),
    cantLogIn: step.cantLogIn,
  }),
  sample('interaction/sso', 'markup', 'Log in', {
    module: { name: markup, icon: null },
    problem: { sentence: markup, field: null, code: markup },
    chip: { ...chip, username: markup, company: markup },
    upstreams: [...upstreams, { name: longName, address: '/interaction/k3l/sso/3' }],
    cantLogIn: step.cantLogIn,
  }),
  sample('interaction/sso-problem', 'first', 'That login did not work', {
    sentence: 'The answer of your identity provider was meant for another service.',
    next: 'Try again. If it keeps happening, give your administrator this code.',
    code: 'ABCD-2345',
    again: '/interaction/k3l',
  }),
  sample('interaction/sso-problem', 'markup', 'That login did not work', {
    sentence: markup,
    next: markup,
    code: null,
    again: '/login',
  }),
  sample('interaction/sso-post', 'first', 'On to Contoso AD FS', {
    upstream: 'Contoso AD FS',
    action: 'https://fs.contoso.example/adfs/ls',
    fields: [
      { name: 'SAMLRequest', value: 'PHNhbWxwOkF1dGhuUmVxdWVzdD4=' },
      { name: 'RelayState', value: '_1f' },
    ],
    auto: false,
  }),
  sample('interaction/sso-post', 'markup', 'On to somewhere', {
    upstream: markup,
    action: 'https://idp.example/sso?a=1&b=2',
    fields: [{ name: 'SAMLRequest', value: markup }],
    auto: false,
  }),
  sample('interaction/sso-arrive', 'first', 'Go on as Mia Upstream?', {
    who: { name: 'Mia Upstream', username: 'mia@contoso.example', company: 'Contoso' },
    upstream: 'Contoso Entra ID',
    present: null,
    action: '/sso/arrive',
    ticket: 'k3l.k3l',
    leave: '/login',
  }),
  sample('interaction/sso-arrive', 'markup', 'Go on as somebody else?', {
    who: { name: longName, username: markup, company: markup },
    upstream: markup,
    present: { name: markup, company: longName },
    action: '/sso/arrive',
    ticket: markup,
    leave: '/',
  }),
  sample('interaction/identify', 'first', 'Log in', {
    ...step,
    askCompany: true,
    companyName: null,
    otherCompany: null,
    values: { username: '', company: '' },
    upstreams: [],
  }),
  sample('interaction/identify', 'refused', 'Log in', {
    ...step,
    module: null,
    askCompany: true,
    companyName: null,
    otherCompany: null,
    problem: { sentence: 'Type the name of your company.', field: 'company', code: null },
    values: { username: markup, company: '' },
    upstreams: [],
  }),
  sample('interaction/identify', 'company-url', 'Log in', {
    ...step,
    module: { name: longName, icon: picture },
    askCompany: false,
    companyName: longName,
    otherCompany: '/interaction/k3l/other-company',
    values: { username: longEmail, company: '' },
    upstreams,
  }),
  sample('interaction/password', 'first', 'Password', { ...step, chip, upstreams: [] }),
  sample('interaction/password', 'upstreams', 'Password', { ...step, chip, upstreams }),
  sample('interaction/password', 'refused', 'Password', {
    ...step,
    chip: { ...chip, username: longEmail, company: longName },
    problem: refused,
    upstreams: [],
  }),
  sample('interaction/password', 'markup', 'Password', {
    ...step,
    module: { name: markup, icon: null },
    chip: { ...chip, username: markup, company: markup },
    problem: { sentence: markup, field: null, code: markup },
    upstreams: [],
  }),
  sample('interaction/set-password', 'first', 'New password', { ...step, chip, reason: 'first', rules }),
  sample('interaction/set-password', 'refused', 'New password', {
    ...step,
    chip,
    reason: 'expired',
    rules,
    problem: { sentence: 'Add a digit and a symbol to the password.', field: 'password', code: null },
  }),
  sample('interaction/code', 'first', 'Code', { ...step, chip, method: 'totp', canUseRecovery: true }),
  sample('interaction/code', 'refused', 'Code', {
    ...step,
    chip,
    method: 'totp',
    canUseRecovery: false,
    problem: wrongCode,
  }),
  sample('interaction/code', 'recovery', 'Recovery code', { ...step, chip, method: 'recovery', canUseRecovery: true }),
  sample('interaction/enrol', 'first', 'Your Security Matters', {
    ...step,
    chip,
    qr,
    secret: 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP',
    secretGroups: ['JBSW', 'Y3DP', 'EHPK', '3PXP', 'JBSW', 'Y3DP', 'EHPK', '3PXP'],
    reason: 'first',
  }),
  sample('interaction/enrol', 'refused', 'Your Security Matters', {
    ...step,
    chip,
    qr,
    secret: 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP',
    secretGroups: ['JBSW', 'Y3DP', 'EHPK', '3PXP', 'JBSW', 'Y3DP', 'EHPK', '3PXP'],
    reason: 'reset',
    problem: wrongCode,
  }),
  sample('interaction/recovery-codes', 'first', 'Recovery codes', {
    ...step,
    codes,
    download,
    fileName: 'recovery-codes.txt',
  }),
  sample('interaction/no-access', 'connecting', 'No access', {
    module,
    heading: "You can't connect Workplace",
    sentence: 'Only an administrator of Contoso Ltd in KaseyaOne can connect Workplace.',
    next: 'Ask one to do it, or log in as one, and give them this code if it should have worked.',
    code: 'ABCD-EFGH',
    back: '/interaction/x/entry/back',
    home: '/',
    signOut: '/logout',
  }),
  sample('interaction/no-access', 'first', 'No access', {
    module,
    heading: "You can't enter Workplace",
    back: null,
    sentence: "You can't enter Workplace because none of your groups opens it.",
    next: 'Ask an administrator of Contoso Ltd to add you to a group with Workplace, and tell them this code.',
    code: 'no-group-access',
    home: '/',
    signOut: '/logout',
  }),
  sample('interaction/consent', 'first', 'Allow access', {
    ...step,
    chip,
    scopes: [
      'That it is you who logs in',
      'Your name, username and time zone',
      'Your e-mail address',
      'Access while you are not logged in',
    ],
    redirectHost: 'workplace.example',
    cancel: '/interaction/k3l/consent/cancel',
  }),
  sample('interaction/consent', 'markup', 'Allow access', {
    ...step,
    module: { name: markup, icon: null },
    chip: { ...chip, username: markup, company: longName },
    scopes: [markup],
    redirectHost: markup,
    cancel: '/interaction/k3l/consent/cancel',
  }),
  sample('interaction/expired', 'first', 'Run out', {
    sentence: 'It was begun too long ago, or in another window of this browser. Nothing has been changed.',
    start: '/login',
  }),
];

const who = { username: 'ben.user', company: 'Contoso Ltd', firstName: 'Ben' };
const publicSamples = [
  sample('public/forgot', 'first', "Can't log in?", {
    forgotPassword: '/forgot/password',
    forgotCompany: '/forgot/company',
    back: '/login',
  }),
  sample('public/forgot-password', 'first', 'Forgotten password', {
    action: '/forgot/password',
    problem: null,
    askCompany: true,
    companyName: null,
    values: { username: 'ben.user', company: '' },
    back: '/login',
  }),
  sample('public/forgot-password', 'company-url', 'Forgotten password', {
    action: '/forgot/password',
    problem: { sentence: 'Type your username.', field: 'username', code: null },
    askCompany: false,
    companyName: 'Contoso Ltd',
    values: { username: '', company: '' },
    back: '/login',
  }),
  sample('public/forgot-company', 'first', 'Forgotten company name', {
    action: '/forgot/company',
    problem: null,
    values: { email: '' },
    back: '/login',
  }),
  sample('public/check-mail', 'first', 'Check your mail', {
    title: 'Check your mail',
    sentence: 'If these belong to an account, a link to set a new password is on its way. It works for 24 hours.',
    back: '/login',
  }),
  sample('public/link-password', 'invitation', 'Welcome', {
    action: '/welcome/abc',
    problem: null,
    kind: 'invitation',
    person: who,
    rules,
  }),
  sample('public/link-password', 'reset', 'New password', {
    action: '/reset/abc',
    problem: { sentence: 'This password is too well known. Choose another.', field: 'password', code: null },
    kind: 'passwordReset',
    person: { username: longEmail, company: longName, firstName: markup },
    rules,
  }),
  sample('public/link-password', 'setup', 'Welcome back', {
    action: '/setup/abc',
    problem: null,
    kind: 'setup',
    person: who,
    rules,
  }),
  sample('public/link-done', 'first', 'Password set', {
    title: 'Your password is set',
    sentence: 'Log in with it now. You then set up your second factor.',
    login: '/login',
    label: 'Back to Login',
  }),
  sample('public/link-dead', 'first', 'Link', {
    title: 'This link has run out',
    sentence: 'Invitations work for 14 days, and only once.',
    next: 'Ask your administrator to send you a new one.',
    start: '/login',
  }),
  sample('public/link-confirm', 'first', 'New e-mail', {
    action: '/confirm/abc',
    title: 'Confirm your new e-mail',
    sentence: `From now on mails for ben.user go to ${longEmail}.`,
    button: 'Confirm e-mail',
  }),
  sample('public/setup', 'first', 'Set up', {
    action: '/setup/token',
    problem: null,
    values: { company: '', firstName: '', lastName: '', email: '', username: '' },
  }),
  sample('public/setup', 'refused', 'Set up', {
    action: '/setup/token',
    problem: { sentence: 'This is not an e-mail address.', field: 'email', code: null },
    values: { company: longName, firstName: 'Ada', lastName: 'Root', email: 'ada@', username: 'ada.root' },
  }),
  sample('public/logout', 'first', 'Log out', {
    action: '/oidc/logout/confirm',
    xsrf: 'x5rf',
    person: { username: 'ada.root', company: 'Contoso Ltd' },
    module: 'Workplace',
    auto: false,
    back: '/',
  }),
  sample('public/logout', 'unknown', 'Log out', {
    action: '/oidc/logout/confirm',
    xsrf: 'x5rf',
    person: null,
    module: null,
    auto: false,
    back: '/',
  }),
  sample('public/logged-out', 'first', 'Logged out', { login: '/login', upstream: null, back: null }),
  sample('public/logged-out', 'away', 'Logged out', {
    login: '/login',
    upstream: {
      sentence:
        'Northwind Entra cannot be reached right now, so you may still be logged in there. Whoever uses this browser next could log in as you.',
      href: 'https://login.example.com/logout?SAMLRequest=abc',
      label: 'Log out at Northwind Entra',
    },
    back: 'https://module.example/bye',
  }),
  sample('public/logged-out', 'refused', 'Logged out', {
    login: '/login',
    upstream: {
      sentence: 'Northwind Entra did not confirm that you are logged out there, too.',
      href: null,
      label: '',
    },
    back: null,
  }),
  sample(
    'errors/page',
    'not-found',
    'Not found',
    {
      status: 404,
      title: 'There is no such page',
      sentence: 'The address may be mistyped, or the page is gone.',
      next: 'Check the address, or go on from your home page.',
      link: { href: '/', label: 'Go to My Modules' },
    },
    { requestId: '01JD9Z6Q4W8R2M' },
  ),
  sample('errors/page', 'broken', 'Error', {
    status: 500,
    title: 'Something broke on our side',
    sentence: 'Nothing of what you typed was kept.',
    next: 'Try again in a minute. If it happens again, tell your administrator the request below.',
    link: null,
  }),
];

const homeSamples = [
  sample(
    'home/index',
    'admin',
    'Home',
    { shell: shell('home'), greeting: 'Good morning, Ada', modules: tiles, sections, emptyModules: '' },
    { flash: { kind: 'success', text: 'You are logged in.' } },
  ),
  sample('home/index', 'co-managed', 'Home', {
    shell: coManaged,
    greeting: 'Good evening, Cora',
    modules: tiles.slice(0, 2),
    sections: [],
    emptyModules: '',
  }),
  sample('home/index', 'empty', 'Home', {
    shell: { ...longShell('home'), tiles: [] },
    greeting: `Hello, ${markup}`,
    modules: [],
    sections: sections.slice(2, 3),
    emptyModules:
      'Your company uses Workplace and Helpdesk, but none of your groups opens them. Ask Ada Root (ada@contoso.example).',
  }),
  sample('home/support', 'links', 'Support', {
    shell: shell('support'),
    fixedText: null,
    links: [link('Support tickets', 'Ask, and follow what you asked'), link('Community', 'Questions and answers')],
  }),
  sample('home/support', 'fixed', 'Support', {
    shell: { ...coManaged, here: 'support' },
    fixedText: 'Need help? If you have any issues with using KaseyaOne please contact your administrator.',
    links: [],
  }),
  sample('home/support', 'nothing', 'Support', { shell: shell('support'), fixedText: null, links: [] }),
  sample('home/profile', 'first', 'Profile', profile),
  sample(
    'home/profile',
    'refused',
    'Profile',
    {
      ...profile,
      shell: longShell('profile'),
      picture,
      values: { firstName: markup, lastName: '', phone: '', timeZone: '' },
      newEmail: markup,
      pendingEmail: { email: markup, until: minutesAgo(-1440, 'in 1 day') },
      facts: { username: longEmail, email: longEmail, role: 'Billing and Purchasing', company: longName },
      problem: { sentence: 'Type your last name.', field: 'lastName', code: null },
      theme: 'dark',
    },
    { flash: { kind: 'danger', text: 'Your profile was not saved.' } },
  ),
  sample('home/security', 'first', 'Security', {
    shell: shell('security'),
    password: {
      action: '/settings/password',
      problem: null,
      rules,
      isSso: false,
      changedAt: minutesAgo(90 * 1440, '3 months ago'),
    },
    secondFactor: {
      isSso: false,
      enrolledAt: minutesAgo(120 * 1440, '4 months ago'),
      reset: '/settings/factor/reset',
      recoveryLeft: 7,
      usesRecovery: true,
      regenerate: '/settings/recovery-codes',
    },
  }),
  sample('home/security', 'refused', 'Security', {
    shell: shell('security'),
    password: {
      action: '/settings/password',
      problem: { sentence: 'That is not your current password.', field: 'currentPassword', code: null },
      rules,
      isSso: false,
      changedAt: null,
    },
    secondFactor: {
      isSso: false,
      enrolledAt: minutesAgo(120 * 1440, '4 months ago'),
      reset: '/settings/factor/reset',
      recoveryLeft: 0,
      usesRecovery: true,
      regenerate: '/settings/recovery-codes',
    },
  }),
  sample('home/security', 'not-enrolled', 'Security', {
    shell: shell('security'),
    password: { action: '/settings/password', problem: null, rules, isSso: true, changedAt: null },
    secondFactor: { isSso: true, enrolledAt: null, reset: '/f', recoveryLeft: 0, usesRecovery: true, regenerate: '/r' },
  }),
  sample('home/confirm', 'danger', 'Confirm', {
    shell: shell('security'),
    title: 'Reset your second factor',
    sentence:
      'Your authenticator app and your recovery codes stop working at once. You set up anew at your next login.',
    way: 'password',
    waySentence: '',
    action: '/settings/factor/reset',
    problem: { sentence: 'That code is not right.', field: 'code', code: null },
    button: 'Reset second factor',
    askCode: true,
    cancel: '/settings/security',
    danger: true,
    hidden: [{ name: 'intent', value: 'reset' }],
  }),
  sample('home/confirm', 'calm', 'Confirm', {
    shell: shell('security'),
    title: 'Make new recovery codes',
    sentence: 'The old ones stop working when the new ones are shown.',
    way: 'password',
    waySentence: '',
    action: '/settings/recovery-codes',
    problem: null,
    button: 'Make new recovery codes',
    askCode: false,
    cancel: '/settings/security',
    danger: false,
    hidden: [],
  }),
  ...(['button', 'again', 'none'] as const).map((way) =>
    sample('home/confirm', way, 'Confirm', {
      shell: shell('profile'),
      title: 'Change e-mail',
      sentence: 'Confirm that it is you. Then a link goes to the new address.',
      way,
      waySentence: way === 'button' ? '' : 'You log in with single sign-on, so there is no password to ask for.',
      action: '/settings/email',
      problem: null,
      button: 'Change e-mail',
      askCode: false,
      cancel: '/settings/profile',
      danger: way === 'button',
      hidden: [],
    }),
  ),
  sample('home/recovery-codes', 'first', 'Recovery codes', {
    shell: shell('security'),
    codes,
    download,
    fileName: 'recovery-codes.txt',
    done: '/settings/security',
  }),
  sample('home/sessions', 'first', 'Sessions', {
    shell: shell('sessions'),
    sessions,
    endOne: '/settings/sessions/end',
    endOthers: '/settings/sessions/end-others',
  }),
  sample('home/sessions', 'single', 'Sessions', {
    shell: longShell('sessions'),
    sessions: sessions.slice(0, 1).map((session) => ({ ...session, device: markup })),
    endOne: '/settings/sessions/end',
    endOthers: '/settings/sessions/end-others',
  }),
  sample('home/modules', 'first', 'My Modules', {
    shell: shell('modules'),
    problem: null,
    action: '/settings/modules',
    reset: '/settings/modules/reset',
    tiles: ownTiles,
  }),
  sample('home/modules', 'refused', 'My Modules', {
    shell: longShell('modules'),
    problem: {
      sentence: `${markup}: Enter an address that begins with https://module.example/.`,
      field: null,
      code: null,
    },
    action: '/settings/modules',
    reset: null,
    tiles: ownTiles.map((tile, i) => ({ ...tile, isLandingWrong: i === 0, ownName: markup, landing: markup })),
  }),
  sample('home/modules', 'empty', 'My Modules', {
    shell: shell('modules'),
    problem: null,
    action: '/settings/modules',
    reset: null,
    tiles: [],
  }),
  sample('home/access', 'first', 'Module access', {
    shell: shell('access'),
    problem: null,
    modules: access,
    cutAt: null,
  }),
  sample('home/access', 'cut', 'Module access', {
    shell: longShell('access'),
    problem: { sentence: 'That module has no access to your account.', field: null, code: null },
    modules: [
      { ...access[0], name: markup },
      { ...access[1], name: longName },
    ],
    cutAt: 2,
  }),
  sample('home/access', 'empty', 'Module access', {
    shell: shell('access'),
    problem: null,
    modules: [],
    cutAt: null,
  }),
  sample('home/access-revoke', 'first', 'Revoke access', {
    shell: shell('access'),
    module: { name: 'Workplace', icon: null },
    stops: [
      'Workplace can no longer read anything about you from KaseyaOne.',
      'Its access while you are not logged in ends.',
      'You are logged out of Workplace on every device.',
    ],
    stays: [
      'You stay logged in to KaseyaOne and to your other modules.',
      'Workplace keeps what it has stored about you already.',
      'You may still enter Workplace; when you do, it gets access anew.',
    ],
    action: '/settings/access/revoke',
    id: '0193a5c4-5f6e-7abc-8def-0123456789ab',
    cancel: '/settings/access',
  }),
  sample('home/access-revoke', 'markup', 'Revoke access', {
    shell: longShell('access'),
    module: { name: markup, icon: null },
    stops: [`${longName} can no longer read anything about you from KaseyaOne.`],
    stays: [`You may still enter ${markup}.`],
    action: '/settings/access/revoke',
    id: '0193a5c4-5f6e-7abc-8def-0123456789ab',
    cancel: '/settings/access',
  }),
];

const mails = [
  {
    id: 'm3',
    at: minutesAgo(1, '1 minute ago'),
    to: longEmail,
    subject: 'Set a new password',
    kind: 'Password reset',
  },
  { id: 'm2', at: minutesAgo(8, '8 minutes ago'), to: 'ben@contoso.example', subject: markup, kind: 'Locked' },
  {
    id: 'm1',
    at: minutesAgo(60, '1 hour ago'),
    to: 'ben@contoso.example',
    subject: 'Welcome to KaseyaOne',
    kind: 'Invitation',
  },
];
const devSamples = [
  sample('dev/mailbox', 'selected', 'Mailbox', {
    mails,
    selected: {
      subject: 'Welcome to KaseyaOne',
      to: 'ben@contoso.example',
      from: 'KaseyaOne <no-reply@localhost>',
      at: minutesAgo(60, '1 hour ago'),
      text: `Hello Ben\n\nAda Root invited you to KaseyaOne.\n\nSign Up:\nhttp://localhost:3000/welcome/8f0kQ2m1Zb7\n\n${markup}`,
      htmlAddress: '/dev/mailbox/m1/html',
    },
    mailAddress: '/dev/mailbox/',
  }),
  sample('dev/mailbox', 'none-chosen', 'Mailbox', { mails, selected: null, mailAddress: '/dev/mailbox/' }),
  sample('dev/mailbox', 'empty', 'Mailbox', { mails: [], selected: null, mailAddress: '/dev/mailbox/' }),
  sample('dev/authenticator', 'first', 'Authenticator', {
    people: [
      {
        name: 'Ada Root',
        username: 'ada.root',
        company: 'Contoso Ltd',
        role: 'Root Admin',
        code: '492039',
        secondsLeft: 17,
      },
      {
        name: markup,
        username: longEmail,
        company: longName,
        role: 'Co-Managed User',
        code: '003817',
        secondsLeft: 17,
      },
    ],
  }),
];

export const samples: readonly Sample[] = [
  ...signInSamples,
  ...publicSamples,
  ...homeSamples,
  ...consoleSamples(shell, markup),
  ...devSamples,
];

/** @param asset makes the address of a static file. */
export const samplePage = (title: string, asset: (path: string) => string, change: Partial<Page> = {}): Page => ({
  title,
  brand: { name: 'KaseyaOne', logo: null },
  lang: 'en',
  theme: 'auto',
  csrf: 'csrf-token-of-the-sample',
  asset,
  requestId: 'sample-request',
  flash: null,
  ...change,
});
