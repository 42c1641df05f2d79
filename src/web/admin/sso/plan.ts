// Plans of rules and switches: looked through person by person, and applied as they stand or not at all.
import { Readable } from 'node:stream';
import type { StoredConnection } from '../../../domain/federation/connection-repository.ts';
import { doneCount, mayUndo, type Plan, type PlanRow, planActs, undoFor } from '../../../domain/federation/plan.ts';
import { applyPlan, dropPlan } from '../../../domain/federation/plan-commands.ts';
import {
  comparePlan,
  eachPlanRow,
  getPlan,
  isAsMade,
  listPlanRows,
  listPlans,
} from '../../../domain/federation/plan-queries.ts';
import { readPlanUndo, startPlanUndo } from '../../../domain/federation/plan-undo-commands.ts';
import { csvFile } from '../../../lib/csv.ts';
import { pagingOf } from '../../../lib/paging.ts';
import { after } from '../../../lib/time.ts';
import type { Runtime } from '../../../runtime.ts';
import type { Context } from '../../context.ts';
import { setFlash } from '../../page.ts';
import { type Route, seeOther } from '../../routes.ts';
import type { FormProblem } from '../../views.ts';
import {
  address,
  askFirst,
  countWords,
  type Desk,
  type DeskHandler,
  idParam,
  orRedraw,
  pageLinks,
  showDesk,
} from '../console.ts';
import { searchOf } from '../groups/group-head.ts';
import { connectionAt, connectionHead, connectionPath, guarded, ssoPath } from './connection-head.ts';
import { actWords, changedOf, countsWords, makeAnother, number, people, setupWords, stateWords } from './plan-words.ts';
import type { SsoPlanLine } from './views.ts';

async function planAt(ctx: Context, desk: Desk): Promise<{ connection: StoredConnection; plan: Plan; here: string }> {
  const connection = await connectionAt(ctx, desk);
  const id = idParam<string>(ctx, 'plan', 'plan');
  const plan = await getPlan(desk.work, desk.companyId, connection.id, id);
  return { connection, plan, here: connectionPath(connection.id, `plans/${id}`) };
}

const shownPlans = 50;

const list: DeskHandler = async (ctx, runtime, desk) => {
  const connection = await connectionAt(ctx, desk);
  const plans = await listPlans(desk.work, desk.companyId, connection.id, shownPlans);
  await showDesk(
    ctx,
    runtime,
    desk,
    { view: 'admin/sso/plans', title: `Plans of ${connection.name}`, place: 'sso' },
    {
      connection: connectionHead(connection, desk, 'plans'),
      plans: plans.map((plan) => ({
        href: connectionPath(connection.id, `plans/${plan.id}`),
        at: desk.moment(plan.madeAt),
        by: plan.madeByName,
        state: stateWords(plan),
        words: countsWords(plan),
      })),
      rules: connectionPath(connection.id, 'rules'),
    },
  );
};

const toLine = (row: PlanRow, desk: Desk): SsoPlanLine => ({
  person: {
    name: row.person === '' ? row.username : row.person,
    href: `/admin/users/${row.userId}`,
    username: row.username,
  },
  isAdministrator: row.isAdministrator,
  act: actWords[row.act],
  before: row.before,
  after: row.change === null ? '' : row.after,
  rule: row.rule,
  seen: row.seenAt && desk.moment(row.seenAt),
});

const isOpen = ({ state }: Plan): boolean => state === 'ready' || state === 'waiting';

const shownDifferences = 20;

const isOwn = (plan: Plan, desk: Desk): boolean => plan.secondBecause !== null && plan.madeBy === desk.userId;

/** Who asked for it to be taken back waits for another administrator. */
const hasAskedUndo = (plan: Plan, desk: Desk): boolean => plan.undoAskedBy !== null && plan.undoAskedBy === desk.userId;

function secondWords(plan: Plan, desk: Desk): string {
  if (mayUndo(plan, desk.work.now) && plan.undoAskedByName !== null)
    return hasAskedUndo(plan, desk)
      ? 'You have asked for it to be undone. Another administrator has to do it: send them the address of this page.'
      : `${plan.undoAskedByName} has asked for it to be undone; by doing it you confirm that as the second administrator.`;
  if (plan.secondBecause === null || !isOpen(plan)) return '';
  if (!isOwn(plan, desk))
    return `${plan.secondBecause} ${plan.madeByName} made this plan; by applying it you confirm it as the second administrator.`;
  return plan.state === 'waiting'
    ? `${plan.secondBecause} Another administrator has to apply it: send them the address of this page.`
    : `${plan.secondBecause} So another administrator has to apply it: you can ask for that.`;
}

function applyOf(plan: Plan, desk: Desk, here: string, isChanged: boolean): { href: string; button: string } | null {
  if (!isOpen(plan) || isChanged || (isOwn(plan, desk) && plan.state === 'waiting')) return null;
  const total = doneCount(plan.counts);
  const button = isOwn(plan, desk)
    ? 'Ask for a second administrator'
    : total === 0
      ? 'Save the rules'
      : `Apply to ${people(total)}`;
  return { href: `${here}/apply`, button };
}

/** What has changed since it was made; who it concerns takes time with many people, and is told to those who ask. */
async function changedAt(desk: Desk, plan: Plan, { isAsked, more }: { isAsked: boolean; more: string }) {
  if (await isAsMade(desk.work, plan)) return null;
  return isAsked
    ? changedOf(await comparePlan(desk.work, plan, shownDifferences))
    : { words: `Something has changed since this plan was made. ${makeAnother}`, lines: [], more };
}

async function draw(ctx: Context, runtime: Runtime, desk: Desk, problem: FormProblem | null): Promise<void> {
  const { connection, plan, here } = await planAt(ctx, desk);
  const query = new URLSearchParams(ctx.querystring);
  const act = planActs.find((one) => one === query.get('act')) ?? null;
  const filter = { search: searchOf(query), act };
  const rows = await listPlanRows(desk.work, plan, filter, pagingOf(query));
  const changed = isOpen(plan)
    ? await changedAt(desk, plan, { isAsked: problem !== null || query.has('changes'), more: `${here}?changes=yes` })
    : null;
  const chips = [
    ...(filter.search === '' ? [] : [{ label: `“${filter.search}”`, without: address(ctx, { q: null }) }]),
    ...(act === null ? [] : [{ label: actWords[act].word, without: address(ctx, { act: null }) }]),
  ];
  await showDesk(
    ctx,
    runtime,
    desk,
    { view: 'admin/sso/plan', title: `Plan for ${connection.name}`, place: 'sso' },
    {
      connection: connectionHead(connection, desk, 'plans'),
      back: connectionPath(connection.id, 'plans'),
      here,
      state: stateWords(plan),
      madeAt: desk.moment(plan.madeAt),
      by: plan.madeByName,
      hash: plan.inputHash.slice(0, 12),
      changes: setupWords(plan),
      counts: planActs.map((one) => ({ label: actWords[one].word, value: number.format(plan.counts[one]) })),
      second: secondWords(plan, desk),
      changed,
      // What has changed says all of it.
      problem: changed ? null : problem,
      apply: applyOf(plan, desk, here, changed !== null),
      drop: isOpen(plan) ? `${here}/drop` : null,
      note: plan.undoNote ?? '',
      undo:
        mayUndo(plan, desk.work.now) && plan.appliedAt && !hasAskedUndo(plan, desk)
          ? { href: `${here}/undo`, until: desk.moment(after(plan.appliedAt, undoFor)) }
          : null,
      again: connectionPath(connection.id, 'rules'),
      task: (plan.undoTaskId ?? plan.taskId) && `/admin/tasks/${plan.undoTaskId ?? plan.taskId}`,
      download: `${here}/export`,
      filters: {
        search: filter.search,
        acts: [
          { value: '', label: 'Everybody', selected: act === null },
          ...planActs.map((value) => ({ value, label: actWords[value].word, selected: value === act })),
        ],
        chips,
        clear: chips.length > 1 ? here : null,
      },
      count: countWords(rows, 'person', 'people'),
      lines: rows.rows.map((row) => toLine(row, desk)),
      isFiltered: chips.length > 0,
      pages: pageLinks(ctx, rows),
    },
  );
}

const show: DeskHandler = (ctx, runtime, desk) => draw(ctx, runtime, desk, null);

interface Question {
  verb: 'apply' | 'undo';
  button: string;
  lead: string;
  sentences: string[];
  isDanger: boolean;
}

async function ask(
  ctx: Context,
  runtime: Runtime,
  desk: Desk,
  here: string,
  { verb, button, lead, sentences, isDanger }: Question,
): Promise<void> {
  await askFirst(ctx, runtime, desk, {
    place: 'sso',
    lead,
    sentences,
    action: `${here}/${verb}`,
    button,
    isDanger,
    cancel: here,
  });
}

const askApply: DeskHandler = async (ctx, runtime, desk) => {
  const { plan, here } = await planAt(ctx, desk);
  const apply = applyOf(plan, desk, here, !(await isAsMade(desk.work, plan)));
  // The page of the plan says why not.
  if (!apply) return seeOther(ctx, here);
  const { counts } = plan;
  const lines = [
    ...(counts.deactivate > 0
      ? [
          `${people(counts.deactivate)} ${counts.deactivate === 1 ? 'is' : 'are'} deactivated, and logged out everywhere at once.`,
        ]
      : []),
    ...(counts.reactivate > 0 ? [`${people(counts.reactivate)} can log in again.`] : []),
    ...(counts.change > 0
      ? [`${people(counts.change)} ${counts.change === 1 ? 'gets' : 'get'} another role or other groups.`]
      : []),
  ];
  const asks = isOwn(plan, desk);
  await ask(ctx, runtime, desk, here, {
    verb: 'apply',
    button: apply.button,
    lead: asks
      ? `${plan.secondBecause} Nothing changes before another administrator applies it.`
      : 'It is done exactly as the plan shows, or not at all.',
    sentences: [
      ...(lines.length === 0 ? ['Nobody is changed by it now. Rules count at each sign-in from then on.'] : lines),
      ...setupWords(plan),
      'You can undo it for 14 days: rules and switches as they were, and everybody who is still as the plan left them.',
    ],
    isDanger: !asks && counts.deactivate > 0,
  });
};

const apply: DeskHandler = async (ctx, runtime, desk) => {
  const { plan, here } = await planAt(ctx, desk);
  await orRedraw(
    ctx,
    async () => {
      const applied = await applyPlan(desk.work, desk.companyId, plan.id);
      if (applied.outcome === 'asked')
        setFlash(ctx, runtime, { kind: 'success', text: 'The plan waits for another administrator.' });
      else if (applied.taskId !== null) return seeOther(ctx, `/admin/tasks/${applied.taskId}`);
      else
        setFlash(ctx, runtime, {
          kind: 'success',
          text: 'The rules are saved. They count at each sign-in from now on.',
        });
      seeOther(ctx, here);
    },
    (problem) => draw(ctx, runtime, desk, { ...problem, field: null }),
  );
};

const drop: DeskHandler = async (ctx, runtime, desk) => {
  const { plan, here } = await planAt(ctx, desk);
  await orRedraw(
    ctx,
    async () => {
      await dropPlan(desk.work, desk.companyId, plan.id);
      setFlash(ctx, runtime, { kind: 'success', text: 'The plan was dropped. Nothing has been changed.' });
      seeOther(ctx, here);
    },
    (problem) => draw(ctx, runtime, desk, { ...problem, field: null }),
  );
};

const askUndo: DeskHandler = async (ctx, runtime, desk) => {
  const { plan, here } = await planAt(ctx, desk);
  if (!mayUndo(plan, desk.work.now) || hasAskedUndo(plan, desk)) return seeOther(ctx, here);
  await orRedraw(
    ctx,
    async () => {
      const { second, note } = await readPlanUndo(desk.work, desk.companyId, plan.id);
      const asks = second !== null && plan.undoAskedBy === null;
      const total = doneCount(plan.counts);
      await ask(ctx, runtime, desk, here, {
        verb: 'undo',
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
        isDanger: !asks,
      });
    },
    (problem) => draw(ctx, runtime, desk, { ...problem, field: null }),
  );
};

const undo: DeskHandler = async (ctx, runtime, desk) => {
  const { plan, here } = await planAt(ctx, desk);
  await orRedraw(
    ctx,
    async () => {
      const undone = await startPlanUndo(desk.work, desk.companyId, plan.id);
      if (undone.outcome === 'asked') {
        setFlash(ctx, runtime, { kind: 'success', text: 'Undoing the plan waits for another administrator.' });
        return seeOther(ctx, here);
      }
      // The page of the plan keeps it in sight.
      const text = undone.note === null ? 'Rules and switches are as they were.' : 'The rules are as they were.';
      if (undone.taskId === null || undone.note !== null) setFlash(ctx, runtime, { kind: 'success', text });
      seeOther(ctx, undone.taskId === null || undone.note !== null ? here : `/admin/tasks/${undone.taskId}`);
    },
    (problem) => draw(ctx, runtime, desk, { ...problem, field: null }),
  );
};

const heads = ['Person', 'Username', 'Act', 'Administrator', 'Before', 'After', 'Rule', 'Groups seen'];

async function* cells(batches: AsyncIterable<PlanRow[]>): AsyncGenerator<string[][]> {
  for await (const batch of batches)
    yield batch.map((row) => [
      row.person,
      row.username,
      actWords[row.act].word,
      row.isAdministrator ? 'yes' : '',
      row.before,
      row.after,
      row.rule,
      row.seenAt?.toISOString() ?? '',
    ]);
}

const exportFile: DeskHandler = async (ctx, _runtime, desk) => {
  const { plan } = await planAt(ctx, desk);
  ctx.attachment(`sso-plan-${plan.madeAt.toISOString().slice(0, 10)}-${plan.inputHash.slice(0, 12)}.csv`);
  ctx.type = 'text/csv; charset=utf-8';
  ctx.body = Readable.from(csvFile(heads, cells(eachPlanRow(desk.work, plan))));
};

const path = `${ssoPath}/:connection/plans`;

export const ssoPlanRoutes: Route[] = [
  { method: 'get', path, handle: guarded(list) },
  { method: 'get', path: `${path}/:plan`, handle: guarded(show) },
  { method: 'get', path: `${path}/:plan/apply`, handle: guarded(askApply) },
  { method: 'post', path: `${path}/:plan/apply`, handle: guarded(apply) },
  { method: 'post', path: `${path}/:plan/drop`, handle: guarded(drop) },
  { method: 'get', path: `${path}/:plan/undo`, handle: guarded(askUndo) },
  { method: 'post', path: `${path}/:plan/undo`, handle: guarded(undo) },
  { method: 'get', path: `${path}/:plan/export`, handle: guarded(exportFile) },
];
