// Modules: what the company has connected (B.7).
import { type ConnectedRow, connectedOrders, listConnected } from '../../../domain/integrations/connected-queries.ts';
import { isLaneFailing } from '../../../domain/integrations/instance-queries.ts';
import { pagingOf } from '../../../lib/paging.ts';
import type { Route } from '../../routes.ts';
import { address, countWords, type Desk, type DeskHandler, deskOf, pageLinks, showDesk } from '../console.ts';
import { columnOf, counted, keptOf, orderFrom, searchOf } from '../groups/group-head.ts';
import type { Chip } from '../views.ts';
import { instancePath, instanceStatus, modulesPath } from './instance-head.ts';
import type { ConnectedLine } from './views.ts';

const states = [
  { value: '', label: 'Any state', state: null },
  { value: 'enabled', label: 'Enabled', state: 'enabled' },
  { value: 'trial', label: 'Trial', state: 'trial' },
  { value: 'required', label: 'Required', state: 'required' },
  { value: 'off', label: 'Off', state: 'off' },
] as const;

export const explorePath = `${modulesPath}/explore`;

export const moduleTabs = (here: 'connected' | 'explore') => [
  { label: 'Connected', href: modulesPath, isHere: here === 'connected' },
  { label: 'Explore', href: explorePath, isHere: here === 'explore' },
];

function toLine(row: ConnectedRow, desk: Desk): ConnectedLine {
  const { now } = desk.work;
  const require = { ...row.require, trialBy: null };
  return {
    href: instancePath(row.id),
    name: row.name,
    icon: row.icon,
    product: row.module === row.name ? '' : row.module,
    isTest: row.isTest,
    status: instanceStatus({ enabled: row.enabled, require }, now),
    people: counted(row.people, 'person', 'people'),
    contact: row.contactAt && desk.moment(row.contactAt),
    deliveries: isLaneFailing(row.lane, now) ? instancePath(row.id, 'deliveries') : null,
  };
}

const list: DeskHandler = async (ctx, runtime, desk) => {
  const query = new URLSearchParams(ctx.querystring);
  const search = searchOf(query);
  const state = states.find(({ value }) => value === query.get('state')) ?? states[0];
  const order = orderFrom(query, connectedOrders, 'name');
  const filter = { search, state: state.state };
  const modules = await listConnected(desk.work, desk.companyId, filter, { ...order, ...pagingOf(query) });
  const chip = (label: string, name: string): Chip => ({ label, without: address(ctx, { [name]: null }) });
  const chips = [
    ...(search === '' ? [] : [chip(`“${search}”`, 'q')]),
    ...(state.state === null ? [] : [chip(state.label, 'state')]),
  ];
  await showDesk(
    ctx,
    runtime,
    desk,
    { view: 'admin/modules/list', title: 'Modules', place: 'instances' },
    {
      tabs: moduleTabs('connected'),
      filters: {
        search,
        states: states.map(({ value, label }) => ({ value, label, selected: value === state.value })),
        hidden: keptOf(query, ['sort', 'direction']),
        chips,
        clear: chips.length > 1 ? modulesPath : null,
      },
      columns: [
        columnOf(ctx, 'Module', 'name', order),
        columnOf(ctx, 'Product', 'product', order),
        columnOf(ctx, 'State', null, order),
        columnOf(ctx, 'People with access', null, order),
        columnOf(ctx, 'Last contact', 'contact', order),
        columnOf(ctx, 'Deliveries', null, order),
      ],
      modules: modules.rows.map((row) => toLine(row, desk)),
      pages: pageLinks(ctx, modules),
      count: countWords(modules, 'module', 'modules'),
      isFiltered: chips.length > 0,
    },
  );
};

export const moduleListRoutes: Route[] = [{ method: 'get', path: modulesPath, handle: deskOf('modules.manage', list) }];
