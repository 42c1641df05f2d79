// What the pages of the wizard share (A.5): where it stands, and the draft behind it.

import type { Group } from '../../../domain/groups/group.ts';
import {
  allCandidates,
  type CandidateFilter,
  type Draft,
  type ImportDecision,
  type Standing,
} from '../../../domain/imports/draft.ts';
import { ownDraft } from '../../../domain/imports/draft-commands.ts';
import { countCandidates, type Judged } from '../../../domain/imports/draft-queries.ts';
import type { Context, Handler } from '../../context.ts';
import { seeOther } from '../../routes.ts';
import { type Desk, type DeskHandler, deskOf, idParam } from '../console.ts';
import { taskPath } from '../tasks/task.ts';
import type { Choice, StatusWords } from '../views.ts';
import type { CandidateLine, GroupChoice, WizardStep } from './views.ts';

export const wizardPath = '/admin/users/import-from-module';

export type Place = 'source' | 'people' | 'assign' | 'review';

export const stepPath = (draftId: string, place: 'people' | 'assign' | 'individual' | 'review') =>
  `${wizardPath}/${draftId}/${place}`;

const labels: [place: Place, label: string][] = [
  ['source', 'Module'],
  ['people', 'Users'],
  ['assign', 'Role and groups'],
  ['review', 'Review'],
];

/** One can go back to what is behind, and not forward past what is not done. */
export function stepsOf(now: Place, draft: Draft | null): WizardStep[] {
  const at = labels.findIndex(([place]) => place === now);
  return labels.map(([place, label], i) => ({
    label,
    isNow: place === now,
    href: i >= at ? null : place === 'source' || draft === null ? wizardPath : stepPath(draft.id, place),
  }));
}

export const number = new Intl.NumberFormat('en');

export const people = (count: number): string => `${number.format(count)} ${count === 1 ? 'person' : 'people'}`;

export type WizardHandler = (
  ctx: Context,
  runtime: Parameters<DeskHandler>[1],
  desk: Desk,
  draft: Draft,
) => Promise<void>;

/** A page for a draft whose list is read; one that is not, or that has become a task, leads to where it stands. */
export function stepOf(handle: WizardHandler): Handler {
  return deskOf('users.manage', async (ctx, runtime, desk) => {
    const draft = await ownDraft(desk.work, desk.companyId, idParam<string>(ctx, 'draft', 'import'));
    if (draft.state === 'ready') return handle(ctx, runtime, desk, draft);
    seeOther(ctx, placeOf(draft));
  });
}

/** Where a draft is gone on with. */
export function placeOf(draft: Draft): string {
  if (draft.state === 'started' && draft.taskId !== null) return taskPath(draft.taskId);
  return draft.state === 'ready' ? stepPath(draft.id, 'people') : `${wizardPath}/${draft.id}`;
}

export const chosenOnly: CandidateFilter = { ...allCandidates, isChosen: true };

export const countChosen = ({ work, companyId }: Desk, draft: Draft) =>
  countCandidates(work, companyId, draft.id, chosenOnly);

export const standingChoices: [value: Standing, label: string][] = [
  ['import', 'Can be imported'],
  ['skip', 'Skipped'],
  ['fail', 'Cannot be imported'],
];

export function searchOf(text: string | null | undefined): string {
  return (text ?? '').replaceAll('\0', '').slice(0, 200).trim();
}

export function standingWords(decision: ImportDecision): StatusWords {
  switch (decision.standing) {
    case 'import':
      return { tone: 'good', word: 'Can be imported', more: '' };
    case 'skip':
      return { tone: 'off', word: 'Skipped', more: decision.because };
    case 'fail':
      return { tone: 'danger', word: 'Cannot be imported', more: decision.because };
  }
}

/** @param groups all of the company */
export function lineOf(person: Judged, draft: Draft, groups: Group[]): CandidateLine {
  const isAssigned = person.role !== null || person.groupIds !== null;
  return {
    position: person.position,
    name: `${person.firstName} ${person.lastName}`.trim() || 'No name',
    username: person.username,
    email: person.email,
    standing: standingWords(person.decision),
    checked: person.isChosen,
    role: person.role ?? draft.role ?? '',
    groups: namesOf(person.groupIds ?? draft.groupIds, groups),
    isAssigned,
  };
}

export function namesOf(ids: string[], groups: Group[]): string {
  return groups
    .filter(({ id }) => ids.includes(id))
    .map(({ name }) => name)
    .join(', ');
}

export const groupChoices = (groups: Group[], checked: (group: Group) => boolean): GroupChoice[] =>
  groups.map((group) => ({ id: group.id, name: group.name, isActive: group.isActive, checked: checked(group) }));

export const choicesOf = (options: readonly (readonly [value: string, label: string])[], chosen: string): Choice[] =>
  options.map(([value, label]) => ({ value, label, selected: value === chosen }));

/** Positions of a form's check boxes or hidden fields. */
export function positionsOf(ctx: Context, name: string): number[] {
  const values = ctx.state.formLists[name] ?? [];
  return values.filter((value) => /^\d{1,9}$/.test(value)).map(Number);
}
