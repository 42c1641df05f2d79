// Outgoing mail: kept in the database until the mail server took it, so that no page waits for SMTP and none is lost.
// Owns the mails, the suppression list (A3.9) and what a company has changed of texts and sender. The look of mails lives in src/mail.
import type { CompanyId, UserId } from '../../lib/ids.ts';
import { after, days, hours, minutes, seconds } from '../../lib/time.ts';

export const mailKinds = [
  'invitation',
  'setup',
  'passwordReset',
  'confirmEmail',
  'emailChangeRequested',
  'emailChanged',
  'forgotCompany',
  'locked',
  'passwordChanged',
  'secondFactorReset',
  'secondFactorEnrolled',
  'recoveryCodeUsed',
  'deactivated',
  'importFinished',
  'exportReady',
  'exceptionEnds',
  'exceptionKept',
  'noWayIn',
  'emergencyUsed',
  'moduleConnected',
  'contractOverridden',
  'requirementReverted',
  'batchWaits',
  'deliveriesLate',
  'groupsNotSaid',
  'certificateEnds',
  'certificateAdded',
  'ssoReverted',
  'domainLost',
  'breakGlassEnds',
  'test',
] as const;

export type MailKind = (typeof mailKinds)[number];

/** What the domain hands over; src/mail turns it into subject, HTML and text when it is sent. */
export interface MailRequest {
  kind: MailKind;
  companyId: CompanyId | null;
  userId: UserId | null;
  recipient: string;
  /** Values for the words; may hold a link, so it is sealed at rest. */
  data: Record<string, unknown>;
}

/**
 * queued: not tried yet. deferred: tried, and tried again later. sent: the mail server took it.
 * bounced: the recipient was refused for good, and is blocked from then on. failed: given up for another reason.
 * suppressed: not tried, since the address was blocked. kept: there is no mail server.
 */
export const mailStates = ['queued', 'deferred', 'sent', 'bounced', 'failed', 'suppressed', 'kept'] as const;

export type MailState = (typeof mailStates)[number];

export interface StoredMail {
  id: string;
  companyId: CompanyId | null;
  userId: UserId | null;
  kind: MailKind;
  recipient: string;
  sealedData: string | null;
  state: MailState;
  /** What the server said when it took the mail. */
  answer: string | null;
  /** Why it has not arrived: the server's words, or ours. */
  error: string | null;
  attempts: number;
  nextTryAt: Date | null;
  createdAt: Date;
  sentAt: Date | null;
}

/** What a try came to; src/mail judges the server's answer. */
export interface Delivery {
  outcome: 'sent' | 'deferred' | 'bounced' | 'failed';
  /** Words of the server, or of the network. */
  answer: string;
}

/** Waits before the next tries, in seconds; then once an hour. */
const waits = [5, 15, 60, 300, 900, 1800];

export const giveUpDays = 4;

/** When a deferred mail is tried again; null: it has been tried for long enough (RFC 5321 section 4.5.4.1). */
export function nextTry(mail: Pick<StoredMail, 'createdAt' | 'attempts'>, now: Date): Date | null {
  const wait = seconds(waits[mail.attempts] ?? hours(1) / seconds(1));
  const at = after(now, wait);
  return at > after(mail.createdAt, days(giveUpDays)) ? null : at;
}

/** Somebody sits and waits for these: they overtake ten thousand invitations. */
const awaited = new Set<MailKind>(['passwordReset', 'confirmEmail', 'forgotCompany', 'test']);

export const priorityOf = (kind: MailKind): number => (awaited.has(kind) ? 1 : 0);

/** DOS-06: mails that strangers can cause to one address, within an hour. */
export const strangerMailsPerHour = 5;
/** AUT-16: and not two within a minute. */
export const strangerMailGapSeconds = minutes(1) / seconds(1);

/** Without a mail server: how long the values of a mail are kept to be looked at. */
export const keptDays = 30;
/** How long a company can look up what was sent to whom. */
export const historyDays = 180;

export const mailPurpose = 'mail';
