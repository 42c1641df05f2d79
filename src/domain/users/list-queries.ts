// The list of a company's people: search, filters, order and pages, all in the database. No rules here.
import type { Query } from '../../db/knex.ts';
import { countUpTo, searchIn } from '../../db/lists.ts';
import type { CompanyId, GroupId, UserId } from '../../lib/ids.ts';
import { type Listed, listed, offsetOf, type Paging, reach } from '../../lib/paging.ts';
import type { Work } from '../../work.ts';
import { authorise } from '../roles/authority.ts';
import type { Role } from '../roles/role.ts';
import { usesSsoSql } from './sso-queries.ts';
import { type Status, statusOf, type User } from './user.ts';

export const listableStatuses = ['Active', 'Invited', 'LockedOut', 'Deactivated'] as const;

export interface PeopleFilter {
  /** Words that all must occur in names, username or e-mail. */
  search: string;
  roles: Role[];
  statuses: (typeof listableStatuses)[number][];
  groupId: GroupId | null;
  isEnrolled: boolean | null;
}

export const everybody: PeopleFilter = { search: '', roles: [], statuses: [], groupId: null, isEnrolled: null };

/** Columns that may be empty; their index holds the empty ones first. */
const nullable = new Set(['locked_until', 'last_login_at']);

/** Columns that the list can be ordered by (A6.1 and more), each with an index that has this very order. */
const orders = {
  firstName: ['first_name collate "und-x-icu"'],
  lastName: ['last_name collate "und-x-icu"'],
  username: ['username_key'],
  email: ['email_key'],
  role: ['role'],
  // Active before LockedOut, which is Active with a lock that still runs (C8).
  status: ['base_status', 'locked_until'],
  secondFactor: ['must_enrol_2fa'],
  lastLoginAt: ['last_login_at'],
} as const;

export type PeopleOrder = keyof typeof orders;

const sortedBy = (order: PeopleOrder): string[] => orders[order].map((column) => `u.${column.split(' ')[0]}`);

/** `id` last: people of one name stay in one order from page to page. */
function orderBy(order: PeopleOrder, descending: boolean): string {
  return [...orders[order], 'id']
    .map((column) => {
      const nulls = nullable.has(column) ? (descending ? ' nulls last' : ' nulls first') : '';
      return `u.${column} ${descending ? 'desc' : 'asc'}${nulls}`;
    })
    .join(', ');
}

export const peopleOrders = Object.keys(orders) as PeopleOrder[];

export interface PersonRow {
  id: UserId;
  firstName: string;
  lastName: string;
  username: string;
  email: string;
  role: Role;
  status: Status;
  deactivatedReason: User['deactivatedReason'];
  lockedUntil: Date | null;
  isEnrolled: boolean;
  /** Signs in with single sign-on alone (A10.13). */
  usesSso: boolean;
  mustSetPassword: boolean;
  lastLoginAt: Date | null;
  /** End of the open invitation, also when it is over; null when there is none. */
  invitationEndsAt: Date | null;
  /** Mail to this address is not sent any more (A3.9). */
  isMailBlocked: boolean;
}

/** Narrows a query on `users as u` to the people of a company that a filter means. */
export function matching(query: Query, companyId: CompanyId, filter: PeopleFilter, now: Date): Query {
  query.where('u.company_id', companyId).whereNot('u.base_status', 'Deleted');
  searchIn(query, 'u.search_text', filter.search);
  if (filter.roles.length > 0) query.whereIn('u.role', filter.roles);
  if (filter.isEnrolled !== null) query.where('u.must_enrol_2fa', !filter.isEnrolled);
  if (filter.groupId !== null)
    query.whereRaw('exists (select from group_members g where g.user_id = u.id and g.group_id = ?)', [filter.groupId]);
  if (filter.statuses.length > 0)
    query.where((any) => {
      for (const status of filter.statuses) any.orWhere((one) => ofStatus(one, status, now));
    });
  return query;
}

function ofStatus(query: Query, status: PeopleFilter['statuses'][number], now: Date): void {
  if (status === 'LockedOut') query.where('u.base_status', 'Active').where('u.locked_until', '>', now);
  else if (status === 'Active')
    query
      .where('u.base_status', 'Active')
      .where((open) => open.whereNull('u.locked_until').orWhere('u.locked_until', '<=', now));
  else query.where('u.base_status', status);
}

interface Row extends Omit<PersonRow, 'status'> {
  baseStatus: User['baseStatus'];
}

/** One page of people (A1.2, A6.1, A6.2). Two statements, whatever the size of the company. */
export async function listPeople(
  work: Work,
  companyId: CompanyId,
  filter: PeopleFilter,
  { order, descending, ...paging }: Paging & { order: PeopleOrder; descending: boolean },
): Promise<Listed<PersonRow>> {
  await authorise(work, companyId, 'users.manage');
  const { db } = work.store;
  const ordered = orderBy(order, descending);
  const counted = await countUpTo(db, matching(db('users as u'), companyId, filter, work.now));
  const found = matching(db('users as u'), companyId, filter, work.now).select('u.id', ...sortedBy(order));
  // Few enough to be sorted: found first, by the filters' own indexes. Else the planner may walk through the whole company in its
  // order, looking for people who are rare. Of many, the first of a page come quickly in that order.
  const people: Query = counted <= reach ? db.withMaterialized('u', found).from('u').select('u.id') : found;
  const page = people.orderByRaw(ordered).offset(offsetOf(paging)).limit(paging.size);
  const rows: Row[] = await db('users as u')
    .join(page.as('page'), 'page.id', 'u.id')
    .select({
      id: 'u.id',
      firstName: 'u.first_name',
      lastName: 'u.last_name',
      username: 'u.username',
      email: 'u.email',
      role: 'u.role',
      baseStatus: 'u.base_status',
      deactivatedReason: 'u.deactivated_reason',
      lockedUntil: 'u.locked_until',
      isEnrolled: db.raw('not u.must_enrol_2fa'),
      usesSso: db.raw(usesSsoSql, [work.now, work.now]),
      mustSetPassword: 'u.must_set_password',
      lastLoginAt: 'u.last_login_at',
      invitationEndsAt: db.raw(`case when u.base_status = 'Invited' then (
        select max(l.expires_at) from links l where l.company_id = u.company_id and l.user_id = u.id
          and l.kind = 'invitation' and l.used_at is null and l.voided_at is null) end`),
      isMailBlocked: db.raw('exists (select from mail_suppressions s where s.address_key = lower(trim(u.email)))'),
    })
    .orderByRaw(ordered);
  return listed(
    rows.map(({ baseStatus, ...row }) => ({ ...row, status: statusOf({ ...row, baseStatus }, work.now) })),
    counted,
    paging,
  );
}

/** How many in all: for an act on everybody who matches, which must name the true number. */
export async function countPeople(work: Work, companyId: CompanyId, filter: PeopleFilter): Promise<number> {
  await authorise(work, companyId, 'users.manage');
  const rows: { count: string }[] = await matching(work.store.db('users as u'), companyId, filter, work.now).count({
    count: '*',
  });
  return Number(rows[0]?.count ?? 0);
}
