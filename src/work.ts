// One explicit value says who asks, when, and in which transaction. Every command and query takes it first.
import type { Config } from './config/load.ts';
import { isTransaction } from './db/knex.ts';
import type { InstanceId, UserId } from './lib/ids.ts';
import type { Log } from './lib/log.ts';
import type { PasswordHasher } from './lib/password-hasher.ts';
import type { Keyring } from './lib/secrets.ts';
import { createStore, type Store } from './store.ts';

export type Actor =
  | { kind: 'user'; id: UserId; name: string }
  /** Somebody at the server's console. */
  | { kind: 'operator'; name: string }
  | { kind: 'system'; name: string }
  /** An administrator of a connected module, by that module's word, or the module itself; it acts on its own instance alone. */
  | { kind: 'module'; name: string; instanceId: InstanceId; account?: string; sub?: string }
  /** Somebody who has not proved who they are. */
  | { kind: 'stranger'; name: string };

export interface Origin {
  requestId: string;
  ip: string;
  agent: string;
}

export interface JobOptions {
  startAfter?: Date;
  /** Those of a higher one go first. */
  priority?: number;
}

/** Puts a job into the queue inside the given transaction; see jobs/queue.ts. */
export interface JobQueue {
  enqueue(work: Work, name: string, payload: object, options?: JobOptions): Promise<void>;
  /** Many of one kind in one statement, with one wake for all. */
  enqueueMany(work: Work, name: string, payloads: object[], options?: JobOptions): Promise<void>;
}

export interface Work {
  store: Store;
  actor: Actor;
  now: Date;
  origin: Origin;
  config: Config;
  log: Log;
  keyring: Keyring;
  hasher: PasswordHasher;
  jobs: JobQueue;
  /** One row of many: what is to be judged as a whole is left to whoever finishes the last one. */
  isPartOfMore?: boolean;
}

/** For what is only true while the caller's transaction lasts. */
export const isInTransaction = ({ store }: Work): boolean => isTransaction(store.db);

/**
 * Runs `act` in one transaction and commits when it returns; joins when `work` is inside one already.
 * Callback style only: a handle's `commit()` resolves even when the connection died (F3).
 */
export async function transaction<T>(work: Work, act: (work: Work) => Promise<T>): Promise<T> {
  if (isTransaction(work.store.db)) return act(work);
  return work.store.db.transaction((trx) => act({ ...work, store: createStore(trx, work.store.prepared) }));
}
