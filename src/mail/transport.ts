// Hands mails to the mail server.
import type { Delivery } from '../domain/mails/mail.ts';
import { judge, type SmtpProblem } from './answers.ts';
import type { ComposedMail } from './compose.ts';
import { oneLine } from './one-line.ts';

/** What a company has set of its own; the rest is the installation's. */
export interface Envelope {
  /** The same at each try, so that a mail that went out twice is shown once. */
  id: string;
  to: string;
  senderName: string | null;
  fromAddress: string | null;
  replyTo: string | null;
}

export interface Transport {
  /** Never throws: whatever happens is an outcome. */
  send(envelope: Envelope, mail: ComposedMail): Promise<Delivery>;
  /** Connects and greets; for `doctor`. */
  verify(): Promise<void>;
  close(): void;
}

export interface Mailbox {
  name: string;
  address: string;
}

/** `Name <address>` or an address alone. */
export function parseMailbox(text: string): Mailbox {
  const whole = text.trim();
  const at = whole.lastIndexOf('<');
  if (at < 0 || !whole.endsWith('>')) return { name: '', address: whole };
  const name = whole.slice(0, at).trim();
  const isQuoted = name.length > 1 && name.startsWith('"') && name.endsWith('"');
  return { name: isQuoted ? name.slice(1, -1) : name, address: whole.slice(at + 1, -1).trim() };
}

/** Who a mail says it comes from; never of more than one line (AUT-16). */
export function senderOf(operator: Mailbox, own: Pick<Envelope, 'senderName' | 'fromAddress'>): Mailbox {
  return { name: oneLine(own.senderName ?? operator.name), address: own.fromAddress ?? operator.address };
}

export function createTransport(smtpUrl: string, from: string): Transport {
  const operator = parseMailbox(from);
  let opened: ReturnType<typeof openTransporter> | undefined;
  const transporter = () => {
    opened ??= openTransporter(smtpUrl);
    return opened;
  };
  return {
    async send({ id, to, replyTo, ...own }, mail) {
      const sender = senderOf(operator, own);
      try {
        const { response } = await (await transporter()).sendMail({
          from: sender,
          // Addresses go in as data, never as header lines, so that they cannot add recipients (AUT-16).
          to: { name: '', address: to },
          ...(replyTo ? { replyTo: { name: '', address: replyTo } } : {}),
          messageId: `<${id}@${sender.address.slice(sender.address.lastIndexOf('@') + 1)}>`,
          subject: mail.subject,
          html: mail.html,
          text: mail.text,
          // RFC 3834 section 5: nobody's holiday notice answers these.
          headers: { 'auto-submitted': 'auto-generated' },
          disableFileAccess: true,
          disableUrlAccess: true,
        });
        return { outcome: 'sent', answer: oneLine(response) };
      } catch (error) {
        return judge(problemOf(error));
      }
    },
    async verify() {
      await (await transporter()).verify();
    },
    close: () => void opened?.then((transporter) => transporter.close()),
  };
}

/** Loaded when the first mail goes out: a start need not wait for it, and a node that sends none never holds it in memory. */
async function openTransporter(smtpUrl: string) {
  const { default: nodemailer } = await import('nodemailer');
  return nodemailer.createTransport({
    url: smtpUrl,
    pool: true,
    maxConnections: 2,
    connectionTimeout: 10_000,
    greetingTimeout: 10_000,
    socketTimeout: 20_000,
  });
}

function problemOf(error: unknown): SmtpProblem {
  if (!(error instanceof Error)) return { message: 'The mail server could not be reached.' };
  // Members that nodemailer puts on its errors.
  const { code, command, response, responseCode } = error as Error & Partial<SmtpProblem>;
  return { message: error.message, code, command, response, responseCode };
}
