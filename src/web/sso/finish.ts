// The browser that asked fetches the result, and the sign-in goes on: who that is here is decided, and the waiting request answered.
import { acceptArrival } from '../../domain/federation/arrival-commands.ts';
import { findConnection, type StoredConnection } from '../../domain/federation/connection-repository.ts';
import { cameInThrough } from '../../domain/federation/enforce-commands.ts';
import { problemSentences, type SsoProblem } from '../../domain/federation/problem.ts';
import { type Fetched, fetchResult, noteAttempt, type SsoResult } from '../../domain/federation/request-commands.ts';
import { finishUpstream } from '../../domain/users/sign-in-commands.ts';
import { tokenHash } from '../../lib/secrets.ts';
import type { Runtime } from '../../runtime.ts';
import type { Work } from '../../work.ts';
import { type Context, setSealedCookie } from '../context.ts';
import { ticketPath } from '../interaction/begin.ts';
import { answerFor, go, leave, secretFor } from '../interaction/handlers.ts';
import type { Ticket } from '../interaction/ticket.ts';
import { browserToken } from '../page.ts';
import { drawProblem } from './problem-page.ts';

type Arrived = Extract<SsoResult, { outcome: 'arrived' }>;

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
  await letIn(ctx, runtime, ticket, connection, { ...fetched.result, only: of.only });
}

async function letIn(
  ctx: Context,
  runtime: Runtime,
  ticket: Ticket,
  connection: StoredConnection,
  result: Arrived & Pick<Result, 'only'>,
): Promise<void> {
  const { work } = ctx.state;
  const again = ticketPath(ticket.uid);
  const arrival = await acceptArrival(work, connection, result.claims, { issuer: result.issuer });
  const { userId } = arrival;
  const details = { claims: redacted(result.claims), trace: arrival.trace };
  if (arrival.outcome === 'refused' || !userId) {
    const { because, code } = arrival;
    await noteAttempt(work, connection, { outcome: `refused: ${because ?? 'nobody'}`, userId, details, code });
    return drawProblem(ctx, runtime, {
      sentence: arrival.sentence ?? problemSentences['upstream-error'],
      code: arrival.code,
      again,
    });
  }
  const refuse = async (problem: SsoProblem, start = again) => {
    const code = await noteAttempt(work, connection, { outcome: problem, userId, details });
    await drawProblem(ctx, runtime, { sentence: problemSentences[problem], code, again: start });
  };
  if (result.only !== null && result.only !== userId) return refuse('other-browser');
  await noteAttempt(work, connection, { outcome: 'signed-in', userId, details });
  const { role, ...who } = await personOf(work, connection, userId);
  const half = {
    ...who,
    browserToken: browserToken(ctx, runtime),
    userId,
    proved: '',
    enrolled: '',
    upstream: connection.id,
  };
  // Whoever sets up an upstream can let it say anything: with a certificate of their own they would be the Root Admin, but for this.
  const isRoot = role === 'Root Admin';
  const asks = isRoot || arrival.asksSecondFactor || connection.asksSecondFactor || ticket.asksSecondFactor;
  const session = result.session === null ? null : tokenHash(result.session);
  const named: Ticket = { ...ticket, ...who, half: { ...half, at: work.now.getTime(), upstreamSession: session } };
  const done = await finishUpstream(work, half, asks, answerFor(ctx, runtime, named));
  switch (done.outcome) {
    case 'signed-in':
      await cameInThrough(work, connection, done.userId);
      rememberUpstream(ctx, runtime, connection, result, done.userId);
      return leave(ctx, runtime, named);
    case 'second-factor':
      rememberUpstream(ctx, runtime, connection, result, userId);
      return go(ctx, runtime, ticket, {
        type: 'upstream-believed',
        userId,
        ...who,
        connection: connection.id,
        session,
        at: work.now.getTime(),
        step: done.step,
        reason: done.reason,
        mayRecover: done.mayRecover,
        secret: secretFor(done.step),
      });
    case 'start-again':
      return refuse('too-old-request', '/login');
  }
}

async function personOf(
  work: Work,
  { companyId }: StoredConnection,
  userId: NonNullable<Awaited<ReturnType<typeof acceptArrival>>['userId']>,
) {
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
function redacted({
  groups,
  other,
  ...claims
}: Fetched['result'] extends infer R ? (R extends Arrived ? R['claims'] : never) : never) {
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
