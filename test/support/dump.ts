// The contents of tables as text, as a backup would hold them.
import type { Database } from '../../src/db/knex.ts';

/** @param pattern which tables, as a regular expression over "schema.table" @throws when there is none */
export async function dumpTables(db: Database, pattern: string): Promise<string> {
  const { rows: tables }: { rows: { name: string }[] } = await db.raw(
    `select format('%I.%I', n.nspname, c.relname) as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.relkind in ('r', 'p') and n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast')
       and format('%I.%I', n.nspname, c.relname) ~ ? order by 1`,
    [pattern],
  );
  if (tables.length === 0) throw new Error(`no table is called like ${pattern}`);
  const parts: string[] = [];
  for (const { name } of tables) {
    const { rows }: { rows: { row: string }[] } = await db.raw(`select t::text as row from ${name} t`);
    parts.push(name, ...rows.map(({ row }) => row));
  }
  return parts.join('\n');
}
