import type { Shell } from '../../src/web/views.ts';
import type { Sample } from './view-samples.ts';

export function bulkSamples(shell: (here: Shell['here']) => Shell, markup: string): Sample[] {
  const carried = {
    act: 'deactivate',
    ids: ['a', 'b'],
    all: false,
    query: 'status=Active',
    cancel: '/admin/users?status=Active',
  };
  const bulk = {
    ...carried,
    shell: shell('users'),
    title: 'Deactivate 37 people?',
    action: '/admin/users/bulk/run',
    selected: 39,
    first: ['Ben User', markup],
    others: 35,
    sentences: ['Their sessions end at once, here and in every module.', 'You can activate them again at any time.'],
    exceptions: [
      { because: 'The Root Admin cannot be deactivated.', people: 'Ada Root' },
      { because: 'Only an active person can be deactivated.', people: '12 people' },
    ],
    roles: [],
    groups: [],
    button: 'Deactivate 37 people',
    isDanger: true,
  };
  return [
    { view: 'admin/users/bulk', variant: 'deactivate', title: 'Deactivate 37 people', locals: bulk },
    {
      view: 'admin/users/bulk',
      variant: 'role',
      title: 'Change the role of 2 people',
      locals: {
        ...bulk,
        all: true,
        ids: [],
        isDanger: false,
        roles: [{ value: 'User', label: 'User', selected: false }],
      },
    },
    {
      view: 'admin/users/bulk',
      variant: 'group',
      title: 'Add 2 people to a group',
      locals: { ...bulk, isDanger: false, groups: [{ value: 'g', label: 'Field (inactive)', selected: false }] },
    },
    {
      view: 'admin/users/bulk',
      variant: 'nobody',
      title: 'Activate 0 people',
      locals: { ...bulk, first: [], others: 0, button: null },
    },
    {
      view: 'admin/users/export',
      variant: 'typical',
      title: 'Export Users',
      locals: {
        ...carried,
        shell: shell('users'),
        action: '/admin/users/bulk/export',
        fields: [
          { value: 'id', label: 'User ID' },
          { value: 'email', label: 'Email Address' },
        ],
      },
    },
  ];
}
