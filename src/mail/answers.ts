// What the answer of a mail server means (RFC 5321 section 4.2, RFC 3463). A refusal of the recipient blocks the address;
// a refusal of the sender, of this installation or of the content says nothing about the recipient and must never do so (A3.9).
import type { Delivery } from '../domain/mails/mail.ts';
import { oneLine } from './one-line.ts';

/** As nodemailer reports it. */
export interface SmtpProblem {
  message: string;
  code?: string | undefined;
  command?: string | undefined;
  response?: string | undefined;
  responseCode?: number | undefined;
}

/** Enhanced codes about the recipient's mailbox or domain; 5.1.7 and 5.1.8 are about the sender's. */
const aboutRecipient = new Set(['5.1.1', '5.1.2', '5.1.3', '5.1.4', '5.1.6', '5.1.10', '5.2.1']);

/** Plain codes about the mailbox, as an answer to RCPT TO only: 550 unknown, 551 not local, 553 not a mailbox name. */
const mailboxCodes = new Set([550, 551, 553]);

/** Words of servers that refuse relaying, spam or this installation by a plain 550 or 553. */
const general =
  /relay|spam|polic|block|black|listed|denied|not allowed|not permitted|prohibit|rcpthosts|authenti|\bspf\b|dkim|dmarc|reputation|sender|helo|ehlo|\brdns\b|ptr|your (ip|host|server)|access|content|rate|limit|quota|full/i;

/** Refusals of our own login and of our way to talk: the operator mends them, and the mail goes out then. */
const isAboutSettings = (command: string, code: number) =>
  /^(CONN|EHLO|HELO|STARTTLS|AUTH)/.test(command) || [530, 534, 535, 538].includes(code);

/** An error that comes before any server was asked: this mail can never be sent. */
const isOurs = ({ code, command }: SmtpProblem) =>
  code === 'EENVELOPE' || (code === 'EMESSAGE' && command !== 'DATA') || code === 'ESTREAM';

export function judge(problem: SmtpProblem): Delivery {
  const { responseCode: code, response, command = '' } = problem;
  const answer = oneLine(response ?? problem.message);
  if (code === undefined) return { outcome: isOurs(problem) ? 'failed' : 'deferred', answer };
  if (code < 500 || isAboutSettings(command, code)) return { outcome: 'deferred', answer };
  return { outcome: isRefusedRecipient(command, code, answer) ? 'bounced' : 'failed', answer };
}

function isRefusedRecipient(command: string, code: number, answer: string): boolean {
  // Before the recipient is named nothing can be about it.
  if (command !== 'RCPT TO' && command !== 'DATA') return false;
  const enhanced = /^\d{3}[ -](5\.\d{1,3}\.\d{1,3})\b/.exec(answer)?.[1];
  if (enhanced !== undefined) return aboutRecipient.has(enhanced);
  return command === 'RCPT TO' && mailboxCodes.has(code) && !general.test(answer);
}
