// C21: whoever loses a module loses what it holds for them, and the module is told to end its own sessions.
import type { CompanyId, ModuleId, UserId } from '../../lib/ids.ts';
import { after, seconds } from '../../lib/time.ts';
import { transaction, type Work } from '../../work.ts';
import { record } from '../audit/commands.ts';
import { notifyWithReceipts } from './commands.ts';
import { type Holder, listHoldersWithoutAccess, listUserIdsAfter } from './lost-access-repository.ts';

export interface LostAccess {
  companyId: CompanyId;
  moduleIds: ModuleId[];
  /** Null: whoever of the company it concerns. */
  userIds: UserId[] | null;
}

export const lostAccessQueue = 'lost-access';

/** More would hold the sessions of these people for longer than a moment. */
const revokedAtOnce = 50;

/**
 * Revokes, in the transaction of the act that takes access away, what modules hold for these people. With very many people, the
 * telling is left to the job: their tokens are refused already, since access is read anew at each use.
 */
export async function revokeLostAccess(work: Work, lost: LostAccess): Promise<void> {
  if (lost.moduleIds.length === 0 || lost.userIds?.length === 0) return;
  if (lost.userIds === null) {
    await work.jobs.enqueue(work, lostAccessQueue, lost);
    return;
  }
  const { companyId, moduleIds, userIds } = lost;
  const held = await listHoldersWithoutAccess(work.store.db, companyId, { moduleIds, userIds });
  await revoke(work, companyId, held.slice(0, revokedAtOnce));
  // A redemption that was under way in this very moment stores its grant after we have looked: the job looks again.
  const later = held.length > revokedAtOnce ? {} : { startAfter: after(work.now, seconds(10)) };
  await work.jobs.enqueue(work, lostAccessQueue, lost, later);
}

async function revoke(work: Work, companyId: CompanyId, held: Holder[]): Promise<void> {
  const { sessions } = work.store.of(companyId);
  for (const { userId, moduleId } of held) {
    const revoked = await sessions.revokeModule(userId, moduleId);
    if (!revoked) continue;
    await notifyWithReceipts(work, companyId, revoked.notices);
    await record(work, {
      action: 'grant.revoke',
      companyId,
      target: { kind: 'user', id: userId },
      details: {
        module: revoked.module,
        clientId: revoked.clientId,
        sessions: revoked.notices.length,
        reason: 'access-lost',
      },
    });
  }
}

const scanned = 1000;

/** The job's part: looks through the people in chunks, and holds what belongs to a few of them for a moment only. */
export async function sweepLostAccess(work: Work, lost: LostAccess): Promise<void> {
  const { companyId, moduleIds } = lost;
  const sweep = async (userIds: UserId[]) => {
    const held = await listHoldersWithoutAccess(work.store.db, companyId, { moduleIds, userIds });
    for (let at = 0; at < held.length; at += revokedAtOnce)
      await transaction(work, (work) => revoke(work, companyId, held.slice(at, at + revokedAtOnce)));
  };
  if (lost.userIds !== null) return sweep(lost.userIds);
  for (let last: UserId | null = null; ; ) {
    const userIds: UserId[] = await listUserIdsAfter(work.store.db, companyId, last, scanned);
    await sweep(userIds);
    last = userIds.at(-1) ?? null;
    if (userIds.length < scanned) return;
  }
}
