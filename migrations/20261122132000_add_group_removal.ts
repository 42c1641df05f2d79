import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  // A group of very many members leaves in small steps: at once it gives nothing and shows nowhere, its members move out behind it.
  await knex.raw('alter table access_groups add column removed_at timestamptz');
  // The console's list of groups, in the order that people read.
  await knex.raw(
    'create index access_groups_by_name_index on access_groups (company_id, name collate "und-x-icu", id) where removed_at is null',
  );
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop index access_groups_by_name_index');
  await knex.raw('delete from access_groups where removed_at is not null');
  await knex.raw('alter table access_groups drop column removed_at');
}
