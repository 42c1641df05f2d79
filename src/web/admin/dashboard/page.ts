// The dashboard: what happened, who is stuck, what needs a hand. Each chart is drawn from a table on the page.

import type { SignInCount } from '../../../domain/audit/counts-repository.ts';
import { listWaitingBatches } from '../../../domain/provisioning/batch-queries.ts';
import {
  countSignIns,
  type DashboardPerson,
  type LostMail,
  listLocked,
  listLostMails,
  listRunningOut,
  type PeopleCounts,
  type Some,
} from '../../../domain/reports/dashboard-queries.ts';
import { dayBounds } from '../../../lib/zones.ts';
import type { Runtime } from '../../../runtime.ts';
import type { Context } from '../../context.ts';
import { zoneOf } from '../../home/person.ts';
import type { Route } from '../../routes.ts';
import { batchesPath } from '../batches/page.ts';
import { address, countWords, type Desk, type DeskHandler, deskOf, showDesk } from '../console.ts';
import { kindWords } from '../mail/words.ts';
import { usersPath } from '../users/list.ts';
import { createPeopleCounter, type PeopleCounter } from './people-counts.ts';
import type { ChartTable, DashboardPersonLine, DashboardViews, More, Tone } from './views.ts';

export const dashboardPath = '/admin';

const lengths = [7, 30, 90] as const;

const number = new Intl.NumberFormat('en');
const value = (n: number) => ({ text: number.format(n), number: n });

const counters = new WeakMap<Runtime, PeopleCounter>();

function counterOf(runtime: Runtime): PeopleCounter {
  const known = counters.get(runtime) ?? createPeopleCounter();
  counters.set(runtime, known);
  return known;
}

function signInChart(counts: SignInCount[], bounds: Date[], zone: string): ChartTable {
  const name = new Intl.DateTimeFormat('en', { day: 'numeric', month: 'short', timeZone: zone });
  const { succeeded, failed } = totalOf(counts);
  return {
    id: 'sign-ins',
    title: 'Logins by day',
    summary: `${number.format(succeeded)} logins and ${number.format(failed)} refused ones in ${counts.length} days. The table below holds each day.`,
    kind: 'line',
    head: 'Day',
    series: [
      { label: 'Logins', tone: 'accent' },
      { label: 'Refused', tone: 'danger' },
    ],
    rows: counts.map((count, at) => ({
      label: name.format(bounds[at]),
      tone: null,
      values: [value(count.succeeded), value(count.failed)],
    })),
  };
}

const totalOf = (counts: SignInCount[]): SignInCount =>
  counts.reduce((sum, one) => ({ succeeded: sum.succeeded + one.succeeded, failed: sum.failed + one.failed }), {
    succeeded: 0,
    failed: 0,
  });

function barChart(
  id: string,
  title: string,
  head: string,
  bars: [label: string, tone: Tone, count: number][],
): ChartTable {
  return {
    id,
    title,
    summary: `${bars.map(([label, , count]) => `${label}: ${number.format(count)}`).join(', ')}.`,
    kind: 'bar',
    head,
    series: [{ label: 'People', tone: 'accent' }],
    rows: bars.map(([label, tone, count]) => ({ label, tone, values: [value(count)] })),
  };
}

const peopleChart = (counts: PeopleCounts): ChartTable =>
  barChart('people', 'People by status', 'Status', [
    ['Active', 'good', counts.active],
    ['Invited', 'wait', counts.invited],
    ['LockedOut', 'danger', counts.lockedOut],
    ['Deactivated', 'off', counts.deactivated],
  ]);

const factorChart = (counts: PeopleCounts): ChartTable =>
  barChart('second-factor', 'People by 2FA', '2FA', [
    ['Enrolled', 'good', counts.enrolled],
    ['Not Enrolled', 'wait', counts.notEnrolled],
  ]);

const personLine = (person: DashboardPerson, act: string, desk: Desk): DashboardPersonLine => ({
  name: person.name,
  username: person.username,
  href: `${usersPath}/${person.id}`,
  until: desk.moment(person.until),
  act: `${usersPath}/${person.id}/${act}`,
});

function moreOf(some: Some<unknown>, href: string, one: string, many: string): More | null {
  return some.total > some.rows.length ? { href, words: `All ${countWords(some, one, many)}` } : null;
}

const mailLine = (mail: LostMail, desk: Desk) => ({
  at: desk.moment(mail.at),
  recipient: mail.recipient,
  what: kindWords[mail.kind],
  why: mail.error ?? '',
  href: mail.userId && `${usersPath}/${mail.userId}`,
});

const mailPath = '/admin/mail';
const links = {
  locked: `${usersPath}?status=LockedOut`,
  invited: `${usersPath}?status=Invited`,
  audit: (action: string, days: number) =>
    `/admin/audit?${new URLSearchParams({ action, range: days === 7 ? 'week' : days === 30 ? 'month' : 'quarter' })}`,
};

type Figures = DashboardViews['admin/dashboard/page']['figures'];

/** Only when there is something: nothing else here keeps anybody from being suspended. */
const waitingFigure = (waiting: number): Figures =>
  waiting === 0
    ? []
    : [
        {
          label: 'Waiting changes',
          value: number.format(waiting),
          more: 'need a second administrator',
          href: batchesPath,
          tone: 'wait',
        },
      ];

function figuresOf(
  days: number,
  total: SignInCount,
  {
    locked,
    runningOut,
    mails,
    isMailKept,
  }: { locked: Some<unknown>; runningOut: Some<unknown>; mails: Some<unknown>; isMailKept: boolean },
): Figures {
  const many = ({ total, isMore }: Some<unknown>) => `${number.format(total)}${isMore ? '+' : ''}`;
  return [
    {
      label: 'Logins',
      value: number.format(total.succeeded),
      more: `in ${days} days`,
      href: links.audit('login.ok', days),
      tone: 'plain',
    },
    {
      label: 'Refused logins',
      value: number.format(total.failed),
      more: `in ${days} days`,
      href: links.audit('login.fail', days),
      tone: 'plain',
    },
    {
      label: 'Locked out',
      value: many(locked),
      more: 'right now',
      href: links.locked,
      tone: locked.total > 0 ? 'danger' : 'plain',
    },
    {
      label: 'Invitations',
      value: many(runningOut),
      more: 'run out in 3 days',
      href: links.invited,
      tone: runningOut.total > 0 ? 'wait' : 'plain',
    },
    {
      label: 'Mails',
      value: isMailKept ? '–' : many(mails),
      more: isMailKept ? 'kept: no mail server is set' : 'did not arrive in 30 days',
      href: mailPath,
      tone: isMailKept ? 'wait' : mails.total > 0 ? 'danger' : 'plain',
    },
  ];
}

const lengthOf = (ctx: Context) =>
  lengths.find((one) => one === Number(new URLSearchParams(ctx.querystring).get('days'))) ?? 30;

const page: DeskHandler = async (ctx, runtime, desk) => {
  const { work, companyId } = desk;
  const zone = zoneOf(desk.user);
  const days = lengthOf(ctx);
  const bounds = dayBounds(work.now, days, zone);
  const [counts, people, locked, runningOut, mails, waiting] = await Promise.all([
    countSignIns(work, companyId, bounds),
    counterOf(runtime).count(work, companyId),
    listLocked(work, companyId),
    listRunningOut(work, companyId),
    listLostMails(work, companyId),
    listWaitingBatches(work, companyId),
  ]);
  const isMailKept = runtime.config.smtpUrl === undefined && mails.total === 0;
  await showDesk(
    ctx,
    runtime,
    desk,
    { view: 'admin/dashboard/page', title: 'Dashboard', place: 'dashboard' },
    {
      figures: [
        ...waitingFigure(waiting.length),
        ...figuresOf(days, totalOf(counts), { locked, runningOut, mails, isMailKept }),
      ],
      ranges: lengths.map((length) => ({
        label: `${length} days`,
        href: address(ctx, { days: length === 30 ? null : String(length) }),
        isCurrent: length === days,
      })),
      signIns: signInChart(counts, bounds, zone),
      zone,
      people: peopleChart(people.counts),
      secondFactor: factorChart(people.counts),
      counted: desk.moment(people.at),
      locked: {
        lines: locked.rows.map((person) => personLine(person, 'unlock', desk)),
        all: moreOf(locked, links.locked, 'person', 'people'),
      },
      runningOut: {
        lines: runningOut.rows.map((person) => personLine(person, 'resend', desk)),
        all: moreOf(runningOut, links.invited, 'invitation', 'invitations'),
      },
      mails: {
        lines: mails.rows.map((mail) => mailLine(mail, desk)),
        all: moreOf(mails, mailPath, 'mail', 'mails'),
        none: isMailKept
          ? 'No mail server is set, so mails are kept and not sent. The operator sets one with SMTP_URL.'
          : 'Every mail of the last 30 days went out.',
      },
    },
  );
};

export const dashboardRoutes: Route[] = [{ method: 'get', path: dashboardPath, handle: deskOf('users.manage', page) }];
