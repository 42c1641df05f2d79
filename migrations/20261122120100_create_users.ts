import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table users (
      id uuid constraint users_pkey primary key,
      company_id uuid not null constraint users_company_fkey references companies (id),
      username text not null,
      username_key text not null,
      email text not null,
      email_key text not null,
      email_verified_at timestamptz,
      pending_email text,
      first_name text not null,
      last_name text not null,
      phone text,
      time_zone text,
      theme text not null default 'auto' constraint users_theme_check check (theme in ('auto', 'light', 'dark')),
      role text not null constraint users_role_check
        check (role in ('Root Admin', 'Admin', 'Billing and Purchasing', 'User', 'Co-Managed User')),
      base_status text not null constraint users_status_check check (base_status in ('Invited', 'Active', 'Deactivated', 'Deleted')),
      deactivated_reason text constraint users_deactivated_reason_check check (deactivated_reason in ('admin', 'mapping', 'scim')),
      -- Failed tries from browsers that never signed in as this person (C7, AUT-07), and the lock they led to.
      failures integer not null default 0,
      locked_until timestamptz,
      must_set_password boolean not null default false,
      must_enrol_2fa boolean not null default true,
      source text not null constraint users_source_check check (source in ('form', 'csv', 'module', 'sso', 'sync', 'api', 'setup')),
      last_login_at timestamptz,
      created_by uuid,
      created_at timestamptz not null default now(),
      deleted_at timestamptz,
      constraint users_company_id_unique unique (company_id, id)
    )`);
  // A deleted person's username becomes free again (C15).
  await knex.raw(
    `create unique index users_username_unique on users (company_id, username_key) where base_status <> 'Deleted'`,
  );
  await knex.raw('create index users_email_index on users (email_key)');
  await knex.raw(`create unique index users_root_unique on users (company_id) where role = 'Root Admin'`);
  await knex.raw(`
    alter table companies add constraint companies_root_user_fkey
      foreign key (id, root_user_id) references users (company_id, id) deferrable initially deferred`);
  await knex.raw('create index companies_root_user_index on companies (root_user_id)');
  await knex.raw(`
    create table user_pictures (
      company_id uuid not null,
      user_id uuid not null constraint user_pictures_pkey primary key,
      type text not null constraint user_pictures_type_check check (type in ('image/png', 'image/jpeg', 'image/webp')),
      bytes bytea not null,
      updated_at timestamptz not null default now(),
      constraint user_pictures_user_fkey foreign key (company_id, user_id) references users (company_id, id) on delete cascade
    )`);
  await knex.raw('create index user_pictures_user_index on user_pictures (company_id, user_id)');
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop table user_pictures');
  await knex.raw('alter table companies drop constraint companies_root_user_fkey');
  await knex.raw('drop index companies_root_user_index');
  await knex.raw('drop table users');
}
