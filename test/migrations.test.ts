// Migrations: there and back, and the rules that keep a schema fast and its history readable.
import { randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { loadConfig } from '../src/config/load.ts';
import { createDatabase, type Database } from '../src/db/knex.ts';
import { migrate, pendingMigrations } from '../src/db/migrations.ts';
import { createLog } from '../src/lib/log.ts';
import { createRuntime, migrationsFolder } from '../src/runtime.ts';
import { createDatabaseFromTemplate, databaseUrl, dropDatabase, execute } from './support/database.ts';
import { testKey } from './support/keys.ts';
import { readSource, root } from './support/sources.ts';

const files = readdirSync(migrationsFolder).sort();

interface Migration {
  up(db: Database): Promise<void>;
  down(db: Database): Promise<void>;
}

const load = async (file: string): Promise<Migration> => import(pathToFileURL(join(migrationsFolder, file)).href);

/** The schema as one text: columns, constraints, indexes, triggers and functions of ours. */
async function describeSchema(db: Database): Promise<string[]> {
  const { rows }: { rows: { line: string }[] } = await db.raw(`
    select format('column %s.%s %s %s %s', table_name, column_name, data_type, is_nullable, column_default) as line
      from information_schema.columns where table_schema = 'public' and table_name not in ('migrations', 'migrations_lock')
    union all
    select format('constraint %s %s', conname, pg_get_constraintdef(oid)) from pg_constraint where connamespace = 'public'::regnamespace
      and conrelid::regclass::text not in ('migrations', 'migrations_lock')
    union all
    select indexdef from pg_indexes where schemaname = 'public' and tablename not in ('migrations', 'migrations_lock')
    union all
    select pg_get_triggerdef(t.oid) from pg_trigger t join pg_class c on c.oid = t.tgrelid and c.relnamespace = 'public'::regnamespace where not t.tgisinternal
    union all
    select format('function %s', p.oid::regprocedure) from pg_proc p where p.pronamespace = 'public'::regnamespace
    union all
    select format('type %s', typname) from pg_type where typnamespace = 'public'::regnamespace and typtype = 'e'
    order by 1`);
  return rows.map(({ line }) => line);
}

describe('migrations', () => {
  const serverUrl = inject('databaseServerUrl');
  const name = `ul_test_${randomBytes(6).toString('hex')}`;
  const url = databaseUrl(serverUrl, name);
  let db: Database;

  beforeAll(async () => {
    await execute(serverUrl, `create database ${name}`);
    db = createDatabase(url, { poolSize: 2 });
  });
  afterAll(async () => {
    await db.destroy();
    await dropDatabase(serverUrl, name);
  });

  it('go up, down to nothing, and up again to the same schema', async () => {
    expect(await migrate(db, migrationsFolder)).toHaveLength(files.length);
    const first = await describeSchema(db);
    expect(first.length).toBeGreaterThan(150);
    for (const file of [...files].reverse()) await (await load(file)).down(db);
    expect(await describeSchema(db)).toEqual([]);
    await db.raw('truncate migrations');
    expect(await migrate(db, migrationsFolder)).toHaveLength(files.length);
    expect(await describeSchema(db)).toEqual(first);
    expect(await pendingMigrations(db, migrationsFolder)).toEqual([]);
    expect(await migrate(db, migrationsFolder)).toEqual([]);
  });

  it('every step back leaves what the step before it had made', async () => {
    const seen: string[][] = [];
    for (const file of [...files].reverse()) {
      seen.push(await describeSchema(db));
      await (await load(file)).down(db);
    }
    for (const file of files) {
      await (await load(file)).up(db);
      expect(await describeSchema(db), file).toEqual(seen.pop());
    }
  });

  it('are named by time and verb, and import nothing of ours', () => {
    expect(
      files.filter((file) => !/^\d{14}_(create|add|drop|change|rename|split|fill)_[a-z0-9_]+\.ts$/.test(file)),
    ).toEqual([]);
    expect(new Set(files.map((file) => file.slice(0, 14))).size).toBe(files.length);
    const imports = files.flatMap((file) => readSource(join('migrations', file)).imports);
    expect(imports.filter(({ isOurs, target, isTypeOnly }) => isOurs || target !== 'knex' || !isTypeOnly)).toEqual([]);
    expect(migrationsFolder.startsWith(root)).toBe(true);
  });

  it('two nodes that start together migrate once', async () => {
    const other = `${name}_twin`;
    await execute(serverUrl, `create database ${other}`);
    const config = loadConfig({
      DATABASE_URL: databaseUrl(serverUrl, other),
      ENCRYPTION_KEYS: testKey.toString('base64'),
    });
    const start = () =>
      createRuntime({
        config,
        databaseUrl: databaseUrl(serverUrl, other),
        encryptionKeys: [testKey],
        log: createLog('silent'),
      });
    try {
      const nodes = await Promise.all([start(), start(), start()]);
      const [a, b, c] = await Promise.all(nodes.map((node) => node.store.keys.listLive(new Date())));
      expect(a?.map(({ kid }) => kid).sort()).toEqual(b?.map(({ kid }) => kid).sort());
      expect(c).toHaveLength(6);
      await Promise.all(nodes.map((node) => node.stop()));
    } finally {
      await dropDatabase(serverUrl, other);
    }
  });
});

describe('the schema', () => {
  const serverUrl = inject('databaseServerUrl');
  const name = `ul_test_${randomBytes(6).toString('hex')}`;
  let db: Database;

  beforeAll(async () => {
    db = createDatabase(await createDatabaseFromTemplate(serverUrl, inject('databaseTemplate'), name), { poolSize: 2 });
  });
  afterAll(async () => {
    await db.destroy();
    await dropDatabase(serverUrl, name);
  });

  it('every foreign key has an index: on its columns, or a unique one on some of them', async () => {
    const { rows }: { rows: { name: string }[] } = await db.raw(`
      select c.conname as name from pg_constraint c
      where c.contype = 'f' and c.connamespace = 'public'::regnamespace and not exists (
        select 1 from pg_index i where i.indrelid = c.conrelid and i.indpred is null
          and ((i.indkey::int2[])[0:cardinality(c.conkey) - 1] @> c.conkey or (i.indisunique and c.conkey @> i.indkey::int2[])))`);
    expect(rows.map((row) => row.name)).toEqual([]);
    const { rows: all }: { rows: { count: number }[] } = await db.raw(
      `select count(*)::int as count from pg_constraint where contype = 'f' and connamespace = 'public'::regnamespace`,
    );
    expect(all[0]?.count).toBeGreaterThan(10);
  });

  it('constraints have names of ours, not made-up ones', async () => {
    const { rows }: { rows: { name: string }[] } = await db.raw(`
      select conname as name from pg_constraint where connamespace = 'public'::regnamespace and contype <> 'n'
        and conrelid::regclass::text not in ('migrations', 'migrations_lock')
        and conname !~ '_(pkey|fkey|unique|check)$'`);
    expect(rows.map((row) => row.name)).toEqual([]);
  });

  it('company-owned tables refer to each other together with the company', async () => {
    const { rows }: { rows: { name: string }[] } = await db.raw(`
      select c.conname as name from pg_constraint c
      where c.contype = 'f' and c.connamespace = 'public'::regnamespace and cardinality(c.conkey) = 1
        and exists (select 1 from pg_attribute a where a.attrelid = c.conrelid and a.attname = 'company_id')
        and exists (select 1 from pg_attribute a where a.attrelid = c.confrelid and a.attname = 'company_id')`);
    expect(rows.map((row) => row.name)).toEqual([]);
  });
});
