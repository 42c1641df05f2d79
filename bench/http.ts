// A lean HTTP/1.1 client with keep-alive, straight on sockets: node:http's own client costs as much as the quickest
// answers do, and on two cores the driver would then measure itself.

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

export interface Answer {
  status: number;
  /** Status line and header fields as they came. */
  head: string;
  body: string;
}

export interface Send {
  method?: 'GET' | 'POST';
  headers?: Record<string, string>;
  form?: Record<string, string> | URLSearchParams;
  /** A body of another kind, of ASCII only. */
  content?: Content;
}

export interface Content {
  type: string;
  body: string;
}

export interface Http {
  send(url: string, options?: Send): Promise<Answer>;
  close(): void;
}

/** All values of a header field; the name in small letters. */
export function header(answer: Answer, name: string): string[] {
  const values: string[] = [];
  for (const line of answer.head.split('\r\n').slice(1)) {
    const colon = line.indexOf(':');
    if (line.slice(0, colon).toLowerCase() === name) values.push(line.slice(colon + 1).trim());
  }
  return values;
}

interface Connection {
  socket: Socket;
  received: Buffer | undefined;
  settle: ((answer: Answer | Error) => void) | undefined;
}

type Idle = Map<string, Connection[]>;

const silenceLimitMs = 20_000;

export function createHttp(): Http {
  const idle: Idle = new Map();
  return {
    async send(url, options = {}) {
      const pathAt = url.indexOf('/', 'http://'.length);
      const host = url.slice('http://'.length, pathAt < 0 ? undefined : pathAt);
      const message = write(pathAt < 0 ? '/' : url.slice(pathAt), host, options);
      const used = idle.get(host)?.pop();
      const answer = used ? await exchange(used, message) : undefined;
      // A server may close an idle connection in the moment it is used again; a browser then tries once more.
      if (used && answer && !(answer instanceof Error)) return release(idle, host, used, answer);
      const fresh = await open(host);
      const second = await exchange(fresh, message);
      if (second instanceof Error) throw new Error(`${second.message} from ${url}`);
      return release(idle, host, fresh, second);
    },
    close() {
      for (const { socket } of [...idle.values()].flat()) socket.destroy();
      idle.clear();
    },
  };
}

function write(path: string, host: string, { method, headers, form, content }: Send): string {
  let message = `${method ?? (form ? 'POST' : 'GET')} ${path} HTTP/1.1\r\nhost: ${host}\r\n`;
  for (const name in headers) message += `${name}: ${headers[name]}\r\n`;
  if (!form && !content) return `${message}\r\n`;
  // Percent-encoded or ASCII, so its length in characters is its length in bytes.
  const { type, body } = content ?? {
    type: 'application/x-www-form-urlencoded',
    body: new URLSearchParams(form).toString(),
  };
  return `${message}content-type: ${type}\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
}

async function open(host: string): Promise<Connection> {
  const { hostname, port } = new URL(`http://${host}`);
  const socket = connect({ host: hostname, port: Number(port || 80), noDelay: true });
  await once(socket, 'connect');
  const connection: Connection = { socket, received: undefined, settle: undefined };
  socket.on('data', (chunk) => receive(connection, chunk));
  socket.on('error', (error) => finish(connection, error));
  socket.on('close', () => finish(connection, new Error('the connection was closed before an answer came')));
  socket.setTimeout(silenceLimitMs, () => socket.destroy(new Error(`no answer within ${silenceLimitMs} ms`)));
  return connection;
}

function exchange(connection: Connection, message: string): Promise<Answer | Error> {
  return new Promise((resolve) => {
    if (connection.socket.destroyed) return resolve(new Error('the connection is closed'));
    connection.settle = resolve;
    connection.socket.write(message);
  });
}

function release(idle: Idle, host: string, connection: Connection, answer: Answer): Answer {
  if (/\r\nconnection: close/i.test(answer.head)) {
    connection.socket.destroy();
    return answer;
  }
  const waiting = idle.get(host);
  if (waiting) waiting.push(connection);
  else idle.set(host, [connection]);
  return answer;
}

function finish(connection: Connection, outcome: Answer | Error): void {
  const { settle } = connection;
  connection.settle = undefined;
  connection.received = undefined;
  settle?.(outcome);
}

function receive(connection: Connection, chunk: Buffer): void {
  const received = connection.received ? Buffer.concat([connection.received, chunk]) : chunk;
  connection.received = received;
  const answer = readAnswer(received);
  if (answer instanceof Error) connection.socket.destroy(answer);
  else if (answer) finish(connection, answer);
}

/** RFC 9112 6.3, for answers to GET and POST; absent while something is missing. */
function readAnswer(received: Buffer): Answer | Error | undefined {
  const headEnd = received.indexOf('\r\n\r\n');
  if (headEnd < 0) return undefined;
  const head = received.toString('latin1', 0, headEnd);
  const status = Number(head.slice(9, 12));
  const body = readBody(received.subarray(headEnd + 4), head, status);
  return typeof body === 'string' ? { status, head, body } : body;
}

function readBody(rest: Buffer, head: string, status: number): string | Error | undefined {
  if (status === 204 || status === 304) return '';
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
  if (length !== undefined) return rest.length < Number(length) ? undefined : rest.toString('utf8', 0, Number(length));
  if (/\r\ntransfer-encoding: *chunked/i.test(head)) return readChunks(rest);
  return new Error(`an answer without a length: ${head}`);
}

/** RFC 9112 7.1. */
function readChunks(rest: Buffer): string | undefined {
  const chunks: Buffer[] = [];
  let at = 0;
  for (;;) {
    const lineEnd = rest.indexOf('\r\n', at);
    if (lineEnd < 0) return undefined;
    const size = Number.parseInt(rest.toString('latin1', at, lineEnd), 16);
    const end = lineEnd + 2 + size;
    if (rest.length < end + 2) return undefined;
    if (size === 0) return Buffer.concat(chunks).toString('utf8');
    chunks.push(rest.subarray(lineEnd + 2, end));
    at = end + 2;
  }
}
