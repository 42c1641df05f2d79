// Plans of rules and switches, looked through person by person; what is done with one stands in plan-acts.ts.
import type { StoredConnection } from '../../../domain/federation/connection-repository.ts';
import { doneCount, mayUndo, type Plan, type PlanRow, planActs, undoFor } from '../../../domain/federation/plan.ts';
import {
  comparePlan,
  eachPlanRow,
  getPlan,
  isAsMade,
  listPlanRows,
  listPlans,
} from '../../../domain/federation/plan-queries.ts';
import { listUnseenGroups } from '../../../domain/federation/rule-queries.ts';
import { groupsOf } from '../../../domain/federation/unseen-groups.ts';
import { pagingOf } from '../../../lib/paging.ts';
import { after } from '../../../lib/time.ts';
import type { Runtime } from '../../../runtime.ts';
import type { Context } from '../../context.ts';
import type { Route } from '../../routes.ts';
import type { FormProblem } from '../../views.ts';
import { type Desk, type DeskHandler, idParam, showDesk } from '../console.ts';
import { filterOf, isOpen, isOwn, makeAnother, type PlanChanged, planPage, planState, sendPlan } from '../plan-page.ts';
import { connectionAt, connectionHead, connectionPath, guarded, ssoPath } from './connection-head.ts';
import { actWords, changedOf, countsWords, people, setupWords } from './plan-words.ts';
import { rulesOfPlan } from './rules.ts';
import type { SsoPlanLine } from './views.ts';

export async function planAt(
  ctx: Context,
  desk: Desk,
): Promise<{ connection: StoredConnection; plan: Plan; here: string }> {
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
        state: planState(plan),
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

/** A typo in a rule is the name of a group that nobody has. */
async function unseenWords(desk: Desk, plan: Plan): Promise<string[]> {
  if (!isOpen(plan)) return [];
  const unseen = await listUnseenGroups(desk.work, desk.companyId, plan.connectionId, groupsOf(plan.proposed.rules));
  return unseen.map(
    ({ name, near }) =>
      `Nobody has come with the group “${name}” so far.${near === null ? '' : ` Did you mean “${near}”?`}`,
  );
}

const shownDifferences = 20;

/** Who asked for it to be taken back waits for another administrator. */
export const hasAskedUndo = (plan: Plan, desk: Desk): boolean =>
  plan.undoAskedBy !== null && plan.undoAskedBy === desk.userId;

/** Who is to take it back, where somebody has asked for that. */
function undoWords(plan: Plan, desk: Desk): string | null {
  if (!mayUndo(plan, desk.work.now) || plan.undoAskedByName === null) return null;
  return hasAskedUndo(plan, desk)
    ? 'You have asked for it to be undone. Another administrator has to do it: send them the address of this page.'
    : `${plan.undoAskedByName} has asked for it to be undone; by doing it you confirm that as the second administrator.`;
}

export function applyOf(
  plan: Plan,
  desk: Desk,
  here: string,
  isChanged: boolean,
): { href: string; button: string } | null {
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
async function changedAt(
  desk: Desk,
  plan: Plan,
  { isAsked, more }: { isAsked: boolean; more: string },
): Promise<PlanChanged | null> {
  if (!isOpen(plan) || (await isAsMade(desk.work, plan))) return null;
  return isAsked
    ? changedOf(await comparePlan(desk.work, plan, shownDifferences))
    : { words: `Something has changed since this plan was made. ${makeAnother}`, lines: [], more };
}

export async function drawPlan(ctx: Context, runtime: Runtime, desk: Desk, problem: FormProblem | null): Promise<void> {
  const { connection, plan, here } = await planAt(ctx, desk);
  const query = new URLSearchParams(ctx.querystring);
  const filter = filterOf(query, planActs);
  const list = await listPlanRows(desk.work, plan, filter, pagingOf(query));
  const changed = await changedAt(desk, plan, {
    isAsked: problem !== null || query.has('changes'),
    more: `${here}?changes=yes`,
  });
  const page = planPage(ctx, desk, plan, {
    here,
    again: rulesOfPlan(connection.id, plan.id),
    acts: planActs,
    wordsOf: (act) => actWords[act],
    all: 'Everybody',
    filter,
    list,
    row: { one: 'person', many: 'people' },
    changed,
    problem,
  });
  await showDesk(
    ctx,
    runtime,
    desk,
    { view: 'admin/sso/plan', title: `Plan for ${connection.name}`, place: 'sso' },
    {
      ...page,
      connection: connectionHead(connection, desk, 'plans'),
      back: connectionPath(connection.id, 'plans'),
      changes: [...setupWords(plan), ...(await unseenWords(desk, plan))],
      second: undoWords(plan, desk) ?? page.second,
      edit: isOpen(plan) ? rulesOfPlan(connection.id, plan.id) : null,
      apply: applyOf(plan, desk, here, changed !== null),
      note: plan.undoNote ?? '',
      undo:
        mayUndo(plan, desk.work.now) && plan.appliedAt && !hasAskedUndo(plan, desk)
          ? { href: `${here}/undo`, until: desk.moment(after(plan.appliedAt, undoFor)) }
          : null,
      task: plan.undoTaskId === null ? page.task : `/admin/tasks/${plan.undoTaskId}`,
      lines: list.rows.map((row) => toLine(row, desk)),
    },
  );
}

const show: DeskHandler = (ctx, runtime, desk) => drawPlan(ctx, runtime, desk, null);

const file = {
  name: 'sso-plan',
  heads: ['Person', 'Username', 'Act', 'Administrator', 'Before', 'After', 'Rule', 'Groups seen'],
  cells: (row: PlanRow) => [
    row.person,
    row.username,
    actWords[row.act].word,
    row.isAdministrator ? 'yes' : '',
    row.before,
    row.after,
    row.rule,
    row.seenAt?.toISOString() ?? '',
  ],
};

const exportFile: DeskHandler = async (ctx, _runtime, desk) => {
  const { plan } = await planAt(ctx, desk);
  sendPlan(ctx, plan, file, eachPlanRow(desk.work, plan));
};

export const plansPath = `${ssoPath}/:connection/plans`;

export const ssoPlanRoutes: Route[] = [
  { method: 'get', path: plansPath, handle: guarded(list) },
  { method: 'get', path: `${plansPath}/:plan`, handle: guarded(show) },
  { method: 'get', path: `${plansPath}/:plan/export`, handle: guarded(exportFile) },
];
