// The connection pool. Everything that speaks SQL gets a `Database`, which is the pool or one transaction.
import knexModule, { type Knex } from 'knex';
import type { QueryResult, QueryResultRow } from 'pg';

/** The pool or a transaction of it. */
export type Database = Knex;

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
    // F4: a full pool must answer within seconds, not after knex's 60.
    acquireConnectionTimeout: 5000,
    pool: { min: 0, max: options.poolSize, idleTimeoutMillis: 30_000 },
  });
}

export interface Statement {
  name: string;
  text: string;
}

interface Queryable {
  query<R extends QueryResultRow>(config: { name: string; text: string; values: unknown[] }): Promise<QueryResult<R>>;
}

/**
 * Runs a named prepared statement on a connection of the same pool.
 * For the protocol's hot path only: knex's query builder costs a third of the throughput there.
 */
export async function runPrepared<R extends QueryResultRow>(
  db: Database,
  statement: Statement,
  values: unknown[],
): Promise<QueryResult<R>> {
  // knex types its client as `any`; the pg dialect hands out pg clients.
  const connection: Queryable = await db.client.acquireConnection();
  try {
    return await connection.query<R>({ name: statement.name, text: statement.text, values });
  } finally {
    await db.client.releaseConnection(connection);
  }
}

export function isTransaction(db: Database): db is Knex.Transaction {
  return 'isTransaction' in db && db.isTransaction === true;
}
