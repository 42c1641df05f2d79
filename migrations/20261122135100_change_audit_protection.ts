import type { Knex } from 'knex';

// The trigger fires for sessions that replay changes (session_replication_role), too, and the owner gives up the right as well:
// it takes three statements on the schema, not one on the rows, to change an event.
export async function up(knex: Knex): Promise<void> {
  await knex.raw('alter table audit_events enable always trigger audit_events_append_only');
  await knex.raw('revoke update, delete, truncate on audit_events from current_user');
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('grant update, delete, truncate on audit_events to current_user');
  await knex.raw('alter table audit_events enable trigger audit_events_append_only');
}
