import type { Knex } from 'knex';

const owner = (table: string) =>
  `constraint ${table}_user_fkey foreign key (company_id, user_id) references users (company_id, id) on delete cascade`;

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table credentials (
      company_id uuid not null,
      user_id uuid not null constraint credentials_pkey primary key,
      -- argon2id in PHC form; parameters stand in the hash (AUT-04).
      hash text not null,
      set_at timestamptz not null,
      set_by uuid,
      -- A password that its owner did not choose: must be replaced at first use (C39).
      is_single_use boolean not null default false,
      ${owner('credentials')}
    )`);
  await knex.raw('create index credentials_user_index on credentials (company_id, user_id)');
  await knex.raw(`
    create table credential_history (
      company_id uuid not null,
      user_id uuid not null,
      hash text not null,
      set_at timestamptz not null,
      constraint credential_history_pkey primary key (user_id, set_at),
      ${owner('credential_history')}
    )`);
  await knex.raw('create index credential_history_user_index on credential_history (company_id, user_id)');
  await knex.raw(`
    create table factors (
      id uuid constraint factors_pkey primary key,
      company_id uuid not null,
      user_id uuid not null,
      kind text not null constraint factors_kind_check check (kind in ('totp')),
      sealed_secret text not null,
      confirmed_at timestamptz not null,
      -- The last accepted time step: a code is good once, and never an older one after a newer one (F8, AUT-21).
      last_step bigint not null default 0,
      constraint factors_kind_unique unique (user_id, kind),
      ${owner('factors')}
    )`);
  await knex.raw('create index factors_user_index on factors (company_id, user_id)');
  await knex.raw(`
    create table recovery_codes (
      company_id uuid not null,
      user_id uuid not null,
      code_hash text not null,
      used_at timestamptz,
      constraint recovery_codes_pkey primary key (user_id, code_hash),
      ${owner('recovery_codes')}
    )`);
  await knex.raw('create index recovery_codes_user_index on recovery_codes (company_id, user_id)');
  await knex.raw(`
    create table known_browsers (
      company_id uuid not null,
      user_id uuid not null,
      -- Hash of the long-lived browser cookie; one browser may know several people (AUT-26).
      browser_hash text not null,
      failures integer not null default 0,
      locked_until timestamptz,
      last_used_at timestamptz not null,
      constraint known_browsers_pkey primary key (user_id, browser_hash),
      ${owner('known_browsers')}
    )`);
  await knex.raw('create index known_browsers_user_index on known_browsers (company_id, user_id)');
  await knex.raw(`
    create table address_failures (
      -- IPv4 address or IPv6 /64 (AUT-08).
      address text constraint address_failures_pkey primary key,
      failures integer not null,
      window_ends_at timestamptz not null
    )`);
  await knex.raw('create index address_failures_window_index on address_failures (window_ends_at)');
  await knex.raw(`
    create table links (
      id uuid constraint links_pkey primary key,
      company_id uuid,
      user_id uuid,
      kind text not null constraint links_kind_check
        check (kind in ('invitation', 'passwordReset', 'setup', 'emailChange', 'installation')),
      token_hash text not null constraint links_token_unique unique,
      sent_to text,
      created_at timestamptz not null,
      expires_at timestamptz not null,
      used_at timestamptz,
      voided_at timestamptz,
      constraint links_owner_check check (kind = 'installation' or (company_id is not null and user_id is not null)),
      constraint links_user_fkey foreign key (company_id, user_id) references users (company_id, id) on delete cascade
    )`);
  await knex.raw('create index links_user_index on links (company_id, user_id, kind)');
  // One live link of a kind for a person (D.2, AUT-13).
  await knex.raw(
    `create unique index links_live_unique on links (user_id, kind) where used_at is null and voided_at is null and user_id is not null`,
  );
}

export async function down(knex: Knex): Promise<void> {
  for (const table of [
    'links',
    'address_failures',
    'known_browsers',
    'recovery_codes',
    'factors',
    'credential_history',
    'credentials',
  ]) {
    await knex.raw(`drop table ${table}`);
  }
}
