import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table idp_connections (
      id uuid constraint idp_connections_pkey primary key,
      company_id uuid not null constraint idp_connections_company_fkey references companies (id),
      name text not null,
      kind text not null constraint idp_connections_kind_check check (kind in ('saml', 'oidc')),
      -- Addresses, issuer, certificates, switches of the protocol (federation/connection.ts).
      settings jsonb not null,
      -- Client secret of an OpenID Connect one, sealed.
      sealed_secret text,
      -- Which claim says what.
      attributes jsonb not null,
      is_enabled boolean not null default false,
      -- Enforce Log In with SSO (C26): a trial reverts by itself, as with a module's requirement.
      enforce_state text not null default 'off' constraint idp_connections_enforce_check check (enforce_state in ('off', 'trial', 'on')),
      trial_began_at timestamptz,
      trial_ends_at timestamptz,
      trial_by uuid,
      creates boolean not null default false,
      default_role text not null default 'User',
      default_group_ids uuid[] not null default '{}',
      -- C25
      asks_second_factor boolean not null default false,
      -- Enable Mapping Rules (T15).
      is_mapping boolean not null default false,
      version bigint not null default 1,
      -- The last test sign-in that came back whole.
      tested_at timestamptz,
      created_at timestamptz not null,
      constraint idp_connections_company_id_unique unique (company_id, id),
      constraint idp_connections_name_unique unique (company_id, name),
      constraint idp_connections_trial_check check ((enforce_state = 'trial') = (trial_ends_at is not null))
    )`);
  await knex.raw(
    `create index idp_connections_trial_index on idp_connections (trial_ends_at) where enforce_state = 'trial'`,
  );
  await knex.raw(`
    create table idp_identities (
      company_id uuid not null,
      connection_id uuid not null,
      -- Issuer and subject: what binds after the first login; the address does not count any more (C27).
      issuer text not null,
      subject text not null,
      user_id uuid not null,
      first_seen_at timestamptz not null,
      last_seen_at timestamptz not null,
      -- Groups and claims as last seen, for plans over everybody; null: they were not said.
      groups text[],
      groups_state text not null constraint idp_identities_groups_check check (groups_state in ('list', 'missing', 'overage')),
      claims jsonb not null default '{}',
      constraint idp_identities_pkey primary key (connection_id, issuer, subject),
      constraint idp_identities_user_unique unique (connection_id, user_id),
      constraint idp_identities_connection_fkey foreign key (company_id, connection_id)
        references idp_connections (company_id, id) on delete cascade,
      constraint idp_identities_user_fkey foreign key (company_id, user_id) references users (company_id, id) on delete cascade
    )`);
  await knex.raw('create index idp_identities_person_index on idp_identities (company_id, user_id)');
  await knex.raw('create index idp_identities_connection_index on idp_identities (company_id, connection_id)');
  await knex.raw(`
    create table mapping_rules (
      id uuid constraint mapping_rules_pkey primary key,
      company_id uuid not null,
      connection_id uuid not null,
      position integer not null,
      condition jsonb not null,
      role text,
      group_ids uuid[] not null default '{}',
      stops boolean not null default false,
      constraint mapping_rules_position_unique unique (connection_id, position) deferrable initially deferred,
      constraint mapping_rules_connection_fkey foreign key (company_id, connection_id)
        references idp_connections (company_id, id) on delete cascade
    )`);
  await knex.raw('create index mapping_rules_connection_index on mapping_rules (company_id, connection_id)');
  await knex.raw(`
    create table membership_sources (
      -- Who gave a membership: a rule takes away only what a rule of its connection gave. No row: by hand.
      company_id uuid not null,
      user_id uuid not null,
      group_id uuid not null,
      connection_id uuid not null,
      rule_ids uuid[] not null,
      since timestamptz not null,
      -- It was there by hand before, and stays when the rule goes.
      was_by_hand boolean not null default false,
      constraint membership_sources_pkey primary key (user_id, group_id, connection_id),
      constraint membership_sources_connection_fkey foreign key (company_id, connection_id)
        references idp_connections (company_id, id) on delete cascade,
      constraint membership_sources_user_fkey foreign key (company_id, user_id) references users (company_id, id) on delete cascade,
      constraint membership_sources_group_fkey foreign key (company_id, group_id) references access_groups (company_id, id) on delete cascade
    )`);
  await knex.raw('create index membership_sources_connection_index on membership_sources (company_id, connection_id)');
  await knex.raw('create index membership_sources_group_index on membership_sources (company_id, group_id)');
  await knex.raw('create index membership_sources_user_index on membership_sources (company_id, user_id)');
  await knex.raw(`
    create table sso_requests (
      -- One way to an upstream and back. Hash of the id that the request carries (SAML ID, OpenID Connect state).
      id text constraint sso_requests_pkey primary key,
      company_id uuid not null,
      connection_id uuid not null,
      -- The waiting sign-in; null: a test from the console, or begun by the upstream.
      interaction_uid text,
      purpose text not null constraint sso_requests_purpose_check check (purpose in ('sign-in', 'test')),
      started_by uuid,
      -- Sealed: nonce, PKCE verifier, and the like.
      sealed_state text,
      created_at timestamptz not null,
      expires_at timestamptz not null,
      -- One statement takes it (OAU, replay): the second answer to one request is refused.
      used_at timestamptz,
      -- What came back, sealed, for the browser that asked to fetch once.
      sealed_result text,
      fetched_at timestamptz,
      constraint sso_requests_connection_fkey foreign key (company_id, connection_id)
        references idp_connections (company_id, id) on delete cascade
    )`);
  await knex.raw('create index sso_requests_expiry_index on sso_requests (expires_at)');
  await knex.raw('create index sso_requests_connection_index on sso_requests (company_id, connection_id)');
  await knex.raw(`
    create table sso_assertions (
      -- Assertions that have been taken, until they would have run out anyway: replay is refused on every node.
      connection_id uuid not null constraint sso_assertions_connection_fkey references idp_connections (id) on delete cascade,
      assertion_hash text not null,
      expires_at timestamptz not null,
      constraint sso_assertions_pkey primary key (connection_id, assertion_hash)
    )`);
  await knex.raw('create index sso_assertions_expiry_index on sso_assertions (expires_at)');
  await knex.raw(`
    create table sso_attempts (
      -- The last 200 of a connection, with redacted assertions.
      id uuid constraint sso_attempts_pkey primary key,
      company_id uuid not null,
      connection_id uuid not null,
      at timestamptz not null,
      outcome text not null,
      -- What the page showed instead of the reason.
      code text,
      user_id uuid,
      details jsonb not null default '{}',
      constraint sso_attempts_connection_fkey foreign key (company_id, connection_id)
        references idp_connections (company_id, id) on delete cascade
    )`);
  await knex.raw('create index sso_attempts_connection_index on sso_attempts (company_id, connection_id, at desc)');
  await knex.raw('create index sso_attempts_code_index on sso_attempts (company_id, code) where code is not null');
  await knex.raw(`
    create table email_domains (
      company_id uuid not null constraint email_domains_company_fkey references companies (id),
      domain text not null,
      -- What has to stand in DNS as TXT.
      proof text not null,
      verified_at timestamptz,
      created_at timestamptz not null,
      constraint email_domains_pkey primary key (company_id, domain)
    )`);
  // A proved domain belongs to one company; unproved claims may stand beside each other.
  await knex.raw(
    'create unique index email_domains_verified_unique on email_domains (domain) where verified_at is not null',
  );
  await knex.raw(`
    create table break_glass_people (
      -- May log in with their password whatever is enforced (C26); mapping leaves them alone.
      company_id uuid not null,
      user_id uuid not null constraint break_glass_people_pkey primary key,
      reason text not null,
      ends_at timestamptz,
      created_at timestamptz not null,
      created_by text not null,
      constraint break_glass_people_user_fkey foreign key (company_id, user_id) references users (company_id, id) on delete cascade
    )`);
  await knex.raw('create index break_glass_people_company_index on break_glass_people (company_id, user_id)');
}

export async function down(knex: Knex): Promise<void> {
  for (const table of [
    'break_glass_people',
    'email_domains',
    'sso_attempts',
    'sso_assertions',
    'sso_requests',
    'membership_sources',
    'mapping_rules',
    'idp_identities',
  ])
    await knex.raw(`drop table ${table}`);
  await knex.raw('drop table idp_connections');
}
