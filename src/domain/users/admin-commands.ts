// What administrators do to one person's access: delete, invite again, reset, end sessions. Authorisation is the first line of each.
import { conflict } from '../../lib/errors.ts';
import type { CompanyId, UserId } from '../../lib/ids.ts';
import { transaction, type Work } from '../../work.ts';
import { record } from '../audit/commands.ts';
import { createLink } from '../links/commands.ts';
import { sendMail } from '../mails/commands.ts';
import { authorise } from '../roles/authority.ts';
import { endEverything, endSessions } from '../sessions/commands.ts';
import { causeOf, sessionsRevoked, standingChanged } from '../standing/commands.ts';
import { decide } from './decide.ts';
import { sendInvitation } from './invitations.ts';
import { sendPasswordReset } from './password-commands.ts';
import { refuseLosingLastSsoWayIn } from './sso-ways-in-commands.ts';
import { fullName, type User } from './user.ts';

/**
 * T19: the person is gone with all that opens anything; the row stays as a tombstone for the audit log, and its id is never used
 * again. The username is free at once (C15).
 */
export async function deleteUser(work: Work, companyId: CompanyId, userId: UserId): Promise<User> {
  const actorId = await authorise(work, companyId, 'users.manage');
  return transaction(work, async (work) => {
    const { user } = await decide(work, companyId, userId, 'delete', actorId);
    await refuseLosingLastSsoWayIn(work, companyId, [userId]);
    const { users, credentials } = work.store.of(companyId);
    await endEverything(work, { companyId, userId }, 'deleted');
    await work.store.links.voidOpen(
      companyId,
      userId,
      ['invitation', 'passwordReset', 'setup', 'emailChange'],
      work.now,
    );
    await credentials.erasePassword(userId);
    await credentials.eraseFactors(userId);
    await credentials.forgetBrowsers(userId);
    await users.bury(userId, work.now);
    await record(work, {
      action: 'user.delete',
      companyId,
      target: { kind: 'user', id: userId },
      details: { username: user.username, email: user.email, role: user.role, status: user.baseStatus },
    });
    await standingChanged(work, { companyId, userIds: [userId], instanceIds: null, cause: causeOf(work, 'deleted') });
    return user;
  });
}

/** T8, A7.9: a new link of the full length, the old one is dead. T17: where the company restores by invitation, a deactivated person, too. */
export async function resendInvitation(
  work: Work,
  companyId: CompanyId,
  userId: UserId,
): Promise<{ user: User; invitation: string }> {
  const actorId = await authorise(work, companyId, 'users.manage');
  return transaction(work, async (work) => {
    const { company, user } = await decide(work, companyId, userId, 'resend', actorId);
    if (user.baseStatus === 'Deactivated') await restoreByInvitation(work, user);
    return { user, invitation: await sendInvitation(work, company, user, 'user.resend') };
  });
}

/** T17, C48: access comes back when the invitation is accepted, not before; until then the old password and factor must not count. */
async function restoreByInvitation(work: Work, { companyId, id }: User): Promise<void> {
  const { users, credentials } = work.store.of(companyId);
  await credentials.erasePassword(id);
  await credentials.eraseFactors(id);
  await credentials.forgetBrowsers(id);
  await endEverything(work, { companyId, userId: id }, 'deactivated');
  await users.update(id, {
    baseStatus: 'Invited',
    deactivatedReason: null,
    mustSetPassword: false,
    mustEnrol2fa: true,
  });
  await users.clearLock(id);
}

/**
 * C47: a link to hand over by other ways. Links are kept as hashes, so this is a new one with the end of the one it replaces.
 * @returns the link, here and never again.
 */
export async function copyInvitationLink(
  work: Work,
  companyId: CompanyId,
  userId: UserId,
): Promise<{ user: User; invitation: string; expiresAt: Date }> {
  const actorId = await authorise(work, companyId, 'users.manage');
  return transaction(work, async (work) => {
    const { user } = await decide(work, companyId, userId, 'copy-link', actorId);
    const open = await work.store.links.findOpen(companyId, userId, 'invitation');
    if (!open || open.expiresAt <= work.now)
      throw conflict('This invitation has run out. Send it again, then its link can be copied.');
    const { address } = await createLink(work, {
      kind: 'invitation',
      companyId,
      userId,
      // Whoever uses it has it from us, not from their mailbox: it proves no address (A2.1).
      sentTo: null,
      lifetime: open.expiresAt.getTime() - work.now.getTime(),
    });
    await record(work, {
      action: 'user.linkCopied',
      companyId,
      target: { kind: 'user', id: userId },
      details: { expiresAt: open.expiresAt },
    });
    return { user, invitation: address, expiresAt: open.expiresAt };
  });
}

/** T20, A7.6: mails a link; the old password and the sessions go on until it is used. */
export async function resetPassword(work: Work, companyId: CompanyId, userId: UserId): Promise<User> {
  const actorId = await authorise(work, companyId, 'users.manage');
  return transaction(work, async (work) => {
    const { company, user } = await decide(work, companyId, userId, 'reset-password', actorId);
    await sendPasswordReset(work, company, user);
    return user;
  });
}

/** T21, A7.7: Not Enrolled again; whoever holds a session holds it by the factor that is gone, so all of them end. */
export async function resetSecondFactor(work: Work, companyId: CompanyId, userId: UserId): Promise<User> {
  const actorId = await authorise(work, companyId, 'users.manage');
  return transaction(work, async (work) => {
    const { company, user } = await decide(work, companyId, userId, 'reset-2fa', actorId);
    const { users, credentials } = work.store.of(companyId);
    await credentials.eraseFactors(userId);
    await credentials.forgetBrowsers(userId);
    await users.update(userId, { mustEnrol2fa: true });
    await endEverything(work, { companyId, userId }, 'second-factor-reset');
    await record(work, { action: 'user.2fa.reset', companyId, target: { kind: 'user', id: userId } });
    await sendMail(work, {
      kind: 'secondFactorReset',
      companyId,
      userId,
      recipient: user.email,
      data: { name: fullName(user), company: company.name, ip: work.origin.ip, at: work.now.toISOString() },
    });
    return { ...user, mustEnrol2fa: true };
  });
}

/**
 * Ends one session of a person, or all with every token, those that outlive a logout included.
 * @param uid null: all of them
 * @returns how many sessions ended.
 */
export async function endSessionsOf(
  work: Work,
  companyId: CompanyId,
  userId: UserId,
  uid: string | null,
): Promise<number> {
  const actorId = await authorise(work, companyId, 'users.manage');
  return transaction(work, async (work) => {
    await decide(work, companyId, userId, 'end-sessions', actorId);
    if (uid === null) await work.store.of(companyId).sessions.dropSignIns(userId);
    const ended = await endSessions(work, { companyId, userId, ...(uid === null ? {} : { uid }) }, 'ended-by-admin');
    if (uid === null) {
      await work.store.of(companyId).sessions.revokeAll(userId);
      await sessionsRevoked(work, { companyId, userId, cause: causeOf(work, 'sessions ended') });
    }
    return ended;
  });
}
