// A group's modules and its own settings; what takes access away is shown before it happens (B.4, C21).
import { actOnGroup, type GroupAct, previewGroupAct } from '../../../domain/groups/change-commands.ts';
import { renameGroup } from '../../../domain/groups/commands.ts';
import { noModuleAccess, systemGroupRefusal } from '../../../domain/groups/group.ts';
import { type GroupDetail, getGroup, instanceIdsOf, listInstances } from '../../../domain/groups/list-queries.ts';
import type { InstanceId } from '../../../lib/ids.ts';
import type { Runtime } from '../../../runtime.ts';
import type { Context } from '../../context.ts';
import { setFlash } from '../../page.ts';
import { type Route, seeOther } from '../../routes.ts';
import { type Desk, type DeskHandler, deskOf, orRedraw, showDesk } from '../console.ts';
import { effectLines, notActiveWords, peopleWords } from './effect-words.ts';
import { counted, groupIdOf, groupPath, groupsPath, headOf } from './group-head.ts';
import { idsFrom, moduleChoices } from './module-choices.ts';
import type { GroupViews } from './views.ts';

const groupOf = (ctx: Context, desk: Desk): Promise<GroupDetail> => getGroup(desk.work, desk.companyId, groupIdOf(ctx));

const modules: DeskHandler = async (ctx, runtime, desk) => {
  const group = await groupOf(ctx, desk);
  const [instances, chosen] = await Promise.all([
    listInstances(desk.work, desk.companyId),
    instanceIdsOf(desk.work, desk.companyId, group.id),
  ]);
  await showDesk(
    ctx,
    runtime,
    desk,
    { view: 'admin/groups/modules', title: `Modules of ${group.name}`, place: 'groups' },
    {
      group: headOf(group, 'modules'),
      note: systemGroupRefusal(group, 'modules') ?? '',
      action: groupPath(group.id, 'modules'),
      modules: moduleChoices(instances, chosen, group.name),
      was: chosen.join(' '),
    },
  );
};

/** Only what this administrator changed: another's choice of the meantime stays (`was`: what the page had shown). */
function differences(ctx: Context): { open: InstanceId[]; close: InstanceId[] } {
  const was = idsFrom<InstanceId>((ctx.state.form.was ?? '').split(' ').filter(Boolean), 'module');
  const chosen = idsFrom<InstanceId>(ctx.state.formLists.module, 'module');
  return { open: chosen.filter((id) => !was.includes(id)), close: was.filter((id) => !chosen.includes(id)) };
}

const saveModules: DeskHandler = async (ctx, runtime, desk) => {
  const group = await groupOf(ctx, desk);
  const act: GroupAct = { kind: 'modules', ...differences(ctx) };
  if (ctx.state.form.confirmed !== 'yes') {
    const { effects } = await previewGroupAct(desk.work, desk.companyId, group.id, act);
    if (effects.losing > 0) {
      const kept = [
        { name: 'was', value: ctx.state.form.was ?? '' },
        ...(ctx.state.formLists.module ?? []).map((value) => ({ name: 'module', value })),
      ];
      return ask(ctx, runtime, desk, { group, act, kept });
    }
  }
  await actOnGroup(desk.work, desk.companyId, group.id, act);
  setFlash(ctx, runtime, { kind: 'success', text: `The modules of ${group.name} are saved.` });
  seeOther(ctx, groupPath(group.id, 'modules'));
};

async function drawSettings(
  ctx: Context,
  runtime: Runtime,
  desk: Desk,
  group: GroupDetail,
  { problem, values }: Pick<GroupViews['admin/groups/settings'], 'problem' | 'values'>,
): Promise<void> {
  const isCustom = group.kind === 'custom';
  await showDesk(
    ctx,
    runtime,
    desk,
    { view: 'admin/groups/settings', title: `Settings of ${group.name}`, place: 'groups' },
    {
      group: headOf(group, 'settings'),
      problem,
      values,
      action: groupPath(group.id, 'settings'),
      createdAt: desk.moment(group.createdAt),
      activate: isCustom && !group.isActive ? groupPath(group.id, 'activate') : null,
      deactivate: isCustom && group.isActive ? groupPath(group.id, 'deactivate') : null,
      delete: isCustom ? groupPath(group.id, 'delete') : null,
    },
  );
}

const settings: DeskHandler = async (ctx, runtime, desk) => {
  const group = await groupOf(ctx, desk);
  await drawSettings(ctx, runtime, desk, group, { problem: null, values: { name: group.name } });
};

const rename: DeskHandler = async (ctx, runtime, desk) => {
  const group = await groupOf(ctx, desk);
  const name = ctx.state.form.name ?? '';
  await orRedraw(
    ctx,
    async () => {
      const renamed = await renameGroup(desk.work, desk.companyId, group.id, name);
      setFlash(ctx, runtime, { kind: 'success', text: `The group is named ${renamed.name} now.` });
      seeOther(ctx, groupPath(group.id, 'settings'));
    },
    (problem) => drawSettings(ctx, runtime, desk, group, { problem, values: { name } }),
  );
};

interface Asking {
  group: GroupDetail;
  act: GroupAct;
  kept: { name: string; value: string }[];
}

const buttons = { activate: 'Activate', deactivate: 'Deactivate', delete: 'Delete', modules: 'Save the modules of' };
const paths = { activate: 'activate', deactivate: 'deactivate', delete: 'delete', modules: 'modules' };
const undone = {
  activate: 'You can undo it: deactivate the group again.',
  deactivate:
    'You can undo it: activate the group again, and its members log in anew. It keeps its members and modules.',
  delete: 'You can’t undo it. To take access away for a while, deactivate the group instead.',
  modules: 'You can undo it: choose the modules again, and people log in anew.',
};

async function ask(ctx: Context, runtime: Runtime, desk: Desk, { group, act, kept }: Asking): Promise<void> {
  const { effects } = await previewGroupAct(desk.work, desk.companyId, group.id, act);
  const button = `${buttons[act.kind]} ${group.name}`;
  const losing = `${peopleWords(effects.losing)} ${effects.losing === 1 ? 'loses' : 'lose'} access at once, on every device.`;
  const gaining = `${peopleWords(effects.gaining)} ${effects.gaining === 1 ? 'gets' : 'get'} access at once.`;
  const members = counted(group.members, 'member', 'members');
  await showDesk(
    ctx,
    runtime,
    desk,
    { view: 'admin/groups/confirm', title: button, place: 'groups' },
    {
      title: `${button}?`,
      lead: effects.losing > 0 ? losing : effects.gaining > 0 ? gaining : 'It takes effect at once.',
      effects: await effectLines(desk, effects),
      noEffect: 'Nobody gains or loses a module by this.',
      sentences: [
        ...notActiveWords(effects),
        ...(act.kind === 'delete'
          ? [`Its ${members} keep their other groups; whoever has none is put into ${noModuleAccess}.`]
          : []),
        undone[act.kind],
      ],
      action: groupPath(group.id, paths[act.kind]),
      hidden: [{ name: 'confirmed', value: 'yes' }, ...kept],
      button,
      isDanger: act.kind !== 'activate',
      cancel: groupPath(group.id, act.kind === 'modules' ? 'modules' : 'settings'),
    },
  );
}

type PlainAct = 'activate' | 'deactivate' | 'delete';

const asking =
  (kind: PlainAct): DeskHandler =>
  async (ctx, runtime, desk) =>
    ask(ctx, runtime, desk, { group: await groupOf(ctx, desk), act: { kind }, kept: [] });

const done: Record<PlainAct, (name: string) => string> = {
  activate: (name) => `${name} is active: its modules are open to its members.`,
  deactivate: (name) => `${name} is inactive: it gives access to nothing.`,
  delete: (name) => `${name} is deleted.`,
};

const doing =
  (kind: PlainAct): DeskHandler =>
  async (ctx, runtime, desk) => {
    const { id, name } = await actOnGroup(desk.work, desk.companyId, groupIdOf(ctx), { kind });
    setFlash(ctx, runtime, { kind: 'success', text: done[kind](name) });
    seeOther(ctx, kind === 'delete' ? groupsPath : groupPath(id, 'settings'));
  };

const one = `${groupsPath}/:group`;

export const groupSettingsRoutes: Route[] = [
  { method: 'get', path: `${one}/modules`, handle: deskOf('groups.manage', modules) },
  { method: 'post', path: `${one}/modules`, handle: deskOf('groups.manage', saveModules) },
  { method: 'get', path: `${one}/settings`, handle: deskOf('groups.manage', settings) },
  { method: 'post', path: `${one}/settings`, handle: deskOf('groups.manage', rename) },
  { method: 'get', path: `${one}/activate`, handle: deskOf('groups.manage', asking('activate')) },
  { method: 'post', path: `${one}/activate`, handle: deskOf('groups.manage', doing('activate')) },
  { method: 'get', path: `${one}/deactivate`, handle: deskOf('groups.manage', asking('deactivate')) },
  { method: 'post', path: `${one}/deactivate`, handle: deskOf('groups.manage', doing('deactivate')) },
  { method: 'get', path: `${one}/delete`, handle: deskOf('groups.manage', asking('delete')) },
  { method: 'post', path: `${one}/delete`, handle: deskOf('groups.manage', doing('delete')) },
];
