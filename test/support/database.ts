// The PostgreSQL server of a test run, and a database of its own for whoever asks.

import { chmod, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, escapeIdentifier } from 'pg';
import { removeEmbedded, startEmbedded } from '../../src/db/embedded.ts';

export interface TestServer {
  /** Of a database on the server; its user may create databases. */
  url: string;
  stop(): Promise<void>;
}

const FOLDER = 'unified-login-test-';

/** TEST_DATABASE_URL names a server whose user may create databases; without it an embedded one is started. */
export async function startTestServer(): Promise<TestServer> {
  const given = process.env.TEST_DATABASE_URL;
  if (given) return { url: given, stop: async () => undefined };
  await removeForgotten();
  const dataDir = await mkdtemp(join(tmpdir(), FOLDER));
  // As root, PostgreSQL runs as a user who must pass through.
  await chmod(dataDir, 0o711);
  const database = await startEmbedded({
    dataDir,
    role: 'server',
    log: () => undefined,
    mayCreateDatabases: true,
    // Nothing here outlives the run, so nothing need reach the disk.
    settings: { fsync: 'off', full_page_writes: 'off', synchronous_commit: 'off', autovacuum: 'off' },
  });
  return {
    url: database.url,
    async stop() {
      await database.stop();
      await remove(dataDir);
    },
  };
}

async function remove(dataDir: string): Promise<void> {
  await removeEmbedded(dataDir);
  await rm(dataDir, { recursive: true, force: true });
}

/** A run that was killed leaves its server behind; one that still lives refuses to be removed. */
async function removeForgotten(): Promise<void> {
  const names = await readdir(tmpdir());
  const folders = names.filter((name) => name.startsWith(FOLDER)).map((name) => join(tmpdir(), name));
  await Promise.all(folders.map((folder) => removeIfForgotten(folder).catch(() => undefined)));
}

async function removeIfForgotten(folder: string): Promise<void> {
  // A younger one may be another run's that has not yet taken possession of it.
  if (Date.now() - (await stat(folder)).mtimeMs > 120_000) await remove(folder);
}

/** Answers the url of the new database. The template must have no connections. */
export async function createDatabaseFromTemplate(serverUrl: string, template: string, name: string): Promise<string> {
  await execute(serverUrl, `create database ${escapeIdentifier(name)} template ${escapeIdentifier(template)}`);
  return databaseUrl(serverUrl, name);
}

/** Ends the sessions in it, too. */
export async function dropDatabase(serverUrl: string, name: string): Promise<void> {
  await execute(serverUrl, `drop database if exists ${escapeIdentifier(name)} with (force)`);
}

export function databaseUrl(serverUrl: string, name: string): string {
  const url = new URL(serverUrl);
  url.pathname = `/${encodeURIComponent(name)}`;
  return url.href;
}

export async function execute(url: string, sql: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
