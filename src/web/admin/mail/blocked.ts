// Blocked addresses of the company's own people: a test mail first, and then the block can be lifted (A3.9, C50).
import { type BlockedPerson, getBlockedPerson, listBlocked } from '../../../domain/mails/list-queries.ts';
import { liftBlock, sendTestMail } from '../../../domain/mails/suppression-commands.ts';
import { pagingOf } from '../../../lib/paging.ts';
import type { Runtime } from '../../../runtime.ts';
import type { Context } from '../../context.ts';
import { setFlash } from '../../page.ts';
import { type Route, seeOther } from '../../routes.ts';
import type { FormProblem } from '../../views.ts';
import { countWords, type Desk, type DeskHandler, deskOf, idParam, orRedraw, pageLinks, showDesk } from '../console.ts';
import { usersPath } from '../users/list.ts';
import { blockedPath, searchOf, statusOfMail, tabsOf } from './list.ts';

const nameOf = (person: { firstName: string; lastName: string }) => `${person.firstName} ${person.lastName}`;

const list: DeskHandler = async (ctx, runtime, desk) => {
  const query = new URLSearchParams(ctx.querystring);
  const search = searchOf(query);
  const people = await listBlocked(desk.work, desk.companyId, search, pagingOf(query));
  await showDesk(
    ctx,
    runtime,
    desk,
    { view: 'admin/mail/blocked', title: 'Blocked addresses', place: 'mail' },
    {
      tabs: tabsOf(blockedPath),
      search,
      people: people.rows.map((person) => ({
        name: nameOf(person),
        email: person.email,
        reason: person.reason,
        since: desk.moment(person.since),
        href: `${blockedPath}/${person.userId}`,
      })),
      pages: pageLinks(ctx, people),
      count: countWords(people, 'blocked address', 'blocked addresses'),
      isFiltered: search !== '',
    },
  );
};

const find = (ctx: Context, desk: Desk): Promise<BlockedPerson> =>
  getBlockedPerson(desk.work, desk.companyId, idParam(ctx, 'id', 'blocked address'));

async function drawPerson(
  ctx: Context,
  runtime: Runtime,
  desk: Desk,
  problem: FormProblem | null = null,
): Promise<void> {
  const person = await find(ctx, desk);
  const here = `${blockedPath}/${person.userId}`;
  await showDesk(
    ctx,
    runtime,
    desk,
    { view: 'admin/mail/blocked-person', title: `Blocked: ${person.email}`, place: 'mail' },
    {
      tabs: tabsOf(blockedPath),
      problem,
      name: nameOf(person),
      person: `${usersPath}/${person.userId}`,
      email: person.email,
      reason: person.reason,
      since: desk.moment(person.since),
      lastRefusedAt: desk.moment(person.lastRefusedAt),
      tests: person.tests.map((test) => ({
        status: statusOfMail(test, desk.moment),
        answer: test.answer ?? test.error ?? '',
        at: desk.moment(test.createdAt),
      })),
      isUnderWay: person.tests[0]?.state === 'queued' || person.tests[0]?.state === 'deferred',
      here,
      sendTest: `${here}/test`,
      lift: person.isProved ? `${here}/lift` : null,
    },
  );
}

const show: DeskHandler = (ctx, runtime, desk) => drawPerson(ctx, runtime, desk);

const sendTest: DeskHandler = async (ctx, runtime, desk) => {
  const { userId, email } = await find(ctx, desk);
  await orRedraw(
    ctx,
    async () => {
      await sendTestMail(desk.work, desk.companyId, userId);
      setFlash(ctx, runtime, { kind: 'success', text: `A test mail is on its way to ${email}.` });
      seeOther(ctx, `${blockedPath}/${userId}`);
    },
    (problem) => drawPerson(ctx, runtime, desk, problem),
  );
};

async function drawLift(ctx: Context, runtime: Runtime, desk: Desk, problem: FormProblem | null = null): Promise<void> {
  const person = await find(ctx, desk);
  const here = `${blockedPath}/${person.userId}`;
  // Without a test mail that was taken there is nothing to confirm.
  if (!person.isProved && !problem) return seeOther(ctx, here);
  await showDesk(
    ctx,
    runtime,
    desk,
    { view: 'admin/mail/lift', title: `Lift the block of ${person.email}`, place: 'mail' },
    {
      tabs: tabsOf(blockedPath),
      problem,
      name: nameOf(person),
      email: person.email,
      action: `${here}/lift`,
      cancel: here,
    },
  );
}

const askLift: DeskHandler = (ctx, runtime, desk) => drawLift(ctx, runtime, desk);

const lift: DeskHandler = async (ctx, runtime, desk) => {
  const { userId, email } = await find(ctx, desk);
  await orRedraw(
    ctx,
    async () => {
      await liftBlock(desk.work, desk.companyId, userId);
      setFlash(ctx, runtime, { kind: 'success', text: `Mail to ${email} goes out again.` });
      seeOther(ctx, blockedPath);
    },
    (problem) => drawLift(ctx, runtime, desk, problem),
  );
};

export const mailBlockedRoutes: Route[] = [
  { method: 'get', path: blockedPath, handle: deskOf('mail.manage', list) },
  { method: 'get', path: `${blockedPath}/:id`, handle: deskOf('mail.manage', show) },
  { method: 'post', path: `${blockedPath}/:id/test`, handle: deskOf('mail.manage', sendTest) },
  { method: 'get', path: `${blockedPath}/:id/lift`, handle: deskOf('mail.manage', askLift) },
  { method: 'post', path: `${blockedPath}/:id/lift`, handle: deskOf('mail.manage', lift) },
];
