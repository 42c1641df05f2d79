// A server beside ours, on this machine: what a request that was tricked into the network around us would find.
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { Server } from 'node:net';
import { cert, key } from './certificate.ts';

const listen = (server: Server, host: string) =>
  new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, host, () => resolve());
  });

/** Counts who asks it anything. */
export class Neighbour {
  hits: string[] = [];
  answer: (request: IncomingMessage, response: ServerResponse) => void = (_, response) => response.end();
  readonly #servers: Server[] = [];
  http = 0;
  https = 0;

  async start(): Promise<void> {
    const handle = (request: IncomingMessage, response: ServerResponse) => {
      this.hits.push(`${request.method} ${request.headers.host}${request.url}`);
      this.answer(request, response);
    };
    this.http = await this.#listen(createHttpServer(handle));
    this.https = await this.#listen(createHttpsServer({ key, cert }, handle));
  }

  async #listen(server: Server): Promise<number> {
    this.#servers.push(server);
    // Both families, where the machine has both.
    await listen(server, '::').catch(() => listen(server, '0.0.0.0'));
    const address = server.address();
    return typeof address === 'object' && address ? address.port : 0;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#servers.map((server) => new Promise((resolve) => server.close(resolve))));
  }
}
