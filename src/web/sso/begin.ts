// The beginning of the way to an upstream: from a waiting sign-in, or from the test of a connection in the console.

import type { StoredConnection } from '../../domain/federation/connection-repository.ts';
import { type Asking, createRequest, newRequestId } from '../../domain/federation/request-commands.ts';
import type { Runtime } from '../../runtime.ts';
import type { Context } from '../context.ts';
import { connectorOf } from './connectors.ts';

export interface Beginning {
  purpose: Asking['purpose'];
  interactionUid?: string | null;
  startedBy?: Asking['startedBy'];
  loginHint?: string | null;
  isAnew?: boolean;
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
  const { address, state } = await connectorOf(connection).begin(work, runtime, connection, {
    requestId,
    loginHint,
    isAnew,
  });
  await createRequest(work, connection, requestId, { purpose, interactionUid, startedBy }, state);
  ctx.status = 303;
  ctx.redirect(address);
}
