// What the mails are told: the shape of the data of each kind, as callers give them and as stored mails are read again.
import { z } from 'zod';
import type { MailKind } from '../domain/mails/mail.ts';
import { oneLine } from './one-line.ts';

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
const exception = person.extend({ module: words, account: words, reason: words, endsAt: time, href: path });
const happened = person.extend({ at: time, ip: words });

/** Shape of the data of each mail; callers are held to it by MailData, stored mails by parsing. */
export const mailSchemas = {
  invitation: linked,
  setup: linked,
  passwordReset: linked,
  confirmEmail: linked.extend({ email: words }),
  emailChangeRequested: person.extend({ at: time, expiresAt: time }),
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
  exceptionEnds: exception,
  exceptionKept: exception,
  noWayIn: person.extend({ module: words, href: path }),
  emergencyUsed: person.extend({ module: words, account: words, at: time, href: path }),
  moduleConnected: person.extend({
    module: words,
    tenant: words,
    by: words,
    admin: words,
    from: words,
    server: words,
    at: time,
    href: path,
  }),
  contractOverridden: person.extend({ module: words, by: words, reason: words, from: words, at: time, href: path }),
  requirementReverted: person.extend({ module: words, at: time, href: path }),
  batchWaits: person.extend({ module: words, people: count, cause: words, href: path }),
  groupsNotSaid: person.extend({ connection: words, account: words, problem: words, href: path }),
  deliveriesLate: person.extend({ module: words, people: count, problem: words, href: path }),
  certificateEnds: person.extend({
    connection: words,
    certificate: words,
    endsAt: time,
    isOver: z.boolean(),
    href: path,
  }),
  certificateAdded: person.extend({ connection: words, certificates: z.array(words), href: path }),
  ssoReverted: person.extend({ connection: words, at: time, href: path }),
  domainLost: person.extend({ domain: words, isLost: z.boolean(), until: time, href: path }),
  breakGlassEnds: person.extend({ account: words, reason: words, endsAt: time, isKept: z.boolean(), href: path }),
  test: z.object({ publicUrl: words }),
} satisfies Record<MailKind, z.ZodType>;

export type MailData = { [K in MailKind]: z.input<(typeof mailSchemas)[K]> };
export type Checked<K extends MailKind> = z.output<(typeof mailSchemas)[K]>;
