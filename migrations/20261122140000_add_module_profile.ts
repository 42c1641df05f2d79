import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table modules
      -- Which entry of the catalogue it was made from; null: one of its own.
      add column product text,
      -- What it can do, how accounts are matched, what an account needs, what "delete" means there (B.7, B.8).
      add column profile jsonb not null default '{}'`);
  // What was a flag of its own is part of the profile now. The old column stays for nodes of the version before; a later migration drops it.
  await knex.raw(`
    update modules set profile = jsonb_build_object('capabilities', jsonb_build_array('userImport'))
    where capabilities @> '{"userImport": true}'`);
  await knex.raw(`
    alter table module_instances
      -- The module's own name for whom it serves: a second company for the same one is refused (C29).
      add column tenant text,
      -- Where Security Event Tokens go (RFC 8935).
      add column events_url text,
      -- The separate address at which exempt people log in locally (C31).
      add column local_login_url text,
      -- A tenant for trying things out: the contract test may make and remove accounts there.
      add column is_test boolean not null default false,
      -- Grows with each change of settings, exceptions, rules or state.
      add column version bigint not null default 1,
      -- What the module said of itself at its last health handshake, and when.
      add column contact jsonb,
      add column contact_at timestamptz`);
  await knex.raw(
    'create unique index module_instances_tenant_unique on module_instances (module_id, tenant) where tenant is not null',
  );
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop index module_instances_tenant_unique');
  await knex.raw(`
    alter table module_instances
      drop column contact_at, drop column contact, drop column version, drop column is_test,
      drop column local_login_url, drop column events_url, drop column tenant`);
  await knex.raw('alter table modules drop column profile, drop column product');
}
