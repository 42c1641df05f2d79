// Plans: chosen from a report, looked through row by row, and applied as they stand or not at all.
import type { InstanceDetail } from '../../../domain/integrations/instance-queries.ts';
import { plannable } from '../../../domain/provisioning/drift.ts';
import { getReport } from '../../../domain/provisioning/drift-queries.ts';
import { doneCount, type Plan, type PlanRow, type PlanScope, planActs } from '../../../domain/provisioning/plan.ts';
import { applyPlan, dropPlan, makePlan } from '../../../domain/provisioning/plan-commands.ts';
import {
  comparePlan,
  eachPlanRow,
  getPlan,
  listPlanRows,
  type PlanComparison,
} from '../../../domain/provisioning/plan-queries.ts';
import { notFound } from '../../../lib/errors.ts';
import { isId } from '../../../lib/ids.ts';
import { pagingOf } from '../../../lib/paging.ts';
import type { Runtime } from '../../../runtime.ts';
import type { Context } from '../../context.ts';
import { setFlash } from '../../page.ts';
import { type Route, seeOther } from '../../routes.ts';
import type { FormProblem } from '../../views.ts';
import { type Desk, type DeskHandler, deskOf, orRedraw, showDesk } from '../console.ts';
import { instanceAt, instanceHead } from '../modules/instance-head.ts';
import { filterOf, isOpen, isOwn, makeAnother, type PlanChanged, planPage, sendPlan } from '../plan-page.ts';
import type { PlanLine } from './views.ts';
import { accountsPath, actWords, classWords, counted, number } from './words.ts';

const classHelp: Record<(typeof plannable)[number], string> = {
  orphan: 'Nobody of the company fits. They are suspended or left alone, as you choose below; never removed.',
  missing: 'People with access get an account, with the permission and the time zone of the settings.',
  status: 'Who has lost access is suspended; who has it again while the account was held gets it back.',
  permission: 'The permission follows the access groups.',
  timeZone: 'Accounts that were made from here get back the time zone that they were made with.',
};

const orphanChoices: { value: PlanScope['orphans']; label: string; help: string }[] = [
  { value: 'ignore', label: 'Leave them alone', help: 'They are listed, so that somebody can look into them.' },
  { value: 'suspend', label: 'Suspend them', help: 'Exempt accounts stay; nothing is ever removed.' },
];

const untouched = [
  'Duplicates and accounts that could be of more than one person are listed in the report, and touched by no plan.',
  'A local password that still works is for the module to end: a plan cannot.',
];

function scopeOf(ctx: Context): PlanScope {
  const chosen = ctx.state.formLists.class ?? [];
  return {
    classes: plannable.filter((one) => chosen.includes(one)),
    orphans: ctx.state.form.orphans === 'suspend' ? 'suspend' : 'ignore',
  };
}

async function drawNew(
  ctx: Context,
  runtime: Runtime,
  desk: Desk,
  instance: InstanceDetail,
  { scope, problem }: { scope: PlanScope | null; problem: FormProblem | null },
): Promise<void> {
  const { report } = await getReport(desk.work, desk.companyId, instance.id, null);
  const countOf = (name: (typeof plannable)[number]) => report?.counts[name]?.count ?? 0;
  await showDesk(
    ctx,
    runtime,
    desk,
    { view: 'admin/module-accounts/new-plan', title: 'Make a plan', place: 'instances' },
    {
      instance: instanceHead(instance, desk, 'accounts'),
      problem,
      back: accountsPath(instance.id),
      action: accountsPath(instance.id, 'plans'),
      classes: plannable.map((value) => ({
        value,
        label: `${classWords(value).word} (${number.format(countOf(value))})`,
        help: classHelp[value],
        checked: scope ? scope.classes.includes(value) : countOf(value) > 0 && value !== 'orphan',
      })),
      orphans: orphanChoices.map((one) => ({ ...one, checked: (scope?.orphans ?? 'ignore') === one.value })),
      untouched,
    },
  );
}

const askNew: DeskHandler = async (ctx, runtime, desk) =>
  drawNew(ctx, runtime, desk, await instanceAt(ctx, desk), { scope: null, problem: null });

const make: DeskHandler = async (ctx, runtime, desk) => {
  const instance = await instanceAt(ctx, desk);
  const scope = scopeOf(ctx);
  await orRedraw(
    ctx,
    async () => {
      const { id } = await makePlan(desk.work, desk.companyId, instance.id, scope);
      seeOther(ctx, accountsPath(instance.id, `plans/${id}`));
    },
    // It concerns a group of boxes, none of which is the wrong one.
    (problem) => drawNew(ctx, runtime, desk, instance, { scope, problem: { ...problem, field: null } }),
  );
};

async function planAt(ctx: Context, desk: Desk): Promise<{ instance: InstanceDetail; plan: Plan }> {
  const instance = await instanceAt(ctx, desk);
  const id = String((ctx.params as Record<string, unknown>).plan ?? '');
  if (!isId(id)) throw notFound('plan');
  return { instance, plan: await getPlan(desk.work, desk.companyId, instance.id, id) };
}

const lineOf = (row: PlanRow): PlanLine => ({
  account: row.account,
  person:
    row.person === '' ? null : { name: row.person, href: row.userId === null ? null : `/admin/users/${row.userId}` },
  isAdministrator: row.isAdministrator,
  act: actWords(row.act),
  before: row.before,
  after: row.act === 'none' ? '' : row.after,
  rule: row.rule,
});

const shownDifferences = 20;

function changedOf({ count, settingsChanged, differences }: PlanComparison): PlanChanged | null {
  if (count === 0) return null;
  const rows = count - (settingsChanged ? 1 : 0);
  const words = [
    settingsChanged ? 'The settings of the module have changed since this plan was made.' : '',
    rows > 0 ? `${counted(rows, 'line is', 'lines are')} not as they were.` : '',
    makeAnother,
  ];
  return {
    words: words.filter(Boolean).join(' '),
    lines: differences.map(({ account, person, was, now }) => ({
      who: [person, account].filter(Boolean).join(', '),
      was,
      now,
    })),
    more: null,
  };
}

function applyOf(plan: Plan, desk: Desk, isChanged: boolean) {
  const total = doneCount(plan.counts);
  if (!isOpen(plan) || isChanged || total === 0) return null;
  const isMine = isOwn(plan, desk);
  if (isMine && plan.state === 'waiting') return null;
  return {
    action: accountsPath(plan.instanceId, `plans/${plan.id}/apply`),
    button: isMine ? 'Ask for a second administrator' : `Apply to ${counted(total, 'account', 'accounts')}`,
    isDanger: !isMine && plan.counts.suspend > 0,
  };
}

async function draw(ctx: Context, runtime: Runtime, desk: Desk, problem: FormProblem | null): Promise<void> {
  const { instance, plan } = await planAt(ctx, desk);
  const query = new URLSearchParams(ctx.querystring);
  const filter = filterOf(query, planActs);
  const [list, changed] = await Promise.all([
    listPlanRows(desk.work, plan, filter, pagingOf(query)),
    isOpen(plan) ? comparePlan(desk.work, plan, shownDifferences).then(changedOf) : null,
  ]);
  await showDesk(
    ctx,
    runtime,
    desk,
    { view: 'admin/module-accounts/plan', title: `Plan for ${instance.name}`, place: 'instances' },
    {
      ...planPage(ctx, desk, plan, {
        here: accountsPath(instance.id, `plans/${plan.id}`),
        again: accountsPath(instance.id, 'plans/new'),
        acts: planActs,
        wordsOf: actWords,
        all: 'All acts',
        filter,
        list,
        row: { one: 'line', many: 'lines' },
        changed,
        problem,
      }),
      instance: instanceHead(instance, desk, 'accounts'),
      back: accountsPath(instance.id),
      apply: applyOf(plan, desk, changed !== null),
      lines: list.rows.map(lineOf),
    },
  );
}

const show: DeskHandler = (ctx, runtime, desk) => draw(ctx, runtime, desk, null);

const apply: DeskHandler = async (ctx, runtime, desk) => {
  const { instance, plan } = await planAt(ctx, desk);
  await orRedraw(
    ctx,
    async () => {
      const applied = await applyPlan(desk.work, desk.companyId, plan.id);
      if (applied.outcome === 'started') return seeOther(ctx, `/admin/tasks/${applied.taskId}`);
      setFlash(ctx, runtime, { kind: 'success', text: 'The plan waits for another administrator.' });
      seeOther(ctx, accountsPath(instance.id, `plans/${plan.id}`));
    },
    (problem) => draw(ctx, runtime, desk, problem),
  );
};

const drop: DeskHandler = async (ctx, runtime, desk) => {
  const { instance, plan } = await planAt(ctx, desk);
  await orRedraw(
    ctx,
    async () => {
      await dropPlan(desk.work, desk.companyId, plan.id);
      setFlash(ctx, runtime, { kind: 'success', text: 'The plan was dropped. Nothing has been changed.' });
      seeOther(ctx, accountsPath(instance.id));
    },
    (problem) => draw(ctx, runtime, desk, problem),
  );
};

const file = {
  name: 'plan',
  heads: ['Account', 'Person', 'Act', 'Administrator', 'Before', 'After', 'Rule'],
  cells: (row: PlanRow) => [
    row.account,
    row.person,
    actWords(row.act).word,
    row.isAdministrator ? 'yes' : '',
    row.before,
    row.after,
    row.rule,
  ],
};

const exportFile: DeskHandler = async (ctx, _runtime, desk) => {
  const { plan } = await planAt(ctx, desk);
  sendPlan(ctx, plan, file, eachPlanRow(desk.work, plan));
};

const guarded = (handle: DeskHandler) => deskOf('modules.manage', handle);

export const modulePlanRoutes: Route[] = [
  { method: 'get', path: accountsPath(':instance', 'plans/new'), handle: guarded(askNew) },
  { method: 'post', path: accountsPath(':instance', 'plans'), handle: guarded(make) },
  { method: 'get', path: accountsPath(':instance', 'plans/:plan'), handle: guarded(show) },
  { method: 'post', path: accountsPath(':instance', 'plans/:plan/apply'), handle: guarded(apply) },
  { method: 'post', path: accountsPath(':instance', 'plans/:plan/drop'), handle: guarded(drop) },
  { method: 'get', path: accountsPath(':instance', 'plans/:plan/export'), handle: guarded(exportFile) },
];
