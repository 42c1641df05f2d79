// Making people: the fields that a new one needs, and inviting one or many by the same rule (T1).
import { z } from 'zod';
import { AppError, conflict, invalid } from '../../lib/errors.ts';
import { type CompanyId, newId, type UserId } from '../../lib/ids.ts';
import { transaction, type Work } from '../../work.ts';
import { recordAll } from '../audit/commands.ts';
import { allModuleAccess, type Group } from '../groups/group.ts';
import { groupsByName, resolveGroups } from '../groups/resolve.ts';
import { authorise } from '../roles/authority.ts';
import type { Role } from '../roles/role.ts';
import { getCompany } from './decide.ts';
import { fieldProblems } from './fields.ts';
import { sendInvitations } from './invitations.ts';
import {
  emailSchema,
  firstNameSchema,
  lastNameSchema,
  roleSchema,
  type User,
  usernameSchema,
  usernameTaken,
} from './user.ts';

export const newUserSchema = z.object({
  firstName: firstNameSchema,
  lastName: lastNameSchema,
  email: emailSchema,
  username: usernameSchema,
  role: roleSchema,
  groups: z.array(z.string()).default([allModuleAccess]),
});

/** C20: whoever chooses groups chooses one at least; only the operator's imports fall back to No Module Access. */
export const invitedSchema = newUserSchema.extend({
  groups: z
    .array(z.string())
    .min(1, 'Choose at least one access group. No Module Access is one, too.')
    .default([allModuleAccess]),
});

export type NewUser = z.input<typeof newUserSchema>;
type Fields = z.output<typeof newUserSchema>;

/** What a form or a file holds; the schema tells whether it will do. */
export type TypedUser = { [field in keyof NewUser]?: unknown };

/** @throws AppError 422 that names each wrong field */
export function parseNewUser(input: TypedUser, schema: typeof newUserSchema = newUserSchema): Fields {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  const fields = fieldProblems(parsed.error);
  throw invalid(Object.values(fields).join(' '), fields);
}

/** A person before anybody knows of them. */
export function draft(
  work: Work,
  companyId: CompanyId,
  fields: Omit<Fields, 'groups' | 'role'> & { role: Role },
  source: User['source'],
): User {
  return {
    id: newId<UserId>(),
    companyId,
    username: fields.username,
    email: fields.email,
    emailVerifiedAt: null,
    pendingEmail: null,
    firstName: fields.firstName,
    lastName: fields.lastName,
    phone: null,
    timeZone: null,
    theme: 'auto',
    role: fields.role,
    baseStatus: 'Invited',
    deactivatedReason: null,
    failures: 0,
    lockedUntil: null,
    mustSetPassword: false,
    mustEnrol2fa: true,
    source,
    lastLoginAt: null,
    createdAt: work.now,
  };
}

export interface Newcomer {
  user: User;
  groups: Group[];
}

/** Rows, memberships and events of many, a statement each. @returns who is in; the usernames of the others are taken. */
export async function insertUsers(
  work: Work,
  companyId: CompanyId,
  newcomers: Newcomer[],
  createdBy: UserId | null,
): Promise<Newcomer[]> {
  if (newcomers.length === 0) return [];
  const { users, groups } = work.store.of(companyId);
  const inserted = await users.insert(
    newcomers.map(({ user }) => user),
    createdBy,
  );
  const made = newcomers.filter(({ user }) => inserted.has(user.id));
  const pairs = made.flatMap(({ user, groups }) => groups.map(({ id }) => ({ groupId: id, userId: user.id })));
  await groups.changeMembers(pairs, []);
  await recordAll(
    work,
    made.map(({ user, groups }) => ({
      action: 'user.create',
      companyId,
      target: { kind: 'user', id: user.id },
      details: {
        username: user.username,
        role: user.role,
        groups: groups.map(({ name }) => name),
        source: user.source,
      },
    })),
  );
  return made;
}

/** One person, by the operator or for a new company. */
export async function insertUser(work: Work, user: User, groupNames: string[]): Promise<void> {
  const groups = await resolveGroups(work, user.companyId, groupNames);
  const made = await insertUsers(work, user.companyId, [{ user, groups }], null);
  if (made.length === 0) throw conflict(usernameTaken, { username: usernameTaken });
}

export type Invited = { user: User; invitation: string } | { refused: AppError };

type Checked = Newcomer | { refused: AppError };

/**
 * T1 for one person or for many, in as many statements: each input stands alone, and is refused alone.
 * @returns in the order of the inputs, the person with the link of the invitation, or why there is none
 */
export async function inviteUsers(
  work: Work,
  companyId: CompanyId,
  inputs: TypedUser[],
  source: User['source'],
): Promise<Invited[]> {
  const createdBy = await authorise(work, companyId, 'users.manage');
  return transaction(work, async (work) => {
    const company = await getCompany(work, companyId);
    const checked = await check(work, companyId, inputs, source);
    const newcomers = checked.filter((one) => 'user' in one);
    const made = await insertUsers(work, companyId, newcomers, createdBy);
    const users = made.map(({ user }) => user);
    const links = await sendInvitations(work, company, users, 'user.invite');
    const invitations = new Map(users.map(({ id }, i) => [id, links[i] ?? '']));
    return checked.map((one) => {
      if ('refused' in one) return one;
      const invitation = invitations.get(one.user.id);
      if (invitation !== undefined) return { user: one.user, invitation };
      return { refused: conflict(usernameTaken, { username: usernameTaken }) };
    });
  });
}

async function check(
  work: Work,
  companyId: CompanyId,
  inputs: TypedUser[],
  source: User['source'],
): Promise<Checked[]> {
  const fields = inputs.map((input) => orRefused(() => parseNewUser(input, invitedSchema)));
  const names = fields.flatMap((one) => ('refused' in one ? [] : one.groups));
  const resolve = await groupsByName(work, companyId, names);
  return fields.map((one) => {
    if ('refused' in one) return one;
    return orRefused(() => ({ groups: resolve(one.groups), user: draft(work, companyId, one, source) }));
  });
}

/** What cannot be done is an answer here: the others go on. */
function orRefused<T extends object>(act: () => T): T | { refused: AppError } {
  try {
    return act();
  } catch (error) {
    if (error instanceof AppError) return { refused: error };
    throw error;
  }
}
