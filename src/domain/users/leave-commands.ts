// T14 for many people, a few of them at a time: the same rule and the same effects as for one, in as many statements. Who is being
// deactivated in thousands must not keep a session for minutes because others come first.
import type { CompanyId, UserId } from '../../lib/ids.ts';
import { transaction, type Work } from '../../work.ts';
import { recordAll } from '../audit/commands.ts';
import type { Company } from '../companies/company.ts';
import { sendMails } from '../mails/commands.ts';
import { authorise } from '../roles/authority.ts';
import { endEverythingOf } from '../sessions/commands.ts';
import { causeOf, standingChanged } from '../standing/commands.ts';
import type { Outcome } from '../tasks/task.ts';
import { getCompany } from './decide.ts';
import { lastWaySentence } from './sso-ways-in.ts';
import { findLostLastSsoWay } from './sso-ways-in-commands.ts';
import { decideTransition, fullName, type User } from './user.ts';

/** Their rows are held together, for some hundredths of a second. */
export const leavingTogether = 25;

/** @param userIds null: there is nobody any more. @returns an outcome for each, in their order */
export async function deactivateSome(work: Work, companyId: CompanyId, userIds: (UserId | null)[]): Promise<Outcome[]> {
  const actorId = await authorise(work, companyId, 'users.manage');
  return transaction(work, async (work) => {
    const company = await getCompany(work, companyId);
    const held = await work.store.of(companyId).users.lockAll(userIds.flatMap((id) => id ?? []));
    const users = new Map(held.map((user) => [user.id, user]));
    const by = { actorId, reactivate: company.policy.reactivate };
    const allowed = held.filter((user) => decideTransition('deactivate', user, by).allowed);
    const last = await findLostLastSsoWay(
      work,
      companyId,
      allowed.map(({ id }) => id),
    );
    await leave(
      work,
      company,
      allowed.filter(({ id }) => id !== last?.userId),
    );
    return userIds.map((id): Outcome => {
      const user = id === null ? undefined : users.get(id);
      if (!user) return { outcome: 'skipped', message: 'There is no such person any more.' };
      if (last && user.id === last.userId) return { outcome: 'skipped', message: lastWaySentence(last) };
      const decision = decideTransition('deactivate', user, by);
      return decision.allowed
        ? { outcome: 'succeeded', userId: user.id }
        : { outcome: 'skipped', message: decision.because };
    });
  });
}

/**
 * T14 and T15: what being deactivated means, whoever decided it. The caller holds the people, and has asked the rule.
 * @param why.details of the event, besides the reason
 */
export async function leave(
  work: Work,
  company: Company,
  users: User[],
  why: { reason: NonNullable<User['deactivatedReason']>; details?: Record<string, unknown> } = { reason: 'admin' },
): Promise<void> {
  if (users.length === 0) return;
  const companyId = company.id;
  const userIds = users.map(({ id }) => id);
  await work.store.of(companyId).users.deactivateAll(userIds, why.reason);
  await endEverythingOf(work, { companyId, userIds }, 'deactivated');
  await work.store.links.voidOpen(
    companyId,
    userIds,
    ['invitation', 'passwordReset', 'setup', 'emailChange'],
    work.now,
  );
  await recordAll(
    work,
    userIds.map((id) => ({
      action: 'user.deactivate' as const,
      companyId,
      target: { kind: 'user' as const, id },
      details: { ...why.details, reason: why.reason },
    })),
  );
  await standingChanged(work, { companyId, userIds, instanceIds: null, cause: causeOf(work, 'deactivated') });
  if (!company.policy.notices.deactivated) return;
  await sendMails(
    work,
    users.map((user) => ({
      kind: 'deactivated' as const,
      companyId,
      userId: user.id,
      recipient: user.email,
      data: { name: fullName(user), company: company.name, username: user.username },
    })),
  );
}
