// API-11, DOS-03: requests of our own, with limits, and never into the network around us.
import dns from 'node:dns';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createOutgoing, isSpecialUse, OutgoingError, type OutgoingRequest } from '../../../src/lib/outgoing.ts';

const request: OutgoingRequest = { headers: { accept: 'application/json' }, timeoutMs: 1000, maxBytes: 1000 };

describe('outgoing requests', () => {
  let server: Server;
  let port = 0;
  let hits = 0;
  let answer: RequestListener = (_, response) => response.end('hello');
  const local = createOutgoing({ mayReachLoopback: true });
  const open = createOutgoing({ mayReachLoopback: false });

  beforeAll(async () => {
    server = createServer((incoming, response) => {
      hits += 1;
      answer(incoming, response);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    port = (server.address() as AddressInfo).port;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  const problemOf = (asked: Promise<unknown>) =>
    asked.then(
      () => 'answered',
      (error: unknown) => (error instanceof OutgoingError ? error.problem : error),
    );

  it('reach this machine where we ourselves are on it, and the answer comes back whole', async () => {
    expect(await local(`http://localhost:${port}/`, request)).toMatchObject({ status: 200, body: 'hello' });
  });

  it.each([
    ...[
      '127.0.0.1',
      '127.1.2.3',
      'localhost',
      '[::1]',
      '0.0.0.0',
      '[::]',
      '2130706433',
      '0x7f.1',
      '0177.0.0.1',
      '127.1',
    ],
    ...['[::ffff:127.0.0.1]', '[::ffff:7f00:1]', 'localhost.'],
  ])('API-11 %s is refused before anything is sent', async (host) => {
    const before = hits;
    for (const scheme of ['http', 'https'])
      expect(await problemOf(open(`${scheme}://${host}:${port}/`, request))).toMatch(/refused-address|unreachable/);
    expect(hits).toBe(before);
  });

  it.each([
    ...[
      '10.1.2.3',
      '169.254.169.254',
      '192.168.0.1',
      '172.20.0.1',
      '100.64.0.1',
      '0.1.2.3',
      '224.0.0.1',
      '255.255.255.255',
    ],
    ...[
      '::',
      '::1',
      '::ffff:10.0.0.1',
      '64:ff9b::a00:1',
      '2002:a00:1::',
      'fd00::1',
      'fe80::1',
      'ff02::1',
      '2001:db8::1',
    ],
    'no address',
  ])('API-11 %s is of special use', (address) => {
    expect(isSpecialUse(address)).toBe(true);
  });

  it.each(['1.1.1.1', '172.32.0.1', '100.128.0.1', '2606:4700::1111', '::ffff:8.8.8.8'])(
    '%s is an address like others',
    (address) => {
      expect(isSpecialUse(address)).toBe(false);
    },
  );

  it('API-11 a name that leads inside is refused, however it is written in the name service', async () => {
    const original = dns.lookup;
    // The name service is not ours: here stands one that an attacker keeps.
    const lies = (_host: string, _options: object, done: (error: null, found: object[]) => void) =>
      done(null, [
        { address: '1.1.1.1', family: 4 },
        { address: '127.0.0.1', family: 4 },
      ]);
    Object.assign(dns, { lookup: lies });
    try {
      const { syncBuiltinESMExports } = await import('node:module');
      syncBuiltinESMExports();
      expect(await problemOf(open(`http://module.example:${port}/`, request))).toBe('refused-address');
    } finally {
      Object.assign(dns, { lookup: original });
      (await import('node:module')).syncBuiltinESMExports();
    }
  });

  it('DOS-03 an answer that never comes, or never ends, has an end', async () => {
    answer = () => undefined;
    expect(await problemOf(local(`http://localhost:${port}/`, { ...request, timeoutMs: 150 }))).toBe('timeout');
    answer = (_, response) => {
      const drip = setInterval(() => response.write(' '), 20);
      response.on('close', () => clearInterval(drip));
    };
    expect(await problemOf(local(`http://localhost:${port}/`, { ...request, timeoutMs: 300 }))).toBe('timeout');
  });

  it('DOS-03 an answer that is too large is not read to its end', async () => {
    let sent = 0;
    answer = (_, response) => {
      const push = () => {
        while (!response.destroyed && sent < 50_000_000) {
          sent += 65_536;
          if (!response.write(Buffer.alloc(65_536))) return response.once('drain', push);
        }
        return response.end();
      };
      push();
    };
    expect(await problemOf(local(`http://localhost:${port}/`, request))).toBe('too-large');
    expect(sent).toBeLessThan(50_000_000);
  });

  it('an answer that breaks off is none', async () => {
    answer = (_, response) => {
      response.writeHead(200, { 'content-length': '100' }).write('half');
      setTimeout(() => response.destroy(), 20);
    };
    expect(await problemOf(local(`http://localhost:${port}/`, request))).toBe('unreachable');
  });

  it('API-11 redirects are answers, and followed by nobody', async () => {
    answer = (_, response) => response.writeHead(302, { location: `http://localhost:${port}/elsewhere` }).end();
    const before = hits;
    expect((await local(`http://localhost:${port}/`, request)).status).toBe(302);
    expect(hits).toBe(before + 1);
  });
});
