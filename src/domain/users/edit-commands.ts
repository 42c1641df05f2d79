// Editing a person (T22, A6.3): every field but the username, which no path changes (A3.4).
import { z } from 'zod';
import { conflict, invalid } from '../../lib/errors.ts';
import type { CompanyId, GroupId, UserId } from '../../lib/ids.ts';
import { transaction, type Work } from '../../work.ts';
import { record } from '../audit/commands.ts';
import type { Company } from '../companies/company.ts';
import { setGroupsOf } from '../groups/member-commands.ts';
import { authorise } from '../roles/authority.ts';
import { can } from '../roles/role.ts';
import { causeOf, standingChanged } from '../standing/commands.ts';
import { decide, previewAct } from './decide.ts';
import { beginEmailChange, refuseBlocked } from './email-commands.ts';
import { fieldProblems } from './fields.ts';
import { sendInvitation } from './invitations.ts';
import { refuseLosingLastSsoWayIn } from './sso-ways-in-commands.ts';
import {
  emailKey,
  emailSchema,
  firstNameSchema,
  lastNameSchema,
  phoneSchema,
  roleSchema,
  type Transition,
  timeZoneSchema,
  type User,
} from './user.ts';

const groupsSentence = 'Choose at least one access group. No Module Access is one, too.';

/** Fields that are left out stay as they are. `strictObject`: a username, or anything else, is refused, not ignored. */
export const userEditSchema = z
  .strictObject({
    firstName: firstNameSchema,
    lastName: lastNameSchema,
    email: emailSchema,
    role: roleSchema,
    phone: phoneSchema,
    timeZone: timeZoneSchema,
    groupIds: z.array(z.string()).min(1, groupsSentence),
  })
  .partial();

export type UserEdit = z.input<typeof userEditSchema>;
type Checked = z.output<typeof userEditSchema>;

export interface Edited {
  user: User;
  /** `none`: as before; `waits`: for the link in the new address; `invited`: the invitation went to the new address (C12). */
  email: 'none' | 'waits' | 'invited';
}

function parse(input: UserEdit): Checked {
  const parsed = userEditSchema.safeParse(input);
  if (parsed.success) return parsed.data;
  const fields = fieldProblems(parsed.error);
  if (Object.keys(input).includes('username')) {
    const sentence = 'A username cannot be changed. Invite the person anew with another one, and delete this one.';
    throw invalid(sentence, { username: sentence });
  }
  throw invalid(Object.values(fields).join(' '), fields);
}

export async function editUser(work: Work, companyId: CompanyId, userId: UserId, input: UserEdit): Promise<Edited> {
  const actorId = await authorise(work, companyId, 'users.manage');
  const edit = parse(input);
  return transaction(work, async (work) => {
    // Groups before the row: whoever changes a group takes them in this order, too.
    // The ids come from the form and are looked up there among the company's own.
    if (edit.groupIds) await setGroupsOf(work, companyId, userId, edit.groupIds as GroupId[]);
    const { company, user } = await decide(work, companyId, userId, 'edit', actorId);
    const may = async (transition: Transition, field: string) => {
      const decision = await previewAct(work, company, user, { transition, actorId });
      if (!decision.allowed) throw conflict(decision.because, { [field]: decision.because });
    };
    const email = await changeEmail(work, { company, user, email: edit.email, may });
    await changeRole(work, user, edit.role, may);
    await changeFields(work, user, edit);
    const after = await work.store.of(companyId).users.findById(userId);
    return { user: after ?? user, email };
  });
}

type May = (transition: Transition, field: string) => Promise<void>;

async function changeEmail(
  work: Work,
  of: { company: Company; user: User; email: string | undefined; may: May },
): Promise<Edited['email']> {
  const { company, user, email, may } = of;
  if (email === undefined || email === user.email) return 'none';
  await may('change-email', 'email');
  // C12: the old address of an invited person was never verified; the new invitation is the confirmation.
  if (user.baseStatus === 'Invited') {
    await refuseBlocked(work, email);
    const invited = { ...user, email, emailVerifiedAt: null, pendingEmail: null };
    await work.store.of(company.id).users.update(user.id, { email, emailVerifiedAt: null, pendingEmail: null });
    await recordEdit(work, user, { email: user.email }, { email });
    await sendInvitation(work, company, invited, 'user.resend');
    return 'invited';
  }
  // Other capitals are the same mailbox for us: nothing to confirm.
  if (emailKey(email) === emailKey(user.email)) {
    await work.store.of(company.id).users.update(user.id, { email });
    await recordEdit(work, user, { email: user.email }, { email });
    await tellOfChange(work, user, 'edited');
    return 'none';
  }
  await beginEmailChange(work, company, user, email);
  return 'waits';
}

async function changeRole(work: Work, user: User, role: Checked['role'], may: May): Promise<void> {
  if (role === undefined || role === user.role) return;
  await may('change-role', 'role');
  if (!can(role, 'security.manage')) await refuseLosingLastSsoWayIn(work, user.companyId, [user.id]);
  await work.store.of(user.companyId).users.setRole(user.id, role);
  await record(work, {
    action: 'user.roleChange',
    companyId: user.companyId,
    target: { kind: 'user', id: user.id },
    details: { before: user.role, after: role },
  });
  // C33: a module may derive its permission from the role.
  await tellOfChange(work, user, 'given another role');
}

const tellOfChange = (work: Work, { companyId, id }: User, what: string): Promise<void> =>
  standingChanged(work, { companyId, userIds: [id], instanceIds: null, cause: causeOf(work, what) });

const plain = ['firstName', 'lastName', 'phone', 'timeZone'] as const;

async function changeFields(work: Work, user: User, edit: Checked): Promise<void> {
  const before: Record<string, string | null> = {};
  const after: Partial<Pick<User, (typeof plain)[number]>> = {};
  for (const field of plain) {
    const value = edit[field];
    if (value === undefined || (value || null) === (user[field] || null)) continue;
    before[field] = user[field];
    // Names are never empty, so only phone and time zone become null.
    Object.assign(after, { [field]: value === '' ? null : value });
  }
  if (Object.keys(before).length === 0) return;
  await work.store.of(user.companyId).users.update(user.id, after);
  await recordEdit(work, user, before, after);
  await tellOfChange(work, user, 'edited');
}

async function recordEdit(work: Work, user: User, before: object, after: object): Promise<void> {
  await record(work, {
    action: 'user.edit',
    companyId: user.companyId,
    target: { kind: 'user', id: user.id },
    details: { before, after },
  });
}
