// Which modules a person can enter now, and why or why not, in words: the same question as at the door (D.2), asked for all at once.
import type { Profile } from '../modules/profile.ts';
import type { InstanceForPerson } from '../modules/queries.ts';
import type { Role } from '../roles/role.ts';
import type { RefusalReason } from '../users/sign-in.ts';
import type { Standing } from '../users/standing.ts';
import { decideEntry, type Entry, type EntrySettings } from './entry.ts';

export interface ReachFacts {
  role: Role;
  standing: Standing;
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

/** Behind "Through Technicians, but": what holds them back from every module. */
const barriers: Partial<Record<RefusalReason, string>> = {
  'not-signed-up': 'not signed up yet',
  deactivated: 'deactivated',
  'unknown-user': 'deleted',
  locked: 'locked: no new login until the lock ends',
  'no-password': 'they have no password yet',
};

const steps = {
  'set-password': 'They set a new password on the way in.',
  enrol: 'They set up a second factor on the way in.',
};

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
  const { refusal, step } = facts.standing;
  const barrier = refusal === null ? refusalThere : (barriers[refusal] ?? 'they are not let in');
  if (barrier !== null) return { canEnter: false, because: `${through}, but ${barrier}.` };
  return { canEnter: true, because: step === null ? `${through}.` : `${through}. ${steps[step]}` };
}
