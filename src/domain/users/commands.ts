// What administrators and the operator do to people. Authorisation is the first line of each command.
import { conflict, forbidden, invalid } from '../../lib/errors.ts';
import type { CompanyId, UserId } from '../../lib/ids.ts';
import { transaction, type Work } from '../../work.ts';
import { record } from '../audit/commands.ts';
import { switchIpList } from '../companies/commands.ts';
import type { Company } from '../companies/company.ts';
import { passwordProblems } from '../credentials/password.ts';
import { allModuleAccess } from '../groups/group.ts';
import { sendMail } from '../mails/commands.ts';
import { authorise } from '../roles/authority.ts';
import type { Role } from '../roles/role.ts';
import { endEverything } from '../sessions/commands.ts';
import { causeOf, standingChanged } from '../standing/commands.ts';
import { decide, getCompany } from './decide.ts';
import { sendInvitation, sendSetup } from './invitations.ts';
import { draft, insertUser, inviteUsers, type NewUser, parseNewUser } from './invite-commands.ts';
import { factorPurpose } from './password-commands.ts';
import { refuseLosingLastSsoWayIn } from './sso-ways-in-commands.ts';
import { fullName, isLockedAt, type User } from './user.ts';

/** T1: one person and the invitation. @returns the link too, for an operator without mail. */
export async function inviteUser(
  work: Work,
  companyId: CompanyId,
  input: NewUser,
): Promise<{ user: User; invitation: string }> {
  const [invited] = await inviteUsers(work, companyId, [input], 'form');
  if (!invited) throw new Error('inviting one person answered for none');
  if ('refused' in invited) throw invited.refused;
  return invited;
}

export interface ReadyMade {
  password: string;
  /** Base32; without it the person enrols at the first sign-in. */
  totpSecret: string | null;
  /** For imports: the owner chose this password elsewhere, so it need not be changed. */
  isOwnPassword: boolean;
  emailVerified: boolean;
}

/** A person with password (and factor) ready: imports from elsewhere, demos and tests. Operator only. */
export async function createReadyUser(
  work: Work,
  companyId: CompanyId,
  input: Omit<NewUser, 'role'> & { role: Role },
  ready: ReadyMade,
): Promise<User> {
  if (work.actor.kind !== 'operator' && work.actor.kind !== 'system')
    throw forbidden('Only the operator may set passwords of others.');
  const fields = parseNewUser({ ...input, role: input.role === 'Root Admin' ? 'Admin' : input.role });
  const company = await getCompany(work, companyId);
  const problems = passwordProblems(ready.password, company.policy.password, { words: [], common: new Set() });
  if (problems.length > 0) throw invalid(problems.join(' '), { password: problems.join(' ') });
  const hash = await work.hasher.hash(ready.password);
  return transaction(work, async (work) => {
    const user: User = {
      ...draft(work, companyId, { ...fields, role: input.role }, 'api'),
      baseStatus: 'Active',
      mustEnrol2fa: ready.totpSecret === null,
      mustSetPassword: !ready.isOwnPassword,
      emailVerifiedAt: ready.emailVerified ? work.now : null,
    };
    await insertUser(work, user, fields.groups);
    const { credentials } = work.store.of(companyId);
    await credentials.setPassword(
      user.id,
      { hash, setAt: work.now, setBy: null, isSingleUse: !ready.isOwnPassword },
      company.policy.password.history,
    );
    if (ready.totpSecret !== null)
      await credentials.setTotp(user.id, work.keyring.seal(factorPurpose, ready.totpSecret), work.now, 0);
    if (input.role === 'Root Admin') await work.store.companies.setRoot(companyId, user.id);
    await standingChanged(work, { companyId, userIds: [user.id], instanceIds: null, cause: causeOf(work, 'created') });
    return user;
  });
}

/** The first person of a company: Root Admin, invited like anybody (A1.6). */
export async function inviteRoot(
  work: Work,
  company: Company,
  input: Omit<NewUser, 'role' | 'groups'>,
): Promise<{ user: User; invitation: string }> {
  const fields = parseNewUser({ ...input, role: 'Admin' });
  return transaction(work, async (work) => {
    if (company.rootUserId) throw conflict('This company has its Root Admin already.');
    const user = draft(work, company.id, { ...fields, role: 'Root Admin' }, 'setup');
    await insertUser(work, user, [allModuleAccess]);
    await work.store.companies.setRoot(company.id, user.id);
    return { user, invitation: await sendInvitation(work, company, user, 'user.invite') };
  });
}

/** T14: no session, token or code of this person works when this returns, on any node (A2.3, OAU-18). */
export async function deactivateUser(work: Work, companyId: CompanyId, userId: UserId): Promise<User> {
  const actorId = await authorise(work, companyId, 'users.manage');
  return transaction(work, async (work) => {
    const { company, user } = await decide(work, companyId, userId, 'deactivate', actorId);
    await refuseLosingLastSsoWayIn(work, companyId, [userId]);
    await work.store.of(companyId).users.update(userId, { baseStatus: 'Deactivated', deactivatedReason: 'admin' });
    await endEverything(work, { companyId, userId }, 'deactivated');
    await work.store.links.voidOpen(
      companyId,
      userId,
      ['invitation', 'passwordReset', 'setup', 'emailChange'],
      work.now,
    );
    await record(work, {
      action: 'user.deactivate',
      companyId,
      target: { kind: 'user', id: userId },
      details: { reason: 'admin' },
    });
    await standingChanged(work, {
      companyId,
      userIds: [userId],
      instanceIds: null,
      cause: causeOf(work, 'deactivated'),
    });
    if (company.policy.notices.deactivated)
      await sendMail(work, {
        kind: 'deactivated',
        companyId,
        userId,
        recipient: user.email,
        data: { name: fullName(user), company: company.name, username: user.username },
      });
    return { ...user, baseStatus: 'Deactivated', deactivatedReason: 'admin' };
  });
}

/** T16: Active at once, but the old password and factor are gone, and a mail leads to new ones (C2). */
export async function activateUser(
  work: Work,
  companyId: CompanyId,
  userId: UserId,
): Promise<{ user: User; setup: string }> {
  const actorId = await authorise(work, companyId, 'users.manage');
  return transaction(work, async (work) => {
    const { company, user } = await decide(work, companyId, userId, 'activate', actorId);
    const { users, credentials } = work.store.of(companyId);
    await credentials.erasePassword(userId);
    await credentials.eraseFactors(userId);
    await credentials.forgetBrowsers(userId);
    // A session that was born in the very moment of the deactivation has slept since; it must not wake.
    await endEverything(work, { companyId, userId }, 'deactivated');
    const changes = {
      baseStatus: 'Active',
      deactivatedReason: null,
      mustSetPassword: true,
      mustEnrol2fa: true,
    } as const;
    await users.update(userId, changes);
    await users.clearLock(userId);
    await record(work, { action: 'user.activate', companyId, target: { kind: 'user', id: userId } });
    await standingChanged(work, { companyId, userIds: [userId], instanceIds: null, cause: causeOf(work, 'activated') });
    const active: User = { ...user, ...changes };
    return { user: active, setup: await sendSetup(work, company, active) };
  });
}

/** T12; who is not locked any more (T11) is told so, and nothing happens. */
export async function unlockUser(
  work: Work,
  companyId: CompanyId,
  userId: UserId,
): Promise<{ user: User; wasLocked: boolean }> {
  const actorId = await authorise(work, companyId, 'users.manage');
  return transaction(work, async (work) => {
    const { user } = await decide(work, companyId, userId, 'unlock', actorId);
    const { users } = work.store.of(companyId);
    if (!isLockedAt(user, work.now) && !(await users.hasLockedBrowser(userId, work.now)))
      return { user, wasLocked: false };
    await users.clearLock(userId);
    await record(work, {
      action: 'user.unlock',
      companyId,
      target: { kind: 'user', id: userId },
      details: { failures: user.failures, until: user.lockedUntil },
    });
    return { user: { ...user, failures: 0, lockedUntil: null }, wasLocked: true };
  });
}

/**
 * The way in for a Root Admin with every mail server down: a set-up link handed over at the console.
 * Lock, password and factor are cleared; live sessions end, since whoever holds them may be the reason.
 */
export async function recoverRoot(
  work: Work,
  companyId: CompanyId,
): Promise<{ user: User; link: string; ipListWasOn: boolean }> {
  if (work.actor.kind !== 'operator') throw forbidden('Recovery is for the operator at the console.');
  return transaction(work, async (work) => {
    const found = await getCompany(work, companyId);
    if (!found.rootUserId) throw conflict('This company has no Root Admin yet.');
    const { company, user } = await decide(work, companyId, found.rootUserId, 'recover', null);
    const { users, credentials } = work.store.of(companyId);
    await credentials.erasePassword(user.id);
    await credentials.eraseFactors(user.id);
    await credentials.forgetBrowsers(user.id);
    await users.clearLock(user.id);
    await users.update(user.id, { mustEnrol2fa: true, mustSetPassword: false });
    await endEverything(work, { companyId, userId: user.id }, 'recovered');
    await record(work, { action: 'operator.recover', companyId, target: { kind: 'user', id: user.id } });
    const link =
      user.baseStatus === 'Invited'
        ? await sendInvitation(work, company, user, 'user.resend')
        : await sendSetup(work, company, user);
    // A way in that the list closes behind the link would be none (B.3).
    const ipListWasOn = await switchIpList(work, companyId, false);
    return { user, link, ipListWasOn };
  });
}
