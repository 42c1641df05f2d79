// The mails of a test node as their readers see them: without a mail server they are kept, sealed, in the database.
import { setTimeout } from 'node:timers/promises';
import { type MailKind, mailPurpose } from '../../src/domain/mails/mail.ts';
import type { ComposedMail } from '../../src/mail/compose.ts';
import type { TestApp } from './app.ts';

export interface ReceivedMail extends ComposedMail {
  recipient: string;
  /** The first address in the text: what the reader would press. */
  link: string;
}

/** How long a reader looks at an empty mailbox; mails go out by a job, within a second or so. */
const patience = 10_000;

/** The newest mail of this kind to this address, once the job for it has run. */
export async function mailTo(app: TestApp, recipient: string, kind: MailKind): Promise<ReceivedMail> {
  for (const end = Date.now() + patience; Date.now() < end; await setTimeout(50)) {
    const [mail] = (await app.runtime.store.mails.listRecent(50)).filter(
      (mail) => mail.recipient === recipient && mail.kind === kind,
    );
    if (mail?.state === 'kept' && mail.sealedData !== null) return read(app, { ...mail, sealedData: mail.sealedData });
  }
  throw new Error(`no mail of the kind ${kind} to ${recipient}`);
}

/** The same of a mail that waits in the queue, for a node whose jobs do not run. */
export async function queuedMailTo(app: TestApp, recipient: string, kind: MailKind): Promise<ReceivedMail> {
  const mail = (await app.runtime.store.mails.listRecent(50)).find(
    (mail) => mail.recipient === recipient && mail.kind === kind,
  );
  if (!mail || mail.sealedData === null) throw new Error(`no mail of the kind ${kind} to ${recipient}`);
  return read(app, { ...mail, sealedData: mail.sealedData });
}

function read(
  { runtime }: TestApp,
  mail: Parameters<TestApp['runtime']['composeMail']>[0] & { recipient: string; sealedData: string },
): ReceivedMail {
  const composed = runtime.composeMail(mail, JSON.parse(runtime.keyring.open(mailPurpose, mail.sealedData)));
  return { ...composed, recipient: mail.recipient, link: /https?:\/\/\S+/.exec(composed.text)?.[0] ?? '' };
}
