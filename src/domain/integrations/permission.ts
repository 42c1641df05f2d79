// D.7: which permission a person has in a module. One pure function: the token, the provisioning, the drift report, the preview and
// the explanation ask it alike.

import { type Profile, permissionField } from '../modules/profile.ts';
import type { Role } from '../roles/role.ts';
import type { Settings } from './settings.ts';

export type PermissionDecision =
  /** `from: 'rules'` governs at each entry; the others count for a new account only, an existing one is never touched. */
  | { outcome: 'granted'; from: 'rules' | 'role' | 'default'; permissions: string[]; because: string }
  /** Nothing to say: the module has no permissions, or nothing is set up (SIEM). */
  | { outcome: 'unsaid'; because: string }
  /** C34: access groups are on and none of them fits. */
  | { outcome: 'refused'; because: string };

export interface PermissionFacts {
  role: Role;
  /** Ids of the active groups through which the person reaches this instance. */
  groupIds: readonly string[];
}

export function decidePermission(
  profile: Profile,
  settings: Pick<Settings, 'accessGroups' | 'provisioning'>,
  { role, groupIds }: PermissionFacts,
): PermissionDecision {
  if (settings.accessGroups.on) {
    const fitting = settings.accessGroups.rules.filter(({ groupId }) => groupIds.includes(groupId));
    const counting = profile.permissionMode === 'one' ? fitting.slice(0, 1) : fitting;
    if (counting.length === 0)
      return { outcome: 'refused', because: 'None of their access groups has a permission in this module.' };
    return {
      outcome: 'granted',
      from: 'rules',
      permissions: [...new Set(counting.map(({ permission }) => permission))],
      because: `Through ${[...new Set(counting.map(({ group }) => group))].join(', ')}.`,
    };
  }
  const derived = profile.derivation?.[role];
  if (derived !== undefined)
    return { outcome: 'granted', from: 'role', permissions: [derived], because: `By the role ${role}.` };
  const field = permissionField(profile);
  const usual = field && settings.provisioning.values[field.name];
  return usual
    ? { outcome: 'granted', from: 'default', permissions: [usual], because: 'The default for new people.' }
    : { outcome: 'unsaid', because: 'The module gives permissions itself.' };
}
