import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  // When the administrators were last told that a sealed emergency account has been used.
  await knex.raw('alter table login_exceptions add column use_told_at timestamptz');
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('alter table login_exceptions drop column use_told_at');
}
