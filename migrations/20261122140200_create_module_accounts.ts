import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table module_accounts (
      company_id uuid not null,
      instance_id uuid not null,
      -- The module's id for it (RFC 7643 section 3.1).
      external_id text not null,
      -- What the module last said of it: the last confirmed remote state.
      user_name text not null,
      email text not null default '',
      email_key text,
      first_name text not null default '',
      last_name text not null default '',
      is_active boolean not null,
      permissions text[] not null default '{}',
      time_zone text,
      -- Our name for the person, as the module keeps it (RFC 7643 section 3.1, externalId).
      known_as text,
      has_local_login boolean,
      is_administrator boolean not null default false,
      etag text,
      confirmed_at timestamptz not null,
      -- The reading of the whole list in which it was seen last.
      read_id uuid,
      -- The link (C28): once made, the address does not matter any more.
      user_id uuid,
      linked_by text constraint module_accounts_linked_check check (linked_by in ('entry', 'created', 'known', 'email', 'hand')),
      linked_at timestamptz,
      -- What we have done to it: the life of an account, from its access to its end.
      life text not null default 'free' constraint module_accounts_life_check
        check (life in ('free', 'live', 'suspended', 'removed', 'disabled')),
      suspended_at timestamptz,
      -- Suspended: until then an undo restores all.
      held_until timestamptz,
      life_reason text,
      constraint module_accounts_pkey primary key (instance_id, external_id),
      constraint module_accounts_instance_fkey foreign key (company_id, instance_id)
        references module_instances (company_id, id) on delete cascade,
      constraint module_accounts_user_fkey foreign key (company_id, user_id) references users (company_id, id),
      constraint module_accounts_held_check check ((life = 'suspended') = (held_until is not null))
    )`);
  await knex.raw(
    'create unique index module_accounts_user_unique on module_accounts (instance_id, user_id) where user_id is not null',
  );
  await knex.raw('create index module_accounts_person_index on module_accounts (company_id, user_id)');
  await knex.raw('create index module_accounts_company_index on module_accounts (company_id, instance_id)');
  await knex.raw('create index module_accounts_email_index on module_accounts (instance_id, email_key)');
  await knex.raw(
    'create index module_accounts_held_index on module_accounts (held_until) where held_until is not null',
  );
  await knex.raw(`
    create table deliveries (
      id uuid constraint deliveries_pkey primary key,
      -- Order of one person in one module; the number also tells a module which of two events is the later one.
      seq bigint generated always as identity,
      company_id uuid not null constraint deliveries_company_fkey references companies (id),
      -- No reference, and a name beside it: the proof of a leaver's end outlives the module's disconnection.
      instance_id uuid not null,
      instance_name text not null,
      user_id uuid,
      person text not null,
      external_id text,
      channel text not null constraint deliveries_channel_check check (channel in ('scim', 'event')),
      act text not null,
      -- What caused it, in words, and the batch that it belongs to.
      reason text not null,
      batch_id uuid,
      -- What is wanted there; what is sent is made from it and from what is known of the account at that time.
      wanted jsonb not null default '{}',
      state text not null default 'queued' constraint deliveries_state_check
        check (state in ('waiting', 'queued', 'sent', 'accepted', 'verified', 'failed', 'given-up', 'superseded')),
      attempts integer not null default 0,
      queued_at timestamptz not null,
      next_at timestamptz,
      -- A worker that was killed lets go by itself.
      claimed_until timestamptz,
      sent_at timestamptz,
      accepted_at timestamptz,
      verified_at timestamptz,
      ended_at timestamptz,
      alerted_at timestamptz,
      -- Status and words of the last answer, cut and without secrets.
      answer jsonb
    )`);
  await knex.raw(
    `create index deliveries_due_index on deliveries (instance_id, next_at, seq) where state in ('queued', 'sent', 'accepted', 'failed')`,
  );
  await knex.raw(
    `create index deliveries_open_index on deliveries (instance_id, user_id, seq) where state in ('waiting', 'queued', 'sent', 'accepted', 'failed')`,
  );
  await knex.raw('create index deliveries_person_index on deliveries (company_id, user_id, seq desc)');
  await knex.raw('create index deliveries_instance_index on deliveries (company_id, instance_id, seq desc)');
  await knex.raw('create index deliveries_batch_index on deliveries (batch_id) where batch_id is not null');
  await knex.raw(`
    create table delivery_lanes (
      instance_id uuid constraint delivery_lanes_pkey primary key,
      company_id uuid not null,
      failures integer not null default 0,
      -- Open circuit: nothing is sent until then, and then one only, to see.
      closed_until timestamptz,
      last_success_at timestamptz,
      last_failure_at timestamptz,
      last_problem text,
      constraint delivery_lanes_instance_fkey foreign key (company_id, instance_id)
        references module_instances (company_id, id) on delete cascade
    )`);
  await knex.raw('create index delivery_lanes_instance_index on delivery_lanes (company_id, instance_id)');
}

export async function down(knex: Knex): Promise<void> {
  for (const table of ['delivery_lanes', 'deliveries', 'module_accounts']) await knex.raw(`drop table ${table}`);
}
