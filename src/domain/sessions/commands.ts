import { forbidden, notFound } from '../../lib/errors.ts';
import { type CompanyId, type ModuleId, newId, type UserId } from '../../lib/ids.ts';
import { transaction, type Work } from '../../work.ts';
import { record, recordAll } from '../audit/commands.ts';
import { causeOf, sessionsRevoked } from '../standing/commands.ts';
import type { SessionFilter } from './repository.ts';
import { type EndReason, isLogout, type LogoutNotice } from './session.ts';

/** Queues a logout token for each module that was entered in the ended sessions. */
export async function notifyModules(work: Work, notices: LogoutNotice[]): Promise<void> {
  for (const notice of notices) await work.jobs.enqueue(work, 'back-channel-logout', notice);
}

/** The same with a receipt for each, where access is taken away: somebody may have to prove when it ended. */
export async function notifyWithReceipts(work: Work, companyId: CompanyId, notices: LogoutNotice[]): Promise<void> {
  if (notices.length === 0) return;
  const receipts = notices.map((notice) => ({ ...notice, receipt: newId<string>() }));
  const kept = receipts.map(({ receipt, accountId, clientId }) => ({ id: receipt, userId: accountId, clientId }));
  await work.store.logouts.insert(companyId, kept, work.now);
  await notifyModules(work, receipts);
}

/**
 * Ends sessions of a person: they are dead when the transaction commits, on every node; modules are told afterwards.
 * @returns number of sessions ended.
 */
export async function endSessions(
  work: Work,
  of: { companyId: CompanyId; userId: UserId } & Omit<SessionFilter, 'userId'>,
  reason: EndReason,
): Promise<number> {
  return transaction(work, async (work) => {
    const { companyId, ...filter } = of;
    const { ended, notices } = await work.store.of(companyId).sessions.end(filter, reason, work.now);
    if (isLogout(reason)) await notifyModules(work, notices);
    else await notifyWithReceipts(work, companyId, notices);
    for (const uid of ended) {
      await record(work, {
        action: 'session.end',
        companyId,
        target: { kind: 'user', id: of.userId },
        details: { reason, session: uid },
      });
    }
    return ended.length;
  });
}

/** Ends every session and revokes every token of a person, those that outlive sessions included. */
export async function endEverything(
  work: Work,
  of: { companyId: CompanyId; userId: UserId },
  reason: EndReason,
): Promise<void> {
  await transaction(work, async (work) => {
    await work.store.of(of.companyId).sessions.dropSignIns(of.userId);
    await endSessions(work, of, reason);
    await work.store.of(of.companyId).sessions.revokeAll(of.userId);
    // Who loses the account is told of by that; the others keep it, and only their sessions end.
    if (reason !== 'deactivated' && reason !== 'deleted')
      await sessionsRevoked(work, { ...of, cause: causeOf(work, 'sessions ended') });
  });
}

/** The same for many people at once, whose rows the caller holds. */
export async function endEverythingOf(
  work: Work,
  { companyId, userIds }: { companyId: CompanyId; userIds: UserId[] },
  reason: EndReason,
): Promise<void> {
  await transaction(work, async (work) => {
    const { ended, notices } = await work.store.of(companyId).sessions.endAllOf(userIds, reason, work.now);
    await notifyWithReceipts(work, companyId, notices);
    await recordAll(
      work,
      ended.map(({ uid, userId }) => ({
        action: 'session.end' as const,
        companyId,
        target: { kind: 'user' as const, id: userId },
        details: { reason, session: uid },
      })),
    );
  });
}

/** Ends every other session of a person, and revokes what earlier ones left behind: the tokens that outlive a logout, too. */
export async function endEverythingElse(
  work: Work,
  of: { companyId: CompanyId; userId: UserId; keepUid: string },
  reason: EndReason,
): Promise<void> {
  const { companyId, userId, keepUid } = of;
  await transaction(work, async (work) => {
    await work.store.of(companyId).sessions.dropSignIns(userId, keepUid);
    await endSessions(work, { companyId, userId, exceptUid: keepUid }, reason);
    await work.store.of(companyId).sessions.revokeAll(userId, keepUid);
  });
}

/**
 * OAU-24: a person takes back what a module may do for them. Its codes and tokens are dead when the transaction commits, on every
 * node, and it is told to end its own sessions; the person's session, and other modules, go on.
 * @returns name of the module.
 */
export async function revokeOwnAccess(
  work: Work,
  of: { companyId: CompanyId; userId: UserId },
  moduleId: ModuleId,
): Promise<string> {
  if (work.actor.kind !== 'user' || work.actor.id !== of.userId)
    throw forbidden('You can revoke access to your own account only.');
  return transaction(work, async (work) => {
    const revoked = await work.store.of(of.companyId).sessions.revokeModule(of.userId, moduleId);
    if (!revoked) throw notFound('access to your account');
    const { module, clientId, notices } = revoked;
    await notifyWithReceipts(work, of.companyId, notices);
    await record(work, {
      action: 'grant.revoke',
      companyId: of.companyId,
      target: { kind: 'user', id: of.userId },
      details: { module, clientId, sessions: notices.length },
    });
    return module;
  });
}
