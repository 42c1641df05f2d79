// A group's members: the list, who may be added, and the acts on them (B.4, C19, C20).
import type { MembershipChange } from '../../../domain/groups/effects.ts';
import { namesOf } from '../../../domain/groups/effects-queries.ts';
import { noModuleAccess } from '../../../domain/groups/group.ts';
import { type GroupDetail, getGroup, membersAmong } from '../../../domain/groups/list-queries.ts';
import { addMembers, previewMemberships, removeMembers } from '../../../domain/groups/member-commands.ts';
import { everybody, listPeople, type PersonRow } from '../../../domain/users/list-queries.ts';
import { fullName } from '../../../domain/users/user.ts';
import { AppError } from '../../../lib/errors.ts';
import type { UserId } from '../../../lib/ids.ts';
import { pagingOf } from '../../../lib/paging.ts';
import type { Runtime } from '../../../runtime.ts';
import type { Context } from '../../context.ts';
import { setFlash } from '../../page.ts';
import { type Route, seeOther } from '../../routes.ts';
import { countWords, type Desk, type DeskHandler, deskOf, idParam, pageLinks, showDesk } from '../console.ts';
import { statusWords } from '../users/list.ts';
import { effectLines, listWords, notActiveWords, peopleWords } from './effect-words.ts';
import { columnOf, groupIdOf, groupPath, groupsPath, headOf, keptOf, orderFrom, searchOf } from './group-head.ts';
import { idsFrom } from './module-choices.ts';
import type { MemberLine } from './views.ts';

const orders = ['lastName', 'username', 'email', 'role', 'status'] as const;

function toLine(group: GroupDetail, person: PersonRow, now: Date): MemberLine {
  const isFixed = group.kind === 'system-none' || (group.kind === 'system-all' && person.role === 'Root Admin');
  return {
    id: person.id,
    href: `/admin/users/${person.id}`,
    name: fullName(person),
    username: person.username,
    email: person.email,
    role: person.role,
    status: statusWords(person, now),
    remove: isFixed ? null : groupPath(group.id, `remove/${person.id}`),
  };
}

const notes: Record<GroupDetail['kind'], string> = {
  custom: '',
  'system-all': 'Every connected module is open to these people. The Root Admin stays in this group.',
  'system-none': 'These people can enter no module. They leave this group by joining another one.',
};

const list: DeskHandler = async (ctx, runtime, desk) => {
  const query = new URLSearchParams(ctx.querystring);
  const [search, order] = [searchOf(query), orderFrom(query, orders, 'lastName')];
  const group = await getGroup(desk.work, desk.companyId, groupIdOf(ctx));
  const filter = { ...everybody, search, groupId: group.id };
  const people = await listPeople(desk.work, desk.companyId, filter, { ...order, ...pagingOf(query) });
  await showDesk(
    ctx,
    runtime,
    desk,
    { view: 'admin/groups/members', title: group.name, place: 'groups' },
    {
      group: headOf(group, ''),
      note: notes[group.kind],
      search,
      hidden: keptOf(query, ['sort', 'direction']),
      action: groupPath(group.id),
      canRemove: group.kind !== 'system-none',
      columns: [
        columnOf(ctx, 'Name', 'lastName', order),
        columnOf(ctx, 'Username', 'username', order),
        columnOf(ctx, 'Email', 'email', order),
        columnOf(ctx, 'Role', 'role', order),
        columnOf(ctx, 'Status', 'status', order),
      ],
      members: people.rows.map((person) => toLine(group, person, desk.work.now)),
      pages: pageLinks(ctx, people),
      count:
        search === '' ? countWords(people, 'member', 'members') : countWords(people, 'member matches', 'members match'),
    },
  );
};

const joining: Record<GroupDetail['kind'], string> = {
  custom: `Whoever is in ${noModuleAccess} leaves it by joining.`,
  'system-all': `Whoever is in ${noModuleAccess} leaves it by joining.`,
  'system-none': 'Whoever joins leaves all other groups, and loses every module. You are asked before that happens.',
};

const candidates: DeskHandler = async (ctx, runtime, desk) => {
  const query = new URLSearchParams(ctx.querystring);
  const search = searchOf(query);
  const group = await getGroup(desk.work, desk.companyId, groupIdOf(ctx));
  const order = { order: 'lastName', descending: false } as const;
  const people = await listPeople(
    desk.work,
    desk.companyId,
    { ...everybody, search },
    { ...order, ...pagingOf(query, 25) },
  );
  const members = await membersAmong(
    desk.work,
    desk.companyId,
    group.id,
    people.rows.map(({ id }) => id),
  );
  await showDesk(
    ctx,
    runtime,
    desk,
    { view: 'admin/groups/add', title: `Add members to ${group.name}`, place: 'groups' },
    {
      group: headOf(group, ''),
      note: joining[group.kind],
      search,
      searchAction: groupPath(group.id, 'add'),
      back: groupPath(group.id),
      action: groupPath(group.id, 'members'),
      people: people.rows.map((person) => ({
        ...toLine(group, person, desk.work.now),
        isMember: members.has(person.id),
      })),
      pages: pageLinks(ctx, people),
      count: countWords(people, 'person', 'people'),
    },
  );
};

/** "Ada Root and Ben User", "3 people". */
async function whomWords(desk: Desk, ids: UserId[]): Promise<string> {
  if (ids.length > 3) return peopleWords(ids.length);
  return listWords((await namesOf(desk.work, desk.companyId, ids)).map(fullName));
}

interface Asking {
  group: GroupDetail;
  ids: UserId[];
  change: MembershipChange & { kind: 'add' | 'remove' };
}

/** Shows who loses what before it happens. */
async function ask(ctx: Context, runtime: Runtime, desk: Desk, { group, ids, change }: Asking): Promise<void> {
  const { effects, changed } = await previewMemberships(desk.work, desk.companyId, ids, change);
  const whom = await whomWords(desk, ids);
  const isAdding = change.kind === 'add';
  const words = isAdding ? `Add ${whom} to ${group.name}` : `Remove ${whom} from ${group.name}`;
  await showDesk(
    ctx,
    runtime,
    desk,
    { view: 'admin/groups/confirm', title: words, place: 'groups' },
    {
      title: `${words}?`,
      lead:
        effects.losing === 0
          ? 'It takes effect at once.'
          : `${peopleWords(effects.losing)} ${effects.losing === 1 ? 'loses' : 'lose'} access at once, on every device.`,
      effects: await effectLines(desk, effects),
      noEffect: changed === 0 ? 'Nothing changes: that is so already.' : 'Nobody gains or loses a module by this.',
      sentences: [
        ...notActiveWords(effects),
        ...(isAdding ? [] : [`Whoever is left without a group is put into ${noModuleAccess}.`]),
        `You can undo it: ${isAdding ? 'add them to their groups' : 'add them'} again, and they log in anew.`,
      ],
      action: groupPath(group.id, isAdding ? 'members' : 'remove-members'),
      hidden: [{ name: 'confirmed', value: 'yes' }, ...ids.map((value) => ({ name: 'id', value }))],
      button: words,
      isDanger: effects.losing > 0 || !isAdding,
      cancel: groupPath(group.id),
    },
  );
}

/** A refused choice of people leads back to the list, with the rule's own sentence. */
async function orBack(ctx: Context, runtime: Runtime, back: string, act: () => Promise<void>): Promise<void> {
  try {
    await act();
  } catch (error) {
    if (!(error instanceof AppError) || ![409, 422].includes(error.status)) throw error;
    setFlash(ctx, runtime, { kind: 'danger', text: error.message });
    seeOther(ctx, back);
  }
}

const add: DeskHandler = async (ctx, runtime, desk) => {
  const group = await getGroup(desk.work, desk.companyId, groupIdOf(ctx));
  const ids = idsFrom<UserId>(ctx.state.formLists.id, 'person');
  const back = groupPath(group.id, 'add');
  const change = { kind: 'add', groupId: group.id } as const;
  await orBack(ctx, runtime, back, async () => {
    if (ctx.state.form.confirmed !== 'yes') {
      const { effects } = await previewMemberships(desk.work, desk.companyId, ids, change);
      if (effects.losing > 0) return ask(ctx, runtime, desk, { group, ids, change });
    }
    const { changed } = await addMembers(desk.work, desk.companyId, group.id, ids);
    const whom = `${await whomWords(desk, ids)} ${ids.length === 1 ? 'is' : 'are'}`;
    setFlash(ctx, runtime, { kind: 'success', text: `${whom} in ${group.name} ${changed === 0 ? 'already' : 'now'}.` });
    seeOther(ctx, back);
  });
};

const askRemoval: DeskHandler = async (ctx, runtime, desk) => {
  const group = await getGroup(desk.work, desk.companyId, groupIdOf(ctx));
  const ids = [idParam(ctx, 'person', 'person')];
  await ask(ctx, runtime, desk, { group, ids, change: { kind: 'remove', groupId: group.id } });
};

const remove: DeskHandler = async (ctx, runtime, desk) => {
  const group = await getGroup(desk.work, desk.companyId, groupIdOf(ctx));
  const ids = idsFrom<UserId>(ctx.state.formLists.id, 'person');
  const back = groupPath(group.id);
  await orBack(ctx, runtime, back, async () => {
    const change = { kind: 'remove', groupId: group.id } as const;
    if (ctx.state.form.confirmed !== 'yes') return ask(ctx, runtime, desk, { group, ids, change });
    await removeMembers(desk.work, desk.companyId, group.id, ids);
    const whom = `${await whomWords(desk, ids)} ${ids.length === 1 ? 'is' : 'are'}`;
    setFlash(ctx, runtime, { kind: 'success', text: `${whom} no longer in ${group.name}.` });
    seeOther(ctx, back);
  });
};

const one = `${groupsPath}/:group`;

export const groupMemberRoutes: Route[] = [
  { method: 'get', path: one, handle: deskOf('groups.manage', list) },
  { method: 'get', path: `${one}/add`, handle: deskOf('groups.manage', candidates) },
  { method: 'post', path: `${one}/members`, handle: deskOf('groups.manage', add) },
  { method: 'get', path: `${one}/remove/:person`, handle: deskOf('groups.manage', askRemoval) },
  { method: 'post', path: `${one}/remove-members`, handle: deskOf('groups.manage', remove) },
];
