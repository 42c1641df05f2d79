import { randomUUID } from 'node:crypto';
import { Client } from 'pg';
import { expect, inject, it } from 'vitest';
import { createDatabaseFromTemplate, databaseUrl, dropDatabase, execute } from '../support/database.ts';
import { query } from './hold.ts';

const serverUrl = inject('databaseServerUrl');

it('every test database is a copy of its template, made side by side and dropped with its sessions', async () => {
  const name = `copy_${randomUUID()}`;
  const template = `${name}_template`;
  await execute(serverUrl, `create database "${template}"`);
  await execute(databaseUrl(serverUrl, template), 'create table kept as select 7 as seven');
  const names = [`${name}_a`, `${name}_b`, `${name}_c`];
  const urls = await Promise.all(names.map((copy) => createDatabaseFromTemplate(serverUrl, template, copy)));
  for (const url of urls) expect(await query(url, 'select seven from kept')).toEqual([{ seven: 7 }]);
  const session = new Client({ connectionString: urls[0] ?? '' });
  session.on('error', () => undefined);
  await session.connect();
  for (const database of [...names, template]) await dropDatabase(serverUrl, database);
  expect(await query(serverUrl, `select datname from pg_database where datname like '${name}%'`)).toEqual([]);
});

it('the template of the run is there', async () => {
  const name = `copy_${randomUUID()}`;
  const url = await createDatabaseFromTemplate(serverUrl, inject('databaseTemplate'), name);
  expect(await query(url, 'select current_database() as name')).toEqual([{ name }]);
  await dropDatabase(serverUrl, name);
});
