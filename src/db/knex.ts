// The connection pool. Everything that speaks SQL gets a `Database`, which is the pool or one transaction.
import knexModule, { type Knex } from 'knex';
import type pg from 'pg';
import { allowSilence, greets, watchForSilence } from './silence.ts';

/** Hardly a statement of a page takes longer; whoever waits for a database that is gone still hears of it in time (F4). */
const silenceLimit = 6000;

/** The pool or a transaction of it. */
export type Database = Knex;

/** A query that is still being put together. */
export type Query = Knex.QueryBuilder;

export function createDatabase(url: string, options: { poolSize: number; applicationName?: string }): Database {
  const watch = watchForSilence(silenceLimit, greets(url));
  return knexModule({
    client: 'pg',
    connection: {
      connectionString: url,
      application_name: options.applicationName ?? 'unified-login',
      connectionTimeoutMillis: 5000,
      keepAlive: true,
      keepAliveInitialDelayMillis: 10_000,
    },
    // Else values (hashes, addresses) would stand in error messages, and so in the log (API-14).
    compileSqlOnError: false,
    // knex would print to the console what it throws anyway.
    log: { warn() {}, error() {}, deprecate() {}, debug() {} },
    // F4: a full pool must answer within seconds, not after knex's 60.
    acquireConnectionTimeout: 5000,
    pool: {
      min: 0,
      max: options.poolSize,
      idleTimeoutMillis: 30_000,
      afterCreate(client: pg.Client, done: (error?: Error) => void) {
        watch(client);
        done();
      },
    },
  });
}

export function isTransaction(db: Database): db is Knex.Transaction {
  return 'isTransaction' in db && db.isTransaction === true;
}

/** Within this, statements of a transaction may take as long as they want: for those that wait for other nodes, or work through tables. */
export async function patiently<T>(trx: Database, act: () => Promise<T>): Promise<T> {
  const connection: pg.ClientBase = await trx.client.acquireConnection();
  const limitSilence = allowSilence(connection);
  try {
    return await act();
  } finally {
    limitSilence();
  }
}
