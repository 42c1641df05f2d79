import { newId } from '../../lib/ids.ts';
import { after, hours, seconds } from '../../lib/time.ts';
import { transaction, type Work } from '../../work.ts';
import {
  type MailKind,
  type MailRequest,
  mailPurpose,
  priorityOf,
  strangerMailGapSeconds,
  strangerMailsPerHour,
} from './mail.ts';

/** Keeps the mail and queues its sending, in the transaction of the act that causes it. */
export async function sendMail(work: Work, request: MailRequest): Promise<void> {
  await sendMails(work, [request]);
}

/** Many mails in as many statements as one. */
export async function sendMails(work: Work, requests: MailRequest[]): Promise<void> {
  if (requests.length === 0) return;
  await transaction(work, async (work) => {
    const suppressed = await work.store.mails.listSuppressed(requests.map(({ recipient }) => recipient));
    const mails = requests.map(({ data, ...request }, i) => {
      // A test mail asks the server whether it still refuses the address (C50).
      const isBlocked = suppressed[i] === true && request.kind !== 'test';
      return {
        ...request,
        id: newId(),
        sealedData: isBlocked ? null : work.keyring.seal(mailPurpose, JSON.stringify(data)),
        state: isBlocked ? ('suppressed' as const) : ('queued' as const),
        createdAt: work.now,
      };
    });
    await work.store.mails.insert(mails);
    const queued = mails.filter(({ state }) => state === 'queued');
    for (const [priority, some] of Map.groupBy(queued, ({ kind }) => priorityOf(kind))) {
      const payloads = some.map(({ id }) => ({ mailId: id }));
      await work.jobs.enqueueMany(work, 'mail', payloads, { priority });
    }
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
