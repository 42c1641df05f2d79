import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table audit_chain (
      -- Without gaps: an entry that is gone is missed.
      seq bigint constraint audit_chain_pkey primary key,
      event_id bigint not null constraint audit_chain_event_unique unique,
      -- Again here, so that one company's events can be checked without reading the others'.
      company_id uuid,
      -- SHA-256 of the event in its canonical form.
      event_hash bytea not null,
      -- SHA-256 of the previous entry's hash and of all the columns above and below.
      hash bytea not null,
      sealed_at timestamptz not null
    )`);
  await knex.raw(`
    create function refuse_chain_change() returns trigger language plpgsql as $$
    begin
      raise exception 'audit_chain is append-only';
    end $$`);
  await knex.raw(`
    create trigger audit_chain_append_only before update or delete or truncate on audit_chain
      for each statement execute function refuse_chain_change()`);
  // Also for sessions that replay changes (session_replication_role), and not even for the owner, who would have to grant it first.
  await knex.raw('alter table audit_chain enable always trigger audit_chain_append_only');
  await knex.raw('revoke update, delete, truncate on audit_chain from current_user');
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop table audit_chain');
  await knex.raw('drop function refuse_chain_change()');
}
