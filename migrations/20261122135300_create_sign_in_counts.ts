import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table sign_in_counts (
      company_id uuid not null,
      -- Beginning of a quarter of an hour: days of every time zone are sums of these.
      quarter timestamptz not null,
      succeeded integer not null,
      failed integer not null,
      constraint sign_in_counts_pkey primary key (company_id, quarter)
    )`);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop table sign_in_counts');
}
