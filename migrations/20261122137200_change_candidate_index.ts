import type { Knex } from 'knex';

// With the position, so that whichever index is taken leads to the rows that are meant: the table grows by tens of thousands of rows
// in seconds, and what is known of its size is old all the while.
export async function up(knex: Knex): Promise<void> {
  await knex.raw('drop index import_candidates_draft_index');
  await knex.raw('create index import_candidates_draft_index on import_candidates (company_id, draft_id, position)');
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop index import_candidates_draft_index');
  await knex.raw('create index import_candidates_draft_index on import_candidates (company_id, draft_id)');
}
