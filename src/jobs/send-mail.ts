import { z } from 'zod';
import { mailPurpose, type StoredMail } from '../domain/mails/mail.ts';
import { composeStored } from '../mail/compose.ts';
import { MailRefused, type Transport } from '../mail/transport.ts';
import type { JobDefinition } from './queue.ts';

const payload = z.object({ mailId: z.string() });

/** @param transport null without SMTP settings: mails are kept, and shown in the demo's mailbox. */
export function sendMailJob(transport: Transport | null): JobDefinition<z.infer<typeof payload>> {
  return {
    name: 'mail',
    payload,
    retryLimit: 12,
    retryDelay: 10,
    concurrency: 4,
    async handle(work, { mailId }) {
      const mail = await work.store.mails.findById(mailId);
      if (mail?.state !== 'queued' || mail.sealedData === null) return;
      if (!transport) {
        await work.store.mails.setState(mailId, 'kept');
        return;
      }
      const data: unknown = JSON.parse(work.keyring.open(mailPurpose, mail.sealedData));
      const composed = composeStored(mail.kind, data, {
        brand: work.config.brandName,
        createdAt: mail.createdAt,
        publicUrl: work.config.publicUrl,
      });
      try {
        await transport.send(mail.recipient, composed);
        await work.store.mails.setState(mailId, 'sent', { sentAt: work.now, erase: true });
      } catch (error) {
        if (!(error instanceof MailRefused)) throw error;
        await bounce(work, mail, error.message);
      }
    },
  };
}

/** A3.9: an address that the server refuses for good gets no more mail until somebody lifts that. */
async function bounce(
  work: Parameters<JobDefinition<unknown>['handle']>[0],
  mail: StoredMail,
  reason: string,
): Promise<void> {
  await work.store.mails.setState(mail.id, 'failed', { error: reason.slice(0, 500), erase: true });
  await work.store.mails.suppress(mail.recipient, reason.slice(0, 500), work.now);
}
