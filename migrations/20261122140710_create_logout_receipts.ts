import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table logout_receipts (
      id uuid constraint logout_receipts_pkey primary key,
      company_id uuid not null,
      user_id uuid not null,
      -- No reference: the proof of a leaver's end outlives the module's registration.
      client_id text not null,
      queued_at timestamptz not null,
      -- When the module took the logout token; null: not yet.
      sent_at timestamptz,
      attempts integer not null default 0,
      problem text,
      constraint logout_receipts_user_fkey foreign key (company_id, user_id) references users (company_id, id) on delete cascade
    )`);
  await knex.raw('create index logout_receipts_person_index on logout_receipts (company_id, user_id, queued_at desc)');
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop table logout_receipts');
}
