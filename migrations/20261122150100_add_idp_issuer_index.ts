import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  // Answers that nobody asked for are found by who sent them; anybody can send one.
  await knex.raw(
    `create index idp_connections_issuer_index on idp_connections ((settings ->> 'entityId')) where kind = 'saml' and is_enabled`,
  );
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop index idp_connections_issuer_index');
}
