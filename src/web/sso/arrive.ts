// A login that the upstream began. Nobody here asked for it, so no browser is bound to it: whoever can get hold of an answer of their own
// could send it to somebody else, who would go on in a stranger's account (login CSRF, WEB-06). So the browser's person says that they
// come from there themselves, unless they are signed in as that very person already. That costs a click where nobody is signed in, too:
// what is typed into a stranger's account is lost all the same.
import { z } from 'zod';
import type { ArrivalDecision } from '../../domain/federation/arrival.ts';
import { explainArrival } from '../../domain/federation/arrival-queries.ts';
import { findConnection, type StoredConnection } from '../../domain/federation/connection-repository.ts';
import { problemSentences } from '../../domain/federation/problem.ts';
import { peekResult, type SsoResult } from '../../domain/federation/request-commands.ts';
import { fullName } from '../../domain/users/user.ts';
import { minutes } from '../../lib/time.ts';
import type { Runtime } from '../../runtime.ts';
import type { Work } from '../../work.ts';
import { type Context, getSealedCookie, setSealedCookie } from '../context.ts';
import { findPerson, getUser, type Person } from '../home/person.ts';
import type { Ticket } from '../interaction/ticket.ts';
import { showPage } from '../page.ts';
import { startSignIn } from '../public/sign-in-routes.ts';
import type { Route } from '../routes.ts';
import { drawLoggedOut, drawProblem } from './problem-page.ts';

type Arrived = Extract<SsoResult, { outcome: 'arrived' }>;

const cookie = 'sso_arrival';

const keptSchema = z.object({
  ticket: z.string(),
  /** Who may come of it: the person signed in here, or nobody; null: whoever it is, the person at the browser has agreed. */
  only: z.string().nullable(),
});

export type Kept = z.infer<typeof keptSchema>;

const nobody = 'nobody';

/** It becomes a sign-in of ours to the home page, which then finds the ticket in the cookie. */
function goOn(ctx: Context, runtime: Runtime, kept: Kept): void {
  setSealedCookie(ctx, runtime, cookie, kept, { maxAge: minutes(5) });
  // Whoever is signed in here now: the upstream has said anew who it is.
  startSignIn(ctx, runtime, '/', { prompt: 'login' });
}

/** The ticket of a login that the upstream began and that this very sign-in is to finish, once. */
export function takeArrival(
  ctx: Context,
  runtime: Runtime,
  { clientId, prompt }: Ticket,
  homeClient: string,
): Kept | null {
  if (clientId !== homeClient || prompt !== 'login') return null;
  const kept = keptSchema.safeParse(getSealedCookie(ctx, runtime, cookie));
  if (!kept.success) return null;
  setSealedCookie(ctx, runtime, cookie, null);
  return kept.data;
}

const ticketOf = (value: unknown): string => (typeof value === 'string' ? value.slice(0, 200) : '');

async function arrive(ctx: Context, runtime: Runtime): Promise<void> {
  const { work } = ctx.state;
  const ticket = ticketOf(ctx.query.ticket);
  const waiting = await peekResult(work, ticket);
  const connection = waiting && (await findConnection(work.store.db, waiting.connectionId));
  if (!connection || waiting.result.outcome !== 'arrived')
    return drawProblem(ctx, runtime, { sentence: problemSentences['other-browser'], code: null, again: '/login' });
  if (waiting.isLoggedOut)
    return drawLoggedOut(ctx, runtime, { connection, arrival: waiting.id, userId: null, again: '/login' });
  const { claims, issuer } = waiting.result;
  const decision = await explainArrival(work, connection, claims, { issuer });
  const person = await findPerson(ctx, runtime);
  const becomes = decision.outcome === 'create' || decision.outcome === 'accept';
  // A refusal takes nobody's place; should it be none any more in a moment, it still signs nobody in.
  if (!becomes) return goOn(ctx, runtime, { ticket, only: nobody });
  if (person && decision.userId === person.userId) return goOn(ctx, runtime, { ticket, only: person.userId });
  await ask(ctx, runtime, { ticket, person, connection, who: await whoOf(work, connection, waiting.result, decision) });
}

interface Who {
  name: string;
  username: string;
  company: string;
}

async function whoOf(
  work: Work,
  { companyId }: StoredConnection,
  { claims }: Arrived,
  { userId }: ArrivalDecision,
): Promise<Who> {
  const [company, user] = await Promise.all([
    work.store.companies.findById(companyId),
    userId === null ? null : work.store.of(companyId).users.findById(userId),
  ]);
  const said = {
    firstName: claims.firstName ?? '',
    lastName: claims.lastName ?? '',
    username: claims.username ?? claims.email ?? claims.subject,
  };
  const { username } = user ?? said;
  return { name: fullName(user ?? said) || username, username, company: company?.name ?? '' };
}

async function ask(
  ctx: Context,
  runtime: Runtime,
  of: { ticket: string; person: Person | null; connection: StoredConnection; who: Who },
): Promise<void> {
  const { ticket, person, connection, who } = of;
  const present = person && (await getUser(person));
  await showPage(
    ctx,
    runtime,
    'interaction/sso-arrive',
    `Go on as ${who.name}?`,
    {
      who,
      upstream: connection.name,
      present: person && present && { name: fullName(present) || present.username, company: person.account.company },
      action: path,
      ticket,
      leave: person ? '/' : '/login',
    },
    present?.theme,
  );
}

async function agree(ctx: Context, runtime: Runtime): Promise<void> {
  goOn(ctx, runtime, { ticket: ticketOf(ctx.state.form.ticket), only: null });
}

const path = '/sso/arrive';

export const arrivalRoutes: Route[] = [
  { method: 'get', path, handle: arrive },
  { method: 'post', path, handle: agree },
];
