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
  const noName = 'Enter a name of 1 to 60 characters, on one line.';
  return [
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
