// What the server keeps of the machine's memory: little at rest, and not without bounds under load.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApp, type TestApp } from '../../support/app.ts';
import { testKey } from '../../support/keys.ts';
import { type Server, startServer } from '../../support/server.ts';

const token = 'metrics-token-0123456789';

describe('memory', () => {
  let app: TestApp;
  let server: Server;

  beforeAll(async () => {
    app = await startApp();
    server = await startServer({
      DATABASE_URL: app.databaseUrl,
      ENCRYPTION_KEYS: testKey.toString('base64'),
      LOG_LEVEL: 'warn',
      METRICS_TOKEN: token,
    });
  });
  afterAll(async () => {
    await server?.stop();
    await app?.stop();
  });

  async function megabytes() {
    const page = await server.visitor().send('/metrics', { headers: { authorization: `Bearer ${token}` } });
    const value = (name: string) => {
      const line = page.body.split('\n').find((text) => text.startsWith(`${name} `)) ?? '';
      expect(line, name).not.toBe('');
      return Number(line.slice(name.length)) / 1024 / 1024;
    };
    return {
      resident: value('process_resident_memory_bytes'),
      heap: value('nodejs_heap_size_total_bytes'),
      young: value('nodejs_heap_space_size_total_bytes{space="new"}'),
    };
  }

  it('at rest is what it needs, without what starting up has left behind', async () => {
    const { resident, heap, young } = await megabytes();
    expect(young).toBeLessThanOrEqual(4);
    expect(heap).toBeLessThan(50);
    // About 130; the first start of all, which has to strip types, takes some more.
    if (process.platform === 'linux') expect(resident).toBeLessThan(150);
  });

  it('under load grows, within bounds', async () => {
    const before = await megabytes();
    const crowd = async () => {
      for (let i = 0; i < 250; i += 1) expect((await server.visitor().send('/forgot')).status).toBe(200);
    };
    await Promise.all(Array.from({ length: 8 }, crowd));
    const { young } = await megabytes();
    expect(young).toBeGreaterThan(before.young);
    expect(young).toBeLessThanOrEqual(64);
  });
});
