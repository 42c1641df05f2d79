// Step 2: who (A5.3). Each press saves what is checked on the page before it leads anywhere, so that nothing is lost on the way
// through thousands of people: the choice lives in our database, not in the page.
import type { CandidateFilter, Draft } from '../../../domain/imports/draft.ts';
import { chooseMatching, chooseShown, nobodyChosen } from '../../../domain/imports/draft-commands.ts';
import { listCandidates } from '../../../domain/imports/draft-queries.ts';
import { pagingOf } from '../../../lib/paging.ts';
import type { Runtime } from '../../../runtime.ts';
import type { Context } from '../../context.ts';
import { type Route, seeOther } from '../../routes.ts';
import type { FormProblem } from '../../views.ts';
import { countWords, type Desk, pageLinks, showDesk } from '../console.ts';
import {
  choicesOf,
  countChosen,
  lineOf,
  number,
  people,
  positionsOf,
  searchOf,
  standingChoices,
  stepOf,
  stepPath,
  stepsOf,
  type WizardHandler,
  wizardPath,
} from './wizard.ts';

function filterOf(query: URLSearchParams): CandidateFilter {
  const show = query.get('show');
  return {
    search: searchOf(query.get('q')),
    standing: standingChoices.find(([standing]) => standing === show)?.[0] ?? null,
    isChosen: show === 'chosen',
    isAssigned: false,
  };
}

async function draw(
  ctx: Context,
  runtime: Runtime,
  desk: Desk,
  draft: Draft,
  page: { query: URLSearchParams; problem: FormProblem | null },
): Promise<void> {
  const filter = filterOf(page.query);
  const [list, chosen] = await Promise.all([
    listCandidates(desk.work, desk.companyId, draft.id, filter, pagingOf(page.query)),
    countChosen(desk, draft),
  ]);
  const { words, previous, next } = pageLinks(ctx, list);
  const isFiltered = filter.search !== '' || page.query.get('show') !== null;
  await showDesk(
    ctx,
    runtime,
    desk,
    { view: 'admin/module-import/people', title: `Users of ${draft.instance}`, place: 'users' },
    {
      steps: stepsOf('people', draft),
      problem: page.problem,
      module: draft.instance,
      action: stepPath(draft.id, 'people'),
      select: `${wizardPath}/${draft.id}/select`,
      query: page.query.toString(),
      search: filter.search,
      standings: choicesOf(
        [['', 'Everybody'], ...standingChoices, ['chosen', 'Chosen']],
        filter.isChosen ? 'chosen' : (filter.standing ?? ''),
      ),
      isFiltered,
      note: draft.problem === null ? '' : `About this list: ${draft.problem}`,
      count: countWords(list, 'person', 'people'),
      chosen: chosen.total === 0 ? 'Nobody chosen yet' : `${number.format(chosen.total)} chosen`,
      selections: [
        { who: 'page', label: 'Choose this page' },
        {
          who: 'all',
          label: `Choose all ${isFiltered ? `${countWords(list, 'person', 'people')} that match` : people(draft.read)}`,
        },
        { who: 'none', label: isFiltered ? 'Choose none that match' : 'Choose nobody' },
      ],
      people: list.rows.map((person) => lineOf(person, draft, [])),
      words,
      previous: previous === null ? null : String(list.page - 1),
      next: next === null ? null : String(list.page + 1),
    },
  );
}

const show: WizardHandler = (ctx, runtime, desk, draft) =>
  draw(ctx, runtime, desk, draft, { query: new URLSearchParams(ctx.querystring), problem: null });

/** The query that the form stands for: its own search, and the page only while the search is the same. */
function queryOf(form: Record<string, string>): URLSearchParams {
  const query = new URLSearchParams(form.query ?? '');
  const [search, show] = [searchOf(form.q), form.show ?? ''];
  const isSame = searchOf(query.get('q')) === search && (query.get('show') ?? '') === show;
  const [, page] = /^page:(\d{1,5})$/.exec(form.go ?? '') ?? [];
  const kept: [string, string | null][] = [
    ['q', search],
    ['show', show],
    ['size', query.get('size')],
    ['page', page ?? (isSame ? query.get('page') : null)],
  ];
  return new URLSearchParams(kept.filter((pair): pair is [string, string] => Boolean(pair[1])));
}

const withQuery = (path: string, query: URLSearchParams) => (query.size === 0 ? path : `${path}?${query}`);

const save: WizardHandler = async (ctx, runtime, desk, draft) => {
  const { form } = ctx.state;
  await chooseShown(desk.work, desk.companyId, draft.id, {
    shown: positionsOf(ctx, 'shown'),
    chosen: positionsOf(ctx, 'chosen'),
  });
  const query = queryOf(form);
  if (form.go !== 'next') return seeOther(ctx, withQuery(stepPath(draft.id, 'people'), query));
  if ((await countChosen(desk, draft)).total > 0) return seeOther(ctx, stepPath(draft.id, 'assign'));
  const problem = { sentence: nobodyChosen, field: null, code: null };
  await draw(ctx, runtime, desk, draft, { query, problem });
  ctx.status = 422;
};

/** The whole page, all that match, or nobody. */
const select: WizardHandler = async (ctx, _runtime, desk, draft) => {
  const { form } = ctx.state;
  const query = new URLSearchParams(form.query ?? '');
  const filter = filterOf(query);
  if (form.who === 'page') {
    const { rows } = await listCandidates(desk.work, desk.companyId, draft.id, filter, pagingOf(query));
    const shown = rows.map(({ position }) => position);
    await chooseShown(desk.work, desk.companyId, draft.id, { shown, chosen: shown });
  } else if (form.who === 'all' || form.who === 'none') {
    await chooseMatching(desk.work, desk.companyId, draft.id, filter, form.who === 'all');
  }
  seeOther(ctx, withQuery(stepPath(draft.id, 'people'), query));
};

export const modulePeopleRoutes: Route[] = [
  { method: 'get', path: `${wizardPath}/:draft/people`, handle: stepOf(show) },
  { method: 'post', path: `${wizardPath}/:draft/people`, handle: stepOf(save) },
  { method: 'post', path: `${wizardPath}/:draft/select`, handle: stepOf(select) },
];
