import { describe, expect, it } from 'vitest';
import {
  can,
  choosableRoles,
  type Permission,
  permissionsOf,
  type Role,
  roles,
} from '../../../../src/domain/roles/role.ts';

// The table of D.3 as it is written there: yes for Root / Admin, Billing and Purchasing, User, Co-Managed User.
const table: [rule: string, permission: Permission, ...yes: [boolean, boolean, boolean, boolean]][] = [
  ['A1.5', 'users.manage', true, false, false, false],
  ['A1.5', 'groups.manage', true, false, false, false],
  ['A1.5', 'modules.manage', true, false, false, false],
  ['A1.5', 'security.manage', true, false, false, false],
  ['A1.5', 'mail.manage', true, false, false, false],
  ['A1.5', 'audit.read', true, false, false, false],
  ['A1.9', 'own.edit', true, true, true, true],
  ['A1.10', 'modules.launch', true, true, true, true],
  ['A1.8', 'cooper', true, true, true, false],
  ['A1.8', 'professionalServices', true, true, true, false],
  ['A1.7', 'organizationDashboard', true, true, false, false],
  ['A1.7', 'billing', true, true, false, false],
  ['A1.9', 'support', true, true, true, false],
  ['A1.7', 'store', true, true, false, false],
  ['A1.11', 'university', true, true, true, true],
  ['A1.8', 'community', true, true, true, false],
  ['A1.8', 'merchStore', true, true, true, false],
  ['A1.9', 'accountTeam', true, true, true, false],
];
const columns: Role[][] = [['Root Admin', 'Admin'], ['Billing and Purchasing'], ['User'], ['Co-Managed User']];

describe('what a role may do (D.3)', () => {
  it.each(table)('D.3, %s %s', (_rule, permission, ...yes) => {
    for (const [i, column] of columns.entries())
      for (const role of column) expect(can(role, permission), role).toBe(yes[i]);
  });

  it('D.3 the table leaves no permission out', () => {
    const granted = new Set(roles.flatMap((role) => [...permissionsOf[role]]));
    expect([...granted].sort()).toEqual(table.map(([, permission]) => permission).sort());
  });

  it('A1.4 Root Admin is never a choice', () => {
    expect([...choosableRoles]).toEqual(roles.filter((role) => role !== 'Root Admin'));
  });
});
