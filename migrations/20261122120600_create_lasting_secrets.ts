import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table lasting_secrets (
      -- What it is for.
      name text constraint lasting_secrets_pkey primary key,
      -- Outlives the encryption keys, which are replaced: people's pairwise names, for one, must stay (OAU-25).
      sealed_value text not null,
      created_at timestamptz not null
    )`);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop table lasting_secrets');
}
