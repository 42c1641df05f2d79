// The engine's storage port (oidc-provider "adapter"), on one PostgreSQL table. Values that open something are kept as hashes only.
import { isDeepStrictEqual } from 'node:util';
import type { Adapter, AdapterPayload } from 'oidc-provider';
import { errors } from 'oidc-provider';
import { parseSessionPolicy } from '../domain/companies/company.ts';
import {
  type AccountFacts,
  claimSeconds,
  type RecordRow,
  type RecordWrite,
} from '../domain/sessions/record-repository.ts';
import { isOver, recordId, sessionEnds, type Upstream } from '../domain/sessions/session.ts';
import type { ClientCatalogue } from './clients.ts';
import { type EntryDoor, isConnecting, mayConnect } from './entry-door.ts';
import { currentExchange, type Exchange, emptyBatch, sessionStart } from './exchange.ts';
import type { RecordIo } from './record-io.ts';

/** Kinds that act for a person inside a module: they are worth something only while that person may enter it. */
const entryBound = new Set(['AuthorizationCode', 'AccessToken', 'RefreshToken']);

/** Kinds that are used by exchanging them for others, in one request. */
const exchangeable = new Set(['AuthorizationCode', 'RefreshToken']);

export function createAdapter(io: RecordIo, clients: ClientCatalogue, entryDoor: EntryDoor) {
  return (kind: string): Adapter =>
    kind === 'Client' ? clientAdapter(clients) : new RecordAdapter(kind, io, entryDoor);
}

function clientAdapter(clients: ClientCatalogue): Adapter {
  const refuse = async () => {
    throw new Error('clients are registered through the modules room');
  };
  return {
    find: async (clientId) => clients.find(clientId),
    upsert: refuse,
    findByUserCode: refuse,
    findByUid: refuse,
    consume: refuse,
    destroy: refuse,
    revokeByGrantId: refuse,
  };
}

class RecordAdapter implements Adapter {
  readonly #kind: string;
  readonly #io: RecordIo;
  readonly #door: EntryDoor;

  constructor(kind: string, io: RecordIo, door: EntryDoor) {
    this.#kind = kind;
    this.#io = io;
    this.#door = door;
  }

  async upsert(id: string, payload: AdapterPayload, expiresIn: number): Promise<void> {
    const exchange = currentExchange();
    const batch = exchange?.writes ?? emptyBatch();
    if (exchange && isUnchanged(exchange, recordId(this.#kind, id), payload)) return;
    // Finding has taken it for longer already; a proof whose clock is fast can be used later than the engine counts on.
    if (this.#kind === 'ReplayDetection' && expiresIn <= claimSeconds) return;
    const write = toWrite(this.#kind, id, payload, expiresIn, exchange);
    batch.upserts = [...batch.upserts.filter((other) => other.id !== write.id), write];
    if (this.#kind === 'Session' && exchange && write.accountId && write.sessionUid) {
      seeSession(exchange, write, payload);
    }
    if (this.#kind === 'Grant') exchange?.grants.set(id, { ...payload });
    if (!exchange) await this.#io.write(batch);
  }

  async find(id: string): Promise<AdapterPayload | undefined> {
    const exchange = currentExchange();
    if (this.#kind === 'ReplayDetection') return this.#claim(id);
    if (this.#kind === 'Grant') {
      const known = exchange?.grants.get(id);
      if (known) return { ...known, jti: id };
    }
    const row = await this.#read(recordId(this.#kind, id), exchange);
    if (!row || row.kind !== this.#kind || !(await this.#stands(row, exchange))) return undefined;
    if (exchange && !isHere(exchange, row)) return undefined;
    if (exchange && this.#kind === 'Session' && !lives(row, exchange.now)) return undefined;
    if (exchange) remember(exchange, row);
    return { ...row.payload, jti: id, ...(row.consumed_at === null ? {} : { consumed: Math.floor(row.consumed_at) }) };
  }

  /** Sessions come with the tokens that hang on them; one that did not come has ended. */
  async findByUid(uid: string): Promise<AdapterPayload | undefined> {
    return currentExchange()?.sessions.get(uid);
  }

  async findByUserCode(): Promise<undefined> {
    return undefined;
  }

  /** The engine ignores what this answers, so a lost race must be an error (F1). */
  async consume(id: string): Promise<void> {
    const key = recordId(this.#kind, id);
    const exchange = currentExchange();
    if (exchange && exchangeable.has(this.#kind)) {
      // It leaves with what it is exchanged for, in one statement; who comes second is told there, see `writeOut`.
      exchange.writes.used.push(key);
      exchange.writes.needs = key;
    } else if (!(await this.#io.consume(key))) throw new errors.InvalidRequestUri('request_uri was already used');
  }

  async destroy(id: string): Promise<void> {
    const key = recordId(this.#kind, id);
    const exchange = currentExchange();
    if (!exchange) {
      await this.#io.write({ ...emptyBatch(), destroyed: [key] });
      return;
    }
    exchange.writes.upserts = exchange.writes.upserts.filter((write) => write.id !== key);
    exchange.writes.destroyed.push(key);
    if (this.#kind === 'Interaction') exchange.writes.needs = key;
    const uid = exchange.sessionUidOf.get(key);
    if (this.#kind === 'Session' && uid) exchange.endedSessions.push(uid);
  }

  async revokeByGrantId(grantId: string): Promise<void> {
    const exchange = currentExchange();
    if (!exchange) {
      await this.#io.write({ ...emptyBatch(), revokedGrants: [grantId] });
      return;
    }
    if (!exchange.writes.revokedGrants.includes(grantId)) exchange.writes.revokedGrants.push(grantId);
    exchange.writes.upserts = exchange.writes.upserts.filter((write) => write.grantId !== grantId);
    exchange.grants.delete(grantId);
  }

  /**
   * Deny by default: a record of a person counts while the person is active, and for a module while they may enter the instance that
   * it was made for (C21, OAU-18).
   */
  async #stands(row: RecordRow, exchange: Exchange | undefined): Promise<boolean> {
    const { account, client_id: clientId, payload } = row;
    if (!row.has_account) return true;
    if (!account) return false;
    if (!entryBound.has(row.kind) || row.is_built_in) return true;
    if (clientId === null) return false;
    // The access token of a connect ceremony is no key to the engine's own addresses.
    if (isConnecting(payload.scope)) return row.kind === 'AuthorizationCode' && mayConnect(account);
    const asked = typeof payload.instance === 'string' ? payload.instance : null;
    const entry = await this.#door.decide(account, { clientId, isBuiltIn: false, asked });
    if (!entry.allowed) return false;
    if (exchange) exchange.instanceId = entry.entered?.instance.id ?? null;
    return true;
  }

  /** The engine finds, then saves: two parallel requests would both find nothing. So finding is taking (F2). */
  async #claim(id: string): Promise<AdapterPayload | undefined> {
    const isFresh = await this.#io.claim(recordId(this.#kind, id), this.#kind);
    return isFresh ? undefined : { jti: id, exp: Number.MAX_SAFE_INTEGER };
  }

  #read(key: string, exchange: Exchange | undefined): Promise<RecordRow | undefined> {
    const known = exchange?.reads.get(key);
    if (known) return known;
    const reading = this.#io.read(key);
    exchange?.reads.set(key, reading);
    return reading;
  }
}

/**
 * A finished sign-in is for the browser that finished it: only that one was told the value whose hash the answer holds.
 * Else whoever had planted the cookies of a waiting request in another's browser could be faster at the end (WEB-02).
 */
function isHere(exchange: Exchange, row: RecordRow): boolean {
  if (row.kind !== 'Interaction') return true;
  const result = row.payload.result as { login?: object; proof?: string } | undefined;
  return result?.login === undefined || (exchange.proofHash !== null && result.proof === exchange.proofHash);
}

/** C37, under the policy of this moment: what was shortened since holds for the next request, and for tokens of the session. */
function lives(row: RecordRow, now: Date): boolean {
  if (!row.account || row.seen_at === null) return true;
  const startedAt = new Date((row.began_at ?? 0) * 1000);
  const lastSeenAt = new Date(row.seen_at * 1000);
  return !isOver(parseSessionPolicy(row.account.sessionPolicy), { startedAt, lastSeenAt }, now);
}

function remember(exchange: Exchange, row: RecordRow): void {
  if (row.account) exchange.accounts.set(row.account.id, row.account);
  if (row.kind === 'Interaction') {
    exchange.upstream = upstreamOf(row.payload);
    exchange.isSigningIn = isSignIn(row.payload);
  }
  if (row.session_uid && row.began_at !== null) exchange.beganAt.set(row.session_uid, row.began_at);
  const grantId = row.payload.grantId;
  if (row.grant && typeof grantId === 'string') exchange.grants.set(grantId, row.grant);
  for (const [id, payload] of Object.entries(row.grants ?? {})) exchange.grants.set(id, payload);
  if (row.session && row.session_uid && lives(row, exchange.now)) exchange.sessions.set(row.session_uid, row.session);
  if (row.kind === 'Session' && row.session_uid) {
    exchange.sessions.set(row.session_uid, row.payload);
    exchange.sessionUidOf.set(row.id, row.session_uid);
    // A copy: the engine changes what it is given.
    exchange.sessionsAsRead.set(row.id, structuredClone(row.payload));
    if (row.seen_at !== null) exchange.seenAt.set(row.id, row.seen_at);
  }
}

const isSignIn = ({ result }: Record<string, unknown>): boolean =>
  (result as { login?: object } | undefined)?.login !== undefined;

/** As our own sign-in has written it beside its answer (web/interaction). */
function upstreamOf({ result }: Record<string, unknown>): Upstream | null {
  return (result as { upstream?: Upstream } | undefined)?.upstream ?? null;
}

/** Seconds by which a session's end, and its last use, may lag behind. */
const sessionLag = 60;

/** The engine saves a session at every visit; one that holds the same as before and ends hardly later need not be written. */
function isUnchanged(exchange: Exchange, id: string, payload: AdapterPayload): boolean {
  const before = exchange.sessionsAsRead.get(id);
  if (!before || Number(payload.exp ?? 0) - Number(before.exp ?? 0) > sessionLag) return false;
  // Near the end that holds in any case the other end moves no more, but a shorter idle time would ask for the last use.
  const seenAt = exchange.seenAt.get(id);
  if (seenAt !== undefined && exchange.now.getTime() / 1000 - seenAt > sessionLag) return false;
  const { jti: _, ...after } = payload;
  return isDeepStrictEqual({ ...before, exp: 0, iat: 0 }, { ...after, exp: 0, iat: 0 });
}

// Escapes that JSON knows and jsonb does not: NUL and halves of surrogate pairs.
const unstorable = /(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f])/i;

function toWrite(
  kind: string,
  id: string,
  payload: AdapterPayload,
  expiresIn: number,
  exchange: Exchange | undefined,
): RecordWrite {
  const { jti: _jti, ...kept } = payload;
  // The engine keeps the session cookie's value with a waiting request; nothing reads it, and at rest it would open the session.
  if (kind === 'Interaction' && kept.session) kept.session = { ...kept.session, cookie: '' };
  // Nor does anything read the way back, which names the value of the request's own cookie.
  if (kind === 'Interaction') delete kept.returnTo;
  // Codes and tokens are for one instance, whatever else the person may enter by now.
  if (entryBound.has(kind) && exchange?.instanceId) kept.instance = exchange.instanceId;
  const json = JSON.stringify(kept);
  if (unstorable.test(json)) throw new errors.InvalidRequest('the request holds characters that cannot be stored');
  const sessionUid =
    kind === 'Session'
      ? (payload.uid ?? null)
      : kind === 'Grant'
        ? (exchange?.sessionUid ?? null)
        : (payload.sessionUid ?? null);
  return {
    id: recordId(kind, id),
    kind,
    json,
    // A waiting request belongs to nobody until somebody has signed in for it.
    accountId: kind === 'Interaction' ? (payload.result?.login?.accountId ?? null) : (payload.accountId ?? null),
    clientId: kind === 'Interaction' ? null : (payload.clientId ?? null),
    // It outlives the grant of whoever was signed in before: another person may be signing in now.
    grantId: kind === 'Interaction' ? null : (payload.grantId ?? null),
    sessionUid,
    expiresAt: Number.isFinite(expiresIn) ? Date.now() / 1000 + expiresIn : null,
  };
}

/** Keeps the list of sessions that people see in step with the engine's, in the same statement. */
function seeSession(exchange: Exchange, write: RecordWrite, payload: AdapterPayload): void {
  const account: AccountFacts | undefined = exchange.accounts.get(write.accountId ?? '');
  if (!account || !write.sessionUid) return;
  const startedAt = new Date(sessionStart(exchange, payload) * 1000);
  exchange.endedSessions = exchange.endedSessions.filter((uid) => uid !== write.sessionUid);
  exchange.writes.sessions = [
    {
      uid: write.sessionUid,
      companyId: account.companyId,
      userId: account.id,
      ip: exchange.origin.ip,
      agent: exchange.origin.agent,
      amr: payload.amr ?? [],
      browserHash: exchange.browserHash,
      upstream: exchange.upstream,
      createdAt: startedAt,
      lastSeenAt: exchange.now,
      ...sessionEnds(parseSessionPolicy(account.sessionPolicy), startedAt, exchange.now),
    },
  ];
}
