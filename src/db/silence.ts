// A database that keeps its connections but says nothing (a frozen machine, a firewall that drops): a statement on its way there
// would wait for ever, and whoever asked with it (F4). The server's own time limits do not help, since it is the server that is silent.
import type { Socket } from 'node:net';
import pg from 'pg';

/** What the driver has and its types leave out. */
interface Connection extends pg.ClientBase {
  /** False from the moment a statement is sent until its answer is complete. */
  readyForQuery: boolean;
  connection: { stream: Socket };
}

// Both stand in the driver since its first version, and its own pool goes by the first.
const reach = (client: pg.ClientBase): Connection => client as unknown as Connection;

/**
 * Gives what takes each new connection of a pool under watch: when no byte has moved for so long although a statement waits for its
 * answer, and the database does not speak to others either, it is closed, and the pool's idle ones with it, since each would be the
 * same trap for the next statement. The driver then reports an outage to whoever waits.
 *
 * The socket's own timer does it: one for each statement would cost more, and would end long answers that do arrive.
 * @param isAlive whether the database speaks to somebody else: a statement that works for long is not a silent database
 */
export function watchForSilence(
  milliseconds: number,
  isAlive: () => Promise<boolean> = async () => false,
): (client: pg.ClientBase) => void {
  const all = new Set<Connection>();
  return (client) => {
    const watched = reach(client);
    const { stream } = watched.connection;
    all.add(watched);
    stream.once('close', () => all.delete(watched));
    stream.setTimeout(milliseconds).on('timeout', async () => {
      // Nobody waits: then quiet is as it should be, and the next statement sets the timer going again.
      if (watched.readyForQuery) return;
      const { bytesRead } = stream;
      if (await isAlive()) {
        stream.setTimeout(milliseconds);
        return;
      }
      if (watched.readyForQuery || stream.bytesRead > bytesRead) return;
      stream.destroy();
      for (const other of all) if (isIdle(other)) other.connection.stream.destroy();
    });
  };
}

/** How long a database that is well takes at most to greet a new connection. */
const greetingMs = 2000;

/** Asks on a connection of its own; all who wait at the same time share one. A refusal is an answer, too. */
export function greets(url: string): () => Promise<boolean> {
  let asked: Promise<boolean> | null = null;
  const ask = async () => {
    const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: greetingMs });
    client.on('error', () => {});
    try {
      await client.connect();
      return true;
    } catch (error) {
      return error instanceof pg.DatabaseError;
    } finally {
      asked = null;
      // A database that does not greet does not say good-bye either.
      void client.end().catch(() => {});
    }
  };
  return () => {
    asked ??= ask();
    return asked;
  };
}

const isIdle = (client: Connection): boolean => client.readyForQuery && client.getTransactionStatus() === 'I';

/** For statements that may take as long as they want; until the returned function is called. */
export function allowSilence(client: pg.ClientBase): () => void {
  const { stream } = reach(client).connection;
  const { timeout = 0 } = stream;
  stream.setTimeout(0);
  return () => void stream.setTimeout(timeout);
}
