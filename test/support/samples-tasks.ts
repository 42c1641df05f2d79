import type { Moment, Shell } from '../../src/web/views.ts';
import type { Sample } from './view-samples.ts';

export function taskSamples(shell: (here: Shell['here']) => Shell, markup: string): Sample[] {
  const moment: Moment = { text: '2 minutes ago', exact: 'Nov 22, 2026, 10:00:00 AM', iso: '2026-11-22T10:00:00.000Z' };
  const done = {
    shell: shell('users'),
    title: 'Invite 1,204 people from users.csv',
    isRunning: false,
    here: '/admin/tasks/a',
    state: { tone: 'good' as const, word: 'Done', more: '' },
    by: 'ada.root',
    startedAt: moment,
    finishedAt: moment,
    done: 1204,
    total: 1204,
    progress: '1,204 of 1,204',
    counts: [
      { label: 'Imported', value: '1,200' },
      { label: 'Skipped', value: '1' },
      { label: 'Failed', value: '3' },
    ],
    stoppedBecause: null,
    lines: [
      { position: 7, label: markup, field: 'Email', message: 'Enter a valid e-mail address, such as ada@example.com.' },
      { position: 9, label: 'ben', field: '', message: 'There is a person with this username already.' },
    ],
    remarks: [{ position: 12, label: markup, field: '', message: 'ben has this e-mail, too.' }],
    more: 'And 2 more, in the file of failed rows.',
    log: 'Line 7',
    failedRows: '/admin/tasks/a/failed-rows',
    undo: { href: '/admin/tasks/a/undo', until: moment },
    undone: null,
    back: { href: '/admin/users', label: 'Users', button: 'Done' },
  };
  return [
    { view: 'admin/tasks/page', variant: 'done', title: 'Import', locals: done },
    {
      view: 'admin/tasks/page',
      variant: 'running',
      title: 'Import',
      locals: {
        ...done,
        isRunning: true,
        done: 300,
        progress: '300 of 1,204, about 3 seconds left',
        lines: [],
        remarks: [],
        undo: null,
      },
    },
    {
      view: 'admin/tasks/page',
      variant: 'stopped',
      title: 'Import',
      locals: {
        ...done,
        stoppedBecause: 'The file could not be read to its end.',
        lines: [],
        remarks: [],
        more: '',
        undo: null,
        undone: '/admin/tasks/b',
      },
    },
    {
      view: 'admin/tasks/undo',
      variant: 'typical',
      title: 'Take this import back?',
      locals: {
        shell: shell('users'),
        title: 'Take this import back?',
        action: '/admin/tasks/a/undo',
        cancel: '/admin/tasks/a',
        sentences: ['1,199 people are deleted, with their invitations. This cannot be undone.'],
        kept: [{ name: markup, username: 'ben', why: 'has logged in since' }],
        button: 'Delete 1,199 people',
      },
    },
    {
      view: 'admin/tasks/undo',
      variant: 'nobody',
      title: 'Take this import back?',
      locals: {
        shell: shell('users'),
        title: 'Take this import back?',
        action: '/admin/tasks/a/undo',
        cancel: '/admin/tasks/a',
        sentences: ['There is nobody to delete: everybody of this import has logged in since, or is gone already.'],
        kept: [],
        button: null,
      },
    },
  ];
}
