// The policy as fields of a form, and a form as a change of the policy. Fields are named by their path, such as `lock.threshold`.
import type { CompanyPolicy } from '../../../domain/companies/company.ts';
import type { PolicyChange } from '../../../domain/companies/policy-change.ts';
import type { NumberSetting, PolicySection, SwitchSetting, TimeSetting } from './views.ts';

export type Fields = Record<string, string>;

/** Beside the minutes, which have the name of the path itself. */
const hoursOf = (path: string) => `${path}.hours`;

const switchPaths = [
  'password.requireLower',
  'password.requireUpper',
  'password.requireDigit',
  'password.requireSymbol',
  'mfa.recoveryCodes',
  'notices.deactivated',
] as const;
const numberPaths = ['password.minLength', 'password.history', 'password.maxAgeDays', 'lock.threshold'] as const;
const timePaths = ['lock.minutes', 'session.idleMinutes', 'session.absoluteMinutes'] as const;

/** Names of all fields, for taking a form along through an address. */
export const fieldNames: readonly string[] = [
  ...numberPaths,
  ...timePaths,
  ...timePaths.map(hoursOf),
  ...switchPaths,
  'reactivate',
];

/** What was typed, if it is a whole number; the command says what is wrong with anything else. */
function whole(text = ''): number {
  return /^\d{1,9}$/.test(text.trim()) ? Number(text) : Number.NaN;
}

export function readChange(fields: Fields): PolicyChange {
  const number = (path: (typeof numberPaths)[number]) => whole(fields[path]);
  const time = (path: (typeof timePaths)[number]) => {
    const [hours, minutes] = [fields[hoursOf(path)] ?? '', fields[path] ?? ''];
    if (hours.trim() === '' && minutes.trim() === '') return Number.NaN;
    return whole(hours.trim() || '0') * 60 + whole(minutes.trim() || '0');
  };
  const flag = (path: (typeof switchPaths)[number]) => fields[path] === 'yes';
  return {
    password: {
      minLength: number('password.minLength'),
      requireLower: flag('password.requireLower'),
      requireUpper: flag('password.requireUpper'),
      requireDigit: flag('password.requireDigit'),
      requireSymbol: flag('password.requireSymbol'),
      history: number('password.history'),
      maxAgeDays: number('password.maxAgeDays'),
    },
    lock: { threshold: number('lock.threshold'), minutes: time('lock.minutes') },
    session: { idleMinutes: time('session.idleMinutes'), absoluteMinutes: time('session.absoluteMinutes') },
    mfa: { recoveryCodes: flag('mfa.recoveryCodes') },
    notices: { deactivated: flag('notices.deactivated') },
    // What is none of the choices is refused by the command.
    reactivate: (fields.reactivate ?? '') as 'immediate',
  };
}

/** The fields as the policy fills them. */
export function fieldsOf(policy: CompanyPolicy): Fields {
  const value = (path: string): unknown =>
    path.split('.').reduce<unknown>((part, name) => (part as Record<string, unknown>)[name], policy);
  const times = timePaths.flatMap((path) => {
    const minutes = Number(value(path));
    return [
      [hoursOf(path), String(Math.floor(minutes / 60))],
      [path, String(minutes % 60)],
    ];
  });
  return Object.fromEntries([
    ...numberPaths.map((path) => [path, String(value(path))]),
    ...times,
    ...switchPaths.filter((path) => value(path) === true).map((path) => [path, 'yes']),
    ['reactivate', policy.reactivate],
  ]);
}

const none: Omit<PolicySection, 'id' | 'title' | 'lead'> = {
  numbers: [],
  times: [],
  switchesTitle: '',
  switches: [],
  choices: [],
  facts: [],
};

/** The page, section by section. @param wrong path of the field that was refused */
export function sectionsOf(fields: Fields, wrong: string | null): PolicySection[] {
  const number = (
    name: (typeof numberPaths)[number],
    rest: Pick<NumberSetting, 'label' | 'help' | 'least' | 'most' | 'unit'>,
  ): NumberSetting => ({ name, value: fields[name] ?? '', isWrong: wrong === name, ...rest });
  const time = (name: (typeof timePaths)[number], label: string, help: string): TimeSetting => ({
    name,
    label,
    help,
    hours: fields[hoursOf(name)] ?? '',
    minutes: fields[name] ?? '',
    isWrong: wrong === name,
  });
  const flag = (name: (typeof switchPaths)[number], label: string, help = ''): SwitchSetting => ({
    name,
    label,
    help,
    checked: fields[name] === 'yes',
  });
  const choice = (value: 'immediate' | 'reinvite', label: string, help: string) => ({
    name: 'reactivate',
    value,
    label,
    help,
    checked: fields.reactivate === value,
  });
  return [
    {
      ...none,
      id: 'password',
      title: 'Passwords',
      lead: 'Hold for the next password that somebody sets; nobody has to change theirs now, unless it has run out.',
      numbers: [
        number('password.minLength', {
          label: 'Minimum password length',
          help: 'From 8 to 64.',
          least: 8,
          most: 64,
          unit: 'characters',
        }),
        number('password.history', {
          label: 'Passwords that may not come again',
          help: 'From 0 to 24. The present one never may.',
          least: 0,
          most: 24,
          unit: 'passwords',
        }),
        number('password.maxAgeDays', {
          label: 'A password runs out after',
          help: 'From 0 to 365; 0: never. Whoever logs in with an older one sets a new one on the way.',
          least: 0,
          most: 365,
          unit: 'days',
        }),
      ],
      switchesTitle: 'A password holds',
      switches: [
        flag('password.requireLower', 'A lower-case letter'),
        flag('password.requireUpper', 'An upper-case letter'),
        flag('password.requireDigit', 'A digit'),
        flag('password.requireSymbol', 'A symbol'),
      ],
      facts: [
        'Always refused: the most used and breached passwords, and whatever is made of the company, the username, the e-mail address or the name.',
      ],
    },
    {
      ...none,
      id: 'lock',
      title: 'Lock-out',
      lead: 'Wrong passwords and wrong codes count alike; a login that succeeds begins anew.',
      numbers: [
        number('lock.threshold', {
          label: 'Consecutive failed logins before the account is locked',
          help: 'From 5 to 100.',
          least: 5,
          most: 100,
          unit: 'failures',
        }),
      ],
      times: [
        time(
          'lock.minutes',
          'Length of the lock',
          'From 1 minute to 23 hours and 59 minutes. An administrator can end it earlier.',
        ),
      ],
    },
    {
      ...none,
      id: 'session',
      title: 'Sessions',
      lead: 'Shorter times hold at once: whoever is over them logs in again at the next click, and modules are told.',
      times: [
        time(
          'session.idleMinutes',
          'Ends when unused for',
          'From 5 minutes to 24 hours, and not longer than the time below.',
        ),
        time('session.absoluteMinutes', 'Ends in any case after', 'From 5 minutes to 24 hours.'),
      ],
    },
    {
      ...none,
      id: 'mfa',
      title: '2FA',
      lead: 'Always required: nobody gets in with a password alone. The second factor is a six-digit code from an authenticator app.',
      switches: [
        flag(
          'mfa.recoveryCodes',
          'Recovery codes may stand in for the app',
          'Ten codes for each person, each good once. Without them, a lost phone takes an administrator: Reset 2FA.',
        ),
      ],
    },
    {
      ...none,
      id: 'people',
      title: 'Deactivated people',
      lead: 'How they come back, and whether they hear of it.',
      choices: [
        choice('immediate', 'Activate at once', 'Active immediately; they set a password and 2FA by a mailed link.'),
        choice('reinvite', 'Invite again', 'Invited like somebody new; groups, role and settings are kept.'),
      ],
      switches: [flag('notices.deactivated', 'Mail a notice to whoever is deactivated')],
    },
  ];
}

const labels: Record<string, [label: string, unit?: string]> = {
  'password.minLength': ['Minimum password length', 'characters'],
  'password.requireLower': ['A lower-case letter'],
  'password.requireUpper': ['An upper-case letter'],
  'password.requireDigit': ['A digit'],
  'password.requireSymbol': ['A symbol'],
  'password.history': ['Passwords that may not come again', 'passwords'],
  'password.maxAgeDays': ['A password runs out after', 'days'],
  'lock.threshold': ['Failed logins before the lock', 'failures'],
  'lock.minutes': ['Length of the lock', 'time'],
  'session.idleMinutes': ['A session ends when unused for', 'time'],
  'session.absoluteMinutes': ['A session ends in any case after', 'time'],
  'mfa.recoveryCodes': ['Recovery codes'],
  'notices.deactivated': ['Notice of a deactivation'],
  'ipList.enabled': ['IP access list'],
  reactivate: ['Deactivated people'],
};

const counted = (n: number, one: string) => `${n} ${one}${n === 1 ? '' : 's'}`;

function timeWords(minutes: number): string {
  const [hours, rest] = [Math.floor(minutes / 60), minutes % 60];
  return [hours > 0 ? counted(hours, 'hour') : '', rest > 0 ? counted(rest, 'minute') : ''].filter(Boolean).join(' ');
}

/** A changed value in words: "10 minutes", "on", "never". */
export function changeWords(path: string, value: string | number | boolean): { label: string; value: string } {
  const [label = path, unit = ''] = labels[path] ?? [];
  if (typeof value === 'boolean') return { label, value: value ? 'on' : 'off' };
  if (path === 'reactivate') return { label, value: value === 'reinvite' ? 'Invite again' : 'Activate at once' };
  if (path === 'password.maxAgeDays' && value === 0) return { label, value: 'never' };
  return { label, value: unit === 'time' ? timeWords(Number(value)) : `${value} ${unit}` };
}
