import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table signing_keys (
      kid text constraint signing_keys_pkey primary key,
      alg text not null constraint signing_keys_alg_check check (alg in ('RS256', 'ES256', 'EdDSA')),
      sealed_private_jwk text not null,
      public_jwk jsonb not null,
      -- next: published, not yet signing; current: signs; previous: verifies until retired (OAU-21).
      state text not null constraint signing_keys_state_check check (state in ('next', 'current', 'previous')),
      created_at timestamptz not null,
      retires_at timestamptz
    )`);
  await knex.raw(`create unique index signing_keys_current_unique on signing_keys (alg) where state = 'current'`);
  await knex.raw(`create unique index signing_keys_next_unique on signing_keys (alg) where state = 'next'`);
  await knex.raw(`
    create table audit_events (
      id bigint generated always as identity constraint audit_events_pkey primary key,
      at timestamptz not null default now(),
      company_id uuid,
      action text not null,
      -- { kind: 'user' | 'operator' | 'system' | 'stranger', id?, name }
      actor jsonb not null,
      target_kind text,
      target_id text,
      details jsonb not null default '{}',
      -- What a page showed instead of the reason; an administrator looks the reason up by it.
      code text,
      ip text,
      agent text,
      request_id text
    )`);
  await knex.raw('create index audit_events_company_index on audit_events (company_id, id desc)');
  await knex.raw(
    'create index audit_events_target_index on audit_events (target_id, id desc) where target_id is not null',
  );
  await knex.raw('create index audit_events_code_index on audit_events (code) where code is not null');
  // Append-only in the database itself (API-13).
  await knex.raw(`
    create function refuse_audit_change() returns trigger language plpgsql as $$
    begin
      raise exception 'audit_events is append-only';
    end $$`);
  await knex.raw(`
    create trigger audit_events_append_only before update or delete or truncate on audit_events
      for each statement execute function refuse_audit_change()`);
  await knex.raw(`
    create table mails (
      id uuid constraint mails_pkey primary key,
      company_id uuid,
      user_id uuid,
      kind text not null,
      recipient text not null,
      -- Its values hold links that open accounts: sealed, and erased once sent (API-15).
      sealed_data text,
      state text not null constraint mails_state_check check (state in ('queued', 'sent', 'kept', 'failed', 'suppressed')),
      error text,
      created_at timestamptz not null,
      sent_at timestamptz,
      constraint mails_user_fkey foreign key (company_id, user_id) references users (company_id, id) on delete set null (user_id)
    )`);
  await knex.raw('create index mails_created_index on mails (created_at desc)');
  await knex.raw('create index mails_recipient_index on mails (lower(recipient), created_at)');
  await knex.raw('create index mails_user_index on mails (company_id, user_id)');
  await knex.raw(`
    create table mail_suppressions (
      address_key text constraint mail_suppressions_pkey primary key,
      reason text not null,
      created_at timestamptz not null
    )`);
}

export async function down(knex: Knex): Promise<void> {
  for (const table of ['mail_suppressions', 'mails', 'audit_events', 'signing_keys'])
    await knex.raw(`drop table ${table}`);
  await knex.raw('drop function refuse_audit_change()');
}
