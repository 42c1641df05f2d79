import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table mail_texts (
      company_id uuid not null constraint mail_texts_company_fkey references companies (id) on delete cascade,
      kind text not null,
      subject text not null,
      heading text not null,
      -- Plain text with {placeholders}: before the facts, and after them.
      intro text not null,
      outro text not null,
      updated_at timestamptz not null,
      constraint mail_texts_pkey primary key (company_id, kind)
    )`);
  await knex.raw(`
    create table mail_settings (
      company_id uuid constraint mail_settings_pkey primary key
        constraint mail_settings_company_fkey references companies (id) on delete cascade,
      sender_name text,
      reply_to text,
      -- Used only while the operator allows its domain.
      from_address text,
      updated_at timestamptz not null
    )`);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop table mail_settings');
  await knex.raw('drop table mail_texts');
}
