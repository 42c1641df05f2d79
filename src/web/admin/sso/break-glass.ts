// Break-glass people (C26): who may log in with a password whatever is enforced, one at a time, each with a reason and an end.
import {
  addBreakGlass,
  changeBreakGlass,
  listBreakGlass,
  removeBreakGlass,
} from '../../../domain/federation/break-glass-commands.ts';
import type { BreakGlassPerson } from '../../../domain/federation/break-glass-repository.ts';
import { isInForce } from '../../../domain/federation/enforce.ts';
import { everybody, listPeople, type PersonRow } from '../../../domain/users/list-queries.ts';
import { canMend } from '../../../domain/users/sso-ways-in.ts';
import { listEnforced } from '../../../domain/users/sso-ways-in-queries.ts';
import { fullName, type User } from '../../../domain/users/user.ts';
import { notFound } from '../../../lib/errors.ts';
import { isId, type UserId } from '../../../lib/ids.ts';
import { after, days } from '../../../lib/time.ts';
import { instantOf } from '../../../lib/zones.ts';
import type { Runtime } from '../../../runtime.ts';
import type { Context } from '../../context.ts';
import { zoneOf } from '../../home/person.ts';
import { setFlash } from '../../page.ts';
import { type Route, seeOther } from '../../routes.ts';
import { askFirst, type Desk, type DeskHandler, idParam, orRedraw, showDesk } from '../console.ts';
import { searchOf } from '../groups/group-head.ts';
import type { StatusWords } from '../views.ts';
import { guarded, onwardOf, ssoPath } from './connection-head.ts';
import type { BreakGlassLine, SsoViews } from './views.ts';

const path = `${ssoPath}/break-glass`;
const foundAtOnce = 10;

/** Whether it does what it is there for, and if not, why. */
function statusOf(one: BreakGlassPerson, now: Date): StatusWords {
  if (!isInForce(one, now)) return { tone: 'off', word: 'Ended', more: '' };
  if (one.baseStatus !== 'Active') return { tone: 'danger', word: one.baseStatus, more: '' };
  if (!one.hasPassword) return { tone: 'danger', word: 'No password', more: '' };
  return { tone: 'good', word: 'Way in', more: canMend(one) ? 'administrator' : '' };
}

const toLine = (one: BreakGlassPerson, desk: Desk): BreakGlassLine => ({
  name: one.name === '' ? one.username : one.name,
  username: one.username,
  role: one.role,
  href: `/admin/users/${one.userId}`,
  reason: one.reason,
  endsAt: one.endsAt && desk.moment(one.endsAt),
  status: statusOf(one, desk.work.now),
  by: one.createdBy,
  since: desk.moment(one.createdAt),
  change: `${path}/${one.userId}`,
  remove: `${path}/${one.userId}/remove`,
});

async function searchPeople(desk: Desk, search: string): Promise<PersonRow[]> {
  if (search === '') return [];
  const filter = { ...everybody, search };
  const order = { order: 'lastName', descending: false, page: 1, size: foundAtOnce } as const;
  return (await listPeople(desk.work, desk.companyId, filter, order)).rows;
}

const list: DeskHandler = async (ctx, runtime, desk) => {
  const { work, companyId } = desk;
  const search = searchOf(new URLSearchParams(ctx.querystring));
  const people = await listBreakGlass(work, companyId);
  const inForce = new Set(people.filter((one) => isInForce(one, work.now)).map(({ userId }) => userId));
  const found = await searchPeople(desk, search);
  const inOrder = [
    ...people.filter(({ userId }) => inForce.has(userId)),
    ...people.filter(({ userId }) => !inForce.has(userId)),
  ];
  await showDesk(
    ctx,
    runtime,
    desk,
    { view: 'admin/sso/break-glass', title: 'Break-glass people', place: 'sso' },
    {
      back: ssoPath,
      onward: await onwardOf(desk),
      action: path,
      search,
      found: found.map((person) => ({
        name: fullName(person),
        words: `${person.username} · ${person.role}`,
        href: `${path}/new?${new URLSearchParams({ person: person.id })}`,
        isOn: inForce.has(person.id),
        isAble: person.role !== 'Root Admin',
      })),
      foundMore: found.length === foundAtOnce ? `The first ${foundAtOnce} are shown: type more to narrow it down.` : '',
      people: inOrder.map((one) => toLine(one, desk)),
      count: `${people.length} ${people.length === 1 ? 'person' : 'people'}`,
      withoutEnd: people.filter(({ endsAt }) => endsAt === null).length,
      isEnforced: (await listEnforced(work, companyId)).length > 0,
    },
  );
};

type Locals = SsoViews['admin/sso/break-glass-person'];
type Values = Locals['values'];

const readValues = (form: Record<string, string>): Values => ({
  reason: form.reason ?? '',
  endsAt: form.endsAt ?? '',
  noEnd: form.noEnd === 'yes',
});

/** A day of the calendar of whoever types it, to its last minute. */
const endOf = (day: string, desk: Desk): Date | null => instantOf(`${day}T23:59`, zoneOf(desk.user));

const dayOf = (at: Date, desk: Desk): string =>
  new Intl.DateTimeFormat('sv', { timeZone: zoneOf(desk.user), dateStyle: 'short' }).format(at);

/** A day that is none is as good as none typed: the command asks for one. "No end" counts more than a day that was left standing. */
const inputOf = ({ reason, endsAt, noEnd }: Values, desk: Desk) => ({
  reason,
  endsAt: noEnd || endsAt.trim() === '' ? null : endOf(endsAt, desk),
  noEnd,
});

const formFields = ['reason', 'endsAt'];

interface Drawn {
  person: Locals['person'];
  isNew: boolean;
  values: Values;
  problem: Locals['problem'];
}

async function drawForm(ctx: Context, runtime: Runtime, desk: Desk, drawn: Drawn): Promise<void> {
  const { person, isNew, values, problem } = drawn;
  const title = isNew ? `Add ${person.name}` : `Break-glass: ${person.name}`;
  await showDesk(
    ctx,
    runtime,
    desk,
    { view: 'admin/sso/break-glass-person', title, place: 'sso' },
    {
      problem: problem && { ...problem, field: formFields.find((name) => problem.fields[name]) ?? null },
      title,
      person,
      values,
      least: dayOf(desk.work.now, desk),
      most: dayOf(after(desk.work.now, days(365)), desk),
      action: isNew ? `${path}/new` : `${path}/${person.id}`,
      button: isNew ? `Add ${person.name}` : `Save ${person.name}`,
      back: path,
    },
  );
}

async function personOf(desk: Desk, id: string): Promise<Locals['person'] | null> {
  // Whose id it is, the company's own table says.
  const user: User | null = isId(id) ? await desk.work.store.of(desk.companyId).users.findById(id as UserId) : null;
  if (!user || user.baseStatus === 'Deleted') return null;
  return { id: user.id, name: fullName(user), words: `${user.username} · ${user.role}` };
}

/** A month is what a move to single sign-on usually takes. */
const usualDays = 30;

const empty: DeskHandler = async (ctx, runtime, desk) => {
  const person = await personOf(desk, new URLSearchParams(ctx.querystring).get('person') ?? '');
  if (!person) return seeOther(ctx, path);
  const endsAt = dayOf(after(desk.work.now, days(usualDays)), desk);
  const values = { reason: '', endsAt, noEnd: false };
  await drawForm(ctx, runtime, desk, { person, isNew: true, values, problem: null });
};

const add: DeskHandler = async (ctx, runtime, desk) => {
  const person = await personOf(desk, ctx.state.form.person ?? '');
  if (!person) throw notFound('person');
  const values = readValues(ctx.state.form);
  await orRedraw(
    ctx,
    async () => {
      await addBreakGlass(desk.work, desk.companyId, { userId: person.id, ...inputOf(values, desk) });
      setFlash(ctx, runtime, {
        kind: 'success',
        text: `${person.name} can log in with a password whatever is enforced.`,
      });
      seeOther(ctx, path);
    },
    (problem) => drawForm(ctx, runtime, desk, { person, isNew: true, values, problem }),
  );
};

async function listedAt(ctx: Context, desk: Desk): Promise<BreakGlassPerson> {
  const id = idParam(ctx, 'person', 'person on the list');
  const found = (await listBreakGlass(desk.work, desk.companyId)).find(({ userId }) => userId === id);
  if (!found) throw notFound('person on the list');
  return found;
}

const asPerson = ({ userId, name, username, role }: BreakGlassPerson): Locals['person'] => ({
  id: userId,
  name: name === '' ? username : name,
  words: `${username} · ${role}`,
});

const edit: DeskHandler = async (ctx, runtime, desk) => {
  const one = await listedAt(ctx, desk);
  const values = { reason: one.reason, endsAt: one.endsAt ? dayOf(one.endsAt, desk) : '', noEnd: one.endsAt === null };
  await drawForm(ctx, runtime, desk, { person: asPerson(one), isNew: false, values, problem: null });
};

const save: DeskHandler = async (ctx, runtime, desk) => {
  const one = await listedAt(ctx, desk);
  const values = readValues(ctx.state.form);
  await orRedraw(
    ctx,
    async () => {
      await changeBreakGlass(desk.work, desk.companyId, one.userId, inputOf(values, desk));
      setFlash(ctx, runtime, { kind: 'success', text: `${asPerson(one).name} is saved.` });
      seeOther(ctx, path);
    },
    (problem) => drawForm(ctx, runtime, desk, { person: asPerson(one), isNew: false, values, problem }),
  );
};

async function ask(
  ctx: Context,
  runtime: Runtime,
  desk: Desk,
  one: BreakGlassPerson,
  problem: Locals['problem'],
): Promise<void> {
  const { name } = asPerson(one);
  const isEnforced = (await listEnforced(desk.work, desk.companyId)).length > 0;
  const button = `Remove ${name} from the list`;
  await askFirst(ctx, runtime, desk, {
    place: 'sso',
    lead: isEnforced
      ? 'They log in through your identity provider only from then on.'
      : 'It makes a difference once Log In with SSO is enforced.',
    sentences: [
      `They are on it because: ${one.reason}`,
      'Mapping rules can change or deactivate them from then on.',
      'Their password is kept, and their sessions go on.',
      'You can undo it: add them again.',
    ],
    problem,
    action: `${path}/${one.userId}/remove`,
    button,
    isDanger: true,
    cancel: path,
  });
}

const askRemove: DeskHandler = async (ctx, runtime, desk) => ask(ctx, runtime, desk, await listedAt(ctx, desk), null);

const remove: DeskHandler = async (ctx, runtime, desk) => {
  const one = await listedAt(ctx, desk);
  await orRedraw(
    ctx,
    async () => {
      await removeBreakGlass(desk.work, desk.companyId, one.userId);
      setFlash(ctx, runtime, { kind: 'success', text: `${asPerson(one).name} is not on the list any more.` });
      seeOther(ctx, path);
    },
    (problem) => ask(ctx, runtime, desk, one, problem),
  );
};

export const ssoBreakGlassRoutes: Route[] = [
  { method: 'get', path, handle: guarded(list) },
  { method: 'get', path: `${path}/new`, handle: guarded(empty) },
  { method: 'post', path: `${path}/new`, handle: guarded(add) },
  { method: 'get', path: `${path}/:person`, handle: guarded(edit) },
  { method: 'post', path: `${path}/:person`, handle: guarded(save) },
  { method: 'get', path: `${path}/:person/remove`, handle: guarded(askRemove) },
  { method: 'post', path: `${path}/:person/remove`, handle: guarded(remove) },
];
