import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table contract_runs (
      id uuid constraint contract_runs_pkey primary key,
      company_id uuid not null,
      instance_id uuid not null,
      -- A test tenant proves its product: the other instances of the company go by its runs, too.
      module_id uuid not null constraint contract_runs_module_fkey references modules (id) on delete cascade,
      target text not null constraint contract_runs_target_check check (target in ('module', 'fake')),
      -- What the module could do when it was tested; another profile asks for another test.
      profile_hash text not null,
      state text not null default 'waiting' constraint contract_runs_state_check
        check (state in ('waiting', 'running', 'passed', 'failed', 'stopped')),
      -- One entry a case, with what was sent and answered: cut, and without secrets.
      results jsonb not null default '[]',
      problem text,
      actor jsonb not null,
      created_at timestamptz not null,
      -- A runner that was killed goes silent.
      beat_at timestamptz not null,
      finished_at timestamptz,
      constraint contract_runs_instance_fkey foreign key (company_id, instance_id)
        references module_instances (company_id, id) on delete cascade,
      constraint contract_runs_finished_check check ((finished_at is null) = (state in ('waiting', 'running')))
    )`);
  await knex.raw(
    'create index contract_runs_instance_index on contract_runs (company_id, instance_id, created_at desc)',
  );
  await knex.raw('create index contract_runs_module_index on contract_runs (module_id, company_id, finished_at desc)');
  await knex.raw(
    `create unique index contract_runs_open_unique on contract_runs (instance_id) where state in ('waiting', 'running')`,
  );
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop table contract_runs');
}
