// Outgoing mail: kept in the database until the mail server took it, so that no page waits for SMTP and none is lost.
// Owns the mails and the suppression list. Words and look of mails live in src/mail.
import type { CompanyId, UserId } from '../../lib/ids.ts';

export type MailKind =
  | 'invitation'
  | 'setup'
  | 'passwordReset'
  | 'confirmEmail'
  | 'emailChanged'
  | 'forgotCompany'
  | 'locked'
  | 'passwordChanged'
  | 'secondFactorReset'
  | 'secondFactorEnrolled'
  | 'recoveryCodeUsed'
  | 'deactivated'
  | 'importFinished'
  | 'exportReady'
  | 'test';

/** What the domain hands over; src/mail turns it into subject, HTML and text when it is sent. */
export interface MailRequest {
  kind: MailKind;
  companyId: CompanyId | null;
  userId: UserId | null;
  recipient: string;
  /** Values for the words; may hold a link, so it is sealed at rest. */
  data: Record<string, unknown>;
}

export interface StoredMail {
  id: string;
  companyId: CompanyId | null;
  userId: UserId | null;
  kind: MailKind;
  recipient: string;
  sealedData: string | null;
  state: 'queued' | 'sent' | 'kept' | 'failed' | 'suppressed';
  error: string | null;
  createdAt: Date;
  sentAt: Date | null;
}

/** DOS-06: mails that strangers can cause to one address, within an hour. */
export const strangerMailsPerHour = 5;
/** AUT-16: and not two within a minute. */
export const strangerMailGapSeconds = 60;

export const mailPurpose = 'mail';
