// Groups: the list, and a new one (A3.6, B.4).
import { createGroup } from '../../../domain/groups/commands.ts';
import { type GroupRow, groupOrders, listGroupRows, listInstances } from '../../../domain/groups/list-queries.ts';
import type { InstanceId } from '../../../lib/ids.ts';
import { pagingOf } from '../../../lib/paging.ts';
import type { Runtime } from '../../../runtime.ts';
import type { Context } from '../../context.ts';
import { setFlash } from '../../page.ts';
import { type Route, seeOther } from '../../routes.ts';
import { address, countWords, type Desk, type DeskHandler, deskOf, orRedraw, pageLinks, showDesk } from '../console.ts';
import type { Chip } from '../views.ts';
import { columnOf, counted, groupPath, groupsPath, keptOf, kindWords, orderFrom, searchOf } from './group-head.ts';
import { idsFrom, moduleChoices } from './module-choices.ts';
import type { GroupLine, GroupViews } from './views.ts';

const states = [
  { value: '', label: 'Any state', isActive: null },
  { value: 'active', label: 'Active', isActive: true },
  { value: 'inactive', label: 'Inactive', isActive: false },
] as const;

const toLine = (group: GroupRow): GroupLine => ({
  id: group.id,
  href: groupPath(group.id),
  name: group.name,
  kind: kindWords(group),
  isSystem: group.kind !== 'custom',
  isActive: group.isActive,
  members: counted(group.members, 'member', 'members'),
  modules: counted(group.modules, 'module', 'modules'),
});

const list: DeskHandler = async (ctx, runtime, desk) => {
  const query = new URLSearchParams(ctx.querystring);
  const search = searchOf(query);
  const state = states.find(({ value }) => value === query.get('state')) ?? states[0];
  const order = orderFrom(query, groupOrders, 'kind');
  const filter = { search, isActive: state.isActive };
  const groups = await listGroupRows(desk.work, desk.companyId, filter, { ...order, ...pagingOf(query) });
  const chip = (label: string, name: string): Chip => ({ label, without: address(ctx, { [name]: null }) });
  const chips = [
    ...(search === '' ? [] : [chip(`“${search}”`, 'q')]),
    ...(state.isActive === null ? [] : [chip(state.label, 'state')]),
  ];
  await showDesk(
    ctx,
    runtime,
    desk,
    { view: 'admin/groups/list', title: 'Groups', place: 'groups' },
    {
      filters: {
        search,
        states: states.map(({ value, label }) => ({ value, label, selected: value === state.value })),
        hidden: keptOf(query, ['sort', 'direction']),
        chips,
        clear: chips.length > 1 ? groupsPath : null,
      },
      columns: [
        columnOf(ctx, 'Name', 'name', order),
        columnOf(ctx, 'Kind', 'kind', order),
        columnOf(ctx, 'State', 'state', order),
        columnOf(ctx, 'Members', null, order),
        columnOf(ctx, 'Modules', null, order),
      ],
      groups: groups.rows.map(toLine),
      pages: pageLinks(ctx, groups),
      count: countWords(groups, 'group', 'groups'),
      isFiltered: chips.length > 0,
    },
  );
};

type NewLocals = GroupViews['admin/groups/new'];

async function drawNew(
  ctx: Context,
  runtime: Runtime,
  desk: Desk,
  { problem, values, chosen }: Pick<NewLocals, 'problem' | 'values'> & { chosen: InstanceId[] },
): Promise<void> {
  const modules = moduleChoices(await listInstances(desk.work, desk.companyId), chosen, null);
  const page = { view: 'admin/groups/new', title: 'New group', place: 'groups' } as const;
  await showDesk(ctx, runtime, desk, page, { problem, values, modules });
}

const empty: DeskHandler = (ctx, runtime, desk) =>
  drawNew(ctx, runtime, desk, { problem: null, values: { name: '', isActive: true }, chosen: [] });

const create: DeskHandler = async (ctx, runtime, desk) => {
  const { form, formLists } = ctx.state;
  const values = { name: form.name ?? '', isActive: form.active === 'yes' };
  const chosen = idsFrom<InstanceId>(formLists.module, 'module');
  await orRedraw(
    ctx,
    async () => {
      const group = await createGroup(desk.work, desk.companyId, { ...values, instanceIds: chosen });
      setFlash(ctx, runtime, { kind: 'success', text: `${group.name} is there. Now add its members.` });
      seeOther(ctx, groupPath(group.id));
    },
    (problem) => drawNew(ctx, runtime, desk, { problem, values, chosen }),
  );
};

export const groupListRoutes: Route[] = [
  { method: 'get', path: groupsPath, handle: deskOf('groups.manage', list) },
  { method: 'post', path: groupsPath, handle: deskOf('groups.manage', create) },
  { method: 'get', path: `${groupsPath}/new`, handle: deskOf('groups.manage', empty) },
];
