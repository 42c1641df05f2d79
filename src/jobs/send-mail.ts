import { z } from 'zod';
import { settleMail } from '../domain/mails/delivery-commands.ts';
import { mailPurpose, type StoredMail } from '../domain/mails/mail.ts';
import { fromAddressOf, type MailSettings, type MailText, noSettings } from '../domain/mails/text.ts';
import { type ComposedMail, composeStored } from '../mail/compose.ts';
import type { Transport } from '../mail/transport.ts';
import type { Work } from '../work.ts';
import type { JobDefinition } from './queue.ts';

const payload = z.object({ mailId: z.string() });

/** @param transport null without SMTP settings: mails are kept, and shown in the demo's mailbox. */
export function sendMailJob(transport: Transport | null): JobDefinition<z.infer<typeof payload>> {
  return {
    name: 'mail',
    payload,
    // For what fails around a mail, such as the database; tries at the mail server are counted by the mail itself.
    retryLimit: 12,
    retryDelay: 10,
    concurrency: 4,
    async handle(work, { mailId }) {
      const mail = await work.store.mails.findById(mailId);
      if (!mail || (mail.state !== 'queued' && mail.state !== 'deferred') || mail.sealedData === null) return;
      if (!transport) return work.store.mails.keep(mailId);
      // Blocked while it waited.
      if (mail.kind !== 'test' && (await work.store.mails.isSuppressed(mail.recipient)))
        return work.store.mails.settle(mailId, 'suppressed', {});
      await deliver(work, mail, mail.sealedData, transport);
    },
  };
}

async function deliver(work: Work, mail: StoredMail, sealedData: string, transport: Transport): Promise<void> {
  const data = opened(work, sealedData);
  if (linkHasEnded(data, work.now)) {
    const answer = `The link in it ran out before the mail server took it. ${mail.error ?? ''}`.trim();
    return settleMail(work, mail, { outcome: 'failed', answer });
  }
  const { text, settings } = await ownOf(work, mail);
  const composed = composedOrNull(work, mail, data, { text, settings });
  if (!composed) return settleMail(work, mail, { outcome: 'failed', answer: 'This mail could not be composed.' });
  const envelope = {
    ...settings,
    id: mail.id,
    to: mail.recipient,
    fromAddress: fromAddressOf(settings, work.config.mailFromDomains),
  };
  await settleMail(work, mail, await transport.send(envelope, composed));
}

function opened(work: Work, sealedData: string): unknown {
  try {
    return JSON.parse(work.keyring.open(mailPurpose, sealedData));
  } catch {
    return null;
  }
}

/** Null for a mail that can never be written: another try would find the same, and it would wait for ever. */
function composedOrNull(work: Work, mail: StoredMail, data: unknown, { text, settings }: Own): ComposedMail | null {
  try {
    return composeStored(mail.kind, data, {
      brand: work.config.brandName,
      createdAt: mail.createdAt,
      publicUrl: work.config.publicUrl,
      text,
      replyTo: settings.replyTo,
    });
  } catch (err) {
    work.log.error({ err, mailId: mail.id, kind: mail.kind }, 'mail could not be composed');
    return null;
  }
}

interface Own {
  text: MailText | null;
  settings: MailSettings;
}

/** What the company has changed of this mail. */
async function ownOf(work: Work, mail: StoredMail): Promise<Own> {
  if (mail.companyId === null) return { text: null, settings: noSettings };
  const { mailTexts } = work.store.of(mail.companyId);
  const [stored, settings] = await Promise.all([mailTexts.find(mail.kind), mailTexts.findSettings()]);
  return { text: stored?.text ?? null, settings };
}

const expiring = z.object({ link: z.string(), expiresAt: z.iso.datetime() });

/** A link that opens nothing any more only puzzles whoever gets it. */
function linkHasEnded(data: unknown, now: Date): boolean {
  const parsed = expiring.safeParse(data);
  return parsed.success && new Date(parsed.data.expiresAt) <= now;
}
