// Access groups: who may enter which module (B.4). Owns groups, their members and their modules.
import { z } from 'zod';
import type { GroupId, InstanceId } from '../../lib/ids.ts';

export const allModuleAccess = 'All Module Access';
export const noModuleAccess = 'No Module Access';

export type GroupKind = 'system-all' | 'system-none' | 'custom';

export interface Group {
  id: GroupId;
  name: string;
  kind: GroupKind;
  isActive: boolean;
}

export const groupNameSchema = z
  .string()
  .trim()
  .min(1, 'Enter a name for the group.')
  .max(80, 'A group name has 80 characters at most.')
  .regex(/^[^;<>\p{Cc}]+$/u, 'A group name cannot contain ; < or >.');

/** C19, C20: No Module Access stands alone, and nobody is without a group. */
export function effectiveMembership<G extends { kind: GroupKind }>(chosen: G[]): { groups: G[]; fallback: boolean } {
  const none = chosen.find(({ kind }) => kind === 'system-none');
  if (none) return { groups: [none], fallback: false };
  return { groups: chosen, fallback: chosen.length === 0 };
}

export interface ReachableInstance {
  id: InstanceId;
  /** Active groups that open it for this person. */
  groups: string[];
}

/** B.4: what may not be done to a system group; null when nothing stands against it. */
export function systemGroupRefusal(group: Group, act: 'rename' | 'deactivate' | 'activate' | 'delete' | 'modules') {
  if (group.kind === 'custom') return null;
  if (act !== 'modules')
    return `${group.name} is a system group: it can't be renamed, activated, deactivated or deleted.`;
  return group.kind === 'system-all'
    ? `${group.name} holds every connected module by itself. To withhold one, put people into a group of your own instead.`
    : `${group.name} gives access to no module, and stays that way.`;
}

/** B.4: the Root Admin stays in All Module Access, whatever else changes. */
export const rootStays = `The Root Admin stays in ${allModuleAccess}.`;

/** C19: there is no group behind it to fall back to. */
export const noneIsLeftByJoining = `${noModuleAccess} is left by joining another group: nobody is without a group.`;
