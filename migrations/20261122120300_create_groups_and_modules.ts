import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table modules (
      id uuid constraint modules_pkey primary key,
      -- The OAuth client of the product (B.9: one client id per product).
      client_id text not null constraint modules_client_id_unique unique,
      name text not null,
      icon text,
      -- Hash of the client secret; private_key_jwt and public clients have none (API-15).
      secret_hash text,
      -- Client metadata as OpenID Connect Dynamic Client Registration 1.0 section 2 names it.
      metadata jsonb not null,
      -- Built-in clients are ours (the home page): entry needs no group.
      is_built_in boolean not null default false,
      created_at timestamptz not null default now()
    )`);
  await knex.raw(`
    create table module_instances (
      id uuid constraint module_instances_pkey primary key,
      company_id uuid not null constraint module_instances_company_fkey references companies (id),
      module_id uuid not null constraint module_instances_module_fkey references modules (id),
      name text not null,
      -- Where a tile leads: the module's initiate_login_uri with its landing page (OpenID Connect Core 4).
      initiate_login_uri text,
      landing_url text,
      is_enabled boolean not null default true,
      connected_at timestamptz not null,
      connected_by uuid,
      constraint module_instances_company_id_unique unique (company_id, id)
    )`);
  await knex.raw('create index module_instances_module_index on module_instances (module_id)');
  await knex.raw(`
    create table access_groups (
      id uuid constraint access_groups_pkey primary key,
      company_id uuid not null constraint access_groups_company_fkey references companies (id),
      -- Group names are case-sensitive (A4.5).
      name text not null,
      kind text not null constraint access_groups_kind_check check (kind in ('system-all', 'system-none', 'custom')),
      is_active boolean not null default true,
      created_at timestamptz not null default now(),
      constraint access_groups_name_unique unique (company_id, name),
      constraint access_groups_company_id_unique unique (company_id, id)
    )`);
  await knex.raw(
    `create unique index access_groups_system_unique on access_groups (company_id, kind) where kind <> 'custom'`,
  );
  await knex.raw(`
    create table group_members (
      company_id uuid not null,
      group_id uuid not null,
      user_id uuid not null,
      since timestamptz not null default now(),
      constraint group_members_pkey primary key (user_id, group_id),
      constraint group_members_group_fkey foreign key (company_id, group_id) references access_groups (company_id, id) on delete cascade,
      constraint group_members_user_fkey foreign key (company_id, user_id) references users (company_id, id) on delete cascade
    )`);
  await knex.raw('create index group_members_group_index on group_members (company_id, group_id, user_id)');
  await knex.raw('create index group_members_user_index on group_members (company_id, user_id)');
  await knex.raw(`
    create table group_modules (
      company_id uuid not null,
      group_id uuid not null,
      instance_id uuid not null,
      constraint group_modules_pkey primary key (group_id, instance_id),
      constraint group_modules_group_fkey foreign key (company_id, group_id) references access_groups (company_id, id) on delete cascade,
      constraint group_modules_instance_fkey foreign key (company_id, instance_id) references module_instances (company_id, id) on delete cascade
    )`);
  await knex.raw('create index group_modules_group_index on group_modules (company_id, group_id)');
  await knex.raw('create index group_modules_instance_index on group_modules (company_id, instance_id)');
}

export async function down(knex: Knex): Promise<void> {
  for (const table of ['group_modules', 'group_members', 'access_groups', 'module_instances', 'modules'])
    await knex.raw(`drop table ${table}`);
}
