// F9: asked to stop, a server takes no new requests, finishes those that run, and leaves with 0.
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { listenOn } from '../../../src/server.ts';
import { freePort, startApp, type TestApp } from '../../support/app.ts';
import { testKey } from '../../support/keys.ts';
import { type Server, startServer } from '../../support/server.ts';

const body = `email=${'x'.repeat(1000)}`;

/** A request of which the first half has been sent. */
class HalfSent {
  readonly socket: Socket;
  answer = '';
  readonly closed: Promise<void>;

  constructor(port: number, host: string) {
    this.socket = connect(port, '127.0.0.1');
    this.socket.setEncoding('utf8').on('data', (text) => {
      this.answer += text;
    });
    this.socket.on('error', () => undefined);
    this.closed = new Promise((resolve) => this.socket.once('close', () => resolve()));
    this.socket.write(
      `POST /forgot/company HTTP/1.1\r\nhost: ${host}\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: ${body.length}\r\n\r\n${body.slice(0, 500)}`,
    );
  }

  finish(): void {
    this.socket.write(body.slice(500));
  }
}

const isRefused = (port: number) =>
  new Promise<boolean>((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(false);
    });
    socket.once('error', () => resolve(true));
  });

describe('draining', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await startApp();
  });
  afterAll(() => app.stop());

  const start = (): Promise<Server> =>
    startServer({ DATABASE_URL: app.databaseUrl, ENCRYPTION_KEYS: testKey.toString('base64') });

  it.each(['SIGTERM', 'SIGINT'] as const)(
    'F9 %s: a request in flight is answered, new ones are not taken, and the end is 0',
    async (signal) => {
      const server = await start();
      const idle = connect(server.port, '127.0.0.1');
      const idleClosed = new Promise<void>((resolve) => idle.once('close', () => resolve()));
      idle.on('error', () => undefined);
      const inFlight = new HalfSent(server.port, new URL(server.url).host);
      await sleep(200);
      server.signal(signal);
      for (const until = Date.now() + 2000; !(await isRefused(server.port)); await sleep(20))
        expect(Date.now(), 'stops listening').toBeLessThan(until);
      await sleep(200);
      expect(inFlight.answer, 'waits for the rest').toBe('');
      // Asked twice, it does not stop in the middle.
      server.signal(signal);
      inFlight.finish();
      await inFlight.closed;
      expect(inFlight.answer).toMatch(/^HTTP\/1\.1 403 /);
      expect(inFlight.answer).toMatch(/"request_id":"[0-9a-f-]{36}"\}$/);
      expect(inFlight.answer.toLowerCase()).toContain('connection: close');
      await idleClosed;
      expect(await server.ended).toEqual({ code: 0, signal: null });
      expect(server.log().map(({ msg }) => msg)).toContain('draining');
    },
  );

  it('F9 a client that never finishes holds it up for a bounded time only', async () => {
    const port = await freePort();
    const server = await listenOn(app.runtime, '127.0.0.1', port);
    const stuck = new HalfSent(port, new URL(app.url).host);
    await sleep(100);
    const startedAt = performance.now();
    await server.drain(300);
    await stuck.closed;
    const took = performance.now() - startedAt;
    expect(took).toBeGreaterThan(290);
    expect(took).toBeLessThan(1500);
    expect(stuck.answer).toBe('');
  });

  it('F9 with nothing to finish it is quick', async () => {
    const server = await start();
    await server.visitor().open('/login');
    const startedAt = performance.now();
    expect(await server.stop()).toEqual({ code: 0, signal: null });
    expect(performance.now() - startedAt).toBeLessThan(3000);
  });
});
