// The browser that asked fetches the result, and the sign-in goes on: who that is here is decided, and the waiting request answered.
import type { Arrival } from '../../domain/federation/arrival.ts';
import { acceptArrival } from '../../domain/federation/arrival-commands.ts';
import { findConnection, type StoredConnection } from '../../domain/federation/connection-repository.ts';
import { cameInThrough } from '../../domain/federation/enforce-commands.ts';
import { problemSentences, type SsoProblem } from '../../domain/federation/problem.ts';
import {
  fetchResult,
  halfWay,
  noteAttempt,
  type SsoResult,
  signedIn,
} from '../../domain/federation/request-commands.ts';
import { finishUpstream } from '../../domain/users/sign-in-commands.ts';
import { newId, type UserId } from '../../lib/ids.ts';
import { tokenHash } from '../../lib/secrets.ts';
import type { Runtime } from '../../runtime.ts';
import type { Work } from '../../work.ts';
import { type Context, setSealedCookie } from '../context.ts';
import { ticketPath } from '../interaction/begin.ts';
import { answerFor, go, leave, secretFor } from '../interaction/handlers.ts';
import type { Ticket } from '../interaction/ticket.ts';
import { browserToken } from '../page.ts';
import { forgetFreshLogin, rememberFreshLogin } from './fresh-login.ts';
import { drawLoggedOut, drawProblem } from './problem-page.ts';

type Arrived = Extract<SsoResult, { outcome: 'arrived' }> & {
  /** The row of the answer. */
  arrival: string;
  only: Result['only'];
  /** Somebody here asked for it; else the upstream began, with whatever session stood there. */
  isAsked: boolean;
};

interface Result {
  ticket: string;
  /** The waiting sign-in that asked; null: the upstream began. */
  uid: string | null;
  /** Who alone may come of it (arrive.ts); null: whoever it is. */
  only: string | null;
}

export async function finishSso(ctx: Context, runtime: Runtime, ticket: Ticket, of: Result): Promise<void> {
  const { work } = ctx.state;
  const again = ticketPath(ticket.uid);
  const fetched = await fetchResult(work, of.ticket, of.uid);
  if (fetched?.result.outcome !== 'arrived')
    return drawProblem(ctx, runtime, { sentence: problemSentences['other-browser'], code: null, again });
  const connection = await findConnection(work.store.db, fetched.connectionId);
  if (!connection) return drawProblem(ctx, runtime, { sentence: problemSentences['not-enabled'], code: null, again });
  if (fetched.isLoggedOut) return drawLoggedOut(ctx, runtime, { connection, arrival: fetched.id, userId: null, again });
  const result = { ...fetched.result, arrival: fetched.id, only: of.only, isAsked: of.uid !== null };
  await letIn(ctx, runtime, ticket, connection, result);
}

async function letIn(
  ctx: Context,
  runtime: Runtime,
  ticket: Ticket,
  connection: StoredConnection,
  result: Arrived,
): Promise<void> {
  const { work } = ctx.state;
  const again = ticketPath(ticket.uid);
  const arrival = await acceptArrival(work, connection, result.claims, { issuer: result.issuer });
  const { userId } = arrival;
  const details = { claims: redacted(result.claims), trace: arrival.trace, ...result.stale };
  if (arrival.outcome === 'refused' || !userId) {
    const { because, code } = arrival;
    await noteAttempt(work, connection, { outcome: `refused: ${because ?? 'nobody'}`, userId, details, code });
    return drawProblem(ctx, runtime, {
      sentence: arrival.sentence ?? problemSentences['upstream-error'],
      code: arrival.code,
      again,
    });
  }
  const note = (outcome: string, id?: string) =>
    noteAttempt(work, connection, { outcome, userId, details, ...(id ? { id } : {}) });
  const refuse = async (problem: SsoProblem, start = again) => {
    const code = await note(problem);
    await drawProblem(ctx, runtime, { sentence: problemSentences[problem], code, again: start });
  };
  if (result.only !== null && result.only !== userId) return refuse('other-browser');
  await enter(ctx, runtime, ticket, { connection, result, userId, arrival, note, refuse });
}

interface Accepted {
  connection: StoredConnection;
  result: Arrived;
  userId: UserId;
  arrival: Pick<Arrival, 'asksSecondFactor'>;
  /** Writes to the log of the connection. */
  note: (outcome: string, id?: string) => Promise<string>;
  refuse: (problem: SsoProblem, start?: string) => Promise<void>;
}

async function enter(ctx: Context, runtime: Runtime, ticket: Ticket, accepted: Accepted): Promise<void> {
  const { connection, result, userId, arrival, note, refuse } = accepted;
  const { work } = ctx.state;
  const { role, ...who } = await personOf(work, connection, userId);
  // Whoever sets up an upstream can let it say anything: with a certificate of their own they would be the Root Admin, but for this.
  const isRoot = role === 'Root Admin';
  const asks = isRoot || arrival.asksSecondFactor || connection.asksSecondFactor || ticket.asksSecondFactor;
  // Our own factor, given now, is a login anew: Core 3.1.2.1 wants the person to be active, and does not say where. So an upstream that
  // lets its session stand holds up only who has none to give. Setting one up is no proof: nothing of it was known before.
  if (result.stale && !asks) return refuse('not-fresh');
  // A proof of before is of another login: its session may have ended, and this one come of what stood at the upstream.
  forgetFreshLogin(ctx, runtime);
  const upstream = connection.id;
  const { arrival: answer } = result;
  const proof = { userId, proved: '', enrolled: '', upstream, arrival: answer };
  const half = { ...who, browserToken: browserToken(ctx, runtime), ...proof };
  const upstreamSession = result.session === null ? null : tokenHash(result.session);
  const at = work.now.getTime();
  const provedThere = provedAt(ticket, result, work.now);
  const named: Ticket = {
    ...ticket,
    ...who,
    half: { ...proof, at, upstreamSession, attempt: null, authenticatedAt: provedThere },
  };
  const done = await finishUpstream(work, half, asks, answerFor(ctx, runtime, named));
  switch (done.outcome) {
    case 'signed-in':
      await note(signedIn);
      await cameInThrough(work, connection, done.userId);
      // Where our own factor is asked for as well, the upstream alone proves nothing: then its code does (handlers.ts).
      if (result.isAsked && ticket.isAnew && !result.stale) rememberFreshLogin(ctx, runtime, done.userId);
      rememberUpstream(ctx, runtime, connection, result, done.userId);
      return leave(ctx, runtime, named);
    case 'second-factor': {
      if (result.stale && done.step !== 'code') return refuse('not-fresh');
      const attempt = newId();
      await note(halfWay, attempt);
      rememberUpstream(ctx, runtime, connection, result, userId);
      const { step, reason, mayRecover } = done;
      const secret = secretFor(step);
      // A code of ours is given now, and proves as much; one that is just being set up proves nothing.
      const authenticatedAt = step === 'code' ? null : provedThere;
      const believed = {
        userId,
        ...who,
        connection: upstream,
        arrival: answer,
        attempt,
        session: upstreamSession,
        authenticatedAt,
        at,
      };
      return go(ctx, runtime, ticket, { type: 'upstream-believed', ...believed, step, reason, mayRecover, secret });
    }
    case 'logged-out':
      return drawLoggedOut(ctx, runtime, { connection, arrival: answer, userId, again: ticketPath(ticket.uid) });
    case 'start-again':
      return refuse('too-old-request', '/login');
  }
}

/** What is known of no moment is as good as long ago: `max_age` then asks anew. */
const longAgo = 1000;

/** When the person proved themselves to the upstream, by our clock; null: now, since that was asked of it, and it said so. */
function provedAt({ isAnew }: Ticket, { isAsked, stale, authenticatedAt }: Arrived, now: Date): number | null {
  if (isAsked && isAnew && !stale) return null;
  return authenticatedAt === null ? longAgo : Math.min(authenticatedAt, now.getTime());
}

async function personOf(work: Work, { companyId }: StoredConnection, userId: UserId) {
  const [company, user] = await Promise.all([
    work.store.companies.findById(companyId),
    work.store.of(companyId).users.findById(userId),
  ]);
  if (!company || !user) throw new Error('a person that has just been accepted is gone');
  return { company: company.name, username: user.username, role: user.role };
}

/** What single logout needs later; the browser keeps it, sealed, since it is this browser's session at the upstream. */
function rememberUpstream(
  ctx: Context,
  runtime: Runtime,
  connection: StoredConnection,
  { logout }: Arrived,
  userId: string,
): void {
  setSealedCookie(ctx, runtime, 'sso_session', logout ? { connectionId: connection.id, userId, logout } : null);
}

/** For the log of the connection: what was said, cut to what an administrator has to see. */
function redacted({ groups, other, ...claims }: Arrived['claims']) {
  return {
    ...claims,
    groups:
      groups.state === 'list'
        ? { ...groups, values: groups.values.slice(0, 100), count: groups.values.length }
        : groups,
    other: Object.entries(other)
      .slice(0, 50)
      .map(([name, values]) => ({
        name: name.slice(0, 200),
        values: values.slice(0, 10).map((value) => value.slice(0, 100)),
      })),
  };
}
