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
export function effectiveMembership(chosen: Group[]): { groups: Group[]; fallback: boolean } {
  const none = chosen.find(({ kind }) => kind === 'system-none');
  if (none) return { groups: [none], fallback: false };
  return { groups: chosen, fallback: chosen.length === 0 };
}

export interface ReachableInstance {
  id: InstanceId;
  /** Active groups that open it for this person. */
  groups: string[];
}
