// What stands above each tab of a person's page, and which acts it offers: the same rule that the acts themselves go by.

import type { PersonOfCompany } from '../../../domain/users/person-queries.ts';
import { getPersonOf } from '../../../domain/users/person-queries.ts';
import {
  decideTransition,
  fullName,
  initialsOf,
  isLockedAt,
  statusOf,
  type Transition,
} from '../../../domain/users/user.ts';
import type { Context } from '../../context.ts';
import { type Desk, idParam } from '../console.ts';
import { statusWords, usersPath } from './list.ts';
import type { ActLink, PersonHead } from './person-views.ts';

export const personPath = (id: string) => `${usersPath}/${id}`;

export type PersonTab = 'overview' | 'security' | 'accounts' | 'activity' | 'mail';

const tabs: { tab: PersonTab; label: string; path: string }[] = [
  { tab: 'overview', label: 'Overview', path: '' },
  { tab: 'security', label: 'Security', path: '/security' },
  { tab: 'accounts', label: 'Module accounts', path: '/accounts' },
  { tab: 'activity', label: 'Activity', path: '/activity' },
  { tab: 'mail', label: 'Mail', path: '/mail' },
];

/** The person of the path, of one's own company. */
export const personAt = (ctx: Context, desk: Desk): Promise<PersonOfCompany> =>
  getPersonOf(desk.work, desk.companyId, idParam(ctx, 'id', 'person'));

type Offer = { transition: Transition; label: string; path: string; icon: string; isDanger: boolean };

const offer = (transition: Transition, label: string, icon: string, isDanger = false): Offer => ({
  transition,
  label,
  path: transition,
  icon,
  isDanger,
});

/** In the order in which a status asks for them: the first two that may be done stand in the head, the others in the menu. */
const offers: Offer[] = [
  offer('unlock', 'Unlock', 'lock-open'),
  offer('activate', 'Activate', 'user-check'),
  offer('resend', 'Resend invitation', 'mail'),
  offer('edit', 'Edit', 'pencil'),
  offer('copy-link', 'Copy invitation link', 'copy'),
  offer('reset-password', 'Reset password', 'key'),
  offer('reset-2fa', 'Reset 2FA', 'shield-lock'),
  offer('end-sessions', 'End all sessions', 'logout'),
  offer('deactivate', 'Deactivate', 'user-off', true),
  offer('delete', 'Delete', 'trash', true),
];

export function isLocked({ user }: PersonOfCompany, now: Date): boolean {
  return user.baseStatus !== 'Deactivated' && isLockedAt(user, now);
}

/** Whether an act may be done to this person by the one who looks. */
export function decisionFor(person: PersonOfCompany, transition: Transition) {
  const { user, company, actorId, isMailBlocked, usesSso } = person;
  return decideTransition(transition, user, { actorId, reactivate: company.policy.reactivate, isMailBlocked, usesSso });
}

function offered(person: PersonOfCompany, now: Date): ActLink[] {
  return offers
    .filter(({ transition }) => {
      if (transition === 'unlock' && !isLocked(person, now)) return false;
      // On an invited person it would be Resend under another name (T20).
      if (transition === 'reset-password' && person.user.baseStatus === 'Invited') return false;
      if (transition === 'end-sessions' && person.user.baseStatus !== 'Active') return false;
      return decisionFor(person, transition).allowed;
    })
    .map(({ label, path, icon, isDanger }) => ({
      label,
      icon,
      isDanger,
      href: `${personPath(person.user.id)}/${path}`,
    }));
}

export async function statusOfPerson({ user }: PersonOfCompany, { companyId, work: { now, store } }: Desk) {
  const invitation =
    user.baseStatus === 'Invited' ? await store.links.findOpen(companyId, user.id, 'invitation') : null;
  return statusWords({ ...user, status: statusOf(user, now), invitationEndsAt: invitation?.expiresAt ?? null }, now);
}

export async function headOf(person: PersonOfCompany, desk: Desk, here: PersonTab): Promise<PersonHead> {
  const { user, isMailBlocked } = person;
  const acts = offered(person, desk.work.now);
  return {
    name: fullName(user),
    initials: initialsOf(user),
    username: user.username,
    role: user.role,
    status: await statusOfPerson(person, desk),
    blocked: isMailBlocked ? { email: user.email, href: `/admin/mail/blocked/${user.id}` } : null,
    acts: acts.slice(0, 2),
    more: acts.slice(2),
    tabs: tabs.map(({ tab, label, path }) => ({
      label,
      href: `${personPath(user.id)}${path}`,
      isHere: tab === here,
    })),
  };
}
