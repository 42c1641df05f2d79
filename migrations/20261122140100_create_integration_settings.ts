import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table integration_settings (
      instance_id uuid constraint integration_settings_pkey primary key,
      company_id uuid not null,
      require_state text not null default 'off' constraint integration_settings_require_check check (require_state in ('off', 'trial', 'on')),
      trial_ends_at timestamptz,
      trial_began_at timestamptz,
      trial_by uuid,
      provision boolean not null default false,
      provision_values jsonb not null default '{}',
      deprovision boolean not null default false,
      grace_days smallint not null default 14 constraint integration_settings_grace_check check (grace_days between 0 and 90),
      removal text not null default 'disable' constraint integration_settings_removal_check check (removal in ('remove', 'disable')),
      access_groups boolean not null default false,
      changed_at timestamptz not null default now(),
      changed_by text,
      constraint integration_settings_company_unique unique (company_id, instance_id),
      constraint integration_settings_instance_fkey foreign key (company_id, instance_id)
        references module_instances (company_id, id) on delete cascade,
      constraint integration_settings_trial_check check ((require_state = 'trial') = (trial_ends_at is not null))
    )`);
  await knex.raw(
    `create index integration_settings_trial_index on integration_settings (trial_ends_at) where require_state = 'trial'`,
  );
  await knex.raw(`
    insert into integration_settings (instance_id, company_id) select id, company_id from module_instances`);
  await knex.raw(`
    create table access_rules (
      id uuid constraint access_rules_pkey primary key,
      company_id uuid not null,
      instance_id uuid not null,
      -- Rules are read in this order, and written all at once.
      position integer not null,
      group_id uuid not null,
      permission text not null,
      constraint access_rules_position_unique unique (instance_id, position) deferrable initially deferred,
      constraint access_rules_settings_fkey foreign key (company_id, instance_id)
        references integration_settings (company_id, instance_id) on delete cascade,
      constraint access_rules_group_fkey foreign key (company_id, group_id) references access_groups (company_id, id) on delete cascade
    )`);
  await knex.raw('create index access_rules_instance_index on access_rules (company_id, instance_id)');
  await knex.raw('create index access_rules_group_index on access_rules (company_id, group_id)');
  await knex.raw(`
    create table login_exceptions (
      id uuid constraint login_exceptions_pkey primary key,
      company_id uuid not null,
      instance_id uuid not null,
      kind text not null constraint login_exceptions_kind_check check (kind in ('person', 'emergency')),
      -- The account at the module, and what it was called when it was exempted.
      account_id text not null,
      user_name text not null,
      reason text not null,
      ends_at timestamptz,
      -- Days before the end for which the last reminder went out.
      reminded_days smallint,
      created_at timestamptz not null,
      created_by text not null,
      constraint login_exceptions_account_unique unique (instance_id, account_id),
      constraint login_exceptions_settings_fkey foreign key (company_id, instance_id)
        references integration_settings (company_id, instance_id) on delete cascade
    )`);
  await knex.raw('create index login_exceptions_instance_index on login_exceptions (company_id, instance_id)');
  await knex.raw('create index login_exceptions_end_index on login_exceptions (ends_at) where ends_at is not null');
  await knex.raw(`
    create table instance_credentials (
      id uuid constraint instance_credentials_pkey primary key,
      company_id uuid not null,
      instance_id uuid not null,
      -- SHA-256: the secret itself is random enough (API-15).
      secret_hash text not null constraint instance_credentials_secret_unique unique,
      created_at timestamptz not null,
      last_used_at timestamptz,
      -- Of the ones before the newest: they end by themselves, so that a change needs no downtime.
      ends_at timestamptz,
      constraint instance_credentials_instance_fkey foreign key (company_id, instance_id)
        references module_instances (company_id, id) on delete cascade
    )`);
  await knex.raw('create index instance_credentials_instance_index on instance_credentials (company_id, instance_id)');
  await knex.raw(
    'create index instance_credentials_end_index on instance_credentials (ends_at) where ends_at is not null',
  );
}

export async function down(knex: Knex): Promise<void> {
  for (const table of ['instance_credentials', 'login_exceptions', 'access_rules', 'integration_settings'])
    await knex.raw(`drop table ${table}`);
}
