// Counts SQL statements by listening to the conversation between a server program and PostgreSQL.
// It works alike for any program and counts BEGIN and COMMIT too; it stands between the two in the counting pass only.

import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Wire {
  /** The database's address, by way of the listener. */
  url: string;
  /** Statements that PostgreSQL has finished so far, failed ones included. */
  statements(): number;
  /** Texts of the statements sent since the last call, each with how often. */
  takeTexts(): Map<string, number>;
  /** Waits until nothing has been under way for a moment. */
  quiet(): Promise<void>;
  close(): Promise<void>;
}

interface Tally {
  statements: number;
  underWay: number;
  lastAt: number;
  texts: Map<string, number>;
}

const quietMs = 25;

export async function listenBefore(databaseUrl: string): Promise<Wire> {
  const real = new URL(databaseUrl);
  const tally: Tally = { statements: 0, underWay: 0, lastAt: 0, texts: new Map() };
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const database = connect({ host: real.hostname, port: Number(real.port || 5432), noDelay: true });
    client.setNoDelay(true);
    join(client, database, tally);
    for (const socket of [client, database]) {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the listener has no port');
  const url = new URL(databaseUrl);
  url.hostname = '127.0.0.1';
  url.port = `${address.port}`;
  return {
    url: url.href,
    statements: () => tally.statements,
    takeTexts() {
      const { texts } = tally;
      tally.texts = new Map();
      return texts;
    },
    async quiet() {
      while (tally.underWay > 0 || performance.now() - tally.lastAt < quietMs) await sleep(5);
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

function join(client: Socket, database: Socket, tally: Tally): void {
  const sent = createFramer(false, frontendReader(tally));
  const answered = createFramer(true, (type) => {
    tally.lastAt = performance.now();
    // CommandComplete, EmptyQueryResponse and ErrorResponse each end one statement.
    if (type === 'C' || type === 'I' || type === 'E') tally.statements++;
    if (type === 'Z' && tally.underWay > 0) tally.underWay--;
  });
  client.on('data', (chunk) => {
    sent(chunk);
    database.write(chunk);
  });
  database.on('data', (chunk) => {
    answered(chunk);
    client.write(chunk);
  });
  for (const [one, other] of [
    [client, database],
    [database, client],
  ] as const) {
    one.on('error', () => other.destroy());
    one.on('close', () => other.destroy());
  }
}

type OnMessage = (type: string, body: Buffer) => void;

function frontendReader(tally: Tally): OnMessage {
  const prepared = new Map<string, string>();
  const portals = new Map<string, string>();
  const sent = (text: string): void => {
    tally.texts.set(text, (tally.texts.get(text) ?? 0) + 1);
  };
  return (type, body) => {
    tally.lastAt = performance.now();
    const [one = '', two = ''] = firstStrings(body);
    if (type === 'P') prepared.set(one, two);
    if (type === 'B') portals.set(one, prepared.get(two) ?? '');
    if (type === 'E') sent(portals.get(one) ?? '');
    if (type === 'Q') sent(one);
    if (type === 'S' || type === 'Q') tally.underWay++;
  };
}

function firstStrings(body: Buffer): string[] {
  const end = body.indexOf(0);
  if (end < 0) return [];
  const secondEnd = body.indexOf(0, end + 1);
  const second = secondEnd < 0 ? '' : body.toString('utf8', end + 1, secondEnd);
  return [body.toString('utf8', 0, end), second];
}

/** Cuts a stream into messages: a type byte, four bytes of length, a body; the first of a client has no type. */
function createFramer(typed: boolean, onMessage: OnMessage): (chunk: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0);
  let hasType = typed;
  return (chunk) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    for (;;) {
      const head = hasType ? 1 : 0;
      if (rest.length < head + 4) return;
      const length = rest.readUInt32BE(head);
      if (rest.length < head + length) return;
      if (hasType) onMessage(rest.toString('latin1', 0, 1), rest.subarray(5, 1 + length));
      rest = rest.subarray(head + length);
      hasType = true;
    }
  };
}
