// Blocked addresses (A3.9, C50): one list for the whole installation, since a mailbox that is gone is gone for everybody.
// Administrators meet it through their own people only.
import { conflict, notFound } from '../../lib/errors.ts';
import type { CompanyId, UserId } from '../../lib/ids.ts';
import { transaction, type Work } from '../../work.ts';
import { record } from '../audit/commands.ts';
import { authorise } from '../roles/authority.ts';
import { mayMailForStranger, sendMail } from './commands.ts';
import type { Suppression } from './repository.ts';

interface Blocked {
  email: string;
  block: Suppression;
}

/** The person with the block held; other companies' people, and those whose address is open, have none. */
async function getBlocked(work: Work, companyId: CompanyId, userId: UserId): Promise<Blocked> {
  const user = await work.store.of(companyId).users.findById(userId);
  const block = user && user.baseStatus !== 'Deleted' ? await work.store.mails.lockSuppression(user.email) : null;
  if (!user || !block) throw notFound('blocked address');
  return { email: user.email, block };
}

/** Asks the mail server whether it takes mail to this address again. Few of them, since nobody there has asked for any (DOS-06). */
export async function sendTestMail(work: Work, companyId: CompanyId, userId: UserId): Promise<void> {
  await authorise(work, companyId, 'mail.manage');
  await transaction(work, async (work) => {
    const { email } = await getBlocked(work, companyId, userId);
    if (!(await mayMailForStranger(work, email, ['test'])))
      throw conflict('A test mail went to this address a moment ago. At most one a minute and five an hour are sent.');
    const data = { publicUrl: work.config.publicUrl };
    await sendMail(work, { kind: 'test', companyId, userId, recipient: email, data });
    await record(work, {
      action: 'mail.test',
      companyId,
      target: { kind: 'user', id: userId },
      details: { address: email },
    });
  });
}

/** Whether the block may be lifted: the mail server took a test mail of this company after it had refused the address (C50). */
export async function isProved(work: Work, companyId: CompanyId, { email, block }: Blocked): Promise<boolean> {
  return work.store.mails.wasSent(companyId, email, 'test', block.lastRefusedAt);
}

export async function liftBlock(work: Work, companyId: CompanyId, userId: UserId): Promise<void> {
  await authorise(work, companyId, 'mail.manage');
  await transaction(work, async (work) => {
    const blocked = await getBlocked(work, companyId, userId);
    if (!(await isProved(work, companyId, blocked)))
      throw conflict('Send a test mail first. The address is opened once the mail server has taken one.');
    await work.store.mails.lift(blocked.email);
    const { reason, since } = blocked.block;
    await record(work, {
      action: 'mail.lift',
      companyId,
      target: { kind: 'user', id: userId },
      details: { address: blocked.email, reason, since },
    });
  });
}
