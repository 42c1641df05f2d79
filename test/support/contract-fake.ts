// The built-in fake module of the contract test, behind a real port.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { FakeModule, type FakeOptions } from '../../src/jobs/contract/fake.ts';

export interface FakeServer {
  fake: FakeModule;
  url: string;
  token: string;
  stop(): Promise<void>;
}

export async function startFake(options: Omit<FakeOptions, 'token'> = {}): Promise<FakeServer> {
  const token = 'a-token-of-the-fake-module-42';
  const fake = new FakeModule({ ...options, token });
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const headers = Object.fromEntries(
        Object.entries(request.headers).map(([name, value]): [string, string] => [name, String(value ?? '')]),
      );
      const answer = fake.handle({
        method: request.method ?? 'GET',
        address: `http://localhost${request.url ?? ''}`,
        headers,
        body: Buffer.concat(chunks).toString('utf8'),
      });
      response.writeHead(answer.status, answer.headers).end(answer.body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    fake,
    token,
    // An AddressInfo, since it listens on a port.
    url: `http://localhost:${(server.address() as AddressInfo).port}/scim/v2`,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
