// The list of what a company has connected: search, filters, order and pages, all in the database. No rules here.
import type { Query } from '../../db/knex.ts';
import { countUpTo, searchIn } from '../../db/lists.ts';
import type { CompanyId, InstanceId, ModuleId } from '../../lib/ids.ts';
import { type Listed, listed, offsetOf, type Paging, reach } from '../../lib/paging.ts';
import type { Work } from '../../work.ts';
import { findProduct } from '../modules/catalogue.ts';
import { type Profile, profileSchema } from '../modules/profile.ts';
import { authorise } from '../roles/authority.ts';
import type { LaneFacts } from './instance-queries.ts';
import type { RequireState } from './settings.ts';

const orders = {
  name: ['i.name collate "und-x-icu"'],
  product: ['m.name collate "und-x-icu"', 'i.name collate "und-x-icu"'],
  contact: ['i.contact_at'],
} as const;

export type ConnectedOrder = keyof typeof orders;

// Keys of a constant object.
export const connectedOrders = Object.keys(orders) as ConnectedOrder[];

export const connectedStates = ['enabled', 'trial', 'required', 'off'] as const;

export type ConnectedState = (typeof connectedStates)[number];

export interface ConnectedFilter {
  /** Words that all must occur in the name of the instance or of its product. */
  search: string;
  state: ConnectedState | null;
}

export interface ConnectedRow {
  id: InstanceId;
  name: string;
  module: string;
  icon: string | null;
  isTest: boolean;
  enabled: boolean;
  require: { state: RequireState; trialEndsAt: Date | null };
  /** Active people whom an active group lets in, `reach + 1` at most; who of them is locked counts, too. */
  people: number;
  contactAt: Date | null;
  lane: LaneFacts | null;
}

interface Row extends Omit<ConnectedRow, 'require' | 'lane' | 'people'>, Omit<LaneFacts, 'failures'> {
  requireState: RequireState;
  trialEndsAt: Date | null;
  failures: number | null;
  groups: string[];
}

const openingGroups = `array(
  select g.id from group_modules x join access_groups g on g.id = x.group_id and g.is_active and g.removed_at is null
  where x.company_id = i.company_id and x.instance_id = i.id order by g.id)`;

/** One page. Three statements, whatever the size of the company. */
export async function listConnected(
  work: Work,
  companyId: CompanyId,
  filter: ConnectedFilter,
  { order, descending, ...paging }: Paging & { order: ConnectedOrder; descending: boolean },
): Promise<Listed<ConnectedRow>> {
  await authorise(work, companyId, 'modules.manage');
  const { db } = work.store;
  const ordered = [...orders[order], 'i.id']
    .map((column) => `${column} ${descending ? 'desc nulls last' : 'asc nulls first'}`)
    .join(', ');
  const rows: Row[] = await matching(instances(work, companyId), filter, work.now)
    .leftJoin('delivery_lanes as l', 'l.instance_id', 'i.id')
    .orderByRaw(ordered)
    .offset(offsetOf(paging))
    .limit(paging.size)
    .select({
      id: 'i.id',
      name: 'i.name',
      module: 'm.name',
      icon: 'm.icon',
      isTest: 'i.is_test',
      enabled: 'i.is_enabled',
      requireState: db.raw("coalesce(s.require_state, 'off')"),
      trialEndsAt: 's.trial_ends_at',
      contactAt: 'i.contact_at',
      failures: 'l.failures',
      closedUntil: 'l.closed_until',
      lastSuccessAt: 'l.last_success_at',
      lastFailureAt: 'l.last_failure_at',
      lastProblem: 'l.last_problem',
      groups: db.raw(openingGroups),
    });
  const peopleOf = await countPeople(
    work,
    companyId,
    rows.map(({ groups }) => groups),
  );
  const counted = await countUpTo(db, matching(instances(work, companyId), filter, work.now));
  return listed(
    rows.map((row) => toConnected(row, peopleOf(row.groups))),
    counted,
    paging,
  );
}

function toConnected(row: Row, people: number): ConnectedRow {
  const { requireState, trialEndsAt, failures, closedUntil, lastSuccessAt, lastFailureAt, lastProblem, ...rest } = row;
  const { id, name, module, icon, isTest, enabled, contactAt } = rest;
  const lane = failures === null ? null : { failures, closedUntil, lastSuccessAt, lastFailureAt, lastProblem };
  return {
    id,
    name,
    module,
    icon,
    isTest,
    enabled,
    contactAt,
    people,
    lane,
    require: { state: requireState, trialEndsAt },
  };
}

const instances = (work: Work, companyId: CompanyId): Query =>
  work.store
    .db('module_instances as i')
    .join('modules as m', 'm.id', 'i.module_id')
    .leftJoin('integration_settings as s', 's.instance_id', 'i.id')
    .where('i.company_id', companyId);

function matching(query: Query, { search, state }: ConnectedFilter, now: Date): Query {
  searchIn(query, "lower(i.name || ' ' || m.name)", search);
  if (state === 'off') return query.where('i.is_enabled', false);
  if (state === null) return query;
  query.where('i.is_enabled', true);
  // A trial that is over is as good as off, until somebody has written it down.
  const onTrial = "coalesce(s.require_state = 'trial' and s.trial_ends_at > ?, false)";
  if (state === 'required') return query.where('s.require_state', 'on');
  if (state === 'trial') return query.whereRaw(onTrial, [now]);
  return query.whereRaw(`coalesce(s.require_state, 'off') <> 'on' and not ${onTrial}`, [now]);
}

/**
 * How many people each set of groups lets in. Most instances are opened by the same groups, so each set is counted once;
 * each group stops at `reach + 1`, which is all that a page tells.
 */
export async function countPeople(
  work: Work,
  companyId: CompanyId,
  sets: string[][],
): Promise<(groups: string[]) => number> {
  const keys = [...new Set(sets.filter(({ length }) => length > 0).map((groups) => groups.join(' ')))];
  const counts = new Map<string, number>();
  if (keys.length > 0) {
    const { rows }: { rows: { key: string; people: number }[] } = await work.store.db.raw(
      `select key, (select count(distinct user_id)::int from unnest(string_to_array(key, ' ')::uuid[]) as one (group_id)
         cross join lateral (
           select m.user_id from group_members m join users u on u.id = m.user_id and u.base_status = 'Active'
           where m.company_id = ? and m.group_id = one.group_id limit ?) members) as people
       from unnest(?::text[]) as key`,
      [companyId, reach + 1, keys],
    );
    for (const { key, people } of rows) counts.set(key, Math.min(people, reach + 1));
  }
  return (groups) => counts.get(groups.join(' ')) ?? 0;
}

/** Active people whom active groups let into one instance, `reach + 1` at most. */
export async function countPeopleOf(work: Work, companyId: CompanyId, id: InstanceId): Promise<number> {
  await authorise(work, companyId, 'modules.manage');
  const row: { groups: string[] } | undefined = await work.store
    .db('module_instances as i')
    .where({ 'i.company_id': companyId, 'i.id': id })
    .first({ groups: work.store.db.raw(openingGroups) });
  const groups = row?.groups ?? [];
  return (await countPeople(work, companyId, [groups]))(groups);
}

/** A product that this server knows, and whether the company has connected it. */
export interface KnownModule {
  id: ModuleId;
  name: string;
  icon: string | null;
  /** Key in the catalogue. */
  product: string | null;
  productName: string | null;
  profile: Profile;
  /** Where the module is, as far as its registration tells. */
  address: string | null;
  /** Instances of this company. */
  connected: number;
}

/** More products than anybody registers. */
export const mostKnownModules = 500;

interface KnownRow extends Omit<KnownModule, 'profile' | 'productName'> {
  profile: unknown;
}

export async function listKnownModules(work: Work, companyId: CompanyId): Promise<KnownModule[]> {
  await authorise(work, companyId, 'modules.manage');
  const { rows }: { rows: KnownRow[] } = await work.store.db.raw(
    `select * from (
       select m.id, m.name, m.icon, m.product, m.profile,
         coalesce(m.metadata ->> 'initiate_login_uri', m.metadata -> 'redirect_uris' ->> 0) as address,
         (select count(*)::int from module_instances i where i.company_id = ? and i.module_id = m.id) as connected
       from modules m where not m.is_built_in) known
     order by connected = 0, name collate "und-x-icu", id limit ?`,
    [companyId, mostKnownModules],
  );
  return rows.map((row) => ({
    ...row,
    profile: profileSchema.parse(row.profile),
    productName: row.product === null ? null : (findProduct(row.product)?.name ?? null),
    address: originOf(row.address),
  }));
}

/** The beginning of the module's address: what a person can open; a program on their own machine has none. */
function originOf(address: string | null): string | null {
  const url = address === null ? null : URL.parse(address);
  return url !== null && (url.protocol === 'https:' || url.protocol === 'http:') ? `${url.origin}/` : null;
}
