// What a company may change of a mail: subject, heading and the words before and after its facts, as plain text with placeholders.
import { z } from 'zod';
import { invalid } from '../../lib/errors.ts';
import { type MailKind, mailKinds } from './mail.ts';

export interface MailText {
  subject: string;
  heading: string;
  /** Paragraphs before the facts (company, username, time ...). */
  intro: string;
  /** Paragraphs after them. */
  outro: string;
}

/** Not the mail that names several companies, nor the test mail, which says what this installation is. */
export type TextKind = Exclude<MailKind, 'forgotCompany' | 'test'>;

export const textKinds = mailKinds.filter((kind): kind is TextKind => kind !== 'forgotCompany' && kind !== 'test');

/** What each placeholder stands for, as the page tells it. */
export const placeholderWords = {
  brand: 'Name of this service',
  company: 'Company name',
  name: 'Name of the person',
  username: 'Username',
  email: 'The new e-mail',
  link: 'The button, on a line of its own',
  lifetime: 'How long the link works, such as "14 days"',
  expires: 'When the link ends',
  time: 'When it happened',
  address: 'Network address it came from',
  until: 'When the lock ends',
  left: 'Recovery codes that are left, such as "9 of 10 are left"',
  task: 'What was imported, such as "Bulk Invite CSV"',
  outcome: 'How it ended, such as "is done"',
  imported: 'Number of imported people',
  skipped: 'Number of skipped people',
  failed: 'Number of failed rows',
  module: 'Name of the module',
  account: 'What the account is called in the module',
  who: 'Who did it',
  connection: 'Name of the single sign-on connection',
  domain: 'The e-mail domain',
  people: 'How many people it is about, such as "37 people"',
} as const;

export type Placeholder = keyof typeof placeholderWords;

const person = ['name', 'company', 'brand'] as const;
const account = [...person, 'username'] as const;
const linked = [...account, 'link', 'lifetime', 'expires'] as const;
const happened = [...person, 'time', 'address'] as const;

export const placeholdersOf: Record<TextKind, readonly Placeholder[]> = {
  invitation: linked,
  setup: linked,
  passwordReset: linked,
  confirmEmail: [...linked, 'email'],
  emailChangeRequested: [...person, 'time', 'expires'],
  emailChanged: [...person, 'time'],
  locked: [...account, 'until', 'address'],
  passwordChanged: [...account, 'time', 'address'],
  secondFactorReset: happened,
  secondFactorEnrolled: happened,
  recoveryCodeUsed: [...happened, 'left'],
  deactivated: account,
  importFinished: [...person, 'task', 'outcome', 'imported', 'skipped', 'failed', 'link'],
  exportReady: [...person, 'link'],
  exceptionEnds: [...person, 'module', 'account', 'expires', 'link'],
  exceptionKept: [...person, 'module', 'account', 'expires', 'link'],
  noWayIn: [...person, 'module', 'link'],
  emergencyUsed: [...person, 'module', 'account', 'time', 'link'],
  moduleConnected: [...person, 'module', 'who', 'time', 'address', 'link'],
  contractOverridden: [...person, 'module', 'who', 'time', 'address', 'link'],
  requirementReverted: [...person, 'module', 'time', 'link'],
  batchWaits: [...person, 'module', 'people', 'link'],
  deliveriesLate: [...person, 'module', 'people', 'link'],
  groupsNotSaid: [...person, 'connection', 'account', 'link'],
  certificateEnds: [...person, 'connection', 'expires', 'link'],
  certificateAdded: [...person, 'connection', 'link'],
  ssoReverted: [...person, 'connection', 'time', 'link'],
  domainLost: [...person, 'domain', 'outcome', 'link'],
  breakGlassEnds: [...person, 'account', 'outcome', 'expires', 'link'],
};

/** Without these a mail is of no use to whoever gets it. */
export const mandatoryOf = (kind: TextKind): readonly Placeholder[] =>
  placeholdersOf[kind].includes('link') ? ['link'] : [];

export const textLimits = { subject: 150, heading: 100, intro: 2000, outro: 2000 } as const;

// Browsers end lines with CR LF; any other control character has no business in a mail.
const lines = (limit: number, what: string) =>
  z
    .string()
    .transform((text) => text.replace(/\r\n?/g, '\n').trim())
    .pipe(
      z
        .string()
        .max(limit, `${what} has ${limit} characters at most.`)
        .regex(
          /^[^\p{Cc}\p{Zl}\p{Zp}]*(?:\n[^\p{Cc}\p{Zl}\p{Zp}]*)*$/u,
          `${what} holds a character that no mail can show.`,
        ),
    );
const line = (limit: number, what: string) =>
  z
    .string()
    .trim()
    .min(1, `${what} cannot be empty.`)
    .max(limit, `${what} has ${limit} characters at most.`)
    .regex(/^[^\p{Cc}\p{Zl}\p{Zp}]*$/u, `${what} is one line.`);

const textSchema = z.object({
  subject: line(textLimits.subject, 'The subject'),
  heading: line(textLimits.heading, 'The heading'),
  intro: lines(textLimits.intro, 'The text before the facts').pipe(
    z.string().min(1, 'The text before the facts cannot be empty.'),
  ),
  outro: lines(textLimits.outro, 'The text after the facts'),
});

const parts = ['subject', 'heading', 'intro', 'outro'] as const;

/** What a part has against it, or null. */
function complaintAbout(kind: TextKind, part: (typeof parts)[number], text: string): string | null {
  const known = placeholdersOf[kind];
  const isLine = part === 'subject' || part === 'heading';
  for (const [whole, name = ''] of text.matchAll(/\{([^{}\n]*)\}/g)) {
    if (!known.some((one) => one === name)) return `There is no placeholder ${whole} in this mail.`;
    if (isLine && name === 'link') return 'The button {link} stands in the text, not here.';
  }
  if (/[{}]/.test(text.replace(/\{[^{}\n]*\}/g, '')))
    return 'A brace that stands alone: placeholders are written like {name}.';
  if (text.split('\n').some((line) => line.includes('{link}') && line.trim() !== '{link}'))
    return '{link} becomes a button: it stands on a line of its own.';
  return null;
}

/**
 * A text as it may be stored, from what was typed.
 * @throws AppError 422 with the field that is refused
 */
export function checkText(kind: TextKind, typed: Record<string, string | undefined>): MailText {
  const parsed = textSchema.safeParse(Object.fromEntries(parts.map((part) => [part, typed[part] ?? ''])));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw invalid(issue?.message ?? '', { [String(issue?.path[0])]: issue?.message ?? '' });
  }
  const text = parsed.data;
  for (const part of parts) {
    const complaint = complaintAbout(kind, part, text[part]);
    if (complaint) throw invalid(complaint, { [part]: complaint });
  }
  const links = `${text.intro}\n${text.outro}`.split('{link}').length - 1;
  if (mandatoryOf(kind).includes('link') && links !== 1) {
    const complaint =
      links === 0
        ? 'The button is missing: put {link} on a line of its own.'
        : 'The button {link} stands in a mail only once.';
    throw invalid(complaint, { outro: complaint });
  }
  return text;
}

/** Sender and answers, as far as they are a company's own. */
export interface MailSettings {
  /** Null: the name of the installation. */
  senderName: string | null;
  replyTo: string | null;
  /** Only with a domain that the operator allows; else mails come from the installation's address. */
  fromAddress: string | null;
}

export const noSettings: MailSettings = { senderName: null, replyTo: null, fromAddress: null };

const nothing = (value: string) => (value === '' ? null : value);
const address = (what: string) =>
  z
    .string()
    .trim()
    .max(100, `${what} has 100 characters at most.`)
    .refine((value) => value === '' || z.email().safeParse(value).success, `${what} is no e-mail address.`)
    .transform(nothing);

const settingsSchema = z.object({
  // An address in a name is how mails pretend to come from somebody else.
  senderName: z
    .string()
    .trim()
    .max(60, 'The sender name has 60 characters at most.')
    .regex(/^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}<>"@]*$/u, 'The sender name cannot contain @, <, >, quotes or line breaks.')
    .transform(nothing),
  replyTo: address('The address for answers'),
  fromAddress: address('The sender address'),
});

const isAllowedFrom = (address: string, domains: readonly string[]): boolean =>
  domains.includes(address.slice(address.lastIndexOf('@') + 1).toLowerCase());

/** The company's own sender address, unless the operator has taken its domain back since. */
export const fromAddressOf = ({ fromAddress }: MailSettings, domains: readonly string[]): string | null =>
  fromAddress !== null && isAllowedFrom(fromAddress, domains) ? fromAddress : null;

/** @throws AppError 422 with the field that is refused */
export function checkSettings(typed: Record<string, string | undefined>, domains: readonly string[]): MailSettings {
  const { senderName = '', replyTo = '', fromAddress = '' } = typed;
  const parsed = settingsSchema.safeParse({ senderName, replyTo, fromAddress });
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw invalid(issue?.message ?? '', { [String(issue?.path[0])]: issue?.message ?? '' });
  }
  const settings = parsed.data;
  if (settings.fromAddress !== null && !isAllowedFrom(settings.fromAddress, domains)) {
    const complaint = 'The operator of this installation does not let mails come from that domain.';
    throw invalid(complaint, { fromAddress: complaint });
  }
  return settings;
}
