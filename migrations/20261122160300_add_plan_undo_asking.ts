import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table sso_plans
      -- The first of two who take it back.
      add column undo_asked_by uuid,
      add column undo_asked_by_name text,
      add column undo_asked_at timestamptz,
      -- What did not become as it was, in words.
      add column undo_note text,
      -- Hash of the names of the claims by which it was made: rules mean something by them. Null: made before they were kept.
      add column claims_hash text`);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table sso_plans
      drop column undo_asked_by,
      drop column undo_asked_by_name,
      drop column undo_asked_at,
      drop column undo_note,
      drop column claims_hash`);
}
