import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table idp_connections
      -- What the last passed test sign-in went by; another one of the settings of today: it counts no more.
      add column tested_hash text,
      -- When the metadata was read again by its address, and why the last reading came to nothing.
      add column metadata_read_at timestamptz,
      add column metadata_tried_at timestamptz,
      add column metadata_problem text,
      -- Fingerprint of a certificate: days before its end for which the administrators were told.
      add column certificate_notices jsonb not null default '{}'`);
  await knex.raw(`
    alter table email_domains
      add column checked_at timestamptz,
      -- DNS has said since then that the proof is not there any more.
      add column missing_since timestamptz`);
  await knex.raw('create index email_domains_check_index on email_domains (checked_at) where verified_at is not null');
  await knex.raw('alter table break_glass_people add column reminded_days integer');
  await knex.raw(
    `create index sso_requests_test_index on sso_requests (connection_id, created_at desc) where purpose = 'test'`,
  );
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop index sso_requests_test_index');
  await knex.raw('alter table break_glass_people drop column reminded_days');
  await knex.raw('drop index email_domains_check_index');
  await knex.raw('alter table email_domains drop column checked_at, drop column missing_since');
  await knex.raw(`
    alter table idp_connections drop column tested_hash, drop column metadata_read_at, drop column metadata_tried_at,
      drop column metadata_problem, drop column certificate_notices`);
}
