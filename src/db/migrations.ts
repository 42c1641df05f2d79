// Brings the schema up to date, one node at a time.

import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Knex } from 'knex';
import { type Database, patiently } from './knex.ts';

const lockKey = 7_304_811;

interface Migration {
  up(knex: Knex): Promise<void>;
  down(knex: Knex): Promise<void>;
}

/** knex's own lock row stays behind when a process is killed; an advisory lock does not. */
export async function migrate(db: Database, folder: string): Promise<string[]> {
  return db.transaction(async (trx) => {
    // The lock may be another node's for long, and a change of a large table takes its time.
    return patiently(trx, async () => {
      await trx.raw('select pg_advisory_xact_lock(?)', [lockKey]);
      const [, applied]: [number, string[]] = await trx.migrate.latest({
        migrationSource: await createSource(folder),
        tableName: 'migrations',
        disableTransactions: true,
      });
      return applied;
    });
  });
}

/** Names of migrations that the code knows and the database has not seen. */
export async function pendingMigrations(db: Database, folder: string): Promise<string[]> {
  const [, pending]: [unknown, { name: string }[]] = await db.migrate.list({
    migrationSource: await createSource(folder),
    tableName: 'migrations',
  });
  return pending.map(({ name }) => name);
}

/** Only what is still to be done is loaded: a start that has nothing to migrate reads no migration. */
async function createSource(folder: string): Promise<Knex.MigrationSource<string>> {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.ts')).sort();
  return {
    getMigrations: async () => files,
    getMigrationName: (file) => file.replace(/\.ts$/, ''),
    getMigration: (file): Promise<Migration> => import(pathToFileURL(join(folder, file)).href),
  };
}
