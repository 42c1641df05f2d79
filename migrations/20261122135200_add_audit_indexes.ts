import type { Knex } from 'knex';

// One for each thing that the audit log is searched by, each in the order in which it is read: by time, then by id.
export async function up(knex: Knex): Promise<void> {
  await knex.raw('create index audit_events_time_index on audit_events (company_id, at, id)');
  await knex.raw('create index audit_events_action_index on audit_events (company_id, action, at, id)');
  await knex.raw(`create index audit_events_address_index on audit_events (company_id, ip, at, id) where ip <> ''`);
  await knex.raw(
    `create index audit_events_actor_index on audit_events ((actor ->> 'id'), at, id) where actor ->> 'id' is not null`,
  );
  // The same by id; every sign-in would pay for it.
  await knex.raw('drop index audit_events_company_index');
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('create index audit_events_company_index on audit_events (company_id, id desc)');
  for (const name of ['time', 'action', 'address', 'actor']) await knex.raw(`drop index audit_events_${name}_index`);
}
