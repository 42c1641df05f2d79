// /interaction/:uid: the dispatcher of signing in, and the table of its steps.
import Router from '@koa/router';
import { cookieNames } from '../../config/cookies.ts';
import { companyKey } from '../../domain/companies/company.ts';
import { findConnection } from '../../domain/federation/connection-repository.ts';
import { homeClientId } from '../../domain/modules/module.ts';
import { notFound, tooManyRequests } from '../../lib/errors.ts';
import { isId } from '../../lib/ids.ts';
import { createRateLimit } from '../../lib/rate-limit.ts';
import { hours } from '../../lib/time.ts';
import type { Runtime } from '../../runtime.ts';
import { type Context, getSealedCookie } from '../context.ts';
import { showPage } from '../page.ts';
import { seeOther } from '../routes.ts';
import { takeArrival } from '../sso/arrive.ts';
import { beginSso } from '../sso/begin.ts';
import { finishSso } from '../sso/finish.ts';
import { ticketPath } from './begin.ts';
import * as handlers from './handlers.ts';
import { nextTicket } from './next-step.ts';
import { drawStep } from './pages.ts';
import { hinted, presentStep, type Ticket, type TicketStep, ticketSchema } from './ticket.ts';
import { noteWaiting } from './waiting.ts';

interface Row {
  path: string;
  /** The steps that this post answers; any other sends the browser back to where it stands. */
  answers: TicketStep[];
  handle: handlers.StepHandler;
}

const steps: Row[] = [
  { path: 'identify', answers: ['identify'], handle: handlers.identify },
  { path: 'other-company', answers: ['identify'], handle: handlers.otherCompany },
  { path: 'password', answers: ['password'], handle: handlers.password },
  { path: 'set-password', answers: ['set-password'], handle: handlers.setPassword },
  { path: 'code', answers: ['code'], handle: handlers.code },
  { path: 'enrol', answers: ['enrol'], handle: handlers.enrol },
  { path: 'recovery-codes', answers: ['recovery-codes'], handle: handlers.recoveryCodes },
  {
    path: 'restart',
    answers: ['identify', 'sso', 'password', 'set-password', 'code', 'enrol', 'recovery-codes'],
    handle: handlers.restart,
  },
  { path: 'consent', answers: ['consent'], handle: handlers.consent },
  { path: 'consent/cancel', answers: ['consent'], handle: handlers.refuseConsent },
  { path: 'entry/back', answers: ['entry'], handle: handlers.backRefused },
];

/** The engine's cookie and our ticket must both be here and speak of this address (WEB-02, AUT-14). */
function findTicket(ctx: Context, runtime: Runtime, uid: string): Ticket | null {
  const engineCookie = ctx.cookies.get(cookieNames(runtime.config.isSecure).interaction, { signed: true });
  const ticket = ticketSchema.safeParse(getSealedCookie(ctx, runtime, 'ticket', ticketPath(uid)));
  return ticket.success && ticket.data.uid === uid && engineCookie === uid ? ticket.data : null;
}

async function showExpired(ctx: Context, runtime: Runtime): Promise<void> {
  ctx.status = 400;
  await showPage(ctx, runtime, 'interaction/expired', 'This login has run out', {
    sentence: 'This login has run out, or it was begun in another browser or tab.',
    start: '/login',
  });
  ctx.status = 400;
}

/** DOS-03: each way to an upstream is a row; nobody needs more of them in one sign-in. */
const waysOfOne = createRateLimit([{ turns: 20, within: hours(1) }]);

/** Only to an upstream of the company that this sign-in is for. */
async function toUpstream(ctx: Context, runtime: Runtime, ticket: Ticket, id: string): Promise<void> {
  const { work } = ctx.state;
  const connection = isId(id) ? await findConnection(work.store.db, id) : null;
  const company = connection && (await work.store.companies.findById(connection.companyId));
  if (!connection?.enabled || !company || companyKey(company.name) !== companyKey(ticket.company))
    throw notFound('way to log in');
  const wait = waysOfOne.take(ticket.uid, work.now);
  if (wait > 0) throw tooManyRequests(Math.ceil(wait / 1000));
  handlers.keep(ctx, runtime, nextTicket(ticket, { type: 'sent' }));
  const loginHint = ticket.username === '' ? null : ticket.username;
  await beginSso(ctx, runtime, connection, {
    purpose: 'sign-in',
    interactionUid: ticket.uid,
    loginHint,
    isAnew: ticket.isAnew,
  });
}

export function interactionRouter(runtime: Runtime): Router {
  const router = new Router();

  router.get('/interaction/:uid', async (koaCtx) => {
    const ctx = koaCtx as unknown as Context;
    const ticket = findTicket(ctx, runtime, String(koaCtx.params.uid));
    if (!ticket) return showExpired(ctx, runtime);
    const arrival = takeArrival(ctx, runtime, ticket, homeClientId);
    if (arrival !== null) return finishSso(ctx, runtime, ticket, { ...arrival, uid: null });
    const step = presentStep(ticket, ctx.state.work.now);
    const [upstream] = ticket.sso.connections;
    if (step === 'sso' && ticket.sso.isStraight && upstream)
      return seeOther(ctx, `${ticketPath(ticket.uid)}/sso/${upstream.id}`);
    await drawStep(ctx, runtime, hinted(ticket, koaCtx.query), step);
  });

  router.get('/interaction/:uid/sso/finish', async (koaCtx) => {
    const ctx = koaCtx as unknown as Context;
    const ticket = findTicket(ctx, runtime, String(koaCtx.params.uid));
    if (ticket?.prompt !== 'login') return showExpired(ctx, runtime);
    const result = { ticket: String(koaCtx.query.ticket ?? ''), uid: ticket.uid, only: null };
    await finishSso(ctx, runtime, ticket, result);
  });

  router.get('/interaction/:uid/sso/:connection', async (koaCtx) => {
    const ctx = koaCtx as unknown as Context;
    const ticket = findTicket(ctx, runtime, String(koaCtx.params.uid));
    if (ticket?.prompt !== 'login') return showExpired(ctx, runtime);
    await toUpstream(ctx, runtime, ticket, String(koaCtx.params.connection));
  });

  router.get('/interaction/:uid/forgot', async (koaCtx) => {
    const ctx = koaCtx as unknown as Context;
    const ticket = findTicket(ctx, runtime, String(koaCtx.params.uid));
    if (ticket) noteWaiting(ctx, runtime, ticket);
    seeOther(ctx, '/forgot');
  });

  for (const { path, answers, handle } of steps) {
    router.post(`/interaction/:uid/${path}`, async (koaCtx) => {
      const ctx = koaCtx as unknown as Context;
      const uid = String(koaCtx.params.uid);
      const ticket = findTicket(ctx, runtime, uid);
      if (!ticket) return showExpired(ctx, runtime);
      if (answers.includes(presentStep(ticket, ctx.state.work.now))) return handle(ctx, runtime, ticket);
      ctx.status = 303;
      ctx.redirect(ticketPath(uid));
    });
  }
  return router;
}
