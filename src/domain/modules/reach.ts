// Which modules a person can enter now, and why or why not, in words: the same question as at the door (D.2), asked for all at once.
import type { InstanceId } from '../../lib/ids.ts';
import type { Status } from '../users/user.ts';
import { decideEntry } from './entry.ts';

export interface InstanceForPerson {
  id: InstanceId;
  name: string;
  module: string;
  icon: string | null;
  isEnabled: boolean;
  /** Groups of the person that hold it, inactive ones too. */
  groups: { id: string; name: string; isActive: boolean }[];
}

export interface ReachFacts {
  status: Status;
  mustSetPassword: boolean;
  isEnrolled: boolean;
}

export interface Reach {
  canEnter: boolean;
  /** First what decides. */
  because: string;
}

/** What holds a person back from every module; null when nothing does. */
export function standingBarrier({ status, mustSetPassword, isEnrolled }: ReachFacts): string | null {
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

export function explainReach(facts: ReachFacts, instance: InstanceForPerson): Reach {
  const active = instance.groups.filter(({ isActive }) => isActive).map(({ name }) => name);
  const reachable = instance.isEnabled && active.length > 0 ? { [instance.id]: active } : {};
  const entry = decideEntry({ isBuiltIn: false, clientId: instance.id, reachable });
  if (!instance.isEnabled) return { canEnter: false, because: 'The module is not connected.' };
  if (!entry.allowed)
    return {
      canEnter: false,
      because:
        instance.groups.length === 0
          ? 'None of their access groups holds it.'
          : `Only through ${list.format(instance.groups.map(({ name }) => name))}, which ${instance.groups.length === 1 ? 'is' : 'are'} inactive.`,
    };
  const through = `Through ${list.format(entry.groups)}`;
  const barrier = standingBarrier(facts);
  return barrier === null
    ? { canEnter: true, because: `${through}.` }
    : { canEnter: false, because: `${through}, but ${barrier}.` };
}
