// How mails are spoken of in the console.
import type { MailKind, MailState } from '../../../domain/mails/mail.ts';
import type { StatusWords } from '../views.ts';

export const kindWords: Record<MailKind, string> = {
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
  exceptionEnds: 'Exception is about to end',
  exceptionKept: 'Last exception was kept',
  noWayIn: 'No way in without us',
  emergencyUsed: 'Emergency account used',
  moduleConnected: 'Module connected',
  contractOverridden: 'Contract test overridden',
  requirementReverted: 'Required login was taken back',
  batchWaits: 'A large change waits',
  groupsNotSaid: 'Groups were not said',
  deliveriesLate: 'A module has not been reached',
  certificateEnds: 'A certificate is about to end',
  certificateAdded: 'New certificate of an identity provider',
  ssoReverted: 'Enforced single sign-on was taken back',
  domainLost: 'Proof of an e-mail domain is missing',
  breakGlassEnds: 'Break-glass person is about to end',
  test: 'Test mail',
};

export const stateWords: Record<MailState, StatusWords> = {
  queued: { tone: 'wait', word: 'Queued', more: '' },
  deferred: { tone: 'wait', word: 'Waiting', more: 'is tried again' },
  sent: { tone: 'good', word: 'Sent', more: '' },
  bounced: { tone: 'danger', word: 'Bounced', more: '' },
  failed: { tone: 'danger', word: 'Failed', more: '' },
  suppressed: { tone: 'danger', word: 'Not sent', more: 'the address is blocked' },
  kept: { tone: 'off', word: 'Kept', more: 'there is no mail server' },
};

/** When and to whom each mail goes, for the list of texts. */
export const occasionWords: Partial<Record<MailKind, string>> = {
  invitation: 'To a new user, and again with Resend. Holds the Sign Up link.',
  setup: 'To a user who was activated again. Holds the link to set a password.',
  passwordReset: 'To whoever asked for a new password, or whom an administrator sent one.',
  confirmEmail: 'To the new address, with the link that confirms it.',
  emailChangeRequested: 'To the old address, as soon as a change is asked for. No link.',
  emailChanged: 'To the old address, once the new one is confirmed. No link.',
  locked: 'After too many failed logins.',
  passwordChanged: 'After a new password was set.',
  secondFactorReset: 'After an administrator or the user reset 2FA.',
  secondFactorEnrolled: 'After an authenticator app was set up.',
  recoveryCodeUsed: 'After a login with a recovery code.',
  deactivated: 'After an administrator deactivated the account. Can be switched off under Security.',
  importFinished: 'To the administrator whose import has finished.',
  exportReady: 'To the administrator whose export is ready.',
  exceptionEnds: 'To the administrators, 7 days and 1 day before somebody may no longer log in to a module locally.',
  exceptionKept: 'To the administrators, when an exception that would have ended is the last way into a module.',
  emergencyUsed: 'To the administrators, when the sealed emergency account of a module has logged in there.',
  noWayIn:
    'To the administrators, when a module requires the login and no exempt administrator of it can log in locally any more.',
  moduleConnected: 'To the administrators, whenever a module has been connected to the company.',
  contractOverridden:
    'To the administrators, when automatic provisioning was turned on without a passed contract test.',
  requirementReverted: 'To the administrators, when nobody has confirmed the required login of a module in time.',
  batchWaits: 'To the administrators, when many people would lose a module at once and one of them has to confirm.',
  groupsNotSaid:
    'To the administrators, once a day, when an identity provider did not say the groups that rules go by.',
  deliveriesLate: 'To the administrators, when a module has not been told of a change for 15 minutes.',
  certificateEnds:
    'To the administrators, 30 and 7 days before a certificate of an identity provider ends, and when it has.',
  certificateAdded: 'To the administrators, when the metadata of an identity provider named a new certificate.',
  ssoReverted: 'To the administrators, when nobody has confirmed the enforced single sign-on in time.',
  domainLost: 'To the administrators, when DNS does not prove an e-mail domain any more, and when it was given up.',
  breakGlassEnds: 'To the administrators, 7 days and 1 day before a break-glass person may no longer use the password.',
};
