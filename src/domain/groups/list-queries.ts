// Groups as the console lists them. No rules here; counts stop where nobody reads them any more.
import type { Query } from '../../db/knex.ts';
import { countUpTo, searchIn } from '../../db/lists.ts';
import { notFound } from '../../lib/errors.ts';
import type { CompanyId, GroupId, InstanceId, UserId } from '../../lib/ids.ts';
import { type Listed, listed, offsetOf, type Paging, reach } from '../../lib/paging.ts';
import type { Work } from '../../work.ts';
import { authorise } from '../roles/authority.ts';
import type { Group } from './group.ts';

const orders = {
  name: ['g.name collate "und-x-icu"'],
  state: ['g.is_active', 'g.name collate "und-x-icu"'],
  kind: ["(g.kind = 'custom')", 'g.name collate "und-x-icu"'],
} as const;

export type GroupOrder = keyof typeof orders;

// Keys of a constant object.
export const groupOrders = Object.keys(orders) as GroupOrder[];

export interface GroupFilter {
  search: string;
  isActive: boolean | null;
}

export interface GroupRow extends Group {
  /** Members, `reach + 1` at most. */
  members: number;
  modules: number;
}

const membersOf = `(select count(*)::int from (
  select from group_members m where m.company_id = g.company_id and m.group_id = g.id limit ${reach + 1}) counted)`;
const modulesOf = '(select count(*)::int from group_modules x where x.company_id = g.company_id and x.group_id = g.id)';

export async function listGroupRows(
  work: Work,
  companyId: CompanyId,
  filter: GroupFilter,
  { order, descending, ...paging }: Paging & { order: GroupOrder; descending: boolean },
): Promise<Listed<GroupRow>> {
  await authorise(work, companyId, 'groups.manage');
  const { db } = work.store;
  const ordered = [...orders[order], 'g.id'].map((column) => `${column} ${descending ? 'desc' : 'asc'}`).join(', ');
  const page = matching(db('access_groups as g'), companyId, filter)
    .orderByRaw(ordered)
    .offset(offsetOf(paging))
    .limit(paging.size)
    .select('g.*');
  const rows: GroupRow[] = await db
    .from(page.as('g'))
    .select({
      id: 'g.id',
      name: 'g.name',
      kind: 'g.kind',
      isActive: 'g.is_active',
      members: db.raw(membersOf),
      modules: db.raw(modulesOf),
    })
    .orderByRaw(ordered);
  return listed(rows, await countUpTo(db, matching(db('access_groups as g'), companyId, filter)), paging);
}

function matching(query: Query, companyId: CompanyId, filter: GroupFilter): Query {
  query.where('g.company_id', companyId).whereNull('g.removed_at');
  searchIn(query, 'lower(g.name)', filter.search);
  if (filter.isActive !== null) query.where('g.is_active', filter.isActive);
  return query;
}

export interface GroupDetail extends Group {
  /** `reach + 1` at most. */
  members: number;
  modules: number;
  createdAt: Date;
}

/** @throws AppError 404, also for a group of another company */
export async function getGroup(work: Work, companyId: CompanyId, id: GroupId): Promise<GroupDetail> {
  await authorise(work, companyId, 'groups.manage');
  const { db } = work.store;
  const row: GroupDetail | undefined = await db('access_groups as g')
    .where({ 'g.company_id': companyId, 'g.id': id })
    .whereNull('g.removed_at')
    .first({
      id: 'g.id',
      name: 'g.name',
      kind: 'g.kind',
      isActive: 'g.is_active',
      createdAt: 'g.created_at',
      members: db.raw(membersOf),
      modules: db.raw(modulesOf),
    });
  if (!row) throw notFound('group');
  return row;
}

export interface InstanceRow {
  id: InstanceId;
  name: string;
  module: string;
  icon: string | null;
  isEnabled: boolean;
  /** Groups that open it, as names. */
  groups: string[];
}

/** More modules than any company connects. */
const mostInstances = 1000;

/** Every connected module with the groups that open it. */
export async function listInstances(work: Work, companyId: CompanyId): Promise<InstanceRow[]> {
  await authorise(work, companyId, 'groups.manage');
  const { rows }: { rows: InstanceRow[] } = await work.store.db.raw(
    `select i.id, i.name, m.name as module, m.icon, i.is_enabled as "isEnabled", array(
       select g.name from group_modules x join access_groups g on g.id = x.group_id and g.removed_at is null
       where x.company_id = i.company_id and x.instance_id = i.id order by g.name collate "und-x-icu" limit 20) as groups
     from module_instances i join modules m on m.id = i.module_id
     where i.company_id = ? order by i.name collate "und-x-icu", i.id limit ?`,
    [companyId, mostInstances],
  );
  return rows;
}

/** Instances that a group opens, those that are switched off included. */
export async function instanceIdsOf(work: Work, companyId: CompanyId, groupId: GroupId): Promise<InstanceId[]> {
  const rows: { instance_id: InstanceId }[] = await work.store
    .db('group_modules')
    .where({ company_id: companyId, group_id: groupId })
    .orderBy('instance_id')
    .select('instance_id');
  return rows.map(({ instance_id }) => instance_id);
}

/** @throws AppError 404 when one of them is not this company's */
export async function findInstances(
  work: Work,
  companyId: CompanyId,
  ids: InstanceId[],
): Promise<{ id: InstanceId; name: string; isEnabled: boolean }[]> {
  const wanted = [...new Set(ids)];
  if (wanted.length === 0) return [];
  const rows = await work.store
    .db('module_instances')
    .where({ company_id: companyId })
    .whereIn('id', wanted)
    .orderByRaw('name collate "und-x-icu", id')
    .select({ id: 'id', name: 'name', isEnabled: 'is_enabled' });
  if (rows.length < wanted.length) throw notFound('module');
  return rows;
}

/** Which of these people are members, for lists of people to add. */
export async function membersAmong(
  work: Work,
  companyId: CompanyId,
  groupId: GroupId,
  userIds: UserId[],
): Promise<Set<UserId>> {
  await authorise(work, companyId, 'groups.manage');
  const rows: { user_id: UserId }[] = await work.store
    .db('group_members')
    .where({ company_id: companyId, group_id: groupId })
    .whereIn('user_id', userIds)
    .select('user_id');
  return new Set(rows.map(({ user_id }) => user_id));
}
