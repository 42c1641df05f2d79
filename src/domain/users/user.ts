// People: names, status and what may be done to them (D.4). Owns the users table; owns neither passwords nor groups.
import { z } from 'zod';
import type { CompanyId, UserId } from '../../lib/ids.ts';
import { isTimeZone } from '../../lib/time.ts';
import { choosableRoles, type Role } from '../roles/role.ts';

export type BaseStatus = 'Invited' | 'Active' | 'Deactivated' | 'Deleted';
/** What pages show: a running lock is laid over Active (C8). */
export type Status = 'Invited' | 'Active' | 'Deactivated' | 'LockedOut' | 'Deleted';

export interface User {
  id: UserId;
  companyId: CompanyId;
  username: string;
  email: string;
  emailVerifiedAt: Date | null;
  pendingEmail: string | null;
  firstName: string;
  lastName: string;
  phone: string | null;
  timeZone: string | null;
  theme: 'auto' | 'light' | 'dark';
  role: Role;
  baseStatus: BaseStatus;
  deactivatedReason: 'admin' | 'mapping' | 'scim' | null;
  failures: number;
  lockedUntil: Date | null;
  mustSetPassword: boolean;
  mustEnrol2fa: boolean;
  source: 'form' | 'csv' | 'module' | 'sso' | 'sync' | 'api' | 'setup';
  lastLoginAt: Date | null;
  createdAt: Date;
}

/** International letters (with their combining marks), digits, spaces, dashes, apostrophes; nothing else (A3.2). */
const name = (label: string) =>
  z
    .string()
    .trim()
    .normalize('NFC')
    .min(1, `Enter the ${label}.`)
    .max(48, `The ${label} has 48 characters at most.`)
    .regex(
      /^[\p{L}\p{M}\p{Nd} \-'’]+$/u,
      `The ${label} may hold letters, digits, spaces, dashes and apostrophes only.`,
    );

export const firstNameSchema = name('first name');
export const lastNameSchema = name('last name');

export const emailSchema = z
  .string()
  .trim()
  .max(100, 'An e-mail address has 100 characters at most.')
  .pipe(z.email('Enter a valid e-mail address, such as ada@example.com.'));

/** A3.4: an e-mail may be longer than a username; then a shorter one is asked for, never cut. */
export const usernameSchema = z
  .string()
  .trim()
  .min(1, 'Enter a username.')
  .max(50, 'A username has 50 characters at most. Choose a shorter one.')
  .regex(/^[^#/?\\\p{Cc}]+$/u, 'A username cannot contain # / ? or \\.');

export const roleSchema = z.enum(choosableRoles, 'Choose one of the four roles.');

export const phoneSchema = z
  .string()
  .trim()
  .max(32, 'A phone number has 32 characters at most.')
  .regex(/^[+0-9 ()./-]*$/, 'A phone number holds digits, spaces and + ( ) . / - only.');

export const timeZoneSchema = z
  .string()
  .refine((zone) => zone === '' || isTimeZone(zone), 'Choose a time zone from the list.');

export const usernameTaken = 'There is a person with this username already.';

/** Usernames sign people in without regard to case (B.1). */
export function usernameKey(username: string): string {
  return username.normalize('NFKC').trim().toLowerCase();
}

export function emailKey(email: string): string {
  return email.normalize('NFKC').trim().toLowerCase();
}

/** A lock ends by itself (T11). */
export const isLockedAt = ({ lockedUntil }: Pick<User, 'lockedUntil'>, now: Date): boolean =>
  lockedUntil !== null && lockedUntil > now;

/** C8: Deactivated wins over locked, and a lock ends without a job. */
export function statusOf(user: Pick<User, 'baseStatus' | 'lockedUntil'>, now: Date): Status {
  if (user.baseStatus === 'Active' && isLockedAt(user, now)) return 'LockedOut';
  return user.baseStatus;
}

/** Acts on a person that D.4 guards. */
export type Transition =
  | 'deactivate'
  | 'activate'
  | 'unlock'
  | 'recover'
  | 'delete'
  | 'resend'
  | 'copy-link'
  | 'reset-password'
  | 'reset-2fa'
  | 'edit'
  | 'change-role'
  | 'change-email'
  | 'end-sessions';

export type TransitionDecision = { allowed: true; to: BaseStatus } | { allowed: false; because: string };

export type TransitionFacts = Pick<User, 'baseStatus' | 'role' | 'id'> & Partial<Pick<User, 'mustEnrol2fa' | 'email'>>;

export interface TransitionBy {
  /** Null: the operator or the system. */
  actorId: UserId | null;
  reactivate: 'immediate' | 'reinvite';
  /** Mail to the person's address is not sent any more (A3.9). */
  isMailBlocked?: boolean;
  /** The person signs in with single sign-on alone (A10.13). */
  usesSso?: boolean;
}

const refuse = (because: string): TransitionDecision => ({ allowed: false, because });

/** Why nobody but the Root Admin, and the operator, may do this to the Root Admin: it could take away the last way in, or hand it over. */
const rootRefusals: Partial<Record<Transition, string>> = {
  deactivate: 'The Root Admin cannot be deactivated.',
  activate: 'The Root Admin cannot be activated.',
  delete: 'The Root Admin cannot be deleted.',
  'change-role': 'The role of the Root Admin cannot be changed.',
};

const rootByOthers: Partial<Record<Transition, string>> = {
  'reset-password': "Only the Root Admin can reset their own password, with Can't log in? on the login page.",
  'reset-2fa': 'Only the Root Admin can reset their own second factor, in My Settings.',
  'change-email': 'Only the Root Admin can change their own e-mail, in My Settings.',
  'copy-link': 'The invitation of the Root Admin is for them alone: it can be sent again, not copied.',
  'end-sessions': 'Only the Root Admin can end their own sessions, in My Settings.',
};

/** C10, C11, D.10 no. 9; what needs fresh proof is done in My Settings, where that is asked for (AUT-19). */
const selfRefusals: Partial<Record<Transition, string>> = {
  deactivate: 'You cannot deactivate yourself.',
  activate: 'You cannot activate yourself.',
  delete: 'You cannot delete yourself. Another administrator can.',
  'change-role': 'You cannot change your own role. Another administrator can.',
  'reset-2fa': 'Reset your own second factor in My Settings, where you confirm that it is you.',
  'change-email': 'Change your own e-mail in My Settings, where you confirm that it is you.',
};

/** The guards of D.4 for acts of administrators and of the operator. One function for the act, for the page and for a bulk's preview. */
export function decideTransition(transition: Transition, user: TransitionFacts, by: TransitionBy): TransitionDecision {
  const isRoot = user.role === 'Root Admin';
  const isSelf = by.actorId === user.id;
  const standing =
    (isRoot && rootRefusals[transition]) ||
    (isRoot && !isSelf && by.actorId !== null && rootByOthers[transition]) ||
    (isSelf && selfRefusals[transition]);
  return standing ? refuse(standing) : decideByStatus(transition, user, by);
}

function decideByStatus(transition: Transition, user: TransitionFacts, by: TransitionBy): TransitionDecision {
  const { baseStatus } = user;
  const stays: TransitionDecision = { allowed: true, to: baseStatus };
  if (baseStatus === 'Deleted' && transition !== 'recover')
    return refuse('This person is deleted, and that cannot be undone.');
  switch (transition) {
    case 'deactivate': // T14, A7.1
      if (baseStatus === 'Invited') return refuse('This person has not signed up yet: delete the invitation instead.');
      return baseStatus === 'Active'
        ? { allowed: true, to: 'Deactivated' }
        : refuse('Only an active person can be deactivated.');
    case 'activate': // T16, A7.2
      if (baseStatus !== 'Deactivated') return refuse('Only a deactivated person can be activated.');
      if (by.reactivate === 'reinvite') return refuse('This company restores people by a new invitation.');
      return { allowed: true, to: 'Active' };
    case 'unlock': // T12, A7.5; who has set a password but no second factor yet may be locked, too
      return baseStatus === 'Deactivated' ? refuse('A deactivated person cannot be unlocked: activate them.') : stays;
    case 'recover': // C51 and the operator's way in: only for the one who must never be locked out.
      return user.role === 'Root Admin'
        ? stays
        : refuse('Recovery is for the Root Admin. An administrator can reset everybody else.');
    case 'delete': // T19, A7.4, C16
      return { allowed: true, to: 'Deleted' };
    case 'resend': // T8, A7.9; T17
      return decideResend(user, by);
    case 'copy-link': // C47
      return baseStatus === 'Invited' ? stays : refuse('Only an invited person has an invitation link.');
    case 'reset-password': // T20, A7.6
      if (baseStatus === 'Invited') return decideResend(user, by);
      if (baseStatus === 'Deactivated')
        return refuse('This person is deactivated: activate them, and they set a new password.');
      return by.isMailBlocked ? refuse(blockedWords(user)) : stays;
    case 'reset-2fa': // T21, A7.7
      if (by.usesSso) return refuse('This person logs in with single sign-on: their second factor is set up there.');
      if (baseStatus === 'Deactivated')
        return refuse('This person is deactivated: activate them, and they set up a new second factor.');
      return user.mustEnrol2fa || baseStatus === 'Invited'
        ? refuse('This person has no second factor to reset: they set one up at their next login.')
        : stays;
    case 'edit': // T22, C12
    case 'change-role':
    case 'change-email':
    case 'end-sessions':
      return stays;
  }
}

const blockedWords = ({ email }: TransitionFacts): string =>
  `Mail to ${email ?? 'this address'} is blocked, since it could not be delivered. Change the address, or lift the block under Mail.`;

function decideResend(user: TransitionFacts, by: TransitionBy): TransitionDecision {
  if (user.baseStatus === 'Active') return refuse('This person has signed up already.');
  if (user.baseStatus === 'Deactivated' && by.reactivate !== 'reinvite')
    return refuse('This person is deactivated: activate them instead of inviting them again.');
  return by.isMailBlocked ? refuse(blockedWords(user)) : { allowed: true, to: 'Invited' };
}

export function fullName(user: Pick<User, 'firstName' | 'lastName'>): string {
  return `${user.firstName} ${user.lastName}`.trim();
}

export function initialsOf(user: Pick<User, 'firstName' | 'lastName'>): string {
  return [user.firstName, user.lastName]
    .map((part) => [...part][0] ?? '')
    .join('')
    .toUpperCase();
}
