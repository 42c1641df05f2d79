// Realistic values for the pages of groups.
import type { GroupColumn, GroupHead, MemberLine, ModuleChoice } from '../../src/web/admin/groups/views.ts';
import type { Shell } from '../../src/web/views.ts';
import type { Sample } from './view-samples.ts';

const id = '019ac000-0000-7000-8000-000000000001';
const path = `/admin/groups/${id}`;

const column = (label: string, sorted: GroupColumn['sorted'] = null): GroupColumn => ({
  label,
  sort: label === 'Members' ? null : `/admin/groups?sort=${label.toLowerCase()}`,
  sorted,
  sortIcon: sorted === 'descending' ? 'arrow-down' : 'arrow-up',
});

const head = (here: string, change: Partial<GroupHead> = {}): GroupHead => ({
  id,
  name: 'Technicians',
  kind: 'Custom group',
  isSystem: false,
  isActive: true,
  members: 'more than 10,000 members',
  modules: '2 modules',
  tabs: ['Members', 'Modules', 'Settings'].map((label) => ({
    label,
    href: `${path}#${label}`.replace('#', '/'),
    isHere: label === here,
  })),
  add: `${path}/add`,
  ...change,
});

const member = (name: string, change: Partial<MemberLine> = {}): MemberLine => ({
  id,
  href: `/admin/users/${id}`,
  name,
  username: 'ben.user',
  email: 'ben.user@northwind.example',
  role: 'User',
  status: { tone: 'good', word: 'Active', more: '' },
  remove: `${path}/remove/${id}`,
  ...change,
});

const module = (name: string, change: Partial<ModuleChoice> = {}): ModuleChoice => ({
  id: `${id}-${name}`,
  name,
  module: '',
  icon: null,
  isEnabled: true,
  isChosen: true,
  others: 'Also in All Module Access',
  ...change,
});

export function groupSamples(shell: (here: Shell['here']) => Shell, markup: string): Sample[] {
  const here = shell('groups');
  const pages = {
    words: '1 to 3 of 3',
    sizes: [{ value: '50', label: '50 a page', selected: true }],
    previous: null,
    next: `${path}?page=2`,
  };
  const ugly = head('Members', { name: markup, isActive: false, modules: '0 modules' });
  const system = head('Settings', { name: 'No Module Access', kind: 'System group', isSystem: true });
  const line = { id, href: path, isSystem: false, isActive: true, members: '12 members', modules: '3 modules' };
  const list = {
    shell: here,
    filters: {
      search: '',
      states: [{ value: '', label: 'Any state', selected: true }],
      hidden: [],
      chips: [],
      clear: null,
    },
    columns: [column('Name', 'ascending'), column('Kind'), column('State'), column('Members'), column('Modules')],
    groups: [
      { ...line, name: 'All Module Access', kind: 'System group', isSystem: true },
      { ...line, name: markup, kind: 'Custom group', isActive: false },
    ],
    pages,
    count: '2 groups',
    isFiltered: false,
  };
  const members = {
    shell: here,
    group: head('Members'),
    note: '',
    search: '',
    hidden: [{ name: 'sort', value: 'email' }],
    action: path,
    canRemove: true,
    columns: [column('Name', 'descending'), column('Username'), column('Email'), column('Role'), column('Status')],
    members: [member('Ben User'), member(markup, { role: 'Root Admin', remove: null })],
    pages,
    count: '2 members',
  };
  const add = {
    shell: here,
    group: head('Members'),
    note: 'Whoever is in No Module Access leaves it by joining.',
    search: 'be',
    searchAction: `${path}/add`,
    back: path,
    action: `${path}/members`,
    people: [
      { ...member('Ben User'), isMember: false },
      { ...member(markup), isMember: true },
    ],
    pages,
    count: '2 people',
  };
  const modules = {
    shell: here,
    group: head('Modules'),
    note: '',
    action: `${path}/modules`,
    modules: [module('Workplace'), module(markup, { module: 'RMM', isEnabled: false, isChosen: false, others: '' })],
    was: id,
  };
  const settings = {
    shell: here,
    group: head('Settings'),
    problem: null,
    action: `${path}/settings`,
    values: { name: 'Technicians' },
    createdAt: { text: '3 days ago', exact: '19 November 2026, 10:00', iso: '2026-11-19T10:00:00.000Z' },
    activate: null,
    deactivate: `${path}/deactivate`,
    delete: `${path}/delete`,
  };
  const taken = 'There is a group of this name already.';
  const problem = { sentence: taken, field: 'name', code: null, fields: { name: taken } };
  const confirm = {
    shell: here,
    title: 'Deactivate Technicians?',
    lead: '37 people lose access at once, on every device.',
    effects: [
      {
        name: 'Workplace',
        icon: null,
        lose: '37 people lose access',
        gain: '1 person gets access',
        who: 'Ada Root, Ben User and 35 others',
        still: 'Still open: 30 people through “Ops”',
      },
      { name: markup, icon: null, lose: '', gain: '', who: '', still: '' },
    ],
    noEffect: 'Nobody gains or loses a module by this.',
    sentences: ['You can undo it: activate the group again.'],
    action: `${path}/deactivate`,
    hidden: [{ name: 'confirmed', value: 'yes' }],
    button: 'Deactivate Technicians',
    isDanger: true,
    cancel: `${path}/settings`,
  };
  return [
    { view: 'admin/groups/list', variant: 'typical', title: 'Groups', locals: list },
    {
      view: 'admin/groups/list',
      variant: 'nothing-found',
      title: 'Groups',
      locals: {
        ...list,
        groups: [],
        isFiltered: true,
        filters: {
          ...list.filters,
          search: markup,
          chips: [{ label: markup, without: '/admin/groups' }],
          clear: '/admin/groups',
        },
      },
    },
    {
      view: 'admin/groups/new',
      variant: 'refused',
      title: 'New group',
      locals: {
        shell: here,
        problem,
        values: { name: markup, isActive: false },
        modules: [module('Workplace'), module(markup)],
      },
    },
    {
      view: 'admin/groups/new',
      variant: 'no-modules',
      title: 'New group',
      locals: { shell: here, problem: null, values: { name: '', isActive: true }, modules: [] },
    },
    { view: 'admin/groups/members', variant: 'typical', title: 'Technicians', locals: members },
    {
      view: 'admin/groups/members',
      variant: 'fixed',
      title: 'No Module Access',
      locals: { ...members, group: system, canRemove: false, note: 'These people can enter no module.', search: 'b' },
    },
    {
      view: 'admin/groups/members',
      variant: 'nobody',
      title: markup,
      locals: { ...members, group: ugly, members: [], count: '0 members' },
    },
    {
      view: 'admin/groups/members',
      variant: 'nothing-found',
      title: markup,
      locals: { ...members, group: ugly, members: [], search: markup },
    },
    { view: 'admin/groups/add', variant: 'typical', title: 'Add members', locals: add },
    {
      view: 'admin/groups/add',
      variant: 'nobody',
      title: 'Add members',
      locals: { ...add, group: ugly, search: markup, people: [] },
    },
    { view: 'admin/groups/modules', variant: 'typical', title: 'Modules', locals: modules },
    {
      view: 'admin/groups/modules',
      variant: 'fixed',
      title: 'Modules',
      locals: { ...modules, group: system, note: 'It stays that way.' },
    },
    { view: 'admin/groups/modules', variant: 'none', title: 'Modules', locals: { ...modules, modules: [] } },
    { view: 'admin/groups/settings', variant: 'typical', title: 'Settings', locals: settings },
    {
      view: 'admin/groups/settings',
      variant: 'refused',
      title: 'Settings',
      locals: {
        ...settings,
        group: { ...ugly },
        problem,
        values: { name: markup },
        activate: `${path}/activate`,
        deactivate: null,
      },
    },
    {
      view: 'admin/groups/settings',
      variant: 'system',
      title: 'Settings',
      locals: { ...settings, group: system, deactivate: null, delete: null },
    },
    { view: 'admin/groups/confirm', variant: 'loss', title: 'Deactivate Technicians', locals: confirm },
    {
      view: 'admin/groups/confirm',
      variant: 'nothing-lost',
      title: 'Activate Technicians',
      locals: {
        ...confirm,
        effects: [],
        isDanger: false,
        title: 'Activate Technicians?',
        button: 'Activate Technicians',
      },
    },
  ];
}
