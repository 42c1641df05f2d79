import type { Knex } from 'knex';

const classes = ['matched', 'orphan', 'missing', 'status', 'permission', 'timeZone', 'duplicate', 'localPassword'];

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table drift_reads (
      id uuid constraint drift_reads_pkey primary key,
      company_id uuid not null,
      instance_id uuid not null,
      cause text not null constraint drift_reads_cause_check check (cause in ('page', 'clock', 'require')),
      asked_by text not null,
      -- Pages are read, then accounts judged, then people who have none, then it is compared with the last report.
      state text not null constraint drift_reads_state_check check (state in ('reading', 'judging', 'done', 'failed')),
      -- startIndex of the next page (RFC 7644 section 3.4.2.4): a reader that was killed is followed by one that goes on here.
      next_index integer not null default 1,
      accounts_read integer not null default 0,
      -- totalResults, as the module said at the first page.
      announced integer,
      -- The account, and then the person, up to whom all are judged.
      judged_account text,
      judged_person uuid,
      -- False: some accounts were not told, so that nothing can be said about those that were not seen.
      is_whole boolean not null default true,
      problem text,
      counts jsonb not null default '{}',
      asked_at timestamptz not null,
      changed_at timestamptz not null,
      finished_at timestamptz,
      constraint drift_reads_company_id_unique unique (company_id, id),
      constraint drift_reads_instance_fkey foreign key (company_id, instance_id)
        references module_instances (company_id, id) on delete cascade
    )`);
  // One at a time for each instance.
  await knex.raw(
    `create unique index drift_reads_open_unique on drift_reads (instance_id) where state in ('reading', 'judging')`,
  );
  await knex.raw('create index drift_reads_instance_index on drift_reads (company_id, instance_id, asked_at desc)');
  await knex.raw(
    `create index drift_reads_changed_index on drift_reads (changed_at) where state in ('reading', 'judging')`,
  );
  await knex.raw(`
    create table drift_findings (
      company_id uuid not null,
      read_id uuid not null,
      class text not null constraint drift_findings_class_check check (class in (${classes.map((one) => `'${one}'`).join(', ')})),
      -- An account ("a" and its id there) or a person without one ("p" and their id here).
      subject text not null,
      external_id text,
      -- No reference: a report keeps what it has said.
      user_id uuid,
      account text not null,
      person text not null,
      is_administrator boolean not null default false,
      before_words text not null,
      after_words text not null,
      why text not null,
      -- Not in the report before this one.
      is_new boolean not null default false,
      sort_key text not null,
      search_text text not null,
      constraint drift_findings_pkey primary key (read_id, class, subject),
      constraint drift_findings_read_fkey foreign key (company_id, read_id) references drift_reads (company_id, id) on delete cascade
    )`);
  await knex.raw('create index drift_findings_read_index on drift_findings (company_id, read_id)');
  await knex.raw('create index drift_findings_order_index on drift_findings (read_id, class, sort_key, subject)');
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop table drift_findings');
  await knex.raw('drop table drift_reads');
}
