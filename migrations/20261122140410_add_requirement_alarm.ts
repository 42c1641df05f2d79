import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  // When the administrators were last told that nobody could get in but through us; null while somebody can.
  await knex.raw('alter table integration_settings add column alarmed_at timestamptz');
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('alter table integration_settings drop column alarmed_at');
}
