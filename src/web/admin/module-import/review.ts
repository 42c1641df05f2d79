// Step 4: what will happen, and then it does (A5.5). From here on it is a task with a page of its own.
import type { Draft } from '../../../domain/imports/draft.ts';
import { ownDraft, startImport } from '../../../domain/imports/draft-commands.ts';
import { countCandidates, listCandidates, settleStandings } from '../../../domain/imports/draft-queries.ts';
import { getCompany } from '../../../domain/users/decide.ts';
import type { Runtime } from '../../../runtime.ts';
import type { Context } from '../../context.ts';
import { type Route, seeOther } from '../../routes.ts';
import type { FormProblem } from '../../views.ts';
import { type Desk, type DeskHandler, deskOf, idParam, orRedraw, showDesk } from '../console.ts';
import { taskPath } from '../tasks/task.ts';
import {
  chosenOnly,
  countChosen,
  lineOf,
  namesOf,
  number,
  people,
  placeOf,
  stepOf,
  stepPath,
  stepsOf,
  type WizardHandler,
  wizardPath,
} from './wizard.ts';

/** As many as are read before one presses Import. */
const othersShown = 25;

async function draw(
  ctx: Context,
  runtime: Runtime,
  desk: Desk,
  draft: Draft,
  problem: FormProblem | null,
): Promise<void> {
  const { work, companyId } = desk;
  if (draft.role === null || draft.groupIds.length === 0) return seeOther(ctx, stepPath(draft.id, 'assign'));
  // What the list said when it was read may be old by now.
  await settleStandings(work, companyId, draft.id, chosenOnly);
  const paging = { page: 1, size: othersShown };
  const [company, chosen, assigned, groups, skipped, failed] = await Promise.all([
    getCompany(work, companyId),
    countChosen(desk, draft),
    countCandidates(work, companyId, draft.id, { ...chosenOnly, isAssigned: true }),
    work.store.of(companyId).groups.list(),
    listCandidates(work, companyId, draft.id, { ...chosenOnly, standing: 'skip' }, paging),
    listCandidates(work, companyId, draft.id, { ...chosenOnly, standing: 'fail' }, paging),
  ]);
  if (chosen.total === 0) return seeOther(ctx, stepPath(draft.id, 'people'));
  const others = [...failed.rows, ...skipped.rows].slice(0, othersShown);
  const hidden = chosen.skip + chosen.fail - others.length;
  await showDesk(
    ctx,
    runtime,
    desk,
    { view: 'admin/module-import/review', title: 'Review', place: 'users' },
    {
      steps: stepsOf('review', draft),
      problem,
      module: draft.instance,
      action: stepPath(draft.id, 'review'),
      counts: [
        { label: 'Will be invited', value: number.format(chosen.import) },
        { label: 'Will be skipped', value: number.format(chosen.skip) },
        { label: 'Cannot be imported', value: number.format(chosen.fail) },
      ],
      facts: [
        { label: 'From', value: draft.instance, change: '' },
        { label: 'Users', value: people(chosen.total), change: stepPath(draft.id, 'people') },
        { label: 'KaseyaOne Role', value: draft.role, change: stepPath(draft.id, 'assign') },
        { label: 'Group', value: namesOf(draft.groupIds, groups), change: stepPath(draft.id, 'assign') },
        {
          label: 'Assigned individually',
          value: assigned.total === 0 ? 'Nobody' : people(assigned.total),
          change: stepPath(draft.id, 'individual'),
        },
      ],
      others: others.map((person) => lineOf(person, draft, groups)),
      more: hidden > 0 ? `And ${number.format(hidden)} more.` : '',
      button: `Import ${people(chosen.total)}`,
      inviteDays: company.policy.inviteDays,
      back: stepPath(draft.id, 'assign'),
    },
  );
}

const review: WizardHandler = (ctx, runtime, desk, draft) => draw(ctx, runtime, desk, draft, null);

/** Pressed twice, or again by Back: the same task. */
const start: DeskHandler = async (ctx, runtime, desk) => {
  const draft = await ownDraft(desk.work, desk.companyId, idParam<string>(ctx, 'draft', 'import'));
  if (draft.state === 'reading' || draft.state === 'failed') return seeOther(ctx, placeOf(draft));
  await orRedraw(
    ctx,
    async () => seeOther(ctx, taskPath((await startImport(desk.work, desk.companyId, draft.id)).taskId)),
    ({ sentence }) => draw(ctx, runtime, desk, draft, { sentence, field: null, code: null }),
  );
};

export const moduleReviewRoutes: Route[] = [
  { method: 'get', path: `${wizardPath}/:draft/review`, handle: stepOf(review) },
  { method: 'post', path: `${wizardPath}/:draft/review`, handle: deskOf('users.manage', start) },
];
