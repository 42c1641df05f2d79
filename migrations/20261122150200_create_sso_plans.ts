import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table idp_identities
      -- When the groups that stand here were said: a sign-in that did not say them leaves the last ones.
      add column groups_seen_at timestamptz,
      -- What the last sign-in said of them instead, until one says them again.
      add column stopped_because text constraint idp_identities_stop_check
        check (stopped_because in ('groups-missing', 'groups-emptied', 'groups-overage')),
      add column stopped_at timestamptz`);
  await knex.raw(
    'create index idp_identities_stop_index on idp_identities (connection_id, stopped_at desc) where stopped_because is not null',
  );
  // Mail to the administrators about groups that are not said goes once a day.
  await knex.raw('alter table idp_connections add column stop_told_at timestamptz');
  await knex.raw(`
    create table role_sources (
      -- Whose rule gave the role that a person has; it counts while they still have that very role. No row: by hand.
      company_id uuid not null,
      user_id uuid not null constraint role_sources_pkey primary key,
      connection_id uuid not null,
      rule_id uuid not null,
      role text not null,
      -- What they had by hand, and have again when no rule gives one.
      role_before text not null constraint role_sources_before_check check (role_before <> 'Root Admin'),
      since timestamptz not null,
      constraint role_sources_connection_fkey foreign key (company_id, connection_id)
        references idp_connections (company_id, id) on delete cascade,
      constraint role_sources_user_fkey foreign key (company_id, user_id) references users (company_id, id) on delete cascade
    )`);
  await knex.raw('create index role_sources_connection_index on role_sources (company_id, connection_id)');
  await knex.raw('create index role_sources_user_index on role_sources (company_id, user_id)');
  await knex.raw(`
    create table sso_plans (
      id uuid constraint sso_plans_pkey primary key,
      company_id uuid not null,
      connection_id uuid not null,
      -- Rules and switches as they would be, and as they were when it was made: undo puts these back.
      proposed jsonb not null,
      present jsonb not null,
      -- SHA-256 of everything that its rows were decided from.
      input_hash text not null,
      counts jsonb not null,
      -- Why one administrator alone may not apply it; null: one may.
      second_because text,
      state text not null constraint sso_plans_state_check
        check (state in ('ready', 'waiting', 'applied', 'dropped', 'undone')),
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
      undone_by_name text,
      undone_at timestamptz,
      undo_task_id uuid,
      constraint sso_plans_company_id_unique unique (company_id, id),
      constraint sso_plans_connection_fkey foreign key (company_id, connection_id)
        references idp_connections (company_id, id) on delete cascade
    )`);
  await knex.raw('create index sso_plans_connection_index on sso_plans (company_id, connection_id, made_at desc)');
  await knex.raw(`
    create table sso_plan_rows (
      company_id uuid not null,
      plan_id uuid not null,
      position integer not null,
      user_id uuid not null,
      person text not null,
      username text not null,
      -- What is done; 'none': as they are; 'unknown': their groups were never seen.
      act text not null,
      is_administrator boolean not null,
      before_words text not null,
      after_words text not null,
      -- The rule that decided, in words.
      rule text not null,
      -- When the groups were said that it was decided from.
      seen_at timestamptz,
      -- The person before and after, exactly: for undo and for the proof that it came out as shown.
      change jsonb,
      input_hash text not null,
      search_text text not null,
      constraint sso_plan_rows_pkey primary key (plan_id, position),
      constraint sso_plan_rows_user_unique unique (plan_id, user_id),
      constraint sso_plan_rows_plan_fkey foreign key (company_id, plan_id)
        references sso_plans (company_id, id) on delete cascade
    )`);
  await knex.raw('create index sso_plan_rows_plan_index on sso_plan_rows (company_id, plan_id)');
  await knex.raw('create index sso_plan_rows_act_index on sso_plan_rows (plan_id, act, position)');
  await knex.raw('alter table tasks drop constraint tasks_kind_check');
  await knex.raw(
    `alter table tasks add constraint tasks_kind_check check (kind in ('csv', 'module', 'bulk', 'undo', 'plan', 'mapping'))`,
  );
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`delete from tasks where kind = 'mapping'`);
  await knex.raw('alter table tasks drop constraint tasks_kind_check');
  await knex.raw(
    `alter table tasks add constraint tasks_kind_check check (kind in ('csv', 'module', 'bulk', 'undo', 'plan'))`,
  );
  for (const table of ['sso_plan_rows', 'sso_plans', 'role_sources']) await knex.raw(`drop table ${table}`);
  await knex.raw('alter table idp_connections drop column stop_told_at');
  await knex.raw('drop index idp_identities_stop_index');
  await knex.raw(
    'alter table idp_identities drop column groups_seen_at, drop column stopped_because, drop column stopped_at',
  );
}
