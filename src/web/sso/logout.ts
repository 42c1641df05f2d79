// Single logout at the front: the upstream's browser messages, requests of its own and answers to ours. Its posts come from another
// site, so without our cookies: what needs those is done at an address of ours that the browser is sent to.
import type { StoredConnection } from '../../domain/federation/connection-repository.ts';
import { endUpstreamSessions } from '../../domain/federation/logout-commands.ts';
import type { SsoProblem } from '../../domain/federation/problem.ts';
import { noteAttempt } from '../../domain/federation/request-commands.ts';
import { findForLogout } from '../../domain/federation/routing-queries.ts';
import type { Runtime } from '../../runtime.ts';
import { type Context, setSealedCookie } from '../context.ts';
import { showPage } from '../page.ts';
import { seeOther } from '../routes.ts';
import { readForeignForm } from './body.ts';
import {
  fromForm,
  fromQuery,
  isConfirmed,
  issuerOf,
  judgeLogout,
  type LogoutMessage,
  logoutAnswer,
} from './saml-logout.ts';
import { Refused } from './saml-shape.ts';
import { XmlProblem } from './xml.ts';

/** HTTP-Redirect (bindings 3.4). */
export async function samlLogoutByQuery(ctx: Context, runtime: Runtime): Promise<void> {
  const { querystring } = ctx;
  const isRequest = /(^|&)SAMLRequest=/.test(querystring);
  await heard(ctx, runtime, isRequest, () => fromQuery(querystring, isRequest ? 'SAMLRequest' : 'SAMLResponse'));
}

/** HTTP-POST (bindings 3.5). */
export async function samlLogoutByForm(ctx: Context, runtime: Runtime): Promise<void> {
  const form = await readForeignForm(ctx);
  const isRequest = form.has('SAMLRequest');
  await heard(ctx, runtime, isRequest, () => fromForm(form, isRequest ? 'SAMLRequest' : 'SAMLResponse'));
}

async function heard(ctx: Context, runtime: Runtime, isRequest: boolean, read: () => LogoutMessage): Promise<void> {
  if (isRequest) return honour(ctx, runtime, read);
  const answer = tried(() => {
    const message = read();
    return { message, isConfirmed: isConfirmed(message) };
  });
  // Not verified: it can do no more than lead this browser to where it was going, and choose words.
  if (answer instanceof Error) return seeOther(ctx, '/signed-out');
  const query = new URLSearchParams({ state: answer.message.relayState ?? '' });
  if (!answer.isConfirmed) query.set('said', 'no');
  seeOther(ctx, `/sso/logged-out?${query}`);
}

type Refusal = Refused | XmlProblem;

function tried<T>(act: () => T): T | Refusal {
  try {
    return act();
  } catch (error) {
    if (error instanceof Refused || error instanceof XmlProblem) return error;
    throw error;
  }
}

/** The upstream logs the person out. It may serve several companies: each connection judges by its own certificates. */
async function honour(ctx: Context, runtime: Runtime, read: () => LogoutMessage): Promise<void> {
  const { work } = ctx.state;
  const found = tried(() => {
    const message = read();
    return { message, issuer: issuerOf(message) };
  });
  if (found instanceof Error || found.issuer === null) return refuse(ctx, null, found);
  const { message, issuer } = found;
  let refused: { connection: StoredConnection; error: Refusal } | null = null;
  const honoured: Honoured[] = [];
  for (const connection of await findForLogout(work, issuer)) {
    const outcome = await end(ctx, connection, message);
    if ('id' in outcome) honoured.push({ ...outcome, connection });
    else if (refused === null || isOfAnother(refused.error)) refused = { connection, error: outcome };
  }
  if (honoured.length === 0) return refuse(ctx, refused?.connection ?? null, refused?.error ?? null);
  // What this browser would have done there is done.
  setSealedCookie(ctx, runtime, 'sso_session', null);
  const answering = answeringOf(honoured);
  const answer = answering && (await logoutAnswer(work, answering.connection, answering.id, message.relayState));
  seeOther(ctx, answer ?? '/signed-out');
}

interface Honoured {
  /** Of the request. */
  id: string;
  /** Sessions. */
  ended: number;
  connection: StoredConnection;
}

/**
 * Issuer and certificates are no secrets: any company can write them into a connection of its own, with another address to answer to. So
 * it is the one whose sessions ended, or one of those that all answer to the same address.
 */
function answeringOf(honoured: Honoured[]): Honoured | null {
  const [first = null, ...others] = honoured.toSorted((a, b) => b.ended - a.ended);
  const isClear = first !== null && (first.ended > 0 || others.every((one) => sloUrlOf(one) === sloUrlOf(first)));
  return isClear ? first : null;
}

const sloUrlOf = ({ connection: { settings } }: Honoured): string | null =>
  settings.kind === 'saml' ? settings.sloUrl : null;

/** The signature does not fit this connection; it may fit the next one of the same issuer. */
const isOfAnother = (error: Refusal): boolean => error instanceof Refused && error.problem === 'signature';

/** @returns or why nothing ended */
async function end(
  { state: { work } }: Context,
  connection: StoredConnection,
  message: LogoutMessage,
): Promise<Omit<Honoured, 'connection'> | Refusal> {
  try {
    const { id, subject, sessions, expiresAt } = await judgeLogout(work, connection, message);
    const done = await endUpstreamSessions(work, connection, {
      // Checked against what the connection says.
      issuer: connection.settings.kind === 'saml' ? connection.settings.entityId : '',
      subject,
      sessions,
      message: { id, expiresAt },
      details: { logout: message.query ? 'HTTP-Redirect' : 'HTTP-POST', nameId: subject.slice(0, 200) },
    });
    return done.outcome === 'ended'
      ? { id, ended: done.sessions }
      : new Refused('replayed', { request: `${id.slice(0, 8)}…` });
  } catch (error) {
    if (error instanceof Refused || error instanceof XmlProblem) return error;
    throw error;
  }
}

/** Nobody is told anything but the person: an answer to an upstream that was not verified would go to whoever wrote the request. */
async function refuse(ctx: Context, connection: StoredConnection | null, error: unknown): Promise<void> {
  const query = new URLSearchParams();
  if (connection) {
    const problem: SsoProblem = error instanceof Refused ? error.problem : 'malformed';
    const details = error instanceof Refused ? error.details : { because: error instanceof Error ? error.message : '' };
    const attempt = { outcome: problem, details: { of: 'logout', ...details }, isUnproven: true };
    query.set('code', await noteAttempt(ctx.state.work, connection, attempt));
  }
  seeOther(ctx, `/sso/logout-problem?${query}`);
}

/** Shows nothing that the address says but a well-formed code. */
export async function logoutProblem(ctx: Context, runtime: Runtime): Promise<void> {
  const { code } = ctx.query;
  const hasCode = typeof code === 'string' && /^[A-Z2-9]{4}-[A-Z2-9]{4}$/.test(code);
  await showPage(ctx, runtime, 'errors/page', 'That logout did not work', {
    status: 403,
    title: 'That logout did not work',
    sentence:
      'Your identity provider asked to log you out here in a way that cannot be trusted, or that has run out. Nothing was changed here.',
    next: `To log out here, use Log out in the menu.${hasCode ? ` If it keeps happening, give your administrator this code: ${code}` : ''}`,
    link: { href: '/', label: `Go to ${runtime.config.brandName}` },
  });
  ctx.status = 403;
}
