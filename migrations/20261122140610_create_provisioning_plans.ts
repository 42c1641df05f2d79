import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table provisioning_plans (
      id uuid constraint provisioning_plans_pkey primary key,
      company_id uuid not null,
      instance_id uuid not null,
      read_id uuid not null,
      -- What it was made from: classes of the report, and what is to become of accounts without a person.
      scope jsonb not null,
      -- SHA-256 of everything that its rows were decided from: settings, and each row's own facts.
      input_hash text not null,
      settings_hash text not null,
      counts jsonb not null,
      -- Why one administrator alone may not apply it; null: one may.
      second_because text,
      state text not null constraint provisioning_plans_state_check check (state in ('ready', 'waiting', 'applied', 'dropped')),
      made_by uuid,
      made_by_name text not null,
      made_at timestamptz not null,
      -- The first of two.
      asked_by uuid,
      asked_by_name text,
      asked_at timestamptz,
      applied_by uuid,
      applied_by_name text,
      applied_at timestamptz,
      task_id uuid,
      constraint provisioning_plans_company_id_unique unique (company_id, id),
      constraint provisioning_plans_instance_fkey foreign key (company_id, instance_id)
        references module_instances (company_id, id) on delete cascade,
      constraint provisioning_plans_read_fkey foreign key (company_id, read_id)
        references drift_reads (company_id, id) on delete cascade
    )`);
  await knex.raw(
    'create index provisioning_plans_instance_index on provisioning_plans (company_id, instance_id, made_at desc)',
  );
  await knex.raw('create index provisioning_plans_read_index on provisioning_plans (company_id, read_id)');
  await knex.raw(`
    create table provisioning_plan_rows (
      company_id uuid not null,
      plan_id uuid not null,
      position integer not null,
      subject text not null,
      external_id text,
      user_id uuid,
      account text not null,
      person text not null,
      -- What is done; 'none': listed and left alone.
      act text not null,
      is_administrator boolean not null,
      before_words text not null,
      after_words text not null,
      -- The rule that decided, in words.
      rule text not null,
      wanted jsonb not null,
      input_hash text not null,
      search_text text not null,
      constraint provisioning_plan_rows_pkey primary key (plan_id, position),
      constraint provisioning_plan_rows_subject_unique unique (plan_id, subject),
      constraint provisioning_plan_rows_plan_fkey foreign key (company_id, plan_id)
        references provisioning_plans (company_id, id) on delete cascade
    )`);
  await knex.raw('create index provisioning_plan_rows_plan_index on provisioning_plan_rows (company_id, plan_id)');
  await knex.raw('create index provisioning_plan_rows_act_index on provisioning_plan_rows (plan_id, act, position)');
  await knex.raw('alter table tasks drop constraint tasks_kind_check');
  await knex.raw(
    `alter table tasks add constraint tasks_kind_check check (kind in ('csv', 'module', 'bulk', 'undo', 'plan'))`,
  );
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`delete from tasks where kind = 'plan'`);
  await knex.raw('alter table tasks drop constraint tasks_kind_check');
  await knex.raw(`alter table tasks add constraint tasks_kind_check check (kind in ('csv', 'module', 'bulk', 'undo'))`);
  await knex.raw('drop table provisioning_plan_rows');
  await knex.raw('drop table provisioning_plans');
}
