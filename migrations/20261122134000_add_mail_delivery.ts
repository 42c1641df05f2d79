import type { Knex } from 'knex';

const states = (names: string[]) => `check (state in (${names.map((name) => `'${name}'`).join(', ')}))`;
const before = ['queued', 'sent', 'kept', 'failed', 'suppressed'];

export async function up(knex: Knex): Promise<void> {
  // deferred: the server asked to come back later; bounced: it refused the recipient for good (A3.9).
  await knex.raw(`
    alter table mails
      drop constraint mails_state_check,
      add constraint mails_state_check ${states([...before, 'deferred', 'bounced'])},
      -- What the mail server said when it took the mail; 'error' says why it did not.
      add column answer text,
      add column attempts integer not null default 0,
      add column next_try_at timestamptz`);
  await knex.raw('create index mails_company_index on mails (company_id, created_at desc, id desc)');
  await knex.raw('create index mails_state_index on mails (company_id, state, created_at desc, id desc)');
  await knex.raw('create index mails_kind_index on mails (company_id, kind, created_at desc, id desc)');
  await knex.raw('create index mails_search_index on mails using gin (lower(recipient) gin_trgm_ops)');
  await knex.raw('create index mails_sealed_index on mails (created_at) where sealed_data is not null');
  // C50: only a test mail that was taken after the last refusal lifts the block.
  await knex.raw('alter table mail_suppressions add column last_refused_at timestamptz not null default now()');
  await knex.raw('update mail_suppressions set last_refused_at = created_at');
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('alter table mail_suppressions drop column last_refused_at');
  for (const name of ['sealed', 'search', 'kind', 'state', 'company']) await knex.raw(`drop index mails_${name}_index`);
  await knex.raw(`update mails set state = 'queued' where state = 'deferred'`);
  await knex.raw(`update mails set state = 'failed' where state = 'bounced'`);
  await knex.raw(`
    alter table mails
      drop column next_try_at,
      drop column attempts,
      drop column answer,
      drop constraint mails_state_check,
      add constraint mails_state_check ${states(before)}`);
}
