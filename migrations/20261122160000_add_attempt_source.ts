import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  // Where an answer came from that nobody vouches for: such ones are one line for each network address and outcome, and counted,
  // so that what strangers send cannot push out of the log what the identity provider has signed. Null: it vouches for it.
  await knex.raw('alter table sso_attempts add column source text');
  await knex.raw('alter table sso_attempts add column tries integer not null default 1');
  await knex.raw('alter table sso_attempts add column first_at timestamptz');
  await knex.raw(
    'create unique index sso_attempts_source_unique on sso_attempts (connection_id, outcome, source) where source is not null',
  );
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop index sso_attempts_source_unique');
  for (const column of ['first_at', 'tries', 'source'])
    await knex.raw(`alter table sso_attempts drop column ${column}`);
}
