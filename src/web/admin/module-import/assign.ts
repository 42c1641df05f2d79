// Step 3: role and groups (A5.4), for all and, where some are different, for those.
import type { CandidateFilter, Draft } from '../../../domain/imports/draft.ts';
import { assignIndividually, assignToAll, unassign } from '../../../domain/imports/draft-commands.ts';
import { countCandidates, listCandidates } from '../../../domain/imports/draft-queries.ts';
import { choosableRoles } from '../../../domain/roles/role.ts';
import { pagingOf } from '../../../lib/paging.ts';
import type { Runtime } from '../../../runtime.ts';
import type { Context } from '../../context.ts';
import { setFlash } from '../../page.ts';
import { type Route, seeOther } from '../../routes.ts';
import type { FormProblem } from '../../views.ts';
import { countWords, type Desk, orRedraw, pageLinks, showDesk } from '../console.ts';
import {
  choicesOf,
  chosenOnly,
  countChosen,
  groupChoices,
  lineOf,
  namesOf,
  people,
  positionsOf,
  searchOf,
  stepOf,
  stepPath,
  stepsOf,
  type WizardHandler,
  wizardPath,
} from './wizard.ts';

const roleChoices = choosableRoles.map((role) => [role, role] as const);

const assignedOnly: CandidateFilter = { ...chosenOnly, isAssigned: true };

async function drawAssign(
  ctx: Context,
  runtime: Runtime,
  desk: Desk,
  draft: Draft,
  page: { wantsIndividual: boolean; problem: FormProblem | null },
): Promise<void> {
  const [groups, chosen, assigned] = await Promise.all([
    desk.work.store.of(desk.companyId).groups.list(),
    countChosen(desk, draft),
    countCandidates(desk.work, desk.companyId, draft.id, assignedOnly),
  ]);
  if (chosen.total === 0) return seeOther(ctx, stepPath(draft.id, 'people'));
  const isFresh = draft.role === null && draft.groupIds.length === 0 && page.problem === null;
  await showDesk(
    ctx,
    runtime,
    desk,
    { view: 'admin/module-import/assign', title: 'Role and groups', place: 'users' },
    {
      steps: stepsOf('assign', draft),
      problem: page.problem,
      module: draft.instance,
      action: stepPath(draft.id, 'assign'),
      chosen: people(chosen.total),
      roles: choicesOf(
        [...(draft.role === null ? [['', 'Choose a role'] as const] : []), ...roleChoices],
        draft.role ?? '',
      ),
      // A3.6: All Module Access is preselected wherever people are added.
      groups: groupChoices(groups, ({ id, kind }) => draft.groupIds.includes(id) || (isFresh && kind === 'system-all')),
      individual: {
        checked: page.wantsIndividual || assigned.total > 0,
        words: assigned.total === 0 ? '' : `${people(assigned.total)} so far`,
      },
      back: stepPath(draft.id, 'people'),
    },
  );
}

const assign: WizardHandler = (ctx, runtime, desk, draft) =>
  drawAssign(ctx, runtime, desk, draft, { wantsIndividual: false, problem: null });

const saveAssign: WizardHandler = (ctx, runtime, desk, draft) => {
  const { form, formLists } = ctx.state;
  const wantsIndividual = form.individual !== undefined;
  return orRedraw(
    ctx,
    async () => {
      await assignToAll(desk.work, desk.companyId, draft.id, {
        role: form.role ?? '',
        groupIds: formLists.group ?? [],
      });
      seeOther(ctx, stepPath(draft.id, wantsIndividual ? 'individual' : 'review'));
    },
    async (problem) => {
      const kept = await desk.work.store.of(desk.companyId).imports.findById(draft.id);
      await drawAssign(ctx, runtime, desk, kept ?? draft, {
        wantsIndividual,
        problem: { ...problem, field: problem.field === 'role' ? 'role' : null },
      });
    },
  );
};

function individualFilter(query: URLSearchParams): CandidateFilter {
  return { ...chosenOnly, search: searchOf(query.get('q')), isAssigned: query.get('show') === 'assigned' };
}

/** The choice that takes back what was chosen for somebody alone. */
const asAll = 'as-all';

async function drawIndividual(
  ctx: Context,
  runtime: Runtime,
  desk: Desk,
  draft: Draft,
  page: { query: URLSearchParams; problem: FormProblem | null },
): Promise<void> {
  if (draft.role === null) return seeOther(ctx, stepPath(draft.id, 'assign'));
  const filter = individualFilter(page.query);
  const [list, groups] = await Promise.all([
    listCandidates(desk.work, desk.companyId, draft.id, filter, pagingOf(page.query)),
    desk.work.store.of(desk.companyId).groups.list(),
  ]);
  const { form, formLists } = ctx.state;
  const selected = positionsOf(ctx, 'id');
  await showDesk(
    ctx,
    runtime,
    desk,
    { view: 'admin/module-import/individual', title: 'Assign Individual Users', place: 'users' },
    {
      steps: stepsOf('assign', draft),
      problem: page.problem,
      action: stepPath(draft.id, 'individual'),
      query: page.query.toString(),
      search: filter.search,
      shown: choicesOf(
        [
          ['', 'Everybody chosen'],
          ['assigned', 'Assigned individually'],
        ],
        filter.isAssigned ? 'assigned' : '',
      ),
      count: countWords(list, 'person', 'people'),
      all: `${draft.role}; ${namesOf(draft.groupIds, groups)}`,
      people: list.rows.map((person) => ({
        ...lineOf(person, draft, groups),
        checked: selected.includes(person.position),
      })),
      pages: pageLinks(ctx, list),
      roles: choicesOf(
        [['', 'Leave the role'], ...roleChoices, [asAll, 'As for all: role and groups']],
        form.role ?? '',
      ),
      groups: groupChoices(groups, ({ id }) => (formLists.group ?? []).includes(id)),
      back: stepPath(draft.id, 'assign'),
      next: stepPath(draft.id, 'review'),
    },
  );
}

const individual: WizardHandler = (ctx, runtime, desk, draft) =>
  drawIndividual(ctx, runtime, desk, draft, { query: new URLSearchParams(ctx.querystring), problem: null });

const saveIndividual: WizardHandler = (ctx, runtime, desk, draft) => {
  const { form, formLists } = ctx.state;
  const query = new URLSearchParams(form.query ?? '');
  const who = {
    positions: form.all === undefined ? positionsOf(ctx, 'id') : null,
    filter: individualFilter(query),
  };
  return orRedraw(
    ctx,
    async () => {
      if (form.role === asAll) await unassign(desk.work, desk.companyId, draft.id, who);
      else
        await assignIndividually(desk.work, desk.companyId, draft.id, {
          ...who,
          role: form.role ?? '',
          groupIds: formLists.group ?? [],
        });
      setFlash(ctx, runtime, { kind: 'success', text: 'Assigned.' });
      seeOther(ctx, `${stepPath(draft.id, 'individual')}${query.size === 0 ? '' : `?${query}`}`);
    },
    (problem) =>
      drawIndividual(ctx, runtime, desk, draft, {
        query,
        problem: { ...problem, field: problem.field === 'role' ? 'role' : null },
      }),
  );
};

export const moduleAssignRoutes: Route[] = [
  { method: 'get', path: `${wizardPath}/:draft/assign`, handle: stepOf(assign) },
  { method: 'post', path: `${wizardPath}/:draft/assign`, handle: stepOf(saveAssign) },
  { method: 'get', path: `${wizardPath}/:draft/individual`, handle: stepOf(individual) },
  { method: 'post', path: `${wizardPath}/:draft/individual`, handle: stepOf(saveIndividual) },
];
