// User Management: the list of a company's people (A1.1, A1.2, A6.1, A6.2). The address holds all that one has chosen.
import type { CompanyPolicy } from '../../../domain/companies/company.ts';
import { choosableRoles } from '../../../domain/roles/role.ts';
import {
  listableStatuses,
  listPeople,
  type PeopleFilter,
  type PeopleOrder,
  type PersonRow,
  peopleOrders,
} from '../../../domain/users/list-queries.ts';
import {
  decideTransition,
  fullName,
  initialsOf,
  type Transition,
  type TransitionBy,
} from '../../../domain/users/user.ts';
import type { GroupId } from '../../../lib/ids.ts';
import { isId } from '../../../lib/ids.ts';
import { pagingOf } from '../../../lib/paging.ts';
import { days, minutes } from '../../../lib/time.ts';
import type { Context } from '../../context.ts';
import { type Route, seeOther } from '../../routes.ts';
import { address, countWords, type Desk, type DeskHandler, deskOf, pageLinks, showDesk } from '../console.ts';
import { companyOf } from '../security/company.ts';
import type { Chip, Choice, StatusWords } from '../views.ts';
import { type ColumnHead, type PeopleColumn, type PersonActs, type PersonLine, peopleColumns } from './views.ts';

export const usersPath = '/admin/users';

const roleChoices = ['Root Admin', ...choosableRoles] as const;
const preference = 'columns.users';

/** What a query string asks for; whatever makes no sense is left out. */
export function filterOf(query: URLSearchParams): PeopleFilter {
  const group = query.get('group') ?? '';
  const secondFactor = query.get('2fa');
  return {
    search: (query.get('q') ?? '').replaceAll('\0', '').slice(0, 200).trim(),
    roles: roleChoices.filter((role) => query.getAll('role').includes(role)),
    statuses: listableStatuses.filter((status) => query.getAll('status').includes(status)),
    groupId: isId(group) ? (group as GroupId) : null,
    isEnrolled: secondFactor === 'enrolled' ? true : secondFactor === 'not-enrolled' ? false : null,
  };
}

function orderOf(query: URLSearchParams): { order: PeopleOrder; descending: boolean } {
  const wanted = query.get('sort');
  return {
    order: peopleOrders.find((order) => order === wanted) ?? 'lastName',
    descending: query.get('direction') === 'descending',
  };
}

const choices = (
  options: readonly string[],
  any: string,
  chosen: string | undefined,
  words = (o: string) => o,
): Choice[] => [
  { value: '', label: any, selected: chosen === undefined },
  ...options.map((value) => ({ value, label: words(value), selected: value === chosen })),
];

/** A status as people read it: a word, and how long it lasts or why it is so. */
export function statusWords(
  person: Pick<PersonRow, 'status' | 'lockedUntil' | 'invitationEndsAt' | 'deactivatedReason'>,
  now: Date,
): StatusWords {
  switch (person.status) {
    case 'Active':
      return { tone: 'good', word: 'Active', more: '' };
    case 'LockedOut': {
      const left = Math.ceil(((person.lockedUntil?.getTime() ?? 0) - now.getTime()) / minutes(1));
      return { tone: 'danger', word: 'LockedOut', more: `${left} ${left === 1 ? 'minute' : 'minutes'} left` };
    }
    case 'Invited':
      return { tone: 'wait', word: 'Invited', more: invitationWords(person.invitationEndsAt, now) };
    default:
      return { tone: 'off', word: person.status, more: reasonWords[person.deactivatedReason ?? 'admin'] };
  }
}

const reasonWords = { admin: 'by an administrator', mapping: 'in no mapped group', scim: 'by the directory' };

function invitationWords(endsAt: Date | null, now: Date): string {
  if (endsAt === null || endsAt <= now) return 'invitation has run out';
  const left = (endsAt.getTime() - now.getTime()) / days(1);
  // To the nearest day: one that was sent a minute ago is good for all its fourteen.
  const whole = Math.round(left);
  return left < 1 ? 'less than a day left' : `${whole} ${whole === 1 ? 'day' : 'days'} left`;
}

/** Which acts the row offers (A2.6, A2.7, D.4): those that the rule would allow. The commands ask it again. */
export function actsFor(
  person: Pick<PersonRow, 'id' | 'role' | 'status' | 'isEnrolled' | 'mustSetPassword' | 'isMailBlocked'> & {
    usesSso?: boolean;
  },
  by: Pick<TransitionBy, 'actorId' | 'reactivate'>,
): PersonActs {
  const { isMailBlocked, usesSso = false } = person;
  const facts = {
    ...person,
    baseStatus: person.status === 'LockedOut' ? ('Active' as const) : person.status,
    mustEnrol2fa: !person.isEnrolled,
  };
  const offer = (transition: Transition, isTheTime = true) =>
    isTheTime && decideTransition(transition, facts, { ...by, isMailBlocked, usesSso }).allowed
      ? `${usersPath}/${person.id}/${transition}`
      : null;
  const isReady = facts.baseStatus === 'Active' && person.isEnrolled && !person.mustSetPassword;
  return {
    edit: `${usersPath}/${person.id}/edit`,
    deactivate: offer('deactivate'),
    activate: offer('activate'),
    unlock: offer('unlock', person.status === 'LockedOut'),
    delete: offer('delete'),
    resend: offer('resend'),
    resetSecondFactor: offer('reset-2fa', isReady),
    resetPassword: offer('reset-password', isReady),
  };
}

function toLine(person: PersonRow, desk: Desk, { reactivate }: CompanyPolicy): PersonLine {
  return {
    id: person.id,
    href: `${usersPath}/${person.id}`,
    name: fullName(person),
    initials: initialsOf(person),
    firstName: person.firstName,
    lastName: person.lastName,
    username: person.username,
    email: person.email,
    role: person.role,
    status: statusWords(person, desk.work.now),
    secondFactor: person.usesSso ? 'SSO' : person.isEnrolled ? 'Enrolled' : 'Not Enrolled',
    invite: person.status === 'Invited' ? invitationWords(person.invitationEndsAt, desk.work.now) : '',
    lastLogin: person.lastLoginAt ? desk.moment(person.lastLoginAt) : null,
    isMailBlocked: person.isMailBlocked,
    acts: actsFor(person, { actorId: desk.userId, reactivate }),
  };
}

interface ColumnChoice {
  key: PeopleColumn;
  shown: boolean;
}

/** The person's own order and choice of columns (A10.5); columns that came later stand at the end. */
function columnsFrom(stored: unknown): ColumnChoice[] {
  const known = Array.isArray(stored) ? stored : [];
  const chosen = known.flatMap((one: unknown) => {
    const { key, shown } = (one ?? {}) as { key?: unknown; shown?: unknown };
    const column = peopleColumns.find((column) => column.key === key);
    return column ? [{ key: column.key, shown: shown === true }] : [];
  });
  const rest = peopleColumns.filter(({ key }) => !chosen.some((one) => one.key === key));
  return [...chosen, ...rest.map(({ key }) => ({ key, shown: true }))];
}

const labelOf = (key: PeopleColumn) => peopleColumns.find((column) => column.key === key)?.label ?? key;

const looks: Partial<Record<PeopleColumn, string>> = { email: 'cell-long', role: 'cell-role' };

function headOf(
  ctx: Context,
  key: PeopleColumn,
  { order, descending }: ReturnType<typeof orderOf>,
  isFirst: boolean,
): ColumnHead {
  const by = peopleColumns.find((column) => column.key === key)?.order ?? null;
  const isSorted = by === order;
  return {
    key,
    label: labelOf(key),
    sort: by && address(ctx, { sort: by, direction: isSorted && !descending ? 'descending' : null }),
    sorted: isSorted ? (descending ? 'descending' : 'ascending') : null,
    sortIcon: descending ? 'arrow-down' : 'arrow-up',
    look: `${looks[key] ?? 'cell-short'}${isFirst ? ' cell-first' : ''}`,
  };
}

function chipsOf(ctx: Context, filter: PeopleFilter, groups: { id: string; name: string }[]): Chip[] {
  const chip = (label: string, name: string): Chip => ({ label, without: address(ctx, { [name]: null }) });
  return [
    ...(filter.search === '' ? [] : [chip(`“${filter.search}”`, 'q')]),
    ...filter.roles.map((role) => chip(role, 'role')),
    ...filter.statuses.map((status) => chip(status, 'status')),
    ...groups.filter(({ id }) => id === filter.groupId).map(({ name }) => chip(name, 'group')),
    ...(filter.isEnrolled === null ? [] : [chip(filter.isEnrolled ? 'Enrolled' : 'Not Enrolled', '2fa')]),
  ];
}

const list: DeskHandler = async (ctx, runtime, desk) => {
  const query = new URLSearchParams(ctx.querystring);
  const filter = filterOf(query);
  const order = orderOf(query);
  const paging = pagingOf(query);
  const store = desk.work.store.of(desk.companyId);
  const [company, people, groups, stored] = await Promise.all([
    companyOf(desk),
    listPeople(desk.work, desk.companyId, filter, { ...order, ...paging }),
    store.groups.list(),
    store.preferences.find(desk.userId, preference),
  ]);
  const columns = columnsFrom(stored);
  const chips = chipsOf(ctx, filter, groups);
  const kept = (['sort', 'direction'] as const).flatMap((name) => {
    const value = query.get(name);
    return value === null ? [] : [{ name, value }];
  });
  await showDesk(
    ctx,
    runtime,
    desk,
    { view: 'admin/users/list', title: 'Users', place: 'users' },
    {
      filters: {
        search: filter.search,
        roles: choices(roleChoices, 'Any role', filter.roles[0]),
        statuses: choices(listableStatuses, 'Any status', filter.statuses[0]),
        secondFactors: choices(
          ['enrolled', 'not-enrolled'],
          'Any 2FA',
          filter.isEnrolled === null ? undefined : filter.isEnrolled ? 'enrolled' : 'not-enrolled',
          (value) => (value === 'enrolled' ? 'Enrolled' : 'Not Enrolled'),
        ),
        groups: choices(
          groups.map(({ id }) => id),
          'Any group',
          filter.groupId ?? undefined,
          (id) => groups.find((group) => group.id === id)?.name ?? id,
        ),
        hidden: kept,
        chips,
        clear: chips.length > 1 ? usersPath : null,
      },
      columns: columns.filter(({ shown }) => shown).map(({ key }, at) => headOf(ctx, key, order, at === 0)),
      allColumns: columns.map(({ key, shown }, at) => ({
        key,
        label: labelOf(key),
        shown,
        isFirst: at === 0,
        isLast: at === columns.length - 1,
      })),
      columnOrder: columns.map(({ key }) => key).join(','),
      people: people.rows.map((person) => toLine(person, desk, company.policy)),
      pages: pageLinks(ctx, people),
      count: countWords(people, 'person', 'people'),
      isFiltered: chips.length > 0,
      query: ctx.querystring,
    },
  );
};

/** Saves which columns are shown, in which order: `order` names all keys, `show-<key>` the shown ones, `move` one step of one. */
const saveColumns: DeskHandler = async (ctx, _runtime, desk) => {
  const { form } = ctx.state;
  const keys = (form.order ?? '').split(',');
  const [moved = '', way] = (form.move ?? '').split(':');
  const at = keys.indexOf(moved);
  if (at >= 0) {
    keys.splice(at, 1);
    keys.splice(Math.max(0, at + (way === 'up' ? -1 : 1)), 0, moved);
  }
  const columns = columnsFrom(keys.map((key) => ({ key, shown: form[`show-${key}`] !== undefined })));
  // A list without any column would show nothing to bring one back by.
  const value = columns.some(({ shown }) => shown) ? columns : columnsFrom(null);
  await desk.work.store.of(desk.companyId).preferences.save(desk.userId, preference, value);
  const query = new URLSearchParams(form.query ?? '').toString();
  seeOther(ctx, `${usersPath}${query === '' ? '' : `?${query}`}${moved === '' ? '' : '#columns'}`);
};

export const userListRoutes: Route[] = [
  { method: 'get', path: usersPath, handle: deskOf('users.manage', list) },
  { method: 'post', path: `${usersPath}/columns`, handle: deskOf('users.manage', saveColumns) },
];
