import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table sessions (
      -- The engine's session uid: stable while the cookie's value changes (WEB-02).
      uid text constraint sessions_pkey primary key,
      company_id uuid not null,
      user_id uuid not null,
      ip text not null,
      agent text not null,
      amr text[] not null,
      browser_hash text,
      created_at timestamptz not null,
      last_seen_at timestamptz not null,
      idle_ends_at timestamptz not null,
      ends_at timestamptz not null,
      ended_at timestamptz,
      end_reason text,
      constraint sessions_user_fkey foreign key (company_id, user_id) references users (company_id, id) on delete cascade
    )`);
  await knex.raw('create index sessions_user_index on sessions (company_id, user_id)');
  await knex.raw('create index sessions_idle_index on sessions (idle_ends_at) where ended_at is null');
  await knex.raw('create index sessions_ended_index on sessions (ended_at) where ended_at is not null');
  await knex.raw(`
    create table oidc_records (
      -- Hash of the value that opens it (token, code, cookie), so that a copy of the table opens nothing.
      id text constraint oidc_records_pkey primary key,
      kind text not null,
      payload jsonb not null,
      account_id uuid,
      client_id text,
      grant_id text,
      -- Session and Interaction: their own uid; tokens, codes and grants: the uid of their session.
      session_uid text,
      consumed_at timestamptz,
      expires_at timestamptz
    )`);
  // Tokens and codes are found by their grant, and grants by person and session: an index costs every token that is made.
  await knex.raw('create index oidc_records_grant_index on oidc_records (grant_id) where grant_id is not null');
  await knex.raw(
    `create index oidc_records_account_index on oidc_records (account_id) where kind in ('Grant', 'Session', 'Interaction')`,
  );
  await knex.raw(`create index oidc_records_live_session_index on oidc_records (session_uid) where kind = 'Session'`);
  await knex.raw(`create index oidc_records_grants_index on oidc_records (session_uid) where kind = 'Grant'`);
  await knex.raw('create index oidc_records_expiry_index on oidc_records (expires_at)');
  // Rows live for minutes: vacuum early, or the table bloats (DOS-03).
  await knex.raw(
    `alter table oidc_records set (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000, fillfactor = 80)`,
  );
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop table oidc_records');
  await knex.raw('drop table sessions');
}
