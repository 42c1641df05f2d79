// The contract test against the demo module: the kit keeps section 4 of the protocol, case by case.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readConfig } from '../../../src/demo/module/config.ts';
import { type RunningModule, startModule } from '../../../src/demo/module/server.ts';
import { findProduct } from '../../../src/domain/modules/catalogue.ts';
import { plainProfile } from '../../../src/domain/modules/profile.ts';
import { createBench, runCases } from '../../../src/jobs/contract/bench.ts';
import { createLog } from '../../../src/lib/log.ts';
import { createOutgoing } from '../../../src/lib/outgoing.ts';
import { type BareProvider, startBareProvider, startServer } from '../sdk/bare-provider.ts';

const token = 'a-scim-token-of-the-demo-module-42';
const profile = findProduct('workplace')?.profile ?? plainProfile;

let bare: BareProvider;
let module: RunningModule;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'module-'));
  const free = await startServer();
  await free.close();
  const { port } = new URL(free.url);
  bare = await startBareProvider([
    {
      client_id: 'workplace',
      client_secret: 'secret of Workplace',
      redirect_uris: [`http://localhost:${port}/callback`],
    },
  ]);
  const config = readConfig({
    MODULE_NAME: 'Workplace',
    PORT: port,
    ISSUER: bare.issuer,
    CLIENT_ID: 'workplace',
    CLIENT_SECRET: 'secret of Workplace',
    DATA_DIR: folder,
    MODULE_USERS: JSON.stringify([{ email: 'ada@acme.example', name: 'Ada Root', role: 'Full Access' }]),
    PLAIN_LOGIN: '1',
    SCIM_TOKEN: token,
    LOG_LEVEL: 'silent',
  });
  if ('problems' in config) throw new Error(config.problems.join('\n'));
  module = await startModule(config, pino({ level: 'silent' }));
});
afterAll(async () => {
  await module.stop();
  await bare.close();
  await rm(folder, { recursive: true });
});

describe('the kit', () => {
  it('passes every case of the contract test, and nothing is left behind', async () => {
    const send = createOutgoing({ mayReachLoopback: true });
    const service = { url: `${module.url}/scim/v2`, token };
    const parts = { clock: () => new Date(), sleep: async () => {} };
    const bench = createBench({ send, service }, profile, 'unified-login-test-0123456789', parts);
    const results = (await runCases(bench, createLog('silent'))) ?? [];
    expect(
      results.filter(({ outcome }) => outcome !== 'passed').map(({ name, sentence }) => `${name}: ${sentence}`),
    ).toEqual([]);
    expect(results).toHaveLength(14);
    // A module that keeps versions says so: the last write does not simply win.
    expect(results.find(({ name }) => name === 'concurrent')?.sentence).toContain('412');
    const { body } = await send(`${service.url}/Users?count=100`, {
      headers: { authorization: `Bearer ${token}` },
      timeoutMs: 5000,
      maxBytes: 100_000,
    });
    expect(body).toContain('ada@acme.example');
    expect(body).not.toContain('unified-login-test');
  });
});
