// What the pages of one group share.
import type { GroupDetail } from '../../../domain/groups/list-queries.ts';
import type { GroupId } from '../../../lib/ids.ts';
import { reach } from '../../../lib/paging.ts';
import type { Context } from '../../context.ts';
import { address, countWords, idParam } from '../console.ts';
import type { GroupColumn, GroupHead } from './views.ts';

export const groupsPath = '/admin/groups';

export const groupPath = (id: string, tab = ''): string => `${groupsPath}/${id}${tab === '' ? '' : `/${tab}`}`;

export const groupIdOf = (ctx: Context): GroupId => idParam<GroupId>(ctx, 'group', 'group');

/** A count that stopped at `reach + 1`. */
export const counted = (count: number, one: string, many: string): string =>
  countWords({ total: Math.min(count, reach), isMore: count > reach }, one, many);

const tabs = [
  ['', 'Members'],
  ['modules', 'Modules'],
  ['settings', 'Settings'],
] as const;

export function headOf(group: GroupDetail, here: (typeof tabs)[number][0]): GroupHead {
  return {
    id: group.id,
    name: group.name,
    kind: kindWords(group),
    isSystem: group.kind !== 'custom',
    isActive: group.isActive,
    members: counted(group.members, 'member', 'members'),
    modules: counted(group.modules, 'module', 'modules'),
    tabs: tabs.map(([tab, label]) => ({ label, href: groupPath(group.id, tab), isHere: tab === here })),
    add: groupPath(group.id, 'add'),
  };
}

export const kindWords = ({ kind }: Pick<GroupDetail, 'kind'>) => (kind === 'custom' ? 'Custom group' : 'System group');

export interface Order<O extends string> {
  order: O;
  descending: boolean;
}

/** Order and direction of a query string; whatever makes no sense is left out. */
export function orderFrom<O extends string>(query: URLSearchParams, orders: readonly O[], first: O): Order<O> {
  const wanted = query.get('sort');
  return {
    order: orders.find((order) => order === wanted) ?? first,
    descending: query.get('direction') === 'descending',
  };
}

export function columnOf<O extends string>(
  ctx: Context,
  label: string,
  by: O | null,
  { order, descending }: Order<O>,
): GroupColumn {
  const isSorted = by === order;
  return {
    label,
    sort: by && address(ctx, { sort: by, direction: isSorted && !descending ? 'descending' : null }),
    sorted: isSorted ? (descending ? 'descending' : 'ascending') : null,
    sortIcon: descending ? 'arrow-down' : 'arrow-up',
  };
}

export const keptOf = (query: URLSearchParams, names: string[]): { name: string; value: string }[] =>
  names.flatMap((name) => {
    const value = query.get(name);
    return value === null ? [] : [{ name, value }];
  });

export const searchOf = (query: URLSearchParams): string =>
  (query.get('q') ?? '').replaceAll('\0', '').slice(0, 200).trim();
