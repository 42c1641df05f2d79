// Realistic values for the pages of the security policy.
import { policySchema } from '../../src/domain/companies/company.ts';
import { fieldsOf, sectionsOf } from '../../src/web/admin/security/settings.ts';
import type { Moment, Shell } from '../../src/web/views.ts';
import type { Sample } from './view-samples.ts';

const moment: Moment = { text: '3 days ago', exact: '19 Nov 2026, 10:12:00', iso: '2026-11-19T10:12:00.000Z' };

export function securitySamples(shell: (here: Shell['here']) => Shell, markup: string): Sample[] {
  const fields = fieldsOf(policySchema.parse({}));
  const policy = {
    shell: shell('policy'),
    problem: null,
    action: '/admin/security',
    sections: sectionsOf(fields, null),
    ipList: { isOn: false, words: 'Off: people log in from anywhere.', href: '/admin/security/addresses' },
  };
  const addresses = {
    shell: shell('policy'),
    problem: null,
    back: '/admin/security',
    isOn: false,
    own: { address: '203.0.113.7', isCovered: false },
    switchHref: '/admin/security/addresses/switch',
    action: '/admin/security/addresses',
    values: { network: '', note: '' },
    entries: [],
    count: '0 entries',
  };
  const entry = {
    network: '203.0.113.0/24',
    note: markup,
    added: moment,
    isOwn: true,
    remove: '/admin/security/addresses/a/remove',
  };
  const preview = {
    shell: shell('policy'),
    back: { href: '/admin/security', label: 'Security' },
    title: 'Before the policy is updated',
    lead: 'Some people would notice. Nothing is saved yet.',
    problem: null,
    changes: [{ label: 'Failed logins before the lock', before: '10 failures', after: '5 failures' }],
    consequences: [],
    counts: [
      {
        number: '0',
        label: 'people would have been refused by the IP access list',
        href: null,
        isShown: false,
        look: 'meets-none' as const,
      },
      { number: '12', label: 'people would have been locked', href: null, isShown: true, look: 'meets-loss' as const },
      {
        number: '1',
        label: 'person would set a new password at the next login',
        href: '/admin/security/preview?kind=password',
        isShown: false,
        look: 'meets-note' as const,
      },
      {
        number: '10,000+',
        label: 'live sessions end at once',
        href: null,
        isShown: false,
        look: 'meets-note' as const,
      },
    ],
    basis: 'Held against the logins of the last 30 days, and the passwords and sessions of now.',
    list: {
      title: 'Locked after failed logins',
      when: 'Last time',
      showsTimes: true,
      action: '/admin/security/preview',
      hidden: [{ name: 'kind', value: 'locked' }],
      people: [
        {
          href: '/admin/users/a',
          name: 'Ben User',
          username: 'ben',
          role: 'User',
          times: '3',
          at: moment,
          address: '198.51.100.9',
        },
        {
          href: '/admin/users/b',
          name: markup,
          username: markup,
          role: 'Admin',
          times: '1',
          at: moment,
          address: '2001:db8::1',
        },
      ],
      pages: {
        words: '1 to 2 of 12',
        sizes: [{ value: '50', label: '50 a page', selected: true }],
        previous: null,
        next: '/admin/security/preview?page=2',
      },
    },
    form: {
      action: '/admin/security',
      hidden: [{ name: 'confirmed', value: 'yes' }],
      button: 'Update anyway',
      isDanger: true,
    },
    cancel: '/admin/security',
  };
  return [
    { view: 'admin/security/policy', variant: 'typical', title: 'Security', locals: policy },
    {
      view: 'admin/security/policy',
      variant: 'refused',
      title: 'Security',
      locals: {
        ...policy,
        problem: {
          sentence: 'The number of failed logins is a whole number from 5 to 100.',
          field: 'lock.threshold',
          code: null,
        },
        sections: sectionsOf({ ...fields, 'lock.threshold': markup }, 'lock.threshold'),
        ipList: {
          ...policy.ipList,
          isOn: true,
          words: 'On, with 3 entries: logins from any other address are refused.',
        },
      },
    },
    {
      view: 'admin/security/policy',
      variant: 'time',
      title: 'Security',
      locals: {
        ...policy,
        problem: {
          sentence: 'The time without use cannot be longer than the time in all.',
          field: 'session.idleMinutes',
          code: null,
        },
        sections: sectionsOf(fields, 'session.idleMinutes'),
      },
    },
    { view: 'admin/security/addresses', variant: 'empty', title: 'IP access list', locals: addresses },
    {
      view: 'admin/security/addresses',
      variant: 'on',
      title: 'IP access list',
      locals: {
        ...addresses,
        isOn: true,
        own: { address: '203.0.113.7', isCovered: true },
        problem: { sentence: 'Enter an IPv4 or IPv6 address.', field: 'network', code: null },
        values: { network: markup, note: markup },
        entries: [entry, { ...entry, network: '2001:db8::/32', isOwn: false, note: '' }],
        count: '2 entries',
      },
    },
    { view: 'admin/security/preview', variant: 'people', title: 'Before the policy is updated', locals: preview },
    {
      view: 'admin/security/preview',
      variant: 'refused',
      title: 'Turn on the IP access list',
      locals: {
        ...preview,
        title: 'Turn on the IP access list',
        problem: { sentence: 'You are at 203.0.113.7, which no entry covers.', field: null, code: null },
        changes: [],
        consequences: ['Live sessions go on.'],
        list: null,
        form: null,
      },
    },
    {
      view: 'admin/security/preview',
      variant: 'harmless',
      title: 'Turn off the IP access list',
      locals: {
        ...preview,
        changes: [],
        list: null,
        form: { ...preview.form, isDanger: false, button: 'Turn off the IP access list' },
      },
    },
  ];
}
