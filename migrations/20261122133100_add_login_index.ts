import type { Knex } from 'knex';

// A new policy is held against the sign-ins of the last days, in their order: only what can change a person's count is in here.
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create index audit_events_logins_index on audit_events (company_id, at, id)
      where action in ('login.ok', 'login.fail', 'user.unlock', 'user.passwordReset.done')`);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop index audit_events_logins_index');
}
