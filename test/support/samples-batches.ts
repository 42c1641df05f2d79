import type { Moment, Shell } from '../../src/web/views.ts';
import type { Sample } from './view-samples.ts';

export function batchSamples(shell: (here: Shell['here']) => Shell, markup: string): Sample[] {
  const moment: Moment = { text: '2 minutes ago', exact: 'Nov 22, 2026, 10:00:00 AM', iso: '2026-11-22T10:00:00.000Z' };
  const page = { shell: shell('instances') };
  const pages = {
    words: '1 to 2 of 37',
    sizes: [{ value: '50', label: '50 a page', selected: true }],
    previous: null,
    next: '/admin/batches/a?page=2',
  };
  const line = {
    title: 'Suspend 37 people in Workplace',
    cause: 'the access group Sales was deleted by Ada Root',
    people: '37 people',
    at: moment,
    href: '/admin/batches/a',
    isOwn: false,
  };
  const person = {
    name: 'Ben User',
    href: '/admin/users/b',
    account: 'ben@northwind.example',
    email: 'ben@northwind.example',
    isAdministrator: false,
  };
  const show = {
    ...page,
    problem: null,
    back: '/admin/batches',
    here: '/admin/batches/a',
    title: 'Suspend 37 people in Workplace?',
    lead: '37 people of 120 active accounts would be suspended in Workplace. One of them administers Workplace.',
    status: { tone: 'wait' as const, word: 'Waiting', more: 'for a second administrator' },
    cause: line.cause,
    by: 'Ada Root',
    at: moment,
    decided: null,
    instance: { name: 'Workplace', href: '/admin/modules/i' },
    sentences: ['Each of them whose access is still gone is suspended in Workplace, and their sessions there end.'],
    people: [{ ...person, isAdministrator: true }, person],
    count: '37 people',
    pages,
    acts: { approve: '/admin/batches/a/approve', refuse: '/admin/batches/a/refuse', button: 'Suspend 37 people' },
    refusal: null,
  };
  const title = 'Suspend 37 people in Workplace';
  const of = <N extends 'admin/batches/list' | 'admin/batches/show'>(
    view: N,
    variant: string,
    locals: Sample<N>['locals'],
  ): Sample => ({ view, variant, title: view === 'admin/batches/list' ? 'Waiting changes' : title, locals });
  return [
    of('admin/batches/list', 'typical', {
      ...page,
      batches: [line, { ...line, title: markup, cause: markup, isOwn: true }],
    }),
    of('admin/batches/list', 'empty', { ...page, batches: [] }),
    of('admin/batches/show', 'typical', show),
    of('admin/batches/show', 'own', {
      ...show,
      title: markup,
      lead: markup,
      cause: markup,
      by: markup,
      instance: { name: markup, href: '/admin/modules/i' },
      people: [{ ...person, name: markup, account: markup, email: markup }],
      acts: null,
      refusal: 'Another administrator has to confirm what you have caused yourself.',
    }),
    of('admin/batches/show', 'decided', {
      ...show,
      problem: { sentence: 'This has been decided already.', field: null, code: null },
      status: { tone: 'good', word: 'Confirmed', more: '' },
      decided: { by: 'Ben Root', at: moment },
      acts: null,
      people: [],
      count: '0 people',
      pages: { words: '', sizes: [], previous: null, next: null },
    }),
  ];
}
