import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table tasks (
      id uuid constraint tasks_pkey primary key,
      company_id uuid not null constraint tasks_company_fkey references companies (id),
      kind text not null constraint tasks_kind_check check (kind in ('csv', 'module', 'bulk', 'undo')),
      title text not null,
      -- What to do with each row: the act, its group or role. Never a secret.
      params jsonb not null,
      state text not null constraint tasks_state_check check (state in ('waiting', 'running', 'done', 'failed')),
      total integer not null,
      succeeded integer not null default 0,
      skipped integer not null default 0,
      failed integer not null default 0,
      -- In whose name it acts, and from where that was asked.
      actor jsonb not null,
      origin jsonb not null,
      -- SHA-256 of an uploaded file: the same upload twice is one task (C17).
      input_hash text,
      problem text,
      created_at timestamptz not null,
      started_at timestamptz,
      finished_at timestamptz,
      -- When a row was last finished: a runner that died is noticed by it.
      beat_at timestamptz not null,
      constraint tasks_company_id_unique unique (company_id, id)
    )`);
  await knex.raw('create index tasks_company_index on tasks (company_id, created_at desc)');
  await knex.raw(`create index tasks_unfinished_index on tasks (beat_at) where state in ('waiting', 'running')`);
  await knex.raw(
    `create unique index tasks_input_unique on tasks (company_id, input_hash) where state in ('waiting', 'running') and input_hash is not null`,
  );
  await knex.raw(`
    create table task_rows (
      company_id uuid not null,
      task_id uuid not null,
      -- Line of the file, or place in the selection; from 1.
      position integer not null,
      -- Who the row is about, as people recognise it.
      label text not null,
      data jsonb not null,
      user_id uuid,
      outcome text not null default 'waiting'
        constraint task_rows_outcome_check check (outcome in ('waiting', 'succeeded', 'skipped', 'failed')),
      field text,
      message text,
      constraint task_rows_pkey primary key (task_id, position),
      constraint task_rows_task_fkey foreign key (company_id, task_id) references tasks (company_id, id) on delete cascade
    )`);
  await knex.raw('create index task_rows_task_index on task_rows (company_id, task_id)');
  await knex.raw('create index task_rows_outcome_index on task_rows (task_id, outcome, position)');
  await knex.raw('create index task_rows_user_index on task_rows (user_id) where user_id is not null');
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop table task_rows');
  await knex.raw('drop table tasks');
}
