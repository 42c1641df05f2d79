import { newId } from '../../lib/ids.ts';
import { after, hours, seconds } from '../../lib/time.ts';
import { transaction, type Work } from '../../work.ts';
import { type MailKind, type MailRequest, mailPurpose, strangerMailGapSeconds, strangerMailsPerHour } from './mail.ts';

/** Keeps the mail and queues its sending, in the transaction of the act that causes it. */
export async function sendMail(work: Work, request: MailRequest): Promise<void> {
  await transaction(work, async (work) => {
    const isSuppressed = await work.store.mails.isSuppressed(request.recipient);
    const id = newId();
    await work.store.mails.insert({
      id,
      companyId: request.companyId,
      userId: request.userId,
      kind: request.kind,
      recipient: request.recipient,
      sealedData: work.keyring.seal(mailPurpose, JSON.stringify(request.data)),
      state: isSuppressed ? 'suppressed' : 'queued',
      error: null,
      createdAt: work.now,
      sentAt: null,
    });
    if (!isSuppressed) await work.jobs.enqueue(work, 'mail', { mailId: id });
  });
}

/**
 * Whether a stranger may cause another mail to this address now (AUT-16, DOS-06).
 * In the transaction that sends it: others who ask at the same moment wait for its end, and then see its mail.
 */
export async function mayMailForStranger(work: Work, recipient: string, kinds: MailKind[]): Promise<boolean> {
  await work.store.mails.holdRecipient(recipient);
  const times = await work.store.mails.timesSince(recipient, kinds, after(work.now, -hours(1)));
  const last = times[0];
  return times.length < strangerMailsPerHour && (!last || last <= after(work.now, -seconds(strangerMailGapSeconds)));
}
