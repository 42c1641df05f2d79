import type { Moment, Shell } from '../../src/web/views.ts';
import type { Sample } from './view-samples.ts';

const at: Moment = { text: '2 minutes ago', exact: 'Nov 22, 2026, 10:00:00 AM', iso: '2026-11-22T10:00:00.000Z' };
const path = '/admin/users/a';

export function whySamples(shell: (here: Shell['here']) => Shell, markup: string): Sample[] {
  const pass = { tone: 'good' as const, word: 'Passes', more: '' };
  const fail = { tone: 'danger' as const, word: 'Fails', more: '' };
  const note = { tone: 'off' as const, word: 'Note', more: '' };
  const flip = { words: 'Add Ben User to Workplace Team', href: '/admin/groups/g/add' };
  const line = (label: string, status: typeof pass | typeof fail | typeof note, sentence: string) => ({
    label,
    status,
    sentence,
    more: [],
    setting: { words: 'Status', href: path },
    changed: null,
    flip: null,
    isDecisive: false,
  });
  const page = {
    shell: shell('users'),
    name: 'Ben User',
    back: { words: 'Ben User', href: path },
    action: `${path}/why`,
    modules: [
      { value: '', label: 'KaseyaOne itself', selected: false },
      { value: 'm', label: 'Northwind Workplace', selected: true },
    ],
    at: '',
    from: '',
    timeZone: 'Europe/Berlin',
    problem: null,
    refused: null,
    verdict: {
      tone: 'danger' as const,
      icon: 'alert-circle',
      heading: 'Ben User cannot enter Northwind Workplace',
      because: 'None of their access groups includes Northwind Workplace.',
      flip,
    },
    lines: [
      { ...line('Account', pass, 'Ben User is active.'), changed: { sentence: 'Ada Root added Ben User.', at } },
      line('Password and 2FA', pass, 'Password and second factor are set up.'),
      line('Sessions', note, 'They are not logged in anywhere now.'),
      {
        ...line('Access groups', fail, 'None of their access groups includes Northwind Workplace.'),
        flip,
        isDecisive: true,
      },
      line('Local login', note, 'Not required: a local password of Northwind Workplace works beside it.'),
    ],
  };
  return [
    { view: 'admin/why/person', variant: 'cannot', title: 'Why', locals: page },
    {
      view: 'admin/why/person',
      variant: 'ugly',
      title: 'Why',
      locals: {
        ...page,
        name: markup,
        modules: [{ value: 'm', label: markup, selected: true }],
        from: markup,
        at: '2026-11-22T10:00',
        refused: { code: markup, sentence: markup, at },
        problem: { sentence: 'Enter an IP address, such as 203.0.113.9.', field: 'from', code: null },
        verdict: {
          tone: 'wait',
          icon: 'alert-circle',
          heading: markup,
          because: markup,
          flip: { words: markup, href: path },
        },
        lines: [
          {
            ...line(markup, fail, markup),
            more: [
              { words: markup, at },
              { words: markup, at: null },
            ],
            setting: { words: markup, href: path },
            changed: { sentence: markup, at },
            flip: { words: markup, href: path },
            isDecisive: true,
          },
        ],
      },
    },
    {
      view: 'admin/why/person',
      variant: 'can',
      title: 'Why',
      locals: {
        ...page,
        verdict: {
          tone: 'good',
          icon: 'circle-check',
          heading: 'Ben User can enter Northwind Workplace',
          because: 'Nothing stands in the way.',
          flip: null,
        },
        lines: page.lines.filter(({ isDecisive }) => !isDecisive),
      },
    },
  ];
}
