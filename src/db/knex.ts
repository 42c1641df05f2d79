// The connection pool. Everything that speaks SQL gets a `Database`, which is the pool or one transaction.
import knexModule, { type Knex } from 'knex';

/** The pool or a transaction of it. */
export type Database = Knex;

/** A query that is still being put together. */
export type Query = Knex.QueryBuilder;

export function createDatabase(url: string, options: { poolSize: number; applicationName?: string }): Database {
  return knexModule({
    client: 'pg',
    connection: {
      connectionString: url,
      application_name: options.applicationName ?? 'unified-login',
      connectionTimeoutMillis: 5000,
      keepAlive: true,
    },
    // Else values (hashes, addresses) would stand in error messages, and so in the log (API-14).
    compileSqlOnError: false,
    // knex would print to the console what it throws anyway.
    log: { warn() {}, error() {}, deprecate() {}, debug() {} },
    // F4: a full pool must answer within seconds, not after knex's 60.
    acquireConnectionTimeout: 5000,
    pool: { min: 0, max: options.poolSize, idleTimeoutMillis: 30_000 },
  });
}

export function isTransaction(db: Database): db is Knex.Transaction {
  return 'isTransaction' in db && db.isTransaction === true;
}
