// Runs once for a `vitest run`: one PostgreSQL server, and the template that every test database is copied from.

// Makes the module known, so that it can be augmented below.
import type {} from 'vitest';
import type { TestProject } from 'vitest/node';
import { loadConfig } from '../../src/config/load.ts';
import { createRuntime } from '../../src/runtime.ts';
import { databaseUrl, dropDatabase, execute, startTestServer } from './database.ts';
import { testKey } from './keys.ts';

export const TEMPLATE = 'ul_template';

declare module 'vitest' {
  export interface ProvidedContext {
    /** For createDatabaseFromTemplate(inject('databaseServerUrl'), inject('databaseTemplate'), name). */
    databaseServerUrl: string;
    databaseTemplate: string;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await startTestServer();
  try {
    await prepareTemplate(server.url);
  } catch (error) {
    await server.stop();
    throw error;
  }
  project.provide('databaseServerUrl', server.url);
  project.provide('databaseTemplate', TEMPLATE);
  return () => server.stop();
}

/** Tables, queues and signing keys, made once by the runtime itself. */
async function prepareTemplate(serverUrl: string): Promise<void> {
  await dropDatabase(serverUrl, TEMPLATE);
  await execute(serverUrl, `create database ${TEMPLATE}`);
  const url = databaseUrl(serverUrl, TEMPLATE);
  const config = loadConfig({ DATABASE_URL: url, ENCRYPTION_KEYS: testKey.toString('base64'), LOG_LEVEL: 'silent' });
  const runtime = await createRuntime({ config, databaseUrl: url, encryptionKeys: [testKey] });
  await runtime.stop();
}
