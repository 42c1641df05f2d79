import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  // The task that took this one back: an import is undone once.
  await knex.raw(`
    alter table tasks
      add column undone_by uuid,
      add constraint tasks_undone_by_fkey foreign key (company_id, undone_by) references tasks (company_id, id)
        on delete set null (undone_by)`);
  await knex.raw('create index tasks_undone_by_index on tasks (company_id, undone_by)');
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('alter table tasks drop column undone_by');
}
