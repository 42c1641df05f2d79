// Announcements of other nodes: heard again after a silence that nothing but a heartbeat would notice.

import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { listen } from '../../../src/db/announcements.ts';
import { createLog } from '../../../src/lib/log.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import { type DatabaseProxy, startProxy } from '../../support/proxy.ts';

let app: TestApp;
let proxy: DatabaseProxy;

beforeAll(async () => {
  app = await startApp();
  proxy = await startProxy(app.databaseUrl);
});
afterAll(async () => {
  await proxy?.stop();
  await app?.stop();
});

describe('the connection that hears announcements', () => {
  it('notices silence by its own heartbeat, says that it is deaf, and hears again afterwards', {
    timeout: 20_000,
  }, async () => {
    const heard: string[] = [];
    let lost = 0;
    let connected = 0;
    const listener = listen(proxy.url, 'silent_test', {
      log: createLog('silent'),
      onAnnouncement: (payload) => heard.push(payload),
      onLost: () => {
        lost += 1;
      },
      onConnected: () => {
        connected += 1;
      },
      heartbeat: { everyMs: 200, patienceMs: 600 },
    });
    const speaker = new pg.Client({ connectionString: app.databaseUrl });
    await speaker.connect();
    const until = async (holds: () => boolean, what: string) => {
      for (const end = Date.now() + 8000; !holds(); await sleep(20)) expect(Date.now(), what).toBeLessThan(end);
    };
    try {
      await until(() => connected === 1, 'connected');
      await sleep(1500);
      expect({ lost, connected }, 'a quiet channel is not a silent one').toEqual({ lost: 0, connected: 1 });
      await speaker.query(`notify silent_test, 'one'`);
      await until(() => heard.includes('one'), 'heard');

      proxy.silence();
      const silentAt = Date.now();
      await until(() => lost > 0, 'deaf');
      expect(Date.now() - silentAt).toBeLessThan(2500);
      expect(connected).toBe(1);

      proxy.speak();
      await until(() => connected === 2, 'connected again');
      await speaker.query(`notify silent_test, 'two'`);
      await until(() => heard.includes('two'), 'heard again');
    } finally {
      await speaker.end();
      await listener.stop();
    }
  });
});
