// New User (A.3): checked field by field on leaving it, and as a whole by the command. What was typed is kept.
import type { Group } from '../../../domain/groups/group.ts';
import { allModuleAccess } from '../../../domain/groups/group.ts';
import { choosableRoles } from '../../../domain/roles/role.ts';
import { inviteUsers } from '../../../domain/users/invite-commands.ts';
import { remarkable, remarkOn } from '../../../domain/users/new-user-queries.ts';
import { fullName } from '../../../domain/users/user.ts';
import type { Runtime } from '../../../runtime.ts';
import type { Context } from '../../context.ts';
import { setFlash } from '../../page.ts';
import { type Route, seeOther } from '../../routes.ts';
import type { FormProblem } from '../../views.ts';
import { type Desk, type DeskHandler, deskOf, orRedraw, showDesk } from '../console.ts';
import type { CheckedField, FieldNote, InviteViews } from './invite-views.ts';
import { usersPath } from './list.ts';
import { personPath } from './person-head.ts';

const path = `${usersPath}/new`;
const checkPath = `${usersPath}/check`;

type Notes = InviteViews['admin/users/new']['notes'];

interface Typed extends Record<CheckedField, string> {
  role: string;
  /** Ids; null: as the form begins (A3.6). */
  groups: string[] | null;
}

const nothing: Typed = { firstName: '', lastName: '', email: '', username: '', role: '', groups: null };
const noNotes: Notes = { firstName: null, lastName: null, email: null, username: null, role: null, groups: null };

const typedOf = (ctx: Context): Typed => {
  const { firstName = '', lastName = '', email = '', username = '', role = '' } = ctx.state.form;
  // A3.4, for who has no script: the e-mail, whole, whatever its length.
  const name = username.trim() === '' ? email : username;
  return { firstName, lastName, email, username: name, role, groups: ctx.state.formLists.group ?? [] };
};

const groupNotes: Record<Group['kind'], string> = {
  'system-all': 'Every module that is connected',
  'system-none': 'No module; chosen, it clears the others',
  custom: '',
};

interface Drawing {
  typed: Typed;
  notes: Notes;
  problem: FormProblem | null;
}

async function draw(ctx: Context, runtime: Runtime, desk: Desk, { typed, notes, problem }: Drawing): Promise<void> {
  const groups = await desk.work.store.of(desk.companyId).groups.list();
  const isChecked = ({ id, name }: Group) => (typed.groups ? typed.groups.includes(id) : name === allModuleAccess);
  const { firstName, lastName, email, username } = typed;
  await showDesk(
    ctx,
    runtime,
    desk,
    { view: 'admin/users/new', title: 'New User', place: 'users' },
    {
      problem,
      action: path,
      back: usersPath,
      check: checkPath,
      values: { firstName, lastName, email, username },
      notes,
      roles: [
        { value: '', label: 'Choose a role', selected: typed.role === '' },
        ...choosableRoles.map((role) => ({ value: role, label: role, selected: role === typed.role })),
      ],
      groups: groups.map((group) => ({
        id: group.id,
        name: group.name,
        checked: isChecked(group),
        isActive: group.isActive,
        isExclusive: group.kind === 'system-none',
        note: groupNotes[group.kind],
      })),
    },
  );
}

const show: DeskHandler = (ctx, runtime, desk) =>
  draw(ctx, runtime, desk, { typed: nothing, notes: noNotes, problem: null });

/** The same page with a note beside each field that the query names: a script takes the note alone. */
const check: DeskHandler = async (ctx, runtime, desk) => {
  const query = new URLSearchParams(ctx.querystring);
  const typed = { ...nothing };
  const notes = { ...noNotes };
  for (const field of remarkable) {
    const value = query.get(field);
    // An empty field is not wrong yet: one may come back to it.
    if (value === null || value === '') continue;
    typed[field] = value.slice(0, 1000);
    notes[field] = await remarkOn(desk.work, desk.companyId, field, typed[field]);
  }
  await draw(ctx, runtime, desk, { typed, notes, problem: null });
};

/** Ids become names, which the command knows; an id that is no group's of this company stays what it is, and is refused. */
async function groupNames(desk: Desk, ids: string[]): Promise<string[]> {
  const groups = await desk.work.store.of(desk.companyId).groups.list();
  return ids.map((id) => groups.find((group) => group.id === id)?.name ?? id);
}

const problemNotes = (fields: Record<string, string>): Notes => {
  const note = (field: keyof Notes): FieldNote | null =>
    fields[field] === undefined ? null : { kind: 'problem', sentence: fields[field] };
  return {
    firstName: note('firstName'),
    lastName: note('lastName'),
    email: note('email'),
    username: note('username'),
    role: note('role'),
    groups: note('groups'),
  };
};

const add: DeskHandler = async (ctx, runtime, desk) => {
  const typed = typedOf(ctx);
  await orRedraw(
    ctx,
    async () => {
      const groups = await groupNames(desk, typed.groups ?? []);
      const remark = await remarkOn(desk.work, desk.companyId, 'email', typed.email);
      const [invited] = await inviteUsers(desk.work, desk.companyId, [{ ...typed, groups }], 'form');
      if (!invited) throw new Error('inviting one person answered for none');
      if ('refused' in invited) throw invited.refused;
      const { user } = invited;
      const warning = remark?.kind === 'warning' ? ` ${remark.sentence}` : ` The invitation goes to ${user.email}.`;
      setFlash(ctx, runtime, { kind: 'success', text: `${fullName(user)} is invited.${warning}` });
      seeOther(ctx, personPath(user.id));
    },
    (problem) => draw(ctx, runtime, desk, { typed, notes: problemNotes(problem.fields), problem }),
  );
};

export const newUserRoutes: Route[] = [
  { method: 'get', path, handle: deskOf('users.manage', show) },
  { method: 'post', path, handle: deskOf('users.manage', add) },
  { method: 'get', path: checkPath, handle: deskOf('users.manage', check) },
];
