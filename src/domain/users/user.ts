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

/** Usernames sign people in without regard to case (B.1). */
export function usernameKey(username: string): string {
  return username.normalize('NFKC').trim().toLowerCase();
}

export function emailKey(email: string): string {
  return email.normalize('NFKC').trim().toLowerCase();
}

/** C8: Deactivated wins over locked, and a lock ends without a job. */
export function statusOf(user: Pick<User, 'baseStatus' | 'lockedUntil'>, now: Date): Status {
  if (user.baseStatus === 'Active' && user.lockedUntil !== null && user.lockedUntil > now) return 'LockedOut';
  return user.baseStatus;
}

export type Transition = 'deactivate' | 'activate' | 'unlock' | 'recover';

export type TransitionDecision = { allowed: true; to: BaseStatus } | { allowed: false; because: string };

const refuse = (because: string): TransitionDecision => ({ allowed: false, because });

/** The guards of D.4 for acts of administrators and of the operator. */
export function decideTransition(
  transition: Transition,
  user: Pick<User, 'baseStatus' | 'role' | 'id'>,
  by: { actorId: UserId | null; reactivate: 'immediate' | 'reinvite' },
): TransitionDecision {
  const isRoot = user.role === 'Root Admin';
  const isSelf = by.actorId === user.id;
  switch (transition) {
    case 'deactivate': // T14, A7.1
      if (isRoot) return refuse('The Root Admin cannot be deactivated.');
      if (isSelf) return refuse('You cannot deactivate yourself.');
      if (user.baseStatus === 'Invited')
        return refuse('This person has not signed up yet: delete the invitation instead.');
      if (user.baseStatus !== 'Active') return refuse('Only an active person can be deactivated.');
      return { allowed: true, to: 'Deactivated' };
    case 'activate': // T16, A7.2
      if (isRoot) return refuse('The Root Admin cannot be activated.');
      if (isSelf) return refuse('You cannot activate yourself.');
      if (user.baseStatus !== 'Deactivated') return refuse('Only a deactivated person can be activated.');
      if (by.reactivate === 'reinvite') return refuse('This company restores people by a new invitation.');
      return { allowed: true, to: 'Active' };
    case 'unlock': // T12, A7.5
      if (user.baseStatus !== 'Active') return refuse('Only an active person can be unlocked.');
      return { allowed: true, to: 'Active' };
    case 'recover': // C51 and the operator's way in: only for the one who must never be locked out.
      if (!isRoot) return refuse('Recovery is for the Root Admin. An administrator can reset everybody else.');
      return { allowed: true, to: user.baseStatus };
  }
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
