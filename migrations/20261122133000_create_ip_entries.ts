import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table ip_entries (
      id uuid constraint ip_entries_pkey primary key,
      company_id uuid not null constraint ip_entries_company_fkey references companies (id),
      -- From where people may log in while the company's list is on (B.3); IPv4 is never kept in its IPv6 form.
      network cidr not null,
      note text not null default '',
      created_at timestamptz not null,
      created_by uuid,
      constraint ip_entries_network_unique unique (company_id, network)
    )`);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop table ip_entries');
}
