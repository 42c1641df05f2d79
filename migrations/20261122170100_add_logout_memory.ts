import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table sso_assertions
      -- Of a logout: when it came, by the clock of the database, and hashes of whom and whose sessions it names.
      add column logout_at timestamptz,
      add column subject_hash text,
      add column session_hashes text[]`);
  await knex.raw(
    'create index sso_assertions_logout_index on sso_assertions (connection_id, logout_at) where logout_at is not null',
  );
  // When the answer came in, by the same clock: asking the identity provider what it holds takes its time.
  await knex.raw('alter table sso_requests add column answered_at timestamptz');
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('alter table sso_requests drop column answered_at');
  await knex.raw('drop index sso_assertions_logout_index');
  await knex.raw(
    'alter table sso_assertions drop column logout_at, drop column subject_hash, drop column session_hashes',
  );
}
