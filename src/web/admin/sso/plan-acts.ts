// What is done with a plan of rules and switches: applied as it stands or not at all, dropped, undone; what touches people is asked first.
import { doneCount, mayUndo, type Plan } from '../../../domain/federation/plan.ts';
import { applyPlan, dropPlan } from '../../../domain/federation/plan-commands.ts';
import { isAsMade } from '../../../domain/federation/plan-queries.ts';
import { readPlanUndo, startPlanUndo } from '../../../domain/federation/plan-undo-commands.ts';
import { setFlash } from '../../page.ts';
import { type Route, seeOther } from '../../routes.ts';
import { askFirst, type Desk, type DeskHandler, orRedraw } from '../console.ts';
import { isOwn } from '../plan-page.ts';
import { guarded } from './connection-head.ts';
import { applyOf, drawPlan, hasAskedUndo, planAt, plansPath } from './plan.ts';
import { people, setupWords } from './plan-words.ts';

function effectWords({ counts: { deactivate, reactivate, change } }: Plan): string[] {
  const words = [
    deactivate > 0
      ? `${people(deactivate)} ${deactivate === 1 ? 'is' : 'are'} deactivated, and logged out everywhere at once.`
      : '',
    reactivate > 0 ? `${people(reactivate)} can log in again.` : '',
    change > 0 ? `${people(change)} ${change === 1 ? 'gets' : 'get'} another role or other groups.` : '',
  ].filter(Boolean);
  return words.length > 0 ? words : ['Nobody is changed by it now. Rules count at each login from then on.'];
}

const askApply: DeskHandler = async (ctx, runtime, desk) => {
  const { plan, here } = await planAt(ctx, desk);
  const apply = applyOf(plan, desk, here, !(await isAsMade(desk.work, plan)));
  // The page of the plan says why not.
  if (!apply) return seeOther(ctx, here);
  const asks = isOwn(plan, desk);
  await askFirst(ctx, runtime, desk, {
    place: 'sso',
    button: apply.button,
    lead: asks
      ? `${plan.secondBecause} Nothing changes before another administrator applies it.`
      : 'It is done exactly as the plan shows, or not at all.',
    sentences: [
      ...effectWords(plan),
      ...setupWords(plan),
      'You can undo it for 14 days: rules and switches as they were, and everybody who is still as the plan left them.',
    ],
    action: `${here}/apply`,
    isDanger: !asks && plan.counts.deactivate > 0,
    cancel: here,
  });
};

/** Goes on to the task's page, or says on the plan's own what was done. */
const acting =
  (act: (desk: Desk, plan: Plan) => Promise<{ text: string } | { taskId: string }>): DeskHandler =>
  async (ctx, runtime, desk) => {
    const { plan, here } = await planAt(ctx, desk);
    await orRedraw(
      ctx,
      async () => {
        const done = await act(desk, plan);
        if ('taskId' in done) return seeOther(ctx, `/admin/tasks/${done.taskId}`);
        setFlash(ctx, runtime, { kind: 'success', text: done.text });
        seeOther(ctx, here);
      },
      (problem) => drawPlan(ctx, runtime, desk, { ...problem, field: null }),
    );
  };

const apply = acting(async ({ work, companyId }, { id }) => {
  const applied = await applyPlan(work, companyId, id);
  if (applied.outcome === 'asked') return { text: 'The plan waits for another administrator.' };
  const { taskId } = applied;
  return taskId === null ? { text: 'The rules are saved. They count at each login from now on.' } : { taskId };
});

const drop = acting(async ({ work, companyId }, { id }) => {
  await dropPlan(work, companyId, id);
  return { text: 'The plan was dropped. Nothing has been changed.' };
});

const undo = acting(async ({ work, companyId }, { id }) => {
  const undone = await startPlanUndo(work, companyId, id);
  if (undone.outcome === 'asked') return { text: 'Undoing the plan waits for another administrator.' };
  // The page of the plan says what did not become as it was.
  if (undone.note !== null) return { text: 'The plan was undone, but for one thing.' };
  return undone.taskId === null ? { text: 'Rules and switches are as they were.' } : { taskId: undone.taskId };
});

const askUndo: DeskHandler = async (ctx, runtime, desk) => {
  const { plan, here } = await planAt(ctx, desk);
  if (!mayUndo(plan, desk.work.now) || hasAskedUndo(plan, desk)) return seeOther(ctx, here);
  await orRedraw(
    ctx,
    async () => {
      const { second, note } = await readPlanUndo(desk.work, desk.companyId, plan.id);
      const asks = second !== null && plan.undoAskedBy === null;
      const total = doneCount(plan.counts);
      await askFirst(ctx, runtime, desk, {
        place: 'sso',
        button: asks ? 'Ask for a second administrator' : 'Undo this plan',
        lead: asks
          ? `${second} Nothing changes before another administrator undoes it.`
          : 'Rules and switches become what they were before it.',
        sentences: [
          ...(note === null ? [] : [note]),
          `${people(total)} ${total === 1 ? 'becomes' : 'become'} what they were, as far as nobody has changed them since.`,
          'Sessions that were ended stay ended.',
          'You can make the same plan again.',
        ],
        action: `${here}/undo`,
        isDanger: !asks,
        cancel: here,
      });
    },
    (problem) => drawPlan(ctx, runtime, desk, { ...problem, field: null }),
  );
};

const path = `${plansPath}/:plan`;

export const ssoPlanActRoutes: Route[] = [
  { method: 'get', path: `${path}/apply`, handle: guarded(askApply) },
  { method: 'post', path: `${path}/apply`, handle: guarded(apply) },
  { method: 'post', path: `${path}/drop`, handle: guarded(drop) },
  { method: 'get', path: `${path}/undo`, handle: guarded(askUndo) },
  { method: 'post', path: `${path}/undo`, handle: guarded(undo) },
];
