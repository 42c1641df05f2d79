import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table sessions
      -- The identity provider's connection that vouched for it. No foreign key: a sign-in must not fail because the connection has just gone.
      add column connection_id uuid,
      -- Hash of its own name of the session (SessionIndex, sid), by which it ends it again; null: it gave none.
      add column upstream_session_hash text`);
  await knex.raw(
    `create index sessions_upstream_index on sessions (connection_id, upstream_session_hash)
       where connection_id is not null and ended_at is null`,
  );
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop index sessions_upstream_index');
  await knex.raw('alter table sessions drop column upstream_session_hash, drop column connection_id');
}
