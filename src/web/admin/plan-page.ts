// What the pages of plans share, whatever a plan is about: the rules of single sign-on, or the accounts of a module.
import { Readable } from 'node:stream';
import type { PlanFilter, PlanHead } from '../../domain/plans/plan.ts';
import { csvFile } from '../../lib/csv.ts';
import type { Listed } from '../../lib/paging.ts';
import type { Context } from '../context.ts';
import type { FormProblem, Moment } from '../views.ts';
import { address, countWords, type Desk, pageLinks } from './console.ts';
import { searchOf } from './groups/group-head.ts';
import type { Chip, Choice, PageLinks, StatusWords } from './views.ts';

/** Locals of every page that shows one. */
export interface PlanPage {
  /** The address of the page itself. */
  here: string;
  state: StatusWords;
  madeAt: Moment;
  by: string;
  /** First letters of the hash of its inputs. */
  hash: string;
  counts: { label: string; value: string }[];
  /** Who has to press Apply, and why. */
  second: string;
  changed: PlanChanged | null;
  problem: FormProblem | null;
  drop: string | null;
  /** Where another one is made. */
  again: string;
  task: string | null;
  download: string;
  filters: { search: string; acts: Choice[]; chips: Chip[]; clear: string | null };
  count: string;
  isFiltered: boolean;
  pages: PageLinks;
}

/** What has changed since, so that it is not applied. */
export interface PlanChanged {
  words: string;
  lines: { who: string; was: string; now: string }[];
  /** Where it is told whom it concerns; null: here. */
  more: string | null;
}

type AnyPlan<Act extends string> = PlanHead<Act> & {
  state: 'ready' | 'waiting' | 'applied' | 'dropped' | 'undone';
  undoneByName?: string | null;
};

export const isOpen = ({ state }: Pick<AnyPlan<string>, 'state'>): boolean => state === 'ready' || state === 'waiting';

/** Who made it may not apply it alone. */
export const isOwn = (plan: Pick<PlanHead<string>, 'secondBecause' | 'madeBy'>, desk: Desk): boolean =>
  plan.secondBecause !== null && plan.madeBy === desk.userId;

export function secondWords(plan: Omit<AnyPlan<string>, 'counts'>, desk: Desk): string {
  if (plan.secondBecause === null || !isOpen(plan)) return '';
  if (!isOwn(plan, desk))
    return `${plan.secondBecause} ${plan.madeByName} made this plan; by applying it you confirm it as the second administrator.`;
  return plan.state === 'waiting'
    ? `${plan.secondBecause} Another administrator has to apply it: send them the address of this page.`
    : `${plan.secondBecause} So another administrator has to apply it: you can ask for that.`;
}

export const makeAnother = 'It can’t be applied any more: make a new one.';

const by = (name: string | null | undefined): string => (name ? `by ${name}` : '');

export function planState({
  state,
  appliedByName,
  undoneByName,
}: Pick<AnyPlan<string>, 'state' | 'appliedByName' | 'undoneByName'>): StatusWords {
  switch (state) {
    case 'ready':
      return { tone: 'wait', word: 'Not applied', more: '' };
    case 'waiting':
      return { tone: 'wait', word: 'Waits for a second administrator', more: '' };
    case 'applied':
      return { tone: 'good', word: 'Applied', more: by(appliedByName) };
    case 'dropped':
      return { tone: 'off', word: 'Dropped', more: '' };
    case 'undone':
      return { tone: 'off', word: 'Undone', more: by(undoneByName) };
  }
}

/** What the query asks for: words, and one act or all of them. */
export function filterOf<Act extends string>(query: URLSearchParams, acts: readonly Act[]): PlanFilter<Act> {
  return { search: searchOf(query), act: acts.find((one) => one === query.get('act')) ?? null };
}

interface Shown<Act extends string> {
  here: string;
  again: string;
  acts: readonly Act[];
  wordsOf: (act: Act) => StatusWords;
  /** No act in particular. */
  all: string;
  filter: PlanFilter<Act>;
  list: Listed<unknown>;
  /** What a row is. */
  row: { one: string; many: string };
  changed: PlanChanged | null;
  problem: FormProblem | null;
}

const number = new Intl.NumberFormat('en');

export function planPage<Act extends string>(
  ctx: Context,
  desk: Desk,
  plan: AnyPlan<Act>,
  { here, again, acts, wordsOf, all, filter, list, row, changed, problem }: Shown<Act>,
): PlanPage {
  const { search, act } = filter;
  const chips = [
    ...(search === '' ? [] : [{ label: `“${search}”`, without: address(ctx, { q: null }) }]),
    ...(act === null ? [] : [{ label: wordsOf(act).word, without: address(ctx, { act: null }) }]),
  ];
  const choices = acts.map((value) => ({ value, label: wordsOf(value).word, selected: value === act }));
  return {
    here,
    again,
    state: planState(plan),
    madeAt: desk.moment(plan.madeAt),
    by: plan.madeByName,
    hash: plan.inputHash.slice(0, 12),
    counts: acts.map((one) => ({ label: wordsOf(one).word, value: number.format(plan.counts[one]) })),
    second: secondWords(plan, desk),
    changed,
    // What has changed says all of it.
    problem: changed ? null : problem,
    drop: isOpen(plan) ? `${here}/drop` : null,
    task: plan.taskId && `/admin/tasks/${plan.taskId}`,
    download: `${here}/export`,
    filters: {
      search,
      acts: [{ value: '', label: all, selected: act === null }, ...choices],
      chips,
      clear: chips.length > 1 ? here : null,
    },
    count: countWords(list, row.one, row.many),
    isFiltered: chips.length > 0,
    pages: pageLinks(ctx, list),
  };
}

/** All rows as a file. */
export function sendPlan<R>(
  ctx: Context,
  { madeAt, inputHash }: Pick<PlanHead<string>, 'madeAt' | 'inputHash'>,
  file: { name: string; heads: string[]; cells: (row: R) => string[] },
  rows: AsyncIterable<R[]>,
): void {
  ctx.attachment(`${file.name}-${madeAt.toISOString().slice(0, 10)}-${inputHash.slice(0, 12)}.csv`);
  ctx.type = 'text/csv; charset=utf-8';
  ctx.body = Readable.from(csvFile(file.heads, cellsOf(rows, file.cells)));
}

async function* cellsOf<R>(batches: AsyncIterable<R[]>, cells: (row: R) => string[]): AsyncGenerator<string[][]> {
  for await (const batch of batches) yield batch.map(cells);
}
