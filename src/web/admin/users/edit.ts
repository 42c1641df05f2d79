// Edit User (A6.3): every field but the username. What was typed is kept when something is refused.
import { createHash } from 'node:crypto';
import { lostInstances, previewMemberships } from '../../../domain/groups/member-commands.ts';
import { listInstancesFor } from '../../../domain/modules/queries.ts';
import { choosableRoles } from '../../../domain/roles/role.ts';
import { type Edited, editUser, type UserEdit } from '../../../domain/users/edit-commands.ts';
import { remarkOn } from '../../../domain/users/new-user-queries.ts';
import type { PersonOfCompany } from '../../../domain/users/person-queries.ts';
import { emailKey, fullName, type User } from '../../../domain/users/user.ts';
import { conflict } from '../../../lib/errors.ts';
import type { GroupId, UserId } from '../../../lib/ids.ts';
import { zonesToChoose } from '../../../lib/zones.ts';
import type { Runtime } from '../../../runtime.ts';
import type { Context } from '../../context.ts';
import { setFlash } from '../../page.ts';
import { type Route, seeOther } from '../../routes.ts';
import type { FormProblem } from '../../views.ts';
import { type Desk, type DeskHandler, deskOf, idParam, orRedraw, showDesk } from '../console.ts';
import { usersPath } from './list.ts';
import { decisionFor, personAt, personPath } from './person-head.ts';

interface Typed {
  firstName: string;
  lastName: string;
  email: string;
  phone: string;
  timeZone: string;
  role: string;
  groups: string[];
}

const typedOf = (ctx: Context): Typed => {
  const { firstName = '', lastName = '', email = '', phone = '', timeZone = '', role = '' } = ctx.state.form;
  return { firstName, lastName, email, phone, timeZone, role, groups: ctx.state.formLists.group ?? [] };
};

const presentOf = (user: User, groups: string[]): Typed => ({
  firstName: user.firstName,
  lastName: user.lastName,
  email: user.email,
  phone: user.phone ?? '',
  timeZone: user.timeZone ?? '',
  role: user.role,
  groups,
});

/** Names the values that a form was drawn from, so that nobody overwrites what somebody else has changed since. */
const versionOf = (present: Typed): string =>
  createHash('sha256')
    .update(JSON.stringify({ ...present, groups: [...present.groups].sort() }))
    .digest('base64url')
    .slice(0, 22);

const staleSentence =
  'Somebody else has changed this person since you opened this page. What you typed is kept: compare it with their page, then save again to replace what is there.';
const isStale = ({ sentence }: FormProblem) => sentence === staleSentence;

async function presentAt(desk: Desk, { user }: PersonOfCompany): Promise<Typed> {
  const groups = await desk.work.store.of(desk.companyId).groups.listOf(user.id);
  return presentOf(
    user,
    groups.map(({ id }) => id),
  );
}

const groupNotes = {
  'system-all': 'Every module that is connected',
  'system-none': 'No module; chosen, it clears the others',
  custom: '',
};

function emailHelp({ user, company }: PersonOfCompany): string {
  if (user.baseStatus === 'Invited')
    return 'Up to 100 characters. A new invitation goes to the new address; the old link dies.';
  const waiting = user.pendingEmail === null ? '' : ` ${user.pendingEmail} waits to be confirmed.`;
  return `Up to 100 characters. The new address counts once the link mailed to it is opened, within ${company.policy.emailChangeHours} hours.${waiting}`;
}

async function draw(
  ctx: Context,
  runtime: Runtime,
  desk: Desk,
  typed: Typed | null,
  problem: FormProblem | null,
  losing: Losing | null = null,
): Promise<void> {
  // After a refusal the form stands on what it stood on, unless that was the refusal: then on what is there now.
  const { version } = ctx.state.form;
  const person = await personAt(ctx, desk);
  const { user } = person;
  const [present, groups] = await Promise.all([
    presentAt(desk, person),
    desk.work.store.of(desk.companyId).groups.list(),
  ]);
  const values = typed ?? present;
  const mayRole = decisionFor(person, 'change-role');
  const mayEmail = decisionFor(person, 'change-email');
  const choice = (value: string, label: string, chosen: string) => ({ value, label, selected: value === chosen });
  const { timeZone } = values;
  await showDesk(
    ctx,
    runtime,
    desk,
    { view: 'admin/users/edit', title: 'Edit User', place: 'users' },
    {
      back: personPath(user.id),
      name: fullName(user),
      action: `${personPath(user.id)}/edit`,
      problem,
      losing,
      username: user.username,
      values,
      emailHelp: emailHelp(person),
      emailFixed: mayEmail.allowed ? '' : mayEmail.because,
      role: user.role,
      roleFixed: mayRole.allowed ? '' : mayRole.because,
      roles: choosableRoles.map((role) => choice(role, role, values.role)),
      timeZones: [
        choice('', 'Not chosen', timeZone),
        ...zonesToChoose(timeZone).map((zone) => choice(zone, zone, timeZone)),
      ],
      groups: groups.map(({ id, name, isActive, kind }) => ({
        id,
        name,
        isActive,
        checked: values.groups.includes(id),
        isExclusive: kind === 'system-none',
        note: groupNotes[kind],
      })),
      version:
        (problem || losing) && version !== undefined && !(problem && isStale(problem)) ? version : versionOf(present),
    },
  );
}

const edit: DeskHandler = (ctx, runtime, desk) => draw(ctx, runtime, desk, null, null);

function savedWords({ user, email }: Edited): string {
  const saved = `${fullName(user)} is saved.`;
  if (email === 'waits')
    return `${saved} A link went to ${user.pendingEmail}: until it is opened, ${user.email} counts.`;
  return email === 'invited' ? `${saved} A new invitation went to ${user.email}.` : saved;
}

interface Losing {
  words: string;
  /** Names what was shown, so that a yes to it is no yes to anything else. */
  value: string;
}

const list = new Intl.ListFormat('en');

/** What the new groups take away from the person; null when nothing. */
async function losingBy(desk: Desk, { user }: PersonOfCompany, groups: string[]): Promise<Losing | null> {
  if (groups.length === 0) return null;
  // The command looks the ids up among the company's own groups.
  const change = { kind: 'set' as const, groupIds: groups as GroupId[] };
  const { effects } = await previewMemberships(desk.work, desk.companyId, [user.id], change);
  const lost = lostInstances(effects);
  if (lost.length === 0) return null;
  const instances = await listInstancesFor(desk.work, desk.companyId, user.id);
  const names = instances.filter(({ id }) => lost.includes(id)).map(({ name }) => name);
  return {
    words: `${fullName(user)} loses ${list.format(names)}, and is logged out there at once. Save again to do it.`,
    value: [...lost].sort().join(' '),
  };
}

const save: DeskHandler = async (ctx, runtime, desk) => {
  const typed = typedOf(ctx);
  await orRedraw(
    ctx,
    async () => {
      const id = idParam<UserId>(ctx, 'id', 'person');
      const person = await personAt(ctx, desk);
      if (ctx.state.form.version !== versionOf(await presentAt(desk, person))) throw conflict(staleSentence);
      const losing = await losingBy(desk, person, typed.groups);
      if (losing && ctx.state.form.losing !== losing.value) return draw(ctx, runtime, desk, typed, null, losing);
      const isNewEmail = emailKey(typed.email) !== emailKey(person.user.email);
      // C13: people may share an address, but whoever gives it to a second one is told.
      const remark = isNewEmail ? await remarkOn(desk.work, desk.companyId, 'email', typed.email) : null;
      const edited = await editUser(desk.work, desk.companyId, id, changesOf(typed, person));
      const warning = remark?.kind === 'warning' ? ` ${remark.sentence}` : '';
      setFlash(ctx, runtime, { kind: 'success', text: `${savedWords(edited)}${warning}` });
      seeOther(ctx, personPath(id));
    },
    (problem) => draw(ctx, runtime, desk, typed, problem),
  );
};

/** Fields that this administrator may not change here are not in the form, so they are not in the change either. */
function changesOf(typed: Typed, person: PersonOfCompany): UserEdit {
  const { groups, role, email, ...rest } = typed;
  return {
    ...rest,
    groupIds: groups,
    ...(decisionFor(person, 'change-email').allowed ? { email } : {}),
    // The command judges the role by itself; the type knows the four only.
    ...(decisionFor(person, 'change-role').allowed ? { role: role as UserEdit['role'] & string } : {}),
  };
}

export const personEditRoutes: Route[] = [
  { method: 'get', path: `${usersPath}/:id/edit`, handle: deskOf('users.manage', edit) },
  { method: 'post', path: `${usersPath}/:id/edit`, handle: deskOf('users.manage', save) },
];
