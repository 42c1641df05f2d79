import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create index links_running_out_index on links (company_id, expires_at)
      where kind = 'invitation' and used_at is null and voided_at is null`);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop index links_running_out_index');
}
