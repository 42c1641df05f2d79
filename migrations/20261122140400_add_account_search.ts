import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  // Of fifty thousand accounts of a module, the few that fit what was typed so far.
  await knex.raw(`
    alter table module_accounts add column search_text text not null
      generated always as (lower(user_name || ' ' || first_name || ' ' || last_name || ' ' || email)) stored`);
  await knex.raw('create index module_accounts_search_index on module_accounts using gin (search_text gin_trgm_ops)');
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop index module_accounts_search_index');
  await knex.raw('alter table module_accounts drop column search_text');
}
