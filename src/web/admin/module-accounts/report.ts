// The report on a module's accounts: what differs from what should be, by class, and what is new since the last time (B.7).
import { Readable } from 'node:stream';
import type { InstanceDetail } from '../../../domain/integrations/instance-queries.ts';
import { type DriftClass, driftClasses, type Finding, type Reading } from '../../../domain/provisioning/drift.ts';
import { requestReading } from '../../../domain/provisioning/drift-commands.ts';
import {
  eachFinding,
  type FindingFilter,
  getReport,
  listFindings,
  listReadings,
  type ReportState,
} from '../../../domain/provisioning/drift-queries.ts';
import { doneCount } from '../../../domain/provisioning/plan.ts';
import { listPlans } from '../../../domain/provisioning/plan-queries.ts';
import { csvFile } from '../../../lib/csv.ts';
import { notFound } from '../../../lib/errors.ts';
import { isId } from '../../../lib/ids.ts';
import { type Listed, pagingOf } from '../../../lib/paging.ts';
import type { Context } from '../../context.ts';
import { setFlash } from '../../page.ts';
import { type Route, seeOther } from '../../routes.ts';
import { address, countWords, type Desk, type DeskHandler, deskOf, pageLinks, showDesk } from '../console.ts';
import { instanceAt, instanceHead } from '../modules/instance-head.ts';
import { planState } from '../plan-page.ts';
import type { Chip } from '../views.ts';
import type { ClassCard, FindingLine, ModuleAccountViews, Progress } from './views.ts';
import { accountsPath, classWords, counted, number } from './words.ts';

const wrongClasses = driftClasses.filter((one) => one !== 'matched');

export const searchOf = (query: URLSearchParams): string =>
  (query.get('q') ?? '').replaceAll('\0', '').slice(0, 200).trim();

function filterOf(query: URLSearchParams): FindingFilter {
  const wanted = query.get('class');
  return {
    search: searchOf(query),
    class: driftClasses.find((one) => one === wanted) ?? null,
    onlyNew: query.get('new') === 'yes',
  };
}

const wrongCount = ({ counts }: Reading): number =>
  wrongClasses.reduce((sum, one) => sum + (counts[one]?.count ?? 0), 0);

function changeWords({ fresh, gone }: { fresh: number; gone: number }): string {
  return [fresh > 0 ? `${number.format(fresh)} new` : '', gone > 0 ? `${number.format(gone)} gone` : '']
    .filter(Boolean)
    .join(', ');
}

const none = { count: 0, fresh: 0, gone: 0 };

function cardsOf(ctx: Context, { counts }: Reading, here: DriftClass | null): ClassCard[] {
  return driftClasses.map((name) => {
    const one = counts[name] ?? none;
    const { word, tone } = classWords(name);
    return {
      label: word,
      count: number.format(one.count),
      change: name === 'matched' ? '' : changeWords(one),
      tone: one.count === 0 ? 'off' : tone,
      href: address(ctx, { class: here === name ? null : name, q: null, new: null }),
      isHere: here === name,
    };
  });
}

export function progressOf(reading: Reading): Progress {
  if (reading.state === 'judging')
    return { words: `${number.format(reading.read)} accounts are compared`, max: null, value: 0 };
  if (reading.announced === null) return { words: 'Asking for the list', max: null, value: 0 };
  const max = Math.max(reading.announced, reading.read, 1);
  return {
    words: `${number.format(reading.read)} of ${counted(max, 'account', 'accounts')}`,
    max,
    value: reading.read,
  };
}

/** Links can be made and ended in the latest report only: older ones tell what was. */
function lineOf(finding: Finding, id: string, isLatest: boolean): FindingLine {
  const at = finding.externalId === null ? null : `?${new URLSearchParams({ account: finding.externalId })}`;
  const isStray = finding.class === 'orphan' || finding.class === 'duplicate';
  return {
    account: finding.account,
    person:
      finding.person === ''
        ? null
        : { name: finding.person, href: finding.userId === null ? null : `/admin/users/${finding.userId}` },
    isAdministrator: finding.isAdministrator,
    class: classWords(finding.class),
    isNew: finding.isNew,
    before: finding.before,
    after: finding.before === finding.after ? '' : finding.after,
    why: finding.why,
    link: isLatest && at !== null && isStray ? accountsPath(id, `link${at}`) : null,
    whyPerson: finding.userId === null ? null : `/admin/users/${finding.userId}/why?module=${id}`,
    unlink: isLatest && at !== null && finding.userId !== null ? accountsPath(id, `unlink${at}`) : null,
  };
}

const noFindings: Listed<Finding> = { rows: [], total: 0, isMore: false, page: 1, size: 50 };

function reportOf(
  ctx: Context,
  desk: Desk,
  { report, isLatest }: ReportState,
  filter: FindingFilter,
): ModuleAccountViews['admin/module-accounts/report']['report'] {
  return (
    report && {
      at: desk.moment(report.finishedAt ?? report.askedAt),
      words: counted(report.read, 'account', 'accounts'),
      note: report.problem ?? '',
      isLatest,
      cards: cardsOf(ctx, report, filter.class),
    }
  );
}

function chipsOf(ctx: Context, filter: FindingFilter): Chip[] {
  const chip = (label: string, name: string): Chip => ({ label, without: address(ctx, { [name]: null }) });
  return [
    ...(filter.search === '' ? [] : [chip(`“${filter.search}”`, 'q')]),
    ...(filter.class === null ? [] : [chip(classWords(filter.class).word, 'class')]),
    ...(filter.onlyNew ? [chip('New', 'new')] : []),
  ];
}

async function draw(
  ctx: Context,
  runtime: Parameters<DeskHandler>[1],
  desk: Desk,
  instance: InstanceDetail,
  readId: string | null,
): Promise<void> {
  const query = new URLSearchParams(ctx.querystring);
  const filter = filterOf(query);
  const state = await getReport(desk.work, desk.companyId, instance.id, readId);
  const { report, underWay } = state;
  if (underWay === null && ctx.get('hx-target') === 'progress') {
    // The part that looks again by itself is over: the whole page has news.
    ctx.set('hx-refresh', 'true');
    ctx.status = 200;
    ctx.body = '';
    return;
  }
  const list = report ? await listFindings(desk.work, report, filter, pagingOf(query)) : noFindings;
  const chips = chipsOf(ctx, filter);
  const { id } = instance;
  const own = readId === null ? accountsPath(id) : accountsPath(id, `reports/${readId}`);
  await showDesk(
    ctx,
    runtime,
    desk,
    { view: 'admin/module-accounts/report', title: `Accounts of ${instance.name}`, place: 'instances' },
    {
      instance: instanceHead(instance, desk, 'accounts'),
      here: own,
      report: reportOf(ctx, desk, state, filter),
      progress: underWay && progressOf(underWay),
      failed: state.failed && readId === null ? (state.failed.problem ?? '') : '',
      read: instance.scimUrl !== null && instance.settings.enabled ? accountsPath(id, 'read') : null,
      latest: accountsPath(id),
      history: accountsPath(id, 'history'),
      plan: report && state.isLatest && wrongCount(report) > 0 ? accountsPath(id, 'plans/new') : null,
      export: address(ctx, {}).replace(own, `${accountsPath(id, `reports/${report?.id ?? ''}`)}/export`),
      filters: {
        search: filter.search,
        classes: [
          { value: '', label: 'Everything that differs', selected: filter.class === null },
          ...driftClasses.map((value) => ({
            value,
            label: classWords(value).word,
            selected: value === filter.class,
          })),
        ],
        onlyNew: filter.onlyNew,
        chips,
        clear: chips.length > 1 ? own : null,
      },
      count: countWords(list, 'line', 'lines'),
      lines: list.rows.map((finding) => lineOf(finding, id, state.isLatest)),
      isFiltered: chips.length > 0,
      pages: pageLinks(ctx, list),
    },
  );
}

const show: DeskHandler = async (ctx, runtime, desk) => draw(ctx, runtime, desk, await instanceAt(ctx, desk), null);

function readIdOf(ctx: Context): string {
  const id = String((ctx.params as Record<string, unknown>).report ?? '');
  if (!isId(id)) throw notFound('report');
  return id;
}

const showOlder: DeskHandler = async (ctx, runtime, desk) =>
  draw(ctx, runtime, desk, await instanceAt(ctx, desk), readIdOf(ctx));

const read: DeskHandler = async (ctx, runtime, desk) => {
  const { id } = await instanceAt(ctx, desk);
  await requestReading(desk.work, desk.companyId, id);
  setFlash(ctx, runtime, { kind: 'success', text: 'The accounts are being read.' });
  seeOther(ctx, accountsPath(id));
};

const heads = ['Account', 'Person', 'Class', 'New', 'Administrator', 'Is', 'Should be', 'Why'];

const yes = (is: boolean) => (is ? 'yes' : '');

async function* cells(batches: AsyncIterable<Finding[]>): AsyncGenerator<string[][]> {
  for await (const batch of batches)
    yield batch.map((one) => [
      one.account,
      one.person,
      classWords(one.class).word,
      yes(one.isNew),
      yes(one.isAdministrator),
      one.before,
      one.after,
      one.why,
    ]);
}

/** The answer begins at once and takes no memory, however long it is. */
const exportFile: DeskHandler = async (ctx, _runtime, desk) => {
  const instance = await instanceAt(ctx, desk);
  const { report } = await getReport(desk.work, desk.companyId, instance.id, readIdOf(ctx));
  if (!report) throw notFound('report');
  const filter = filterOf(new URLSearchParams(ctx.querystring));
  ctx.attachment(`accounts-${report.askedAt.toISOString().slice(0, 10)}.csv`);
  ctx.type = 'text/csv; charset=utf-8';
  ctx.body = Readable.from(csvFile(heads, cells(eachFinding(desk.work, report, filter))));
};

const causes: Record<Reading['cause'], string> = { page: '', clock: 'daily', require: 'before requiring the login' };

const shownReadings = 50;

const history: DeskHandler = async (ctx, runtime, desk) => {
  const instance = await instanceAt(ctx, desk);
  const [readings, plans] = await Promise.all([
    listReadings(desk.work, desk.companyId, instance.id, shownReadings),
    listPlans(desk.work, desk.companyId, instance.id, shownReadings),
  ]);
  await showDesk(
    ctx,
    runtime,
    desk,
    { view: 'admin/module-accounts/history', title: `Reports on ${instance.name}`, place: 'instances' },
    {
      instance: instanceHead(instance, desk, 'accounts'),
      back: accountsPath(instance.id),
      readings: readings.map((one) => ({
        href: one.state === 'done' ? accountsPath(instance.id, `reports/${one.id}`) : null,
        at: desk.moment(one.askedAt),
        by: causes[one.cause] || one.askedBy,
        state:
          one.state === 'done'
            ? { tone: 'good', word: 'Done', more: one.problem ?? '' }
            : one.state === 'failed'
              ? { tone: 'danger', word: 'Failed', more: one.problem ?? '' }
              : { tone: 'wait', word: 'Reading', more: '' },
        accounts: number.format(one.read),
        wrong: one.state === 'done' ? number.format(wrongCount(one)) : '',
      })),
      plans: plans.map((plan) => ({
        href: accountsPath(instance.id, `plans/${plan.id}`),
        at: desk.moment(plan.madeAt),
        by: plan.madeByName,
        state: planState(plan),
        words: counted(doneCount(plan.counts), 'act', 'acts'),
      })),
    },
  );
};

const guarded = (handle: DeskHandler) => deskOf('modules.manage', handle);

export const moduleReportRoutes: Route[] = [
  { method: 'get', path: accountsPath(':instance'), handle: guarded(show) },
  { method: 'post', path: accountsPath(':instance', 'read'), handle: guarded(read) },
  { method: 'get', path: accountsPath(':instance', 'history'), handle: guarded(history) },
  { method: 'get', path: accountsPath(':instance', 'reports/:report'), handle: guarded(showOlder) },
  { method: 'get', path: accountsPath(':instance', 'reports/:report/export'), handle: guarded(exportFile) },
];
