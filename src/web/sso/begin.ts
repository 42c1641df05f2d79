// The beginning of the way to an upstream: from a waiting sign-in, or from the test of a connection in the console.

import type { StoredConnection } from '../../domain/federation/connection-repository.ts';
import {
  type Asking,
  createRequest,
  findRequest,
  newRequestId,
  noteAttempt,
  takeAnswer,
  testMark,
} from '../../domain/federation/request-commands.ts';
import type { Runtime } from '../../runtime.ts';
import type { Context } from '../context.ts';
import { showPage } from '../page.ts';
import { seeOther } from '../routes.ts';
import { testAddress } from './callback.ts';
import type { Begun } from './connector.ts';
import { connectorOf } from './connectors.ts';
import { OidcProblem } from './oidc-configuration.ts';
import { showProblem } from './problem-page.ts';

export interface Beginning {
  purpose: Asking['purpose'];
  interactionUid?: string | null;
  startedBy?: Asking['startedBy'];
  loginHint?: string | null;
  isAnew?: boolean;
}

async function tried(begin: () => Promise<Begun>): Promise<Begun | OidcProblem> {
  try {
    return await begin();
  } catch (error) {
    if (error instanceof OidcProblem) return error;
    throw error;
  }
}

/** The upstream cannot even be asked: the person reads why, and an administrator who tests sees the details. */
async function tellNoWay(
  ctx: Context,
  runtime: Runtime,
  connection: StoredConnection,
  { requestId, asking, problem: { problem, details } }: { requestId: string; asking: Asking; problem: OidcProblem },
): Promise<void> {
  const { work } = ctx.state;
  if (asking.purpose === 'sign-in') {
    // Anybody can begin, but what the upstream fails by is not theirs to say: each way is one line.
    const noted = { outcome: problem, details, isUnproven: true, about: JSON.stringify(details) };
    return showProblem(ctx, runtime, problem, await noteAttempt(work, connection, noted), asking.interactionUid);
  }
  const code = await noteAttempt(work, connection, { outcome: problem, details: { ...details, ...testMark } });
  await createRequest(work, connection, requestId, asking, {});
  const request = await findRequest(work, requestId);
  const ticket = request && (await takeAnswer(work, request, null, { outcome: 'problem', problem, details, code }));
  if (ticket) seeOther(ctx, testAddress(connection, ticket));
  else await showProblem(ctx, runtime, problem, code);
}

/** Writes the request and sends the browser to the upstream. */
export async function beginSso(
  ctx: Context,
  runtime: Runtime,
  connection: StoredConnection,
  beginning: Beginning,
): Promise<void> {
  const { work } = ctx.state;
  const { purpose, interactionUid = null, startedBy = null, loginHint = null, isAnew = false } = beginning;
  const requestId = newRequestId();
  const asking = { purpose, interactionUid, startedBy };
  const ask = { requestId, loginHint, isAnew, isTest: purpose === 'test' };
  const begun = await tried(() => connectorOf(connection).begin(work, runtime, connection, ask));
  if (begun instanceof OidcProblem) return tellNoWay(ctx, runtime, connection, { requestId, asking, problem: begun });
  const { address, posts, state } = begun;
  await createRequest(work, connection, requestId, asking, state);
  if (posts) return carry(ctx, runtime, connection, address, posts);
  ctx.status = 303;
  ctx.redirect(address);
}

/** A page that sends itself; without scripts, by its button. */
async function carry(
  ctx: Context,
  runtime: Runtime,
  { name }: StoredConnection,
  action: string,
  posts: Record<string, string>,
): Promise<void> {
  const fields = Object.entries(posts).map(([name, value]) => ({ name, value }));
  await showPage(ctx, runtime, 'interaction/sso-post', `On to ${name}`, { upstream: name, action, fields, auto: true });
}
