import type { MailKind, MailState } from '../../../domain/mails/mail.ts';
import type { MailToPerson } from '../../../domain/users/person-queries.ts';
import type { Desk } from '../console.ts';
import type { StatusWords } from '../views.ts';
import type { MailLineOf } from './person-views.ts';

const kinds: Record<MailKind, string> = {
  invitation: 'Invitation',
  setup: 'Set-up after activation',
  passwordReset: 'Password reset',
  confirmEmail: 'Confirm new e-mail',
  emailChangeRequested: 'E-mail is about to change',
  emailChanged: 'E-mail was changed',
  forgotCompany: 'Forgotten company name',
  locked: 'Account locked',
  passwordChanged: 'Password changed',
  secondFactorReset: '2FA reset',
  secondFactorEnrolled: '2FA set up',
  recoveryCodeUsed: 'Recovery code used',
  deactivated: 'Account deactivated',
  importFinished: 'Import finished',
  exportReady: 'Export ready',
  test: 'Test mail',
};

const states: Record<MailState, StatusWords> = {
  queued: { tone: 'wait', word: 'Queued', more: '' },
  deferred: { tone: 'wait', word: 'Waiting', more: 'is tried again' },
  sent: { tone: 'good', word: 'Sent', more: '' },
  bounced: { tone: 'danger', word: 'Bounced', more: '' },
  failed: { tone: 'danger', word: 'Failed', more: '' },
  suppressed: { tone: 'danger', word: 'Not sent', more: 'the address is blocked' },
  kept: { tone: 'off', word: 'Kept', more: 'there is no mail server' },
};

export function mailLine(mail: MailToPerson, desk: Desk): MailLineOf {
  return {
    kind: kinds[mail.kind],
    recipient: mail.recipient,
    status: states[mail.state],
    error: mail.error ?? '',
    at: desk.moment(mail.sentAt ?? mail.createdAt),
  };
}
