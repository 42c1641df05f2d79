// One exchange = one request to the engine: what it has read so far, and what it wants written.
// The engine asks its adapter piece by piece; here a first read brings the rest, and all writes leave together, before the answer.
import { AsyncLocalStorage } from 'node:async_hooks';
import type { AccountFacts, RecordRow, WriteBatch } from '../domain/sessions/record-repository.ts';
import type { LogoutNotice, Upstream } from '../domain/sessions/session.ts';
import type { InstanceId } from '../lib/ids.ts';
import type { Origin } from '../work.ts';

/** A token or a grant that was revoked, to be recorded (API-13). */
export interface Revocation {
  kind: string;
  clientId: string | undefined;
  accountId: string | undefined;
  /** `asked`: its module gave it back; `reused`: it came a second time, so somebody has a copy. */
  reason: 'asked' | 'reused';
}

export interface Exchange {
  origin: Origin;
  now: Date;
  browserHash: string | null;
  /** Hash of what this browser was told when it finished a sign-in; see `isHere` in the adapter. */
  proofHash: string | null;
  reads: Map<string, Promise<RecordRow | undefined>>;
  /** Grants and sessions that came with other records, by grant id and session uid. */
  grants: Map<string, Record<string, unknown>>;
  sessions: Map<string, Record<string, unknown>>;
  accounts: Map<string, AccountFacts>;
  /** Sessions as the database has them, by record id. */
  sessionsAsRead: Map<string, Record<string, unknown>>;
  /** When they were last used, in seconds since the epoch, by record id. */
  seenAt: Map<string, number>;
  /** When sessions began, in seconds since the epoch, by session uid. */
  beganAt: Map<string, number>;
  /** Uid of the session that a new grant belongs to. */
  sessionUid: string | null;
  /** Session uid by record id, to tell a renewed cookie from an ended session. */
  sessionUidOf: Map<string, string>;
  writes: WriteBatch;
  /** A finished sign-in is being taken: a session begins, or begins anew. */
  isSigningIn: boolean;
  /** Which identity provider vouched for the sign-in that this request goes on from. */
  upstream: Upstream | null;
  /** Modules to tell of a logout; queued with the writes. */
  notices: LogoutNotice[];
  endedSessions: string[];
  /** Which connected instance of the module is entered: as decided at the door, or as the code or token says. */
  instanceId: InstanceId | null;
  revocations: Revocation[];
  /** What broke inside the engine, which answers in its own words; ours are better. */
  failure: unknown;
}

const storage = new AsyncLocalStorage<Exchange>();

export function currentExchange(): Exchange | undefined {
  return storage.getStore();
}

export function emptyBatch(): WriteBatch {
  return { upserts: [], destroyed: [], revokedGrants: [], sessions: [], used: [], needs: null };
}

export function newExchange(
  origin: Origin,
  now: Date,
  browser: { browserHash: string | null; proofHash: string | null },
): Exchange {
  return {
    origin,
    now,
    ...browser,
    reads: new Map(),
    grants: new Map(),
    sessions: new Map(),
    accounts: new Map(),
    sessionsAsRead: new Map(),
    seenAt: new Map(),
    beganAt: new Map(),
    sessionUid: null,
    sessionUidOf: new Map(),
    writes: emptyBatch(),
    isSigningIn: false,
    upstream: null,
    notices: [],
    endedSessions: [],
    instanceId: null,
    revocations: [],
    failure: null,
  };
}

export function inExchange<T>(exchange: Exchange, act: () => Promise<T>): Promise<T> {
  return storage.run(exchange, act);
}

/** When a session of this request began, in seconds since the epoch (C37). Its `loginTs` may be older: an upstream's word of a login there. */
export function sessionStart(
  exchange: Exchange,
  { uid, loginTs }: { uid?: string | undefined; loginTs?: number | undefined },
): number {
  const now = exchange.now.getTime() / 1000;
  if (exchange.isSigningIn) return now;
  return exchange.beganAt.get(uid ?? '') ?? loginTs ?? now;
}
