// What becomes of a mail after a try. The state and what follows from it are one commit.
import { transaction, type Work } from '../../work.ts';
import { type Delivery, giveUpDays, nextTry, priorityOf, type StoredMail } from './mail.ts';

const maxWords = 500;

/** A deferred mail comes again by a job of its own; one whose recipient was refused for good blocks the address (A3.9). */
export async function settleMail(work: Work, mail: StoredMail, { outcome, answer }: Delivery): Promise<void> {
  const said = answer.slice(0, maxWords);
  await transaction(work, async (work) => {
    const { mails } = work.store;
    if (outcome === 'sent') return mails.settle(mail.id, 'sent', { answer: said, sentAt: work.now });
    if (outcome === 'failed') return mails.settle(mail.id, 'failed', { error: said });
    if (outcome === 'bounced') {
      await mails.settle(mail.id, 'bounced', { error: said });
      return mails.suppress(mail.recipient, said, work.now);
    }
    const startAfter = nextTry(mail, work.now);
    if (!startAfter) return mails.settle(mail.id, 'failed', { error: `Given up after ${giveUpDays} days: ${said}` });
    await mails.defer(mail.id, said, startAfter);
    await work.jobs.enqueue(work, 'mail', { mailId: mail.id }, { startAfter, priority: priorityOf(mail.kind) });
  });
}
