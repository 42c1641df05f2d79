// Hands mails to the mail server.
import nodemailer from 'nodemailer';
import type { ComposedMail } from './compose.ts';

export interface Transport {
  /** @throws MailRefused when the address itself was refused for good; any other error is worth another try. */
  send(to: string, mail: ComposedMail): Promise<void>;
  /** Connects and greets; for `doctor`. */
  verify(): Promise<void>;
  close(): void;
}

export class MailRefused extends Error {}

/** SMTP answers that no later try will change: unknown mailbox, rejected recipient (RFC 5321 section 4.2.1). */
function isPermanent(error: unknown): boolean {
  return (
    error instanceof Error &&
    'responseCode' in error &&
    typeof error.responseCode === 'number' &&
    error.responseCode >= 550 &&
    error.responseCode < 560
  );
}

export function createTransport(smtpUrl: string, from: string): Transport {
  const transporter = nodemailer.createTransport({
    url: smtpUrl,
    pool: true,
    maxConnections: 2,
    connectionTimeout: 10_000,
    greetingTimeout: 10_000,
    socketTimeout: 20_000,
  });
  return {
    async send(to, mail) {
      try {
        // The address goes in as data, never as a header line, so that it cannot add recipients (AUT-16).
        await transporter.sendMail({
          from,
          to: { name: '', address: to },
          subject: mail.subject,
          html: mail.html,
          text: mail.text,
          disableFileAccess: true,
          disableUrlAccess: true,
        });
      } catch (error) {
        if (isPermanent(error))
          throw new MailRefused(error instanceof Error ? error.message : 'refused', { cause: error });
        throw error;
      }
    },
    async verify() {
      await transporter.verify();
    },
    close: () => transporter.close(),
  };
}
