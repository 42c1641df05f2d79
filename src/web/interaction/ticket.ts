// How far a sign-in has come, carried by the browser, sealed: the database is asked only when something is decided.
// A ticket belongs to one waiting request (uid) and one browser, and by itself opens nothing: each step that counts reads the
// facts anew, and counters live in the database, so an old ticket played again gains nothing.
import { z } from 'zod';
import { minutes } from '../../lib/time.ts';

/** Of a refused entry (integrations/entry.ts). */
export const because = z.enum(['no-group', 'other-instance', 'no-permission', 'not-administrator']).default('no-group');

export const ticketSchema = z.object({
  uid: z.string(),
  clientId: z.string(),
  prompt: z.string(),
  step: z.enum(['identify', 'sso', 'password', 'set-password', 'code', 'enrol', 'recovery-codes', 'entry', 'consent']),
  scopes: z.array(z.string()).default([]),
  redirectHost: z.string().default(''),
  username: z.string().default(''),
  company: z.string().default(''),
  /** The company is given by the address or by the server: its field is not shown. */
  isCompanyFixed: z.boolean().default(false),
  /** It was given by a Company Login URL, which may have been the wrong one. */
  mayUseOtherCompany: z.boolean().default(false),
  /** Set when the password was right, with the time and what was proved: the half-authenticated state (AUT-24). */
  half: z
    .object({
      userId: z.string(),
      at: z.number(),
      /** Digests of the password's hash and of the factor just enrolled; without them it stands for nothing. */
      proved: z.string().default(''),
      enrolled: z.string().default(''),
      /** The connection whose identity provider was believed instead of a password. */
      upstream: z.string().nullable().default(null),
      /** Its answer, which a logout there takes back. */
      arrival: z.string().nullable().default(null),
      /** When the person proved themselves, in milliseconds since the epoch; null: with this very sign-in. */
      authenticatedAt: z.number().nullable().default(null),
      /** The line of its log that waits for our own second factor. */
      attempt: z.string().nullable().default(null),
      /** Hash of its name of the session there, for its logout. */
      upstreamSession: z.string().nullable().default(null),
    })
    .nullable()
    .default(null),
  /** How people of the company log in through their own identity provider (D.5 steps 1, 2). */
  sso: z
    .object({
      connections: z.array(z.object({ id: z.string(), name: z.string() })).default([]),
      /** No password is taken (C26). */
      isEnforced: z.boolean().default(false),
      /** The way is clear, and the browser has not been sent on it yet. */
      isStraight: z.boolean().default(false),
    })
    .prefault({}),
  /** Proved anew whatever session the upstream has (prompt=login, max_age). */
  isAnew: z.boolean().default(false),
  /** The module demands our own second factor (acr). */
  asksSecondFactor: z.boolean().default(false),
  reason: z.enum(['first', 'expired', 'reset']).default('first'),
  method: z.enum(['totp', 'recovery']).default('totp'),
  /** The company lets a recovery code stand in for the app. */
  mayRecover: z.boolean().default(true),
  tries: z.number().default(0),
  /** Secret of an enrolment that waits for its first code. */
  secret: z.string().nullable().default(null),
  recoveryCodes: z.array(z.string()).default([]),
  /** The refused entry: why, and a code that an administrator can look up. */
  because,
  code: z.string().default(''),
});

export type Ticket = z.infer<typeof ticketSchema>;
export type TicketStep = Ticket['step'];

/** AUT-24: the time between the right password and the second factor. Enrolling takes longer: an app must be fetched first. */
const halfLife: Record<TicketStep, number> = {
  identify: 0,
  sso: 0,
  password: 0,
  entry: 0,
  consent: 0,
  code: minutes(5),
  'set-password': minutes(5),
  enrol: minutes(15),
  'recovery-codes': minutes(15),
};

const maxTries = 10;

/** The step to show now: a half-authenticated state that has run out goes back to the password. */
export function presentStep(ticket: Ticket, now: Date): TicketStep {
  const life = halfLife[ticket.step];
  if (life === 0) return ticket.step;
  if (!ticket.half || now.getTime() - ticket.half.at > life || ticket.tries >= maxTries) return askedFirst(ticket);
  return ticket.step;
}

/** Where a sign-in stands that has proved nothing yet. */
export function askedFirst(ticket: Ticket): TicketStep {
  if (ticket.sso.isEnforced) return 'sso';
  return ticket.username === '' ? 'identify' : 'password';
}

const hintsSchema = z.object({
  username: z.string().max(320).catch(''),
  company: z.string().max(200).catch(''),
});

/** Names that the address brings along are filled in on the first screen; nobody has been chosen there yet. */
export function hinted(ticket: Ticket, query: Record<string, unknown>): Ticket {
  if (ticket.step !== 'identify') return ticket;
  const hints = hintsSchema.parse(query);
  return {
    ...ticket,
    username: hints.username || ticket.username,
    company: ticket.isCompanyFixed ? ticket.company : hints.company || ticket.company,
  };
}

/** Back to the first screen, keeping what belongs to the request. */
export function restarted(ticket: Ticket): Ticket {
  return {
    ...ticket,
    step: 'identify',
    username: '',
    company: ticket.isCompanyFixed ? ticket.company : '',
    sso: {
      ...ticket.sso,
      connections: ticket.isCompanyFixed ? ticket.sso.connections : [],
      isEnforced: false,
      isStraight: false,
    },
    half: null,
    method: 'totp',
    tries: 0,
    secret: null,
    recoveryCodes: [],
  };
}

/** The company is asked for, as at the general address. */
export function withOtherCompany(ticket: Ticket): Ticket {
  const sso = { connections: [], isEnforced: false, isStraight: false };
  return { ...ticket, company: '', isCompanyFixed: false, mayUseOtherCompany: false, sso };
}

/** The password has to be typed again. */
export function withoutHalf(ticket: Ticket): Ticket {
  return {
    ...ticket,
    step: askedFirst(ticket),
    half: null,
    tries: 0,
    secret: null,
    recoveryCodes: [],
    method: 'totp',
  };
}
