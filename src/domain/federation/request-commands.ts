// One way to an upstream and back (B.5): our request, the answer that is taken once, and the result that the browser fetches once.
import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { addressKey } from '../../lib/addresses.ts';
import { type CompanyId, newId, type UserId } from '../../lib/ids.ts';
import { randomToken, sameSecret, tokenHash } from '../../lib/secrets.ts';
import { after, days, hours, minutes } from '../../lib/time.ts';
import { transaction, type Work } from '../../work.ts';
import { newSupportCode } from '../audit/audit-event.ts';
import type { UpstreamClaims } from './claims.ts';
import type { Connection, ConnectionId } from './connection.ts';
import { type SsoProblem, ssoProblems } from './problem.ts';
import type { SsoRequest } from './request-repository.ts';

/** From our request to the answer; logging in at the upstream may take a new password and a second factor. */
export const requestLife = minutes(15);
/** From the answer to the browser that fetches it. */
const resultLife = minutes(5);
/** From there to the session: our own second factor may have to be set up first (interaction/ticket.ts). */
const signInLife = hours(1);

const statePurpose = 'sso-state';
const resultPurpose = 'sso-result';

/** An id that goes to the upstream and comes back: SAML wants an XML name, so no digit stands first. */
export const newRequestId = () => `_${randomBytes(20).toString('hex')}`;

export interface Asking {
  purpose: SsoRequest['purpose'];
  /** The waiting sign-in. */
  interactionUid: string | null;
  /** Who tests a connection from the console. */
  startedBy: UserId | null;
}

export async function createRequest(
  work: Work,
  connection: Connection,
  requestId: string,
  asking: Asking,
  state: Record<string, string>,
): Promise<void> {
  await work.store.ssoRequests.insert({
    id: tokenHash(requestId),
    companyId: connection.companyId,
    connectionId: connection.id,
    ...asking,
    sealedState: work.keyring.seal(statePurpose, JSON.stringify(state)),
    createdAt: work.now,
    expiresAt: after(work.now, requestLife),
    usedAt: null,
    answeredAt: null,
    isLoggedOut: false,
  });
}

const stateSchema = z.record(z.string(), z.string());

export const findRequest = (work: Work, requestId: string): Promise<SsoRequest | null> =>
  work.store.ssoRequests.find(tokenHash(requestId));

export function stateOf(work: Work, request: SsoRequest): Record<string, string> {
  return request.sealedState === null
    ? {}
    : stateSchema.parse(JSON.parse(work.keyring.open(statePurpose, request.sealedState)));
}

/** What the browser fetches: claims of somebody, or what went wrong. */
const claimsSchema: z.ZodType<UpstreamClaims, UpstreamClaims> = z.object({
  subject: z.string(),
  email: z.string().nullable(),
  isEmailFromSubject: z.boolean().optional(),
  username: z.string().nullable(),
  firstName: z.string().nullable(),
  lastName: z.string().nullable(),
  groups: z.discriminatedUnion('state', [
    z.object({ state: z.literal('list'), values: z.array(z.string()) }),
    z.object({ state: z.literal('missing') }),
    z.object({ state: z.literal('overage') }),
  ]),
  other: z.record(z.string(), z.array(z.string())),
});

const resultSchema = z.discriminatedUnion('outcome', [
  z.object({
    outcome: z.literal('arrived'),
    secretHash: z.string(),
    issuer: z.string(),
    claims: claimsSchema,
    /** When the person proved themselves there, in milliseconds since the epoch; null: it did not say. */
    authenticatedAt: z.number().nullable().default(null),
    /** The upstream's name of its session. */
    session: z.string().nullable().default(null),
    /** What it said instead of a fresh login, where one was asked for. */
    stale: z.record(z.string(), z.unknown()).nullable().default(null),
    /** What single logout at the upstream needs (front-channel). */
    logout: z.record(z.string(), z.string()).nullable(),
  }),
  z.object({
    outcome: z.literal('problem'),
    secretHash: z.string(),
    problem: z.enum(ssoProblems),
    code: z.string(),
    details: z.record(z.string(), z.unknown()),
  }),
]);

export type SsoResult = z.infer<typeof resultSchema>;
type Unsealed =
  z.input<typeof resultSchema> extends infer R
    ? R extends { secretHash: string }
      ? Omit<R, 'secretHash'>
      : never
    : never;

/** A row for an answer that nobody asked for here: the upstream began. */
export function unasked(work: Work, connection: Connection): SsoRequest {
  return {
    id: tokenHash(newRequestId()),
    companyId: connection.companyId,
    connectionId: connection.id,
    interactionUid: null,
    purpose: 'sign-in',
    startedBy: null,
    sealedState: null,
    createdAt: work.now,
    expiresAt: after(work.now, resultLife),
    usedAt: null,
    answeredAt: null,
    isLoggedOut: false,
  };
}

/** By which the upstream's logout finds who arrived. */
export const subjectHash = (issuer: string, subject: string): string => tokenHash(JSON.stringify([issuer, subject]));

const namesOf = (issuer: string, { subject }: UpstreamClaims, session: string | null) => ({
  subjectHash: subjectHash(issuer, subject),
  sessionHash: session === null ? null : tokenHash(session),
});

/** Takes an answer. @returns the ticket that fetches the result, or null: it was taken before, or the request has run out. */
export async function takeAnswer(
  work: Work,
  request: SsoRequest,
  assertion: { id: string; expiresAt: Date } | null,
  result: Unsealed,
): Promise<string | null> {
  const secret = randomToken();
  const sealed = work.keyring.seal(resultPurpose, JSON.stringify({ ...result, secretHash: tokenHash(secret) }));
  const outcome = await work.store.ssoRequests.take({
    request,
    assertion: assertion ? { hash: tokenHash(assertion.id), expiresAt: assertion.expiresAt } : null,
    sealedResult: sealed,
    arrived: result.outcome === 'arrived' ? namesOf(result.issuer, result.claims, result.session ?? null) : null,
    now: work.now,
  });
  return outcome === 'taken' ? `${request.id}.${secret}` : null;
}

function openResult(work: Work, sealed: string, secret: string): SsoResult | null {
  const result = resultSchema.parse(JSON.parse(work.keyring.open(resultPurpose, sealed)));
  return sameSecret(result.secretHash, tokenHash(secret)) ? result : null;
}

function parts(ticket: string): { id: string; secret: string } | null {
  const found = /^([\w-]{43})\.([\w-]{43})$/.exec(ticket);
  return found ? { id: found[1] ?? '', secret: found[2] ?? '' } : null;
}

export interface Fetched {
  /** Of the answer that was believed. */
  id: string;
  /** The upstream has logged the person out since. */
  isLoggedOut: boolean;
  companyId: CompanyId;
  connectionId: ConnectionId;
  result: SsoResult;
}

/** Once. @param interactionUid of the browser's own waiting sign-in; null for what the upstream began. */
export async function fetchResult(work: Work, ticket: string, interactionUid: string | null): Promise<Fetched | null> {
  const named = parts(ticket);
  if (!named) return null;
  const row = await transaction(work, async ({ store: { ssoRequests }, now }) => {
    await ssoRequests.awaitLogouts(named.id);
    return ssoRequests.fetch(named.id, interactionUid, now, after(now, signInLife));
  });
  const result = row && openResult(work, row.result, named.secret);
  return row && result && row.purpose === 'sign-in' ? fetchedOf(row, result) : null;
}

/** What the upstream began, before anybody fetches it: who it would be. */
export async function peekResult(work: Work, ticket: string): Promise<Fetched | null> {
  const named = parts(ticket);
  const row = named && (await work.store.ssoRequests.findResult(named.id, 'sign-in', work.now));
  if (!named || !row || row.interactionUid !== null) return null;
  const result = openResult(work, row.result, named.secret);
  return result && fetchedOf(row, result);
}

const fetchedOf = ({ id, isLoggedOut, companyId, connectionId }: SsoRequest, result: SsoResult): Fetched => ({
  id,
  isLoggedOut,
  companyId,
  connectionId,
  result,
});

export type TestResult =
  | { outcome: 'arrived'; issuer: string; claims: UpstreamClaims }
  | { outcome: 'problem'; problem: SsoProblem; code: string; details: Record<string, unknown> };

/** What the test of a connection brought, for the administrator who began it. */
export async function fetchTestResult(
  work: Work,
  of: { companyId: CompanyId; connectionId: ConnectionId; startedBy: UserId },
  ticket: string,
): Promise<TestResult | null> {
  const named = parts(ticket);
  const row = named && (await work.store.ssoRequests.findResult(named.id, 'test', work.now));
  if (!named || !row) return null;
  if (row.companyId !== of.companyId || row.connectionId !== of.connectionId || row.startedBy !== of.startedBy)
    return null;
  return openResult(work, row.result, named.secret);
}

/** In the log: the upstream ended sessions here. */
export const loggedOut = 'logged-out';

export const signedIn = 'signed-in';

/** Let in, but for our own second factor, which comes next (C25). */
export const halfWay = 'second-factor';

/** Outcomes that are no refusal, and so have no code. */
const good = [signedIn, halfWay, loggedOut];

export interface Noted {
  id?: string;
  outcome: string;
  userId?: UserId | null;
  details: Record<string, unknown>;
  code?: string | null;
  /** Anybody could have sent it: one line for all of one outcome from one network address. */
  isUnproven?: boolean;
  /** What tells it apart all the same, such as the request of ours that it answers: a line and a code of its own. */
  about?: string | null;
}

/** What a test is told by in the log. */
export const testMark = { of: 'test' };

/** Of a request that was written, not of an answer that nobody asked for (`unasked`). */
export const isOurs = ({ sealedState }: Pick<SsoRequest, 'sealedState'>): boolean => sealedState !== null;

/**
 * What the upstream has signed and is refused all the same stays readable for whoever has it, and so can be sent again and again: it is
 * its word once. In one statement, so also in parallel and at another node.
 */
export const isFirstWord = (work: Work, { id }: Pick<Connection, 'id'>, proof: string): Promise<boolean> =>
  work.store.ssoRequests.takeMessage(id, tokenHash(`refused ${proof}`), after(work.now, days(1)));

/** The network address, which the repository counts by, stands first. */
const sourceOf = (work: Work, about: string | null): string =>
  [addressKey(work.origin.ip), ...(about === null ? [] : [tokenHash(about)])].join(' ');

/** A line in the log of the connection. @returns the code that the page shows */
export async function noteAttempt(
  work: Work,
  connection: Pick<Connection, 'id' | 'companyId'>,
  { id = newId(), outcome, userId = null, details, code = null, isUnproven = false, about = null }: Noted,
): Promise<string> {
  const fresh = code ?? newSupportCode();
  const kept = await work.store.ssoRequests.noteAttempt({
    id,
    companyId: connection.companyId,
    connectionId: connection.id,
    at: work.now,
    outcome,
    code: good.includes(outcome) ? null : fresh,
    userId,
    details: { ...details, ip: work.origin.ip },
    source: isUnproven ? sourceOf(work, about) : null,
  });
  return kept ?? fresh;
}

/** Our own second factor was passed, too. */
export const completeAttempt = (
  work: Work,
  { companyId, id }: Pick<Connection, 'companyId' | 'id'>,
  attempt: string,
): Promise<void> =>
  work.store.ssoRequests.completeAttempt({ companyId, connectionId: id, id: attempt }, [halfWay, signedIn]);
