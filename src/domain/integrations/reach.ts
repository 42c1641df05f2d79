// Which modules a person can enter now, and why or why not, in words: the same question as at the door (D.2), asked for all at once.
import type { Profile } from '../modules/profile.ts';
import type { InstanceForPerson } from '../modules/queries.ts';
import type { Role } from '../roles/role.ts';
import type { Status } from '../users/user.ts';
import { decideEntry, type Entry, type EntrySettings } from './entry.ts';

export interface ReachFacts {
  status: Status;
  role: Role;
  mustSetPassword: boolean;
  isEnrolled: boolean;
}

/** An instance with all that decides there. */
export interface InstanceToReach extends InstanceForPerson {
  profile: Profile;
  settings: EntrySettings;
}

export interface Reach {
  canEnter: boolean;
  /** First what decides. */
  because: string;
}

/** What holds a person back from every module; null when nothing does. */
export function standingBarrier({
  status,
  mustSetPassword,
  isEnrolled,
}: Pick<ReachFacts, 'status' | 'mustSetPassword' | 'isEnrolled'>): string | null {
  switch (status) {
    case 'Invited':
      return 'not signed up yet';
    case 'Deactivated':
    case 'Deleted':
      return 'deactivated';
    case 'LockedOut':
      return 'locked: no new login until the lock ends';
    default:
      if (mustSetPassword) return 'has to set a password first';
      return isEnrolled ? null : 'has to set up a second factor first';
  }
}

const list = new Intl.ListFormat('en');

/** What the door would decide for this very instance (D.2, C34). */
export function entryAt(
  role: Role,
  { id, isEnabled, groups, profile, settings }: Omit<InstanceToReach, 'name' | 'module' | 'icon'>,
): Entry {
  const active = groups.filter(({ isActive }) => isActive);
  const isReachable = isEnabled && active.length > 0;
  return decideEntry({
    isBuiltIn: false,
    profile,
    role,
    reachable: isReachable ? [{ id, version: settings.version, tenant: null, groups: active }] : [],
    asked: id,
    settings: new Map([[id, settings]]),
  });
}

/** @param refusalThere why the module itself would refuse them, as far as it is known */
export function explainReach(facts: ReachFacts, instance: InstanceToReach, refusalThere: string | null): Reach {
  if (!instance.isEnabled) return { canEnter: false, because: 'The module is not connected.' };
  const active = instance.groups.filter(({ isActive }) => isActive);
  const entry = entryAt(facts.role, instance);
  const through = `Through ${list.format(active.map(({ name }) => name))}`;
  if (!entry.allowed) {
    if (entry.because === 'no-permission')
      return { canEnter: false, because: `${through}, but none of them has a permission in this module.` };
    return {
      canEnter: false,
      because:
        instance.groups.length === 0
          ? 'None of their access groups holds it.'
          : `Only through ${list.format(instance.groups.map(({ name }) => name))}, which ${instance.groups.length === 1 ? 'is' : 'are'} inactive.`,
    };
  }
  const barrier = standingBarrier(facts) ?? refusalThere;
  return barrier === null
    ? { canEnter: true, because: `${through}.` }
    : { canEnter: false, because: `${through}, but ${barrier}.` };
}
