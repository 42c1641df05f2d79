import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table companies (
      id uuid constraint companies_pkey primary key,
      name text not null,
      -- Company names and slugs sign people in without regard to case (domain B.1).
      name_key text not null constraint companies_name_key_unique unique,
      login_slug text not null constraint companies_login_slug_unique unique,
      -- Random value that a shared SAML endpoint tells companies apart by (B.5).
      identifier text not null constraint companies_identifier_unique unique,
      root_user_id uuid,
      policy jsonb not null default '{}',
      created_at timestamptz not null default now()
    )`);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop table companies');
}
