import type { Knex } from 'knex';

// The list of people sorts, filters and searches in the database, with hundreds of thousands of rows behind it.
const sorted: [name: string, columns: string][] = [
  ['first_name', 'first_name collate "und-x-icu"'],
  ['last_name', 'last_name collate "und-x-icu"'],
  ['email', 'email_key'],
  ['role', 'role'],
  ['status', 'base_status, locked_until nulls first'],
  ['second_factor', 'must_enrol_2fa'],
  ['last_login', 'last_login_at nulls first'],
];

export async function up(knex: Knex): Promise<void> {
  await knex.raw('create extension if not exists pg_trgm');
  await knex.raw(`
    alter table users add column search_text text generated always as
      (lower(first_name || ' ' || last_name || ' ' || username || ' ' || email)) stored`);
  await knex.raw('create index users_search_index on users using gin (search_text gin_trgm_ops)');
  for (const [name, columns] of sorted)
    await knex.raw(
      `create index users_by_${name}_index on users (company_id, ${columns}, id) where base_status <> 'Deleted'`,
    );
  await knex.raw(`
    create table user_preferences (
      company_id uuid not null,
      user_id uuid not null,
      -- What is remembered, such as 'columns.users'.
      name text not null,
      value jsonb not null,
      constraint user_preferences_pkey primary key (user_id, name),
      constraint user_preferences_user_fkey foreign key (company_id, user_id) references users (company_id, id) on delete cascade
    )`);
  await knex.raw('create index user_preferences_user_index on user_preferences (company_id, user_id)');
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop table user_preferences');
  for (const [name] of sorted) await knex.raw(`drop index users_by_${name}_index`);
  await knex.raw('drop index users_search_index');
  await knex.raw('alter table users drop column search_text');
  await knex.raw('drop extension pg_trgm');
}
