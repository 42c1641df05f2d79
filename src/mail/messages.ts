// The words of each mail (domain D.8): a pure function from checked data to a message; how it looks is compose.ts's matter.
import { z } from 'zod';
import type { MailKind } from '../domain/mails/mail.ts';
import { oneLine } from './one-line.ts';

export interface Message {
  subject: string;
  /** What a mail program shows beside the subject. */
  preview: string;
  heading: string;
  paragraphs: string[];
  facts: { label: string; value: string }[];
  list: string[];
  button: { label: string; link: string } | null;
  /** Small print below the button. */
  notes: string[];
}

export interface MailContext {
  /** The brand shown to people. */
  brand: string;
  /** When the mail was caused: lifetimes are told from here. */
  createdAt: Date;
  /** Public address of this installation; pages of ours are named by their path alone (AUT-15). */
  publicUrl: string;
}

// Names are free text: a line break in one must neither reach a header nor begin a paragraph of its own (AUT-16).
const words = z.string().transform(oneLine);
const link = z.url({ protocol: /^https?$/ });
const time = z.iso.datetime();
const person = z.object({ name: words, company: words });
const account = person.extend({ username: words });
const linked = account.extend({ link, expiresAt: time });
/** A page of ours, by its path: "//elsewhere" would be another host, and so would "/<tab>/elsewhere". */
const path = z.string().regex(/^\/(?![/\\])[\x21-\x7e]*$/);
const count = z.number().int().min(0);
const happened = person.extend({ at: time, ip: words });

/** Shape of the data of each mail; callers are held to it by MailData, stored mails by parsing. */
export const mailSchemas = {
  invitation: linked,
  setup: linked,
  passwordReset: linked,
  confirmEmail: linked.extend({ email: words }),
  emailChanged: person.extend({ at: time }),
  forgotCompany: z.object({ email: words, companies: z.array(words) }),
  locked: account.extend({ until: time, ip: words }),
  passwordChanged: account.extend({ at: time, ip: words }),
  secondFactorReset: happened,
  secondFactorEnrolled: happened,
  recoveryCodeUsed: happened.extend({ left: count }),
  deactivated: account,
  importFinished: person.extend({
    kind: z.enum(['csv', 'module', 'form', 'file', 'directory']),
    counts: z.object({ imported: count, skipped: count, failed: count }),
    href: path,
  }),
  exportReady: person.extend({ href: path }),
  test: z.object({ publicUrl: words }),
} satisfies Record<MailKind, z.ZodType>;

export type MailData = { [K in MailKind]: z.input<(typeof mailSchemas)[K]> };
type Checked<K extends MailKind> = z.output<(typeof mailSchemas)[K]>;

type MessageOf<K extends MailKind> = (data: Checked<K>, context: MailContext) => Message;

const base = { facts: [], list: [], button: null, notes: [] } satisfies Partial<Message>;

const accountFacts = (data: { company: string; username: string }): Message['facts'] => [
  { label: 'Company Name', value: data.company },
  { label: 'Username', value: data.username },
];

const happenedFacts = (data: { company: string; at: string; ip: string }): Message['facts'] => [
  { label: 'Company Name', value: data.company },
  { label: 'When', value: moment(data.at) },
  { label: 'From address', value: data.ip },
];

const notYou = 'Was it not you? Tell your administrator at once, and change your password.';

const invitation: MessageOf<'invitation'> = (data, context) => ({
  ...base,
  subject: `Welcome to ${context.brand}`,
  preview: `${data.company} invites you. Set your password to begin.`,
  heading: `Welcome to ${context.brand}`,
  paragraphs: [
    `Hello ${data.name},`,
    `${data.company} invites you to ${context.brand}: one login for all the modules you work with.`,
    'First you set a password. Then you log in and set up an authenticator app on your phone.',
  ],
  facts: accountFacts(data),
  button: { label: 'Sign Up', link: data.link },
  notes: [lifetime(data.expiresAt, context), 'If you did not expect this invitation, you can ignore it.'],
});

const setup: MessageOf<'setup'> = (data, context) => ({
  ...base,
  subject: `Your ${context.brand} account is active again`,
  preview: 'Set a new password to log in.',
  heading: 'Welcome back',
  paragraphs: [
    `Hello ${data.name},`,
    `Your account at ${data.company} is active again. Set a new password; when you log in you also set up your second factor again.`,
  ],
  facts: accountFacts(data),
  button: { label: 'Set a password', link: data.link },
  notes: [lifetime(data.expiresAt, context), 'After that, your administrator can send you a new one.'],
});

const passwordReset: MessageOf<'passwordReset'> = (data, context) => ({
  ...base,
  subject: `Set a new ${context.brand} password`,
  preview: 'The link for your new password.',
  heading: 'Set a new password',
  paragraphs: [
    `Hello ${data.name},`,
    'Someone, most likely you or your administrator, asked for a new password for this account.',
  ],
  facts: accountFacts(data),
  button: { label: 'Set a new password', link: data.link },
  notes: [lifetime(data.expiresAt, context), 'If it was not you, ignore this mail: your password stays as it is.'],
});

const confirmEmail: MessageOf<'confirmEmail'> = (data, context) => ({
  ...base,
  subject: `Confirm your new e-mail for ${context.brand}`,
  preview: 'One press, and your mails go to this address.',
  heading: 'Confirm your new e-mail',
  paragraphs: [
    `Hello ${data.name},`,
    `From now on mails about this account are to go to ${data.email}. Confirm that it is yours.`,
  ],
  facts: accountFacts(data),
  button: { label: 'Confirm e-mail', link: data.link },
  notes: [lifetime(data.expiresAt, context), 'If you did not ask for this, ignore it: nothing changes.'],
});

/** Goes to the old address and holds no link: whoever took over the account must not find one here. */
const emailChanged: MessageOf<'emailChanged'> = (data, context) => ({
  ...base,
  subject: `Your ${context.brand} e-mail was changed`,
  preview: 'Mails about your account now go to another address.',
  heading: 'Your e-mail was changed',
  paragraphs: [
    `Hello ${data.name},`,
    'Mails about your account now go to another address. This is the last one to this address.',
    'Was it not you? Tell your administrator at once.',
  ],
  facts: [
    { label: 'Company Name', value: data.company },
    { label: 'When', value: moment(data.at) },
  ],
});

const forgotCompany: MessageOf<'forgotCompany'> = (data, context) => ({
  ...base,
  subject: `Your company names in ${context.brand}`,
  preview: 'The names to log in with.',
  heading: 'Your company names',
  paragraphs: [`${data.email} has an account in:`],
  list: data.companies,
  notes: [
    'Type one of these names as Company Name when you log in. Capital letters do not matter.',
    'If you did not ask for this, you can ignore it.',
  ],
});

const locked: MessageOf<'locked'> = (data, context) => ({
  ...base,
  subject: `Your ${context.brand} account is locked for a while`,
  preview: `After too many failed logins. It opens by itself at ${moment(data.until)}.`,
  heading: 'Your account is locked for a while',
  paragraphs: [
    `Hello ${data.name},`,
    'There were too many failed logins in a row. Logging in is held back until the lock ends; where you are logged in already, you stay so.',
  ],
  facts: [
    ...accountFacts(data),
    { label: 'Locked until', value: moment(data.until) },
    { label: 'Last try from', value: data.ip },
  ],
  notes: [
    'You need not wait: a new password by "Can\'t log in?" on the login page lifts the lock, and so can your administrator.',
    'Were these tries not yours? Tell your administrator.',
  ],
});

const passwordChanged: MessageOf<'passwordChanged'> = (data, context) => ({
  ...base,
  subject: `Your ${context.brand} password was changed`,
  preview: 'Your other sessions have ended.',
  heading: 'Your password was changed',
  paragraphs: [`Hello ${data.name},`, 'Your other sessions have ended. Log in there with the new password.'],
  facts: [{ label: 'Username', value: data.username }, ...happenedFacts(data)],
  notes: [
    `Was it not you? Tell your administrator at once, and set a new password by "Can't log in?" on the login page.`,
  ],
});

const secondFactorReset: MessageOf<'secondFactorReset'> = (data, context) => ({
  ...base,
  subject: `Your ${context.brand} second factor was reset`,
  preview: 'At your next login you set up an authenticator app again.',
  heading: 'Your second factor was reset',
  paragraphs: [
    `Hello ${data.name},`,
    'Your authenticator app and your recovery codes for this account no longer work. At your next login you set up an app again.',
  ],
  facts: happenedFacts(data),
  notes: [notYou],
});

const secondFactorEnrolled: MessageOf<'secondFactorEnrolled'> = (data, context) => ({
  ...base,
  subject: `Your ${context.brand} second factor is set up`,
  preview: 'From now on you log in with your password and a code.',
  heading: 'Your second factor is set up',
  paragraphs: [
    `Hello ${data.name},`,
    'From now on you log in with your password and a code from your authenticator app.',
  ],
  facts: happenedFacts(data),
  notes: [notYou],
});

const recoveryCodeUsed: MessageOf<'recoveryCodeUsed'> = (data, context) => ({
  ...base,
  subject: `A ${context.brand} recovery code was used`,
  preview: `${left(data.left)} left.`,
  heading: 'A recovery code was used',
  paragraphs: [
    `Hello ${data.name},`,
    `Someone logged in to your account with one of your recovery codes. ${left(data.left)} left.`,
    'New codes: My Settings > Security.',
  ],
  facts: happenedFacts(data),
  notes: [notYou],
});

const deactivated: MessageOf<'deactivated'> = (data, context) => ({
  ...base,
  subject: `Your ${context.brand} account was deactivated`,
  preview: 'You can no longer log in with it.',
  heading: 'Your account was deactivated',
  paragraphs: [
    `Hello ${data.name},`,
    'You are logged out everywhere and can no longer log in with this account. Nothing of yours was deleted.',
    'If you think this is a mistake, ask your administrator, who can activate it again.',
  ],
  facts: accountFacts(data),
});

const importNames = {
  csv: 'Bulk Invite CSV',
  module: 'Import from Module',
  form: 'The form for several users',
  file: 'The import of a file',
  directory: 'The import from the directory',
};

/** To whoever began the import (A5.6): it took longer than one likes to watch. */
const importFinished: MessageOf<'importFinished'> = (data, context) => {
  const { imported, skipped, failed } = data.counts;
  const outcome = failed === 0 ? 'is done' : `is done, and ${failed} ${failed === 1 ? 'row needs' : 'rows need'} you`;
  return {
    ...base,
    subject: `Your ${context.brand} import ${outcome}`,
    preview: `${imported} imported, ${skipped} skipped, ${failed} failed.`,
    heading: 'Your import is done',
    paragraphs: [`Hello ${data.name},`, `${importNames[data.kind]} has finished.`],
    facts: [
      { label: 'Company Name', value: data.company },
      { label: 'Imported', value: number.format(imported) },
      { label: 'Skipped', value: number.format(skipped) },
      { label: 'Failed', value: number.format(failed) },
    ],
    button: { label: 'Show the result', link: pageOf(data.href, context) },
    notes: ['You log in to see it.'],
  };
};

const exportReady: MessageOf<'exportReady'> = (data, context) => ({
  ...base,
  subject: `Your ${context.brand} export is ready`,
  preview: 'Log in to download it.',
  heading: 'Your export is ready',
  paragraphs: [`Hello ${data.name},`, `The file that you asked for at ${data.company} is ready.`],
  button: { label: 'Download', link: pageOf(data.href, context) },
  notes: ['You log in to download it. The file is not in this mail, so that nobody else can read it on the way.'],
});

const test: MessageOf<'test'> = (data, context) => ({
  ...base,
  subject: `Test mail from ${context.brand}`,
  preview: 'Mail works.',
  heading: 'Mail works',
  paragraphs: ['If you can read this, the mail settings of this installation are right.'],
  facts: [
    { label: 'Installation', value: data.publicUrl },
    { label: 'Sent', value: moment(context.createdAt.toISOString()) },
  ],
});

/** Every mail by its kind. */
export const messages: { [K in MailKind]: MessageOf<K> } = {
  invitation,
  setup,
  passwordReset,
  confirmEmail,
  emailChanged,
  forgotCompany,
  locked,
  passwordChanged,
  secondFactorReset,
  secondFactorEnrolled,
  recoveryCodeUsed,
  deactivated,
  importFinished,
  exportReady,
  test,
};

const number = new Intl.NumberFormat('en');

const pageOf = (path: string, context: MailContext): string => new URL(path, context.publicUrl).href;

/** In UTC and saying so: a mail is read anywhere. */
function moment(iso: string): string {
  const text = new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeStyle: 'short', timeZone: 'UTC' });
  return `${text.format(new Date(iso))} UTC`;
}

function lifetime(expiresAt: string, context: MailContext): string {
  const hours = Math.max(1, Math.round((new Date(expiresAt).getTime() - context.createdAt.getTime()) / 3_600_000));
  const length = hours >= 48 ? `${Math.round(hours / 24)} days` : `${hours} ${hours === 1 ? 'hour' : 'hours'}`;
  return `The link works for ${length}, until ${moment(expiresAt)}, and only once.`;
}

const left = (codes: number): string => {
  if (codes === 0) return 'None is';
  return codes === 1 ? '1 of 10 is' : `${codes} of 10 are`;
};
