// What comes back from an upstream. It comes with another site's form, so without our cookies: it is judged, taken once, and kept for the
// browser that asked, which fetches it with its own cookies (finish.ts). Nobody is signed in here.
import { newSupportCode } from '../../domain/audit/audit-event.ts';
import { findConnection, type StoredConnection } from '../../domain/federation/connection-repository.ts';
import type { SsoProblem } from '../../domain/federation/problem.ts';
import {
  findRequest,
  isFirstWord,
  isOurs,
  noteAttempt,
  stateOf,
  takeAnswer,
  testMark,
  unasked,
} from '../../domain/federation/request-commands.ts';
import type { SsoRequest } from '../../domain/federation/request-repository.ts';
import { findByIssuer } from '../../domain/federation/routing-queries.ts';
import type { Runtime } from '../../runtime.ts';
import type { Work } from '../../work.ts';
import type { Context } from '../context.ts';
import { seeOther } from '../routes.ts';
import { decodeMessage, readForeignForm } from './body.ts';
import { type Answer, type Asked, type Finished, problem } from './connector.ts';
import { connectorOf } from './connectors.ts';
import { showProblem } from './problem-page.ts';
import { type Peek, peek, samlOf } from './saml-connector.ts';
import { XmlProblem } from './xml.ts';

export async function samlCallback(ctx: Context, runtime: Runtime): Promise<void> {
  const form = await readForeignForm(ctx);
  const xml = decodeMessage(form.get('SAMLResponse'));
  const seen = xml === null ? null : glance(xml);
  if (xml === null || seen === null) return showProblem(ctx, runtime, 'malformed', null);
  const { work } = ctx.state;
  const answer: Answer = { kind: 'saml', xml };
  // A response that names a request belongs to that one and no other.
  if (seen.inResponseTo !== null) {
    const relayState = form.get('RelayState') ?? '';
    if (relayState !== '' && relayState !== seen.inResponseTo) return showProblem(ctx, runtime, 'not-asked', null);
    return answerRequest(ctx, runtime, seen.inResponseTo, answer);
  }
  const candidates = await candidatesFor(work, seen);
  if (candidates.length === 0) return showProblem(ctx, runtime, await whyNobody(work, seen), null);
  return answerUnasked(ctx, runtime, candidates, answer);
}

export async function oidcCallback(ctx: Context, runtime: Runtime): Promise<void> {
  const url = new URL(ctx.originalUrl, runtime.config.publicUrl);
  const state = url.searchParams.getAll('state');
  if (state.length !== 1 || !state[0]) return showProblem(ctx, runtime, 'not-asked', null);
  return answerRequest(ctx, runtime, state[0], { kind: 'oidc', url });
}

function glance(xml: string): Peek | null {
  try {
    return peek(xml);
  } catch (error) {
    if (error instanceof XmlProblem) return null;
    throw error;
  }
}

async function answerRequest(ctx: Context, runtime: Runtime, requestId: string, answer: Answer): Promise<void> {
  const { work } = ctx.state;
  const request = await findRequest(work, requestId);
  const connection = request && (await findConnection(work.store.db, request.connectionId));
  if (!request || !connection || connection.settings.kind !== answer.kind)
    return showProblem(ctx, runtime, 'not-asked', null);
  const refused = standsAgainst(work, request, connection);
  if (refused) return tell(ctx, runtime, connection, request, problem(refused));
  const asked: Asked = { requestId, at: request.createdAt, state: stateOf(work, request) };
  const finished = await connectorOf(connection).finish(work, runtime, connection, answer, asked);
  await tell(ctx, runtime, connection, request, finished);
}

function standsAgainst(work: Work, request: SsoRequest, connection: StoredConnection): SsoProblem | null {
  if (request.usedAt !== null) return 'replayed';
  if (request.expiresAt <= work.now) return 'too-old-request';
  return connection.enabled || request.purpose === 'test' ? null : 'not-enabled';
}

/** The upstream began: the connections of this issuer, narrowed by the company that the answer names (B.5). */
async function candidatesFor(work: Work, { issuer, companyIdentifiers }: Peek): Promise<StoredConnection[]> {
  if (issuer === null || companyIdentifiers.length > 1) return [];
  const found = await findByIssuer(work, issuer, companyIdentifiers[0] ?? null);
  return found.filter((connection) => samlOf(connection).allowIdpInitiated);
}

async function whyNobody(work: Work, { issuer }: Peek): Promise<SsoProblem> {
  if (issuer === null) return 'malformed';
  const known = await findByIssuer(work, issuer, null);
  if (known.length === 0) return 'unknown-company';
  return known.some((connection) => samlOf(connection).allowIdpInitiated) ? 'unknown-company' : 'not-asked';
}

/** An encrypted answer does not say whose it is: the few that may be meant are asked in turn, and each judges in full. */
async function answerUnasked(
  ctx: Context,
  runtime: Runtime,
  candidates: StoredConnection[],
  answer: Answer,
): Promise<void> {
  const { work } = ctx.state;
  let last: { connection: StoredConnection; finished: Finished } | null = null;
  for (const connection of candidates) {
    const finished = await connectorOf(connection).finish(work, runtime, connection, answer, null);
    last = { connection, finished };
    if (finished.outcome === 'arrived') break;
  }
  if (last) await tell(ctx, runtime, last.connection, unasked(work, last.connection), last.finished);
}

/** Takes the answer and sends the browser to where it can prove to be the one that asked. */
async function tell(
  ctx: Context,
  runtime: Runtime,
  connection: StoredConnection,
  request: SsoRequest,
  finished: Finished,
): Promise<void> {
  const { work } = ctx.state;
  if (finished.outcome === 'problem') {
    if (request.purpose === 'test') return tellTest(ctx, runtime, connection, request, finished);
    const { problem, details, proof } = finished;
    // Whoever has got hold of one, such as one for another service, could else push out of the log all that was said before.
    const isUnproven = proof === null || !(await isFirstWord(work, connection, proof));
    // Who comes by a login that was begun here is told their own code: what went wrong for others, or before, may be another matter.
    const about = isOurs(request) ? request.id : null;
    const code = await noteAttempt(work, connection, { outcome: problem, details, isUnproven, about });
    return showProblem(ctx, runtime, problem, code, request.interactionUid);
  }
  const { assertion, ...arrived } = finished;
  const ticket = await takeAnswer(work, request, assertion, arrived);
  if (ticket === null) {
    // Whoever has seen one answer can send it again and again.
    const about = isOurs(request) ? request.id : null;
    const again = { outcome: 'replayed', details: finished.details, isUnproven: true, about };
    const code = await noteAttempt(work, connection, again);
    return showProblem(ctx, runtime, 'replayed', code, request.interactionUid);
  }
  if (request.purpose === 'test') return seeOther(ctx, testAddress(connection, ticket));
  const query = new URLSearchParams({ ticket });
  seeOther(
    ctx,
    request.interactionUid ? `/interaction/${request.interactionUid}/sso/finish?${query}` : `/sso/arrive?${query}`,
  );
}

/** The first answer to an administrator's own request is no stranger's: nobody else knows its name. */
async function tellTest(
  ctx: Context,
  runtime: Runtime,
  connection: StoredConnection,
  request: SsoRequest,
  { problem, details }: Extract<Finished, { outcome: 'problem' }>,
): Promise<void> {
  const { work } = ctx.state;
  const code = newSupportCode();
  const ticket = await takeAnswer(work, request, null, { outcome: 'problem', problem, details, code });
  const noted = { outcome: problem, details: { ...details, ...testMark }, code };
  if (ticket === null) {
    const kept = await noteAttempt(work, connection, { ...noted, isUnproven: true, about: request.id });
    return showProblem(ctx, runtime, problem, kept);
  }
  await noteAttempt(work, connection, noted);
  seeOther(ctx, testAddress(connection, ticket));
}

export const testAddress = ({ id }: StoredConnection, ticket: string) =>
  `/admin/sso/${id}/test/result?${new URLSearchParams({ ticket })}`;
