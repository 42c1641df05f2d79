// What is wanted of a person's account at a module, and what is to be done next about it. Two pure functions: reconciliation, the drift
// report, a plan, "provision on demand" and the explanation ask them alike, so that none of them can think otherwise than what is done.
import type { InstanceId, UserId } from '../../lib/ids.ts';
import { after, days } from '../../lib/time.ts';
import { decidePermission } from '../integrations/permission.ts';
import type { Settings } from '../integrations/settings.ts';
import { canDo, type Profile, permissionField } from '../modules/profile.ts';
import type { Role } from '../roles/role.ts';
import type { BaseStatus } from '../users/user.ts';
import type { Act, ModuleAccount, Wanted } from './account.ts';

export interface PersonFacts {
  userId: UserId;
  status: BaseStatus;
  role: Role;
  username: string;
  email: string;
  emailVerified: boolean;
  firstName: string;
  lastName: string;
  /** The active groups through which the person reaches this instance. */
  groups: { id: string; name: string }[];
}

export type Desire =
  | {
      access: true;
      /** Everything that a new account is made with. */
      wanted: Wanted;
      /** Where the permission comes from; only that of `rules` is given to an account that exists (D.7). */
      permissionsFrom: 'rules' | 'role' | 'default' | null;
      /** C28: only a verified address says who somebody is. */
      isVerified: boolean;
      because: string;
    }
  | {
      access: false;
      /** What is missing: the person's own account, a group, the module's connection, or a permission in it. */
      kind: 'account' | 'group' | 'module' | 'permission';
      /** Not yet, rather than not any more: nothing is taken away from somebody who has not signed up. */
      isPending: boolean;
      because: string;
    };

export type PersonAct = Exclude<Act, 'end-sessions' | 'settings-changed' | 'disconnected'>;

export interface Step {
  act: PersonAct;
  wanted: Wanted;
  because: string;
}

type Given = Pick<Settings, 'enabled' | 'provisioning' | 'deprovisioning' | 'accessGroups'>;

const no = (kind: 'account' | 'group' | 'module' | 'permission', because: string, isPending = false): Desire => ({
  access: false,
  kind,
  isPending,
  because,
});

const list = new Intl.ListFormat('en');

/** May this person have this module, and with what? First what decides. */
export function desire(profile: Profile, settings: Given, person: PersonFacts): Desire {
  switch (person.status) {
    case 'Deleted':
      return no('account', 'They were deleted.');
    case 'Deactivated':
      return no('account', 'They were deactivated.');
    case 'Invited':
      return no('account', 'They have not signed up yet.', true);
    case 'Active':
      break;
  }
  if (!settings.enabled) return no('module', 'Log In with KaseyaOne is switched off in this module.');
  if (person.groups.length === 0) return no('group', 'None of their access groups includes this module.');
  const permission = decidePermission(profile, settings, {
    role: person.role,
    groupIds: person.groups.map(({ id }) => id),
  });
  if (permission.outcome === 'refused') return no('permission', permission.because);
  const isGranted = permission.outcome === 'granted';
  return {
    access: true,
    wanted: wantedOf(profile, settings, person, isGranted ? permission.permissions : null),
    permissionsFrom: isGranted ? permission.from : null,
    isVerified: person.emailVerified,
    because: `Through ${list.format(person.groups.map(({ name }) => name))}.`,
  };
}

function wantedOf(profile: Profile, settings: Given, person: PersonFacts, permissions: string[] | null): Wanted {
  const { values } = settings.provisioning;
  const zoneField = profile.fields.find(({ type }) => type === 'timeZone');
  // S1: people are provisioned under the time zone of the settings; what they chose here for themselves is about our pages only.
  const timeZone = zoneField && values[zoneField.name];
  const special = [zoneField?.name, permissionField(profile)?.name];
  const fields = profile.fields
    .filter(({ name }) => !special.includes(name) && values[name])
    .map(({ name }) => [name, values[name] ?? ''] as const);
  return {
    active: true,
    userName: person.username,
    email: person.email,
    firstName: person.firstName,
    lastName: person.lastName,
    ...(permissions ? { permissions } : {}),
    ...(timeZone ? { timeZone } : {}),
    ...(fields.length > 0 ? { fields: Object.fromEntries(fields) } : {}),
  };
}

export const mayProvision = (profile: Profile, { enabled, provisioning }: Given): boolean =>
  enabled && provisioning.on && canDo(profile, 'provision');

export const mayDeprovision = (profile: Profile, { enabled, deprovisioning }: Given): boolean =>
  enabled && deprovisioning.on && canDo(profile, 'deprovision');

/** What is to be done next at the module; null: it is as it should be, or it is not ours to change. */
export function nextStep(
  wish: Desire,
  account: ModuleAccount | null,
  settings: Given,
  profile: Profile,
  now: Date,
): Step | null {
  if (!settings.enabled) return null;
  // What is gone is not this person's any more: with access again they get a new one.
  const linked = account && account.life !== 'removed' ? account : null;
  if (!linked) return stepWithoutAccount(wish, settings, profile);
  return wish.access
    ? stepWithAccess(wish, linked, settings, profile)
    : stepToEnd(wish, linked, settings, profile, now);
}

function stepWithoutAccount(wish: Desire, settings: Given, profile: Profile): Step | null {
  if (!wish.access || !wish.isVerified || !mayProvision(profile, settings)) return null;
  return { act: 'create', wanted: wish.wanted, because: wish.because };
}

function stepWithAccess(
  wish: Desire & { access: true },
  account: ModuleAccount,
  settings: Given,
  profile: Profile,
): Step | null {
  // Only what we took away is given back (C32), and only while it was held.
  if (account.life === 'suspended')
    return {
      act: 'restore',
      wanted: { active: true, ...changesOf(wish, account, settings, profile) },
      because: wish.because,
    };
  if (!account.isActive || account.life === 'disabled') return null;
  const changes = changesOf(wish, account, settings, profile);
  return Object.keys(changes).length > 0 ? { act: 'update', wanted: changes, because: wish.because } : null;
}

/** What of an account is other than wanted, and ours to say. */
function changesOf(
  { wanted, permissionsFrom, isVerified }: Desire & { access: true },
  account: ModuleAccount,
  settings: Given,
  profile: Profile,
): Wanted {
  const changes: Wanted = {};
  // D.7: with access groups on the permission follows them; else an existing account's is never touched.
  if (permissionsFrom === 'rules' && wanted.permissions && !sameSet(wanted.permissions, account.permissions))
    changes.permissions = wanted.permissions;
  // An account that people made at the module themselves keeps what they wrote there.
  if (account.linkedBy !== 'created' || !mayProvision(profile, settings)) return changes;
  if (isVerified && wanted.email !== undefined && !sameText(wanted.email, account.email)) changes.email = wanted.email;
  if (wanted.firstName !== undefined && wanted.firstName !== account.firstName) changes.firstName = wanted.firstName;
  if (wanted.lastName !== undefined && wanted.lastName !== account.lastName) changes.lastName = wanted.lastName;
  // The time zone is given once, at its making: afterwards it is theirs, and only a plan brings it back (drift-judge.ts).
  return changes;
}

const sameSet = (one: readonly string[], other: readonly string[]): boolean =>
  one.length === other.length && one.every((each) => other.includes(each));

const sameText = (one: string, other: string): boolean =>
  one.normalize('NFKC').trim().toLowerCase() === other.normalize('NFKC').trim().toLowerCase();

function stepToEnd(
  wish: Desire & { access: false },
  account: ModuleAccount,
  settings: Given,
  profile: Profile,
  now: Date,
): Step | null {
  if (wish.isPending || wish.kind === 'module' || !mayDeprovision(profile, settings)) return null;
  if (account.life !== 'suspended')
    return account.isActive ? { act: 'suspend', wanted: { active: false }, because: wish.because } : null;
  // Held, and yet at work: somebody at the module let it in again, or it never did what it said.
  if (account.isActive) return { act: 'suspend', wanted: { active: false }, because: wish.because };
  if (account.heldUntil === null || account.heldUntil > now) return null;
  return {
    act: endingOf(account, settings, profile),
    wanted: { active: false },
    because: 'The time to take it back is over.',
  };
}

/** C36: what cannot be deleted, and the module's last administrator, is disabled for good. */
export function endingOf(
  account: Pick<ModuleAccount, 'isAdministrator'>,
  { deprovisioning }: Pick<Settings, 'deprovisioning'>,
  profile: Profile,
): 'remove' | 'disable' {
  return deprovisioning.removal === 'remove' && profile.deletion === 'remove' && !account.isAdministrator
    ? 'remove'
    : 'disable';
}

/** Until when a suspended account can be given back. */
export const heldUntil = ({ deprovisioning }: Pick<Settings, 'deprovisioning'>, now: Date): Date =>
  after(now, days(deprovisioning.graceDays));

/** A person's step in one instance, as reconciliation finds it. */
export interface PersonStep {
  instanceId: InstanceId;
  person: PersonFacts;
  account: ModuleAccount | null;
  step: Step;
}
