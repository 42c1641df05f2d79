// The words of each mail (domain D.8), until a company puts its own in their place.
import type { MailKind } from './mail.ts';
import type { MailText } from './text.ts';

export interface DefaultText extends MailText {
  /** What a mail program shows beside the subject. */
  preview: string;
}

const paragraphs = (...texts: string[]): string => texts.join('\n\n');

const hello = 'Hello {name},';
const linkLife = 'The link works for {lifetime}, until {expires}, and only once.';
const notYou = 'Was it not you? Tell your administrator at once, and change your password.';

export const defaultTexts: Record<MailKind, DefaultText> = {
  invitation: {
    subject: 'Welcome to {brand}',
    preview: '{company} invites you. Set your password to begin.',
    heading: 'Welcome to {brand}',
    intro: paragraphs(
      hello,
      '{company} invites you to {brand}: one login for all the modules you work with.',
      'First you set a password. Then you log in and set up an authenticator app on your phone.',
    ),
    outro: paragraphs('{link}', linkLife, 'If you did not expect this invitation, you can ignore it.'),
  },
  setup: {
    subject: 'Your {brand} account is active again',
    preview: 'Set a new password to log in.',
    heading: 'Welcome back',
    intro: paragraphs(
      hello,
      'Your account at {company} is active again. Set a new password; when you log in you also set up your second factor again.',
    ),
    outro: paragraphs('{link}', linkLife, 'After that, your administrator can send you a new one.'),
  },
  passwordReset: {
    subject: 'Set a new {brand} password',
    preview: 'The link for your new password.',
    heading: 'Set a new password',
    intro: paragraphs(
      hello,
      'Someone, most likely you or your administrator, asked for a new password for this account.',
    ),
    outro: paragraphs('{link}', linkLife, 'If it was not you, ignore this mail: your password stays as it is.'),
  },
  confirmEmail: {
    subject: 'Confirm your new e-mail for {brand}',
    preview: 'One press, and your mails go to this address.',
    heading: 'Confirm your new e-mail',
    intro: paragraphs(hello, 'From now on mails about this account are to go to {email}. Confirm that it is yours.'),
    outro: paragraphs('{link}', linkLife, 'If you did not ask for this, ignore it: nothing changes.'),
  },
  // To the old address as soon as a change is asked for: there is still time to stop it (A6.4).
  emailChangeRequested: {
    subject: 'A new e-mail was asked for in {brand}',
    preview: 'It counts once it is confirmed. Until then nothing changes.',
    heading: 'A new e-mail was asked for',
    intro: paragraphs(
      hello,
      'Mails about your account are to go to another address. That counts once the new address is confirmed, until {expires} at the latest; until then everything stays as it is.',
      'Was it not you or your administrator? Tell your administrator at once, and change your password.',
    ),
    outro: '',
  },
  // Goes to the old address and holds no link: whoever took over the account must not find one here.
  emailChanged: {
    subject: 'Your {brand} e-mail was changed',
    preview: 'Mails about your account now go to another address.',
    heading: 'Your e-mail was changed',
    intro: paragraphs(
      hello,
      'Mails about your account now go to another address. This is the last one to this address.',
      'Was it not you? Tell your administrator at once.',
    ),
    outro: '',
  },
  forgotCompany: {
    subject: 'Your company names in {brand}',
    preview: 'The names to log in with.',
    heading: 'Your company names',
    intro: '{email} has an account in:',
    outro: paragraphs(
      'Type one of these names as Company Name when you log in. Capital letters do not matter.',
      'If you did not ask for this, you can ignore it.',
    ),
  },
  locked: {
    subject: 'Your {brand} account is locked for a while',
    preview: 'After too many failed logins. It opens by itself at {until}.',
    heading: 'Your account is locked for a while',
    intro: paragraphs(
      hello,
      'There were too many failed logins in a row. Logging in is held back until the lock ends; where you are logged in already, you stay so.',
    ),
    outro: paragraphs(
      'You need not wait: a new password by "Can\'t log in?" on the login page lifts the lock, and so can your administrator.',
      'Were these tries not yours? Tell your administrator.',
    ),
  },
  passwordChanged: {
    subject: 'Your {brand} password was changed',
    preview: 'Your other sessions have ended.',
    heading: 'Your password was changed',
    intro: paragraphs(hello, 'Your other sessions have ended. Log in there with the new password.'),
    outro: `Was it not you? Tell your administrator at once, and set a new password by "Can't log in?" on the login page.`,
  },
  secondFactorReset: {
    subject: 'Your {brand} second factor was reset',
    preview: 'At your next login you set up an authenticator app again.',
    heading: 'Your second factor was reset',
    intro: paragraphs(
      hello,
      'Your authenticator app and your recovery codes for this account no longer work. At your next login you set up an app again.',
    ),
    outro: notYou,
  },
  secondFactorEnrolled: {
    subject: 'Your {brand} second factor is set up',
    preview: 'From now on you log in with your password and a code.',
    heading: 'Your second factor is set up',
    intro: paragraphs(hello, 'From now on you log in with your password and a code from your authenticator app.'),
    outro: notYou,
  },
  recoveryCodeUsed: {
    subject: 'A {brand} recovery code was used',
    preview: '{left}.',
    heading: 'A recovery code was used',
    intro: paragraphs(
      hello,
      'Someone logged in to your account with one of your recovery codes. {left}.',
      'New codes: My Settings > Security.',
    ),
    outro: notYou,
  },
  deactivated: {
    subject: 'Your {brand} account was deactivated',
    preview: 'You can no longer log in with it.',
    heading: 'Your account was deactivated',
    intro: paragraphs(
      hello,
      'You are logged out everywhere and can no longer log in with this account. Nothing of yours was deleted.',
      'If you think this is a mistake, ask your administrator, who can activate it again.',
    ),
    outro: '',
  },
  // To whoever began it: it took longer than one likes to watch (A5.6).
  importFinished: {
    subject: 'Your {brand} import {outcome}',
    preview: '{imported} imported, {skipped} skipped, {failed} failed.',
    heading: 'Your import is done',
    intro: paragraphs(hello, '{task} has finished.'),
    outro: paragraphs('{link}', 'You log in to see it.'),
  },
  exportReady: {
    subject: 'Your {brand} export is ready',
    preview: 'Log in to download it.',
    heading: 'Your export is ready',
    intro: paragraphs(hello, 'The file that you asked for at {company} is ready.'),
    outro: paragraphs(
      '{link}',
      'You log in to download it. The file is not in this mail, so that nobody else can read it on the way.',
    ),
  },
  // To the administrators of the company, 7 days and 1 day before (A8.6).
  exceptionEnds: {
    subject: '{account} soon has to use {brand} for {module}',
    preview: 'The exception ends on {expires}.',
    heading: 'An exception is about to end',
    intro: paragraphs(
      hello,
      '{account} may still log in to {module} without {brand}. That ends on {expires}; from then on only {brand} lets this account in.',
    ),
    outro: paragraphs(
      '{link}',
      'If the exception is needed for longer, give it a later end. If not, there is nothing to do.',
    ),
  },
  // To the administrators: the one exception that must not end, since nobody could get in but through us.
  exceptionKept: {
    subject: '{account} is the last way into {module}: the exception was kept',
    preview: 'It was about to end, and nobody else could get in without {brand}.',
    heading: 'The last exception was kept in force',
    intro: paragraphs(
      hello,
      'The exception of {account} for {module} was about to end. No other administrator of {module} could get in without {brand} then, so it stays in force until {expires}.',
      'Exempt another administrator of {module} who has a local password there, or say that this exception has no end.',
    ),
    outro: '{link}',
  },
  // To the administrators: something has changed at the module itself, which nobody here could refuse.
  noWayIn: {
    subject: 'Nobody could get into {module} without {brand}',
    preview: 'Its login is required, and no exempt administrator is left.',
    heading: 'No way in without {brand}',
    intro: paragraphs(
      hello,
      'Logging in with {brand} is required for {module}. As its list of accounts was read last, no exempt administrator of {module} can log in locally any more: they were suspended or demoted there, or have no local password.',
      'People with {brand} come in as before. For the day on which {brand} cannot be reached, exempt an active administrator of {module} who has a local password there.',
    ),
    outro: '{link}',
  },
  emergencyUsed: {
    subject: 'The emergency account of {module} has been used',
    preview: '{account} logged in locally.',
    heading: 'An emergency account was used',
    intro: paragraphs(
      hello,
      '{account}, the sealed emergency account of {module}, logged in there with its own password ({time}).',
      'If one of you opened the seal, give the account a new password and seal it again. If nobody did, suspend it in {module} now.',
    ),
    outro: '{link}',
  },
  // To the administrators at each connect: a live session is not asked, so a visit alone is enough for it.
  moduleConnected: {
    subject: '{module} has been connected to {company}',
    preview: '{who} connected it. Was it meant?',
    heading: 'A module was connected',
    intro: paragraphs(
      hello,
      '{who} connected {module} to {company} ({time}). It is among the modules of everybody with All Module Access now, and it can read the names of your access groups.',
      'If it was meant, nothing is to be done. If nobody wanted it, disconnect it: its credentials stop working at once.',
    ),
    outro: '{link}',
  },
  // To the administrators: an override of what is there for safety.
  contractOverridden: {
    subject: '{module} creates accounts without a passed contract test',
    preview: '{who} turned on automatic provisioning, and wrote down why.',
    heading: 'The contract test was overridden',
    intro: paragraphs(
      hello,
      '{who} turned on automatic user provisioning for {module} ({time}), though it has not passed the contract test. Until it has, nobody knows whether it suspends and removes accounts as it is told to.',
      'Run the test on the page of the module, or turn provisioning off until then.',
    ),
    outro: '{link}',
  },
  requirementReverted: {
    subject: 'Local login to {module} works again: nobody confirmed the trial',
    preview: 'Requiring {brand} was on trial, and has been taken back.',
    heading: 'The required login was taken back',
    intro: paragraphs(
      hello,
      'Logging in with {brand} was required for {module} on trial. No administrator of {module} came in through {brand} after it began, so it was taken back when the trial ended, on {time}. Everybody can log in there as before.',
      'Nothing else was changed. You can require it again at any time.',
    ),
    outro: '{link}',
  },
  // To the administrators: one act that would suspend many waits for a second of them.
  batchWaits: {
    subject: '{people} would lose {module}: confirm or refuse',
    preview: 'Nothing has been suspended there yet.',
    heading: 'A large change waits for you',
    intro: paragraphs(
      hello,
      '{people} at {company} would be suspended in {module} by one act. Since that is many at once, or an administrator of {module} is among them, it waits until an administrator other than the one who caused it confirms.',
      'Their access through {brand} has ended already where the act said so. Nothing has been suspended in {module} yet.',
    ),
    outro: '{link}',
  },
  // To the administrators, once a day: mapping rules have nothing to go by.
  groupsNotSaid: {
    subject: '{connection} did not say the groups of {account}',
    preview: 'Nothing was changed. Rules that go by groups need them.',
    heading: 'Groups are missing',
    intro: paragraphs(
      hello,
      '{account} logged in through {connection}, and their groups were not among what it sent. Role, access groups and status are as they were: a missing list is never taken for no groups. People who have no account yet are not created like this.',
      'Look at what the identity provider sends, or say that an empty list is right.',
    ),
    outro: '{link}',
  },
  // To the administrators, once for what a module has not taken for a quarter of an hour.
  deliveriesLate: {
    subject: '{module} has not been told of {people} yet',
    preview: 'Changes are waiting for more than 15 minutes. They are tried again by themselves.',
    heading: 'A module has not been reached',
    intro: paragraphs(
      hello,
      'Changes for {people} have been waiting for {module} for more than 15 minutes. They are tried again by themselves. Login through {brand} follows the changes already; a session or a local login in {module} may not.',
    ),
    outro: '{link}',
  },
  // To the administrators, 30 and 7 days before, and when it has ended.
  certificateEnds: {
    subject: 'A certificate of {connection} ends on {expires}',
    preview: 'Without a new one nobody can log in through it any more.',
    heading: 'A certificate is about to end',
    intro: paragraphs(
      hello,
      'A certificate with which {connection} signs ends on {expires}. Once the identity provider signs with a new one that is not known here, nobody can log in through {connection}.',
      'Upload the new certificate beside the present one, or read the metadata of the identity provider again. Remove the old one when the change is through.',
    ),
    outro: '{link}',
  },
  // To the administrators: the metadata was read again by its address.
  certificateAdded: {
    subject: '{connection} has announced a new certificate',
    preview: 'It is accepted beside the present one. Was it you?',
    heading: 'A new certificate of your identity provider',
    intro: paragraphs(
      hello,
      'The metadata of {connection} names a certificate that was not known here. It is accepted beside the present one from now on, so that logins go on when the identity provider changes over. Nothing was removed.',
      'If nobody of you is changing the certificate at the identity provider, remove it and find out who did.',
    ),
    outro: '{link}',
  },
  ssoReverted: {
    subject: 'Passwords work again: nobody confirmed {connection}',
    preview: 'Enforcing single sign-on was on trial, and has been taken back.',
    heading: 'Enforced single sign-on was taken back',
    intro: paragraphs(
      hello,
      'Logging in through {connection} was enforced on trial. No administrator logged in through it after the trial began, so it was taken back when it ended, on {time}. Everybody can log in as before.',
      'Nothing else was changed. You can enforce it again at any time.',
    ),
    outro: '{link}',
  },
  domainLost: {
    subject: 'The proof of {domain} is missing in DNS',
    preview: 'It is looked for once a day.',
    heading: 'The proof of a domain is missing',
    intro: paragraphs(
      hello,
      'The TXT record that proves that {domain} belongs to {company} is not in DNS any more. {outcome}: people with an address of it are not led to your single sign-on by their address then.',
      'Put the record back where it stood, or remove the domain.',
    ),
    outro: '{link}',
  },
  breakGlassEnds: {
    subject: '{account} may soon have to use single sign-on',
    preview: 'A break-glass person is about to end.',
    heading: 'A break-glass person is about to end',
    intro: paragraphs(
      hello,
      'The place of {account} on the list of break-glass people {outcome} until {expires}. Then a password is refused while single sign-on is enforced.',
    ),
    outro: paragraphs('{link}', 'If it is needed for longer, give it a later end. If not, there is nothing to do.'),
  },
  test: {
    subject: 'Test mail from {brand}',
    preview: 'Mail works.',
    heading: 'Mail works',
    intro: 'If you can read this, the mail settings of this installation are right.',
    outro: '',
  },
};
