// Runs once for a `vitest run`: one PostgreSQL server, and the template that every test database is copied from.

// Makes the module known, so that it can be augmented below.
import type {} from 'vitest';
import type { TestProject } from 'vitest/node';
import { dropDatabase, execute, startTestServer } from './database.ts';

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

async function prepareTemplate(serverUrl: string): Promise<void> {
  await dropDatabase(serverUrl, TEMPLATE);
  await execute(serverUrl, `create database ${TEMPLATE}`);
}
