// A whole node on a database of its own: the real runtime, the real engine, listening on loopback.
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:net';
import { inject } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { createLog } from '../../src/lib/log.ts';
import type { TxtResolver } from '../../src/lib/txt-records.ts';
import { createRuntime, type Runtime } from '../../src/runtime.ts';
import { listenOn, type RunningServer } from '../../src/server.ts';
import type { Work } from '../../src/work.ts';
import { TestClock } from './clock.ts';
import { createDatabaseFromTemplate, dropDatabase } from './database.ts';
import { testKey } from './keys.ts';
import { Visitor } from './visitor.ts';

export interface TestApp {
  runtime: Runtime;
  /** The public address, and issuer. */
  url: string;
  /** Where this node listens; nodes that share a database share the public address, too. */
  port: number;
  databaseUrl: string;
  clock: TestClock;
  operator(): Work;
  /** A browser without scripts, with a cookie jar of its own. */
  visitor(): Visitor;
  /** Another node on the same database behind the same public address; with the same clock unless told. */
  node(clock?: TestClock): Promise<TestApp>;
  stop(): Promise<void>;
}

export interface TestAppOptions {
  /** Settings as the environment would say them. */
  environment?: Record<string, string>;
  /** Also run jobs and listening, as a server does. */
  start?: boolean;
  log?: ReturnType<typeof createLog>;
  /** What DNS says. */
  txtRecords?: TxtResolver;
}

/** How many nodes this process has started so far, in all its files. */
export let nodesStarted = 0;

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (typeof address !== 'object' || !address) throw new Error('no free port');
  return address.port;
}

export async function startApp(options: TestAppOptions = {}): Promise<TestApp> {
  const serverUrl = inject('databaseServerUrl');
  const name = `ul_test_${randomBytes(6).toString('hex')}`;
  const databaseUrl = await createDatabaseFromTemplate(serverUrl, inject('databaseTemplate'), name);
  const port = await freePort();
  const nodes: TestApp[] = [];
  const app = await startNode(databaseUrl, `http://localhost:${port}`, port, new TestClock(), options, nodes);
  return {
    ...app,
    async stop() {
      for (const node of [...nodes].reverse()) await node.stop();
      await dropDatabase(serverUrl, name);
    },
  };
}

async function startNode(
  databaseUrl: string,
  url: string,
  port: number,
  clock: TestClock,
  options: TestAppOptions,
  nodes: TestApp[],
): Promise<TestApp> {
  nodesStarted += 1;
  const config = loadConfig({
    PORT: String(port),
    PUBLIC_URL: url,
    DATABASE_URL: databaseUrl,
    ENCRYPTION_KEYS: testKey.toString('base64'),
    LOG_LEVEL: 'silent',
    // All the people of a test come from one address.
    ANONYMOUS_REQUESTS_PER_MINUTE: '100000',
    ...options.environment,
  });
  const runtime = await createRuntime({
    config,
    databaseUrl,
    encryptionKeys: config.encryptionKeys ?? [testKey],
    clock: clock.now,
    log: options.log ?? createLog('silent'),
    runMigrations: false,
    ...(options.txtRecords ? { txtRecords: options.txtRecords } : {}),
  });
  const server: RunningServer = await listenOn(runtime, '127.0.0.1', port);
  if (options.start) await runtime.start();
  const app: TestApp = {
    runtime,
    url: config.publicUrl,
    port: server.port,
    databaseUrl,
    clock,
    operator: () => runtime.work({ kind: 'operator', name: 'test' }),
    visitor: () => new Visitor(config.publicUrl, server.port),
    node: async (own = clock) => startNode(databaseUrl, url, await freePort(), own, options, nodes),
    async stop() {
      await server.drain(500);
      await runtime.stop();
    },
  };
  nodes.push(app);
  return app;
}
