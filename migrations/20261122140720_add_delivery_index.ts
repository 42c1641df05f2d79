import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  // What has ended without its effect is rare, and looked for in lists of any length.
  await knex.raw(
    `create index deliveries_ended_index on deliveries (instance_id, state, seq desc) where state in ('given-up', 'superseded')`,
  );
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop index deliveries_ended_index');
}
