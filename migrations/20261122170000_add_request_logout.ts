import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table sso_requests
      -- Hashes of who has arrived (issuer and subject) and of the identity provider's name of the session; null: nobody yet, or no name.
      add column subject_hash text,
      add column session_hash text,
      -- Whose sign-in was completed by it. No foreign key: it lives no longer than the sign-in.
      add column user_id uuid,
      -- The identity provider has logged the person out since: no session comes of it any more.
      add column logged_out_at timestamptz`);
  for (const name of ['subject', 'session'])
    await knex.raw(
      `create index sso_requests_${name}_index on sso_requests (connection_id, ${name}_hash) where ${name}_hash is not null`,
    );
}

export async function down(knex: Knex): Promise<void> {
  for (const name of ['subject', 'session']) await knex.raw(`drop index sso_requests_${name}_index`);
  await knex.raw(
    'alter table sso_requests drop column subject_hash, drop column session_hash, drop column user_id, drop column logged_out_at',
  );
}
