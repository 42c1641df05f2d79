import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table import_drafts (
      id uuid constraint import_drafts_pkey primary key,
      company_id uuid not null,
      -- Whose wizard it is; nobody else's page shows it.
      owner_id uuid not null,
      instance_id uuid not null,
      state text not null constraint import_drafts_state_check check (state in ('reading', 'ready', 'failed', 'started')),
      -- startIndex of the next page (RFC 7644 section 3.4.2.4): a reader that was killed is followed by one that goes on here.
      next_index integer not null default 1,
      people_read integer not null default 0,
      -- totalResults, as the module says.
      people_announced integer,
      problem text,
      -- "Assign to All" (A5.4).
      role text,
      group_ids uuid[] not null default '{}',
      task_id uuid,
      created_at timestamptz not null,
      read_since timestamptz not null,
      changed_at timestamptz not null,
      constraint import_drafts_company_id_unique unique (company_id, id),
      constraint import_drafts_owner_fkey foreign key (company_id, owner_id) references users (company_id, id) on delete cascade,
      constraint import_drafts_instance_fkey foreign key (company_id, instance_id) references module_instances (company_id, id) on delete cascade
    )`);
  await knex.raw('create index import_drafts_owner_index on import_drafts (company_id, owner_id, created_at desc)');
  await knex.raw('create index import_drafts_instance_index on import_drafts (company_id, instance_id)');
  await knex.raw('create index import_drafts_changed_index on import_drafts (changed_at)');
  await knex.raw(`
    create table import_candidates (
      company_id uuid not null,
      draft_id uuid not null,
      position integer not null,
      -- Id at the module (RFC 7643 section 3.1).
      external_id text not null,
      username text not null,
      email text not null,
      first_name text not null,
      last_name text not null,
      is_active boolean not null,
      -- Null without an address: those share nothing.
      email_key text,
      username_key text not null,
      search_text text not null generated always as
        (lower(first_name || ' ' || last_name || ' ' || username || ' ' || email)) stored,
      -- What an import would do, as known when the list was read; decided anew when it is done.
      standing text not null constraint import_candidates_standing_check check (standing in ('import', 'skip', 'fail')),
      is_shared boolean not null default false,
      is_chosen boolean not null default false,
      -- "Assign Individual Users" (A5.4); null: as all.
      role text,
      group_ids uuid[],
      constraint import_candidates_pkey primary key (draft_id, position),
      constraint import_candidates_external_unique unique (draft_id, external_id),
      constraint import_candidates_draft_fkey foreign key (company_id, draft_id) references import_drafts (company_id, id) on delete cascade
    )`);
  await knex.raw('create index import_candidates_draft_index on import_candidates (company_id, draft_id)');
  await knex.raw('create index import_candidates_email_index on import_candidates (draft_id, email_key)');
  await knex.raw(
    'create index import_candidates_chosen_index on import_candidates (draft_id, position) where is_chosen',
  );
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop table import_candidates');
  await knex.raw('drop table import_drafts');
}
