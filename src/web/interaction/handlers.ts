// The posts of a sign-in. Each asks one command, turns its answer into the next ticket, and sends the browser back to the dispatcher.
import { z } from 'zod';
import { newTotpSecret } from '../../domain/credentials/totp.ts';
import { findConnection } from '../../domain/federation/connection-repository.ts';
import { cameInThrough } from '../../domain/federation/enforce-commands.ts';
import { completeAttempt } from '../../domain/federation/request-commands.ts';
import { findCompanyOfAddress, noRoute } from '../../domain/federation/routing-queries.ts';
import { recordId, type Upstream } from '../../domain/sessions/session.ts';
import { enrolDuringSignIn, finishEnrolment } from '../../domain/users/enrolment-commands.ts';
import type { Answer, CodeResult, Half } from '../../domain/users/second-half-commands.ts';
import {
  acrOf,
  refusedCodeSentence,
  refusedRecoverySentence,
  refusedSentence,
  type Step,
  ssoSentence,
} from '../../domain/users/sign-in.ts';
import { setPasswordDuringSignIn, tryCode, tryPassword } from '../../domain/users/sign-in-commands.ts';
import type { UserId } from '../../lib/ids.ts';
import { randomToken, tokenHash } from '../../lib/secrets.ts';
import { days, hours, minutes } from '../../lib/time.ts';
import type { Runtime } from '../../runtime.ts';
import { type Context, setCookie, setSealedCookie } from '../context.ts';
import { browserToken } from '../page.ts';
import { rememberFreshLogin } from '../sso/fresh-login.ts';
import { drawLoggedOut } from '../sso/problem-page.ts';
import { ticketPath } from './begin.ts';
import { type Event, nextTicket } from './next-step.ts';
import { drawStep } from './pages.ts';
import { routeOf } from './route.ts';
import { restarted, type Ticket, withOtherCompany } from './ticket.ts';

export type StepHandler = (ctx: Context, runtime: Runtime, ticket: Ticket) => Promise<void>;

export function keep(ctx: Context, runtime: Runtime, ticket: Ticket): void {
  setSealedCookie(ctx, runtime, 'ticket', ticket, { path: ticketPath(ticket.uid), maxAge: hours(1) });
}

/** Keeps the new state and lets the dispatcher decide what to show. 303, so that no password is posted again (OAU-11). */
export function go(ctx: Context, runtime: Runtime, ticket: Ticket, event: Event): void {
  keep(ctx, runtime, nextTicket(ticket, event));
  ctx.status = 303;
  ctx.redirect(ticketPath(ticket.uid));
}

const identifySchema = z.object({
  username: z.string().trim().min(1, 'Enter your username.').max(320, 'That is too long for a username.'),
  company: z.string().trim().min(1, 'Enter your company name.').max(200, 'That is too long for a company name.'),
});

export const identify: StepHandler = async (ctx, runtime, ticket) => {
  const { username = '' } = ctx.state.form;
  const typed = ticket.isCompanyFixed ? ticket.company : (ctx.state.form.company ?? '');
  // A proved e-mail domain says which company it is.
  const company = typed.trim() === '' ? ((await findCompanyOfAddress(ctx.state.work, username))?.name ?? '') : typed;
  const parsed = identifySchema.safeParse({ username, company });
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const typedAgain = {
      ...ticket,
      username: username.slice(0, 320),
      company: ticket.isCompanyFixed ? ticket.company : company.slice(0, 200),
    };
    ctx.status = 422;
    await drawStep(ctx, runtime, typedAgain, 'identify', {
      sentence: issue?.message ?? '',
      field: String(issue?.path[0] ?? ''),
      code: null,
    });
    ctx.status = 422;
    return;
  }
  // A company that was known from the first screen was asked for its upstreams there. Should it have begun to enforce one since, the
  // password is refused all the same.
  const hasNone = ticket.isCompanyFixed && ticket.sso.connections.length === 0;
  const sso = hasNone ? noRoute : await routeOf(ctx.state.work, parsed.data);
  go(ctx, runtime, ticket, { type: 'identified', ...parsed.data, sso });
};

export const secretFor = (step: Step) => (step === 'enrol' ? newTotpSecret() : null);

export const password: StepHandler = async (ctx, runtime, ticket) => {
  const { work } = ctx.state;
  const attempt = { company: ticket.company, username: ticket.username, browserToken: browserToken(ctx, runtime) };
  const result = await tryPassword(work, attempt, ctx.state.form.password ?? '');
  if (result.outcome === 'refused' && result.mustUseSso) {
    // Enforced since the first screen: the page with the button, for everybody alike (AUT-05, C26).
    const sso = await routeOf(work, ticket);
    const led: Ticket = { ...ticket, step: 'sso', sso: { ...sso, isStraight: false } };
    keep(ctx, runtime, led);
    return redraw(ctx, runtime, led, 'sso', ssoSentence, result.code);
  }
  if (result.outcome === 'refused') {
    await redraw(ctx, runtime, ticket, 'password', refusedSentence, result.code);
    return;
  }
  const { userId, proved, step, reason, mayRecover } = result;
  go(ctx, runtime, ticket, {
    type: 'password-right',
    userId,
    at: work.now.getTime(),
    proved,
    step,
    reason,
    mayRecover,
    secret: secretFor(step),
  });
};

async function redraw(
  ctx: Context,
  runtime: Runtime,
  ticket: Ticket,
  step: Ticket['step'],
  sentence: string,
  code: string | null,
): Promise<void> {
  ctx.status = 422;
  await drawStep(ctx, runtime, ticket, step, {
    sentence,
    field: step === 'code' || step === 'enrol' ? 'code' : 'password',
    code,
  });
  ctx.status = 422;
}

/** The half-authenticated person; the dispatcher lets nobody come here without one. */
function halfOf(ctx: Context, runtime: Runtime, ticket: Ticket): Half {
  if (!ticket.half) throw new Error('a step behind the password was reached without it');
  // Sealed by us after the password was right.
  const userId = ticket.half.userId as UserId;
  const { proved, enrolled, upstream, arrival } = ticket.half;
  const { company, username } = ticket;
  return { company, username, browserToken: browserToken(ctx, runtime), userId, proved, enrolled, upstream, arrival };
}

const resumePath = (uid: string) => `/auth/${uid}`;

/** Goes to this browser and nowhere else: only who brings it back takes the sign-in further (WEB-02). @returns its hash */
function giveProof(ctx: Context, runtime: Runtime, ticket: Ticket): string {
  const proof = randomToken();
  setCookie(ctx, runtime, 'proof', proof, { path: resumePath(ticket.uid), maxAge: minutes(5) });
  return tokenHash(proof);
}

/** For the session that comes of it (oidc/adapter.ts): who vouched for it can end it again. */
function upstreamOf({ half }: Ticket): { upstream?: Upstream } {
  if (!half || half.upstream === null) return {};
  return { upstream: { connectionId: half.upstream, sessionHash: half.upstreamSession } };
}

/** What the engine reads when it resumes (oidc-provider "interaction results"). */
export function answerFor(ctx: Context, runtime: Runtime, ticket: Ticket): Answer {
  // What module and engine take for auth_time (Core section 2): a session that stood at an upstream is no proof of this moment.
  const ts = Math.floor((ticket.half?.authenticatedAt ?? ctx.state.work.now.getTime()) / 1000);
  const proof = giveProof(ctx, runtime, ticket);
  return {
    interactionId: recordId('Interaction', ticket.uid),
    result: ({ userId, amr }) => ({
      login: { accountId: userId, acr: acrOf(amr), amr, ts, remember: true },
      proof,
      ...upstreamOf(ticket),
    }),
  };
}

export const setPassword: StepHandler = async (ctx, runtime, ticket) => {
  const result = await setPasswordDuringSignIn(
    ctx.state.work,
    halfOf(ctx, runtime, ticket),
    ctx.state.form.password ?? '',
  );
  if (result.outcome === 'refused')
    return redraw(ctx, runtime, ticket, 'set-password', result.problems.join(' '), null);
  if (result.outcome === 'start-again') return go(ctx, runtime, ticket, { type: 'start-again' });
  go(ctx, runtime, ticket, {
    type: 'password-set',
    at: ctx.state.work.now.getTime(),
    proved: result.proved,
    step: result.step,
    reason: result.reason,
    secret: secretFor(result.step),
  });
};

export const code: StepHandler = async (ctx, runtime, ticket) => {
  const { form } = ctx.state;
  if (form.method === 'totp' || form.method === 'recovery')
    return go(ctx, runtime, ticket, { type: 'method', method: form.method });
  const result = await tryCode(
    ctx.state.work,
    halfOf(ctx, runtime, ticket),
    ticket.method,
    form.code ?? '',
    answerFor(ctx, runtime, ticket),
  );
  await finish(ctx, runtime, ticket, result);
};

export const enrol: StepHandler = async (ctx, runtime, ticket) => {
  const result = await enrolDuringSignIn(
    ctx.state.work,
    halfOf(ctx, runtime, ticket),
    ticket.secret ?? '',
    ctx.state.form.code ?? '',
  );
  if (result.outcome === 'refused') return wrongCode(ctx, runtime, ticket, 'enrol', result.code);
  if (result.outcome === 'start-again') return go(ctx, runtime, ticket, { type: 'start-again' });
  if (result.outcome === 'logged-out') return tellLoggedOut(ctx, runtime, ticket);
  const { enrolled, recoveryCodes } = result;
  // Nothing to write down: on into the module.
  if (recoveryCodes.length === 0) {
    const half = { ...halfOf(ctx, runtime, ticket), enrolled };
    const answer = answerFor(ctx, runtime, ticket);
    return finish(ctx, runtime, ticket, await finishEnrolment(ctx.state.work, half, answer));
  }
  go(ctx, runtime, ticket, { type: 'enrolled', enrolled, recoveryCodes, at: ctx.state.work.now.getTime() });
};

async function wrongCode(
  ctx: Context,
  runtime: Runtime,
  ticket: Ticket,
  step: 'code' | 'enrol',
  code: string,
): Promise<void> {
  const counted = nextTicket(ticket, { type: 'code-wrong' });
  keep(ctx, runtime, counted);
  const isRecovery = step === 'code' && ticket.method === 'recovery';
  await redraw(ctx, runtime, counted, step, isRecovery ? refusedRecoverySentence : refusedCodeSentence, code);
}

export const recoveryCodes: StepHandler = async (ctx, runtime, ticket) => {
  const result = await finishEnrolment(ctx.state.work, halfOf(ctx, runtime, ticket), answerFor(ctx, runtime, ticket));
  await finish(ctx, runtime, ticket, result);
};

async function finish(ctx: Context, runtime: Runtime, ticket: Ticket, result: CodeResult): Promise<void> {
  switch (result.outcome) {
    case 'refused':
      return wrongCode(ctx, runtime, ticket, 'code', result.code);
    case 'start-again':
      return go(ctx, runtime, ticket, { type: 'start-again' });
    case 'logged-out':
      return tellLoggedOut(ctx, runtime, ticket);
    case 'signed-in': {
      // Only now: the upstream alone did not let them in (C25), so it alone confirms no trial either (C26).
      const { upstream = null, attempt = null } = ticket.half ?? {};
      const { companyId, userId } = result;
      if (upstream !== null) await cameInThrough(ctx.state.work, { companyId, id: upstream }, userId);
      // Our own factor, given now; one that was just set up proves nothing.
      if (upstream !== null && ticket.step === 'code') rememberFreshLogin(ctx, runtime, userId);
      if (upstream !== null && attempt !== null)
        await completeAttempt(ctx.state.work, { companyId, id: upstream }, attempt);
      return leave(ctx, runtime, ticket);
    }
    default:
      result satisfies never;
  }
}

/** The upstream has logged the person out since it was believed: nothing of that counts, and they may begin anew at once. */
async function tellLoggedOut(ctx: Context, runtime: Runtime, ticket: Ticket): Promise<void> {
  const { userId, upstream, arrival } = halfOf(ctx, runtime, ticket);
  const connection = await findConnection(ctx.state.work.store.db, upstream ?? '');
  keep(ctx, runtime, nextTicket(ticket, { type: 'start-again' }));
  await drawLoggedOut(ctx, runtime, { connection, arrival: arrival ?? '', userId, again: ticketPath(ticket.uid) });
}

/** The engine goes on with what was asked for. */
export function leave(ctx: Context, runtime: Runtime, ticket: Ticket): void {
  setSealedCookie(ctx, runtime, 'ticket', null, { path: ticketPath(ticket.uid) });
  // Only the company is remembered: it is no secret, and a shared computer does not tell who was here.
  if (!ticket.isCompanyFixed)
    setSealedCookie(ctx, runtime, 'company', { name: ticket.company, isFixed: false }, { maxAge: days(180) });
  ctx.status = 303;
  ctx.redirect(resumePath(ticket.uid));
}

export const restart: StepHandler = async (ctx, runtime, ticket) => {
  keep(ctx, runtime, restarted(ticket));
  ctx.status = 303;
  ctx.redirect(ticketPath(ticket.uid));
};

/** Out of a Company Login URL (B.1): it holds for half an hour, and may have been the wrong one. */
export const otherCompany: StepHandler = async (ctx, runtime, ticket) => {
  if (ticket.mayUseOtherCompany) {
    setSealedCookie(ctx, runtime, 'company', null);
    keep(ctx, runtime, withOtherCompany(ticket));
  }
  ctx.status = 303;
  ctx.redirect(ticketPath(ticket.uid));
};

/** As for signing in, one statement answers the waiting request; the ticket has shown that it is this browser's. */
async function resume(ctx: Context, runtime: Runtime, ticket: Ticket, result: object): Promise<void> {
  const proof = giveProof(ctx, runtime, ticket);
  await ctx.state.work.store.records.answer(recordId('Interaction', ticket.uid), { ...result, proof });
  ctx.status = 303;
  ctx.redirect(resumePath(ticket.uid));
}

/** OAU-24: consent is a post, never a visit. */
export const consent: StepHandler = (ctx, runtime, ticket) => resume(ctx, runtime, ticket, { consent: {} });

export const refuseConsent: StepHandler = (ctx, runtime, ticket) =>
  resume(ctx, runtime, ticket, { error: 'access_denied', error_description: 'the person refused' });

/** RFC 6749 section 4.1.2.1: the module hears that nothing came of it. */
export const backRefused: StepHandler = (ctx, runtime, ticket) =>
  resume(ctx, runtime, ticket, { error: 'access_denied', error_description: 'this person may not do that' });
