// Named prepared statements on connections of their own, for the protocol's hot path.
// knex's query builder would cost a third of the throughput there, and planning a statement with many joins costs more than
// running it: these connections plan each statement once (plan_cache_mode), which would be wrong for the searches of lists.
import pg from 'pg';
import { isDeadlock } from './errors.ts';
import { greets, watchForSilence } from './silence.ts';

/** A statement of the hot path takes milliseconds; others wait behind it for their turn, and for a connection after that (F4). */
const silenceLimit = 5000;

export interface Statement {
  name: string;
  text: string;
}

// A plan made while the tables were small must do when they are large: every hot statement goes by indexes, row by row.
const planOnce = [
  'plan_cache_mode=force_generic_plan',
  'jit=off',
  'enable_seqscan=off',
  'enable_hashjoin=off',
  'enable_mergejoin=off',
  'enable_material=off',
]
  .map((setting) => `-c ${setting}`)
  .join(' ');

/** Each statement is a transaction of its own; it never takes part in another one. */
export interface Prepared {
  run<R extends pg.QueryResultRow>(statement: Statement, values: unknown[]): Promise<pg.QueryResult<R>>;
  end(): Promise<void>;
}

export function createPrepared(url: string, poolSize: number): Prepared {
  const pool = new pg.Pool({
    connectionString: url,
    application_name: 'unified-login protocol',
    max: poolSize,
    // F4: a full pool must answer within seconds.
    connectionTimeoutMillis: 5000,
    // Kept open: a timer for every statement would cost more than a few idle connections.
    idleTimeoutMillis: 0,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    options: planOnce,
  });
  pool.on('connect', watchForSilence(silenceLimit, greets(url)));
  // An idle connection that is cut is replaced at the next use; without a listener it would end the process.
  pool.on('error', () => {});
  return {
    run: ({ name, text }, values) => untangled(() => pool.query({ name, text, values })),
    end: () => pool.end(),
  };
}

const maxTries = 3;

/**
 * Two statements that hold a person and then change them can wait for each other where others wait for both. PostgreSQL undoes one of
 * them as a whole, and the other goes on: the one that was undone begins anew, and sees what the other has done.
 */
async function untangled<T>(run: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await run();
    } catch (error) {
      if (tries === maxTries || !isDeadlock(error)) throw error;
    }
  }
}
