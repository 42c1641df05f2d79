import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  // When the person was let in through the connection last; being seen and refused is not enough to enforce it (C26).
  await knex.raw('alter table idp_identities add column signed_in_at timestamptz');
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('alter table idp_identities drop column signed_in_at');
}
