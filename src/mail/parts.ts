// What a mail is made of beside its words (domain D.8): checked data to facts, a button and the values of placeholders. Pure functions.
import type { MailKind } from '../domain/mails/mail.ts';
import type { MailText, Placeholder } from '../domain/mails/text.ts';
import type { Checked } from './data.ts';

export interface MailContext {
  /** The brand shown to people. */
  brand: string;
  /** When the mail was caused: lifetimes are told from here. */
  createdAt: Date;
  /** Public address of this installation; pages of ours are named by their path alone (AUT-15). */
  publicUrl: string;
  /** A company's own words; without them, ours. */
  text?: MailText | null;
  /** Where answers go; null: nobody reads them. */
  replyTo?: string | null;
}

export interface Fact {
  label: string;
  value: string;
}

export interface Button {
  label: string;
  link: string;
}

type Values = Partial<Record<Placeholder, string>>;

/** What a mail is made of beside its words. */
export interface Parts {
  values: Values;
  facts?: Fact[];
  list?: string[];
  button?: Button | null;
}

type PartsOf<K extends MailKind> = (data: Checked<K>, context: MailContext) => Parts;

const personValues = (data: { name: string; company: string }): Values => ({ name: data.name, company: data.company });

const accountFacts = (data: { company: string; username: string }): Fact[] => [
  { label: 'Company Name', value: data.company },
  { label: 'Username', value: data.username },
];

const accountParts = (data: { name: string; company: string; username: string }): Parts => ({
  values: { ...personValues(data), username: data.username },
  facts: accountFacts(data),
});

const linkedParts =
  (label: string) =>
  (data: Checked<'invitation'>, context: MailContext): Parts => ({
    values: { ...accountParts(data).values, ...lifetime(data.expiresAt, context) },
    facts: accountFacts(data),
    button: { label, link: data.link },
  });

const companyAndTime = (data: { company: string; at: string }): Fact[] => [
  { label: 'Company Name', value: data.company },
  { label: 'When', value: moment(data.at) },
];

const happenedParts = (data: { name: string; company: string; at: string; ip: string }): Parts => ({
  values: { ...personValues(data), time: moment(data.at), address: data.ip },
  facts: [...companyAndTime(data), { label: 'From address', value: data.ip }],
});

const importNames = {
  csv: 'Bulk Invite CSV',
  module: 'Import from Module',
  form: 'The form for several users',
  file: 'The import of a file',
  directory: 'The import from the directory',
};

const importFinished: PartsOf<'importFinished'> = (data, context) => {
  const { imported, skipped, failed } = data.counts;
  const outcome =
    failed === 0 ? 'is done' : `is done, and ${number(failed)} ${failed === 1 ? 'row needs' : 'rows need'} you`;
  const counts = { imported: number(imported), skipped: number(skipped), failed: number(failed) };
  return {
    values: { ...personValues(data), ...counts, task: importNames[data.kind], outcome },
    facts: [
      { label: 'Company Name', value: data.company },
      { label: 'Imported', value: counts.imported },
      { label: 'Skipped', value: counts.skipped },
      { label: 'Failed', value: counts.failed },
    ],
    button: { label: 'Show the result', link: pageOf(data.href, context) },
  };
};

const connectionFacts = (data: { company: string; connection: string }): Fact[] => [
  { label: 'Company Name', value: data.company },
  { label: 'Connection', value: data.connection },
];

const exceptionParts =
  (label: string) =>
  (data: Checked<'exceptionEnds'>, context: MailContext): Parts => ({
    values: {
      ...personValues(data),
      module: data.module,
      account: data.account,
      expires: moment(data.endsAt),
    },
    facts: [
      { label: 'Company Name', value: data.company },
      { label: 'Module', value: data.module },
      { label: 'Account', value: data.account },
      { label: 'Reason', value: data.reason },
      { label, value: moment(data.endsAt) },
    ],
    button: { label: 'Show the exceptions', link: pageOf(data.href, context) },
  });

/** Every mail by its kind. */
export const partsOf: { [K in MailKind]: PartsOf<K> } = {
  invitation: linkedParts('Sign Up'),
  setup: linkedParts('Set a password'),
  passwordReset: linkedParts('Set a new password'),
  confirmEmail(data, context) {
    const parts = linkedParts('Confirm e-mail')(data, context);
    return { ...parts, values: { ...parts.values, email: data.email } };
  },
  emailChangeRequested: (data) => ({
    values: { ...personValues(data), time: moment(data.at), expires: moment(data.expiresAt) },
    facts: companyAndTime(data),
  }),
  emailChanged: (data) => ({
    values: { ...personValues(data), time: moment(data.at) },
    facts: companyAndTime(data),
  }),
  forgotCompany: (data) => ({ values: { email: data.email }, list: data.companies }),
  locked: (data) => ({
    values: { ...accountParts(data).values, until: moment(data.until), address: data.ip },
    facts: [
      ...accountFacts(data),
      { label: 'Locked until', value: moment(data.until) },
      { label: 'Last try from', value: data.ip },
    ],
  }),
  passwordChanged(data) {
    const { values, facts = [] } = happenedParts(data);
    const username = { label: 'Username', value: data.username };
    return { values: { ...values, username: data.username }, facts: [username, ...facts] };
  },
  secondFactorReset: happenedParts,
  secondFactorEnrolled: happenedParts,
  recoveryCodeUsed(data) {
    const { values, facts = [] } = happenedParts(data);
    return { values: { ...values, left: left(data.left) }, facts };
  },
  deactivated: accountParts,
  importFinished,
  exportReady: (data, context) => ({
    values: personValues(data),
    button: { label: 'Download', link: pageOf(data.href, context) },
  }),
  exceptionEnds: exceptionParts('Ends'),
  exceptionKept: exceptionParts('Now ends'),
  noWayIn: (data, context) => ({
    values: { ...personValues(data), module: data.module },
    facts: [
      { label: 'Company Name', value: data.company },
      { label: 'Module', value: data.module },
    ],
    button: { label: 'Show the exceptions', link: pageOf(data.href, context) },
  }),
  emergencyUsed: (data, context) => ({
    values: { ...personValues(data), module: data.module, account: data.account, time: moment(data.at) },
    facts: [
      { label: 'Company Name', value: data.company },
      { label: 'Module', value: data.module },
      { label: 'Account', value: data.account },
      { label: 'Time', value: moment(data.at) },
    ],
    button: { label: 'Show the exceptions', link: pageOf(data.href, context) },
  }),
  moduleConnected: (data, context) => ({
    values: {
      ...personValues(data),
      module: data.module,
      who: data.by,
      time: moment(data.at),
      address: data.from,
    },
    facts: [
      { label: 'Company Name', value: data.company },
      { label: 'Module', value: data.module },
      { label: 'Customer there', value: data.tenant },
      { label: 'Connected by', value: data.by },
      { label: 'Administrator there', value: data.admin },
      { label: 'Logged in from', value: data.from },
      { label: 'Server of the module', value: data.server },
      { label: 'Time', value: moment(data.at) },
    ],
    button: { label: 'Disconnect', link: pageOf(data.href, context) },
  }),
  contractOverridden: (data, context) => ({
    values: { ...personValues(data), module: data.module, who: data.by, time: moment(data.at), address: data.from },
    facts: [
      { label: 'Company Name', value: data.company },
      { label: 'Module', value: data.module },
      { label: 'Turned on by', value: data.by },
      { label: 'Reason', value: data.reason },
      { label: 'From', value: data.from },
      { label: 'Time', value: moment(data.at) },
    ],
    button: { label: 'Show the settings', link: pageOf(data.href, context) },
  }),
  requirementReverted: (data, context) => ({
    values: { ...personValues(data), module: data.module, time: moment(data.at) },
    facts: [
      { label: 'Company Name', value: data.company },
      { label: 'Module', value: data.module },
      { label: 'Trial ended', value: moment(data.at) },
    ],
    button: { label: 'Show the settings', link: pageOf(data.href, context) },
  }),
  batchWaits: (data, context) => ({
    values: { ...personValues(data), module: data.module, people: peopleWords(data.people) },
    facts: [
      { label: 'Company Name', value: data.company },
      { label: 'Module', value: data.module },
      { label: 'People', value: number(data.people) },
      { label: 'Cause', value: data.cause },
    ],
    button: { label: 'Look at it', link: pageOf(data.href, context) },
  }),
  groupsNotSaid: (data, context) => ({
    values: { ...personValues(data), connection: data.connection, account: data.account },
    facts: [
      { label: 'Company Name', value: data.company },
      { label: 'Connection', value: data.connection },
      { label: 'Problem', value: data.problem },
    ],
    button: { label: 'Show the connection', link: pageOf(data.href, context) },
  }),
  deliveriesLate: (data, context) => ({
    values: { ...personValues(data), module: data.module, people: peopleWords(data.people) },
    facts: [
      { label: 'Company Name', value: data.company },
      { label: 'Module', value: data.module },
      { label: 'Last answer', value: data.problem },
    ],
    button: { label: 'Show the deliveries', link: pageOf(data.href, context) },
  }),
  certificateEnds: (data, context) => ({
    values: { ...personValues(data), connection: data.connection, expires: moment(data.endsAt) },
    facts: [
      ...connectionFacts(data),
      { label: 'Certificate', value: data.certificate },
      { label: data.isOver ? 'Ended' : 'Ends', value: moment(data.endsAt) },
    ],
    button: { label: 'Show the certificates', link: pageOf(data.href, context) },
  }),
  certificateAdded: (data, context) => ({
    values: { ...personValues(data), connection: data.connection },
    facts: connectionFacts(data),
    list: data.certificates,
    button: { label: 'Show the certificates', link: pageOf(data.href, context) },
  }),
  ssoReverted: (data, context) => ({
    values: { ...personValues(data), connection: data.connection, time: moment(data.at) },
    facts: [...connectionFacts(data), { label: 'Trial ended', value: moment(data.at) }],
    button: { label: 'Show the connection', link: pageOf(data.href, context) },
  }),
  domainLost: (data, context) => ({
    values: {
      ...personValues(data),
      domain: data.domain,
      outcome: data.isLost
        ? 'It was missing for a week, so the domain is not proved any more'
        : `If it is still missing on ${moment(data.until)}, the domain is not proved any more`,
    },
    facts: [
      { label: 'Company Name', value: data.company },
      { label: 'Domain', value: data.domain },
    ],
    button: { label: 'Show the domains', link: pageOf(data.href, context) },
  }),
  breakGlassEnds: (data, context) => ({
    values: {
      ...personValues(data),
      account: data.account,
      outcome: data.isKept ? 'is kept, as the last way in,' : 'is in force',
      expires: moment(data.endsAt),
    },
    facts: [
      { label: 'Company Name', value: data.company },
      { label: 'Username', value: data.account },
      { label: 'Reason', value: data.reason },
      { label: data.isKept ? 'Now ends' : 'Ends', value: moment(data.endsAt) },
    ],
    button: { label: 'Show the break-glass people', link: pageOf(data.href, context) },
  }),
  test: (data, context) => ({
    values: {},
    facts: [
      { label: 'Installation', value: data.publicUrl },
      { label: 'Sent', value: moment(context.createdAt.toISOString()) },
    ],
  }),
};

const peopleWords = (people: number): string => `${number(people)} ${people === 1 ? 'person' : 'people'}`;

const number = (value: number): string => new Intl.NumberFormat('en').format(value);

const pageOf = (path: string, context: MailContext): string => new URL(path, context.publicUrl).href;

/** In UTC and saying so: a mail is read anywhere. */
function moment(iso: string): string {
  const text = new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeStyle: 'short', timeZone: 'UTC' });
  return `${text.format(new Date(iso))} UTC`;
}

function lifetime(expiresAt: string, context: MailContext): Values {
  const hours = Math.max(1, Math.round((new Date(expiresAt).getTime() - context.createdAt.getTime()) / 3_600_000));
  const length = hours >= 48 ? `${Math.round(hours / 24)} days` : `${hours} ${hours === 1 ? 'hour' : 'hours'}`;
  return { lifetime: length, expires: moment(expiresAt) };
}

const left = (codes: number): string => {
  if (codes === 0) return 'None is left';
  return codes === 1 ? '1 of 10 is left' : `${codes} of 10 are left`;
};
