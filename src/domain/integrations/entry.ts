// May this person enter this module, and as what? One pure function, with reasons; enforcement and explanation ask the same
// (D.2, D.5 step 6, C34).
import { canDo, type Profile, permissionField } from '../modules/profile.ts';
import type { Role } from '../roles/role.ts';
import type { ReachableInstance } from '../sessions/record-repository.ts';
import { decidePermission, type PermissionDecision } from './permission.ts';
import type { Settings } from './settings.ts';

export interface EntryFacts {
  /** Our own pages are open to everyone who is signed in. */
  isBuiltIn: boolean;
  profile: Profile;
  role: Role;
  /** Enabled instances of the product that the person's active groups open, by name. */
  reachable: ReachableInstance[];
  /** The instance that the module asked for; null: whichever there is. */
  asked: string | null;
  /** Settings of those that can be reached, by instance. */
  settings: ReadonlyMap<string, EntrySettings>;
}

export type EntrySettings = Pick<Settings, 'version' | 'accessGroups' | 'provisioning'>;

export type EntryReason =
  /** None of the person's active groups includes the module. */
  | 'no-group'
  /** Some do, but not this connection of it. */
  | 'other-instance'
  /** Access groups give the permissions there, and none of theirs has one (C34). */
  | 'no-permission'
  /** The module is to be connected, and they are no administrator of their company. */
  | 'not-administrator';

export type Granted = Exclude<PermissionDecision, { outcome: 'refused' }>;

export interface Entered {
  instance: ReachableInstance;
  settings: EntrySettings;
  permission: Granted;
}

/** `entered` is null for our own pages. */
export type Entry = { allowed: true; entered: Entered | null } | { allowed: false; because: EntryReason };

export function decideEntry(facts: EntryFacts): Entry {
  if (facts.isBuiltIn) return { allowed: true, entered: null };
  const { reachable, asked } = facts;
  if (reachable.length === 0) return { allowed: false, because: 'no-group' };
  const candidates = asked === null ? reachable : reachable.filter(({ id }) => id === asked);
  if (candidates.length === 0) return { allowed: false, because: 'other-instance' };
  for (const instance of candidates) {
    const entered = enter(facts, instance);
    if (entered) return { allowed: true, entered };
  }
  return { allowed: false, because: 'no-permission' };
}

/** @returns null when no permission fits. What has been disconnected since it was read has no settings, and opens nothing. */
function enter({ profile, role, settings }: EntryFacts, instance: ReachableInstance): Entered | null {
  const found = settings.get(instance.id);
  if (!found) return null;
  const permission = decidePermission(profile, found, { role, groupIds: instance.groups.map(({ id }) => id) });
  return permission.outcome === 'refused' ? null : { instance, settings: found, permission };
}

/** What the module is told about the entry, as the claim `module_access` (docs/module-protocol.md section 1). */
export function moduleAccess(profile: Profile, { instance, settings, permission }: Entered) {
  const permissions = permission.outcome === 'granted' ? permission.permissions : [];
  const field = permissionField(profile);
  const [first] = permissions;
  return {
    instance: instance.id,
    tenant: instance.tenant,
    permissions,
    permissions_from: permission.outcome === 'granted' ? permission.from : null,
    provision:
      settings.provisioning.on && canDo(profile, 'provision')
        ? { values: { ...settings.provisioning.values, ...(field && first ? { [field.name]: first } : {}) } }
        : null,
    settings_version: settings.version,
  };
}

/** What the page says, and what to do now. */
export function entryRefusal(
  because: EntryReason,
  { module, brand, company }: { module: string; brand: string; company: string },
): { heading: string; sentence: string; next: string } {
  const heading = `You can't enter ${module}`;
  switch (because) {
    case 'no-group':
      return {
        heading,
        sentence: `You can't enter ${module} because none of your access groups includes it.`,
        next: `Ask your ${brand} administrator to add you to an access group that has it, and give them this code.`,
      };
    case 'other-instance':
      return {
        heading,
        sentence: `Your access groups include another ${module}, but not this one.`,
        next: `Open the right one from My Modules, or ask your ${brand} administrator for access to this one and give them this code.`,
      };
    case 'no-permission':
      return {
        heading,
        sentence: `You can't enter ${module} because none of your access groups has a permission there.`,
        next: `Ask your ${brand} administrator to give one of your access groups a permission in ${module}, and give them this code.`,
      };
    case 'not-administrator':
      return {
        heading: `You can't connect ${module}`,
        sentence: `Only an administrator of ${company || 'your company'} in ${brand} can connect ${module}.`,
        next: `Ask one to do it, or log in as one, and give them this code if it should have worked.`,
      };
  }
}
