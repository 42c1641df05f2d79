import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  // What a product can do beside signing people in (B.7): data, since not every module can do each.
  await knex.raw(`alter table modules add column capabilities jsonb not null default '{}'`);
  await knex.raw(`
    alter table module_instances
      -- Base address of the instance's SCIM service (RFC 7644 section 3.2), and the sealed bearer token for it.
      add column scim_url text,
      add column sealed_scim_token text,
      add constraint module_instances_scim_check check ((scim_url is null) = (sealed_scim_token is null))`);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table module_instances
      drop constraint module_instances_scim_check,
      drop column sealed_scim_token,
      drop column scim_url`);
  await knex.raw('alter table modules drop column capabilities');
}
