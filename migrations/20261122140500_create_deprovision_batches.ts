import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table deprovision_batches (
      id uuid constraint deprovision_batches_pkey primary key,
      company_id uuid not null constraint deprovision_batches_company_fkey references companies (id),
      -- No reference, and a name beside it, as with deliveries.
      instance_id uuid not null,
      instance_name text not null,
      -- The act that it comes from: looked at again after a fall, it finds its batch.
      act_id uuid not null,
      cause text not null,
      -- Null: the system found the difference by itself.
      caused_by uuid,
      people integer not null,
      administrators integer not null,
      -- Of so many active accounts.
      active integer not null,
      state text not null default 'waiting' constraint deprovision_batches_state_check check (state in ('waiting', 'approved', 'refused', 'void')),
      created_at timestamptz not null,
      decided_at timestamptz,
      decided_by text,
      constraint deprovision_batches_act_unique unique (act_id, instance_id)
    )`);
  await knex.raw(
    'create index deprovision_batches_company_index on deprovision_batches (company_id, state, created_at desc)',
  );
  await knex.raw(`
    create table standing_sweeps (
      company_id uuid constraint standing_sweeps_pkey primary key
        constraint standing_sweeps_company_fkey references companies (id),
      -- The person up to whom everybody has been looked at in this round.
      last_user_id uuid,
      swept_at timestamptz not null
    )`);
  await knex.raw('create index standing_sweeps_order_index on standing_sweeps (swept_at)');
  // Where to, for what is told when the instance is gone.
  await knex.raw('alter table deliveries add column endpoint jsonb');
  // One at a time for a person: what is under way, superseded or not.
  await knex.raw(
    'create index deliveries_claimed_index on deliveries (instance_id, user_id) where claimed_until is not null',
  );
  await knex.raw(
    `create index deliveries_late_index on deliveries (queued_at) where alerted_at is null and state in ('queued', 'sent', 'failed')`,
  );
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop index deliveries_late_index');
  await knex.raw('drop index deliveries_claimed_index');
  await knex.raw('alter table deliveries drop column endpoint');
  await knex.raw('drop table standing_sweeps');
  await knex.raw('drop table deprovision_batches');
}
