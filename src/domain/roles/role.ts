// Company roles and what they may do (A1.3-A1.9, D.3). The matrix is data; commands ask `can`.

export const roles = ['Root Admin', 'Admin', 'Billing and Purchasing', 'User', 'Co-Managed User'] as const;

export type Role = (typeof roles)[number];

/** The four that a form, a file or an import may choose; Root Admin is never a choice (A1.4). */
export const choosableRoles = ['Admin', 'Billing and Purchasing', 'User', 'Co-Managed User'] as const;

export type Permission =
  | 'users.manage'
  | 'groups.manage'
  | 'modules.manage'
  | 'security.manage'
  | 'mail.manage'
  | 'audit.read'
  | 'own.edit'
  | 'modules.launch'
  | 'cooper'
  | 'professionalServices'
  | 'organizationDashboard'
  | 'billing'
  | 'support'
  | 'store'
  | 'university'
  | 'community'
  | 'merchStore'
  | 'accountTeam';

const everyone: Permission[] = ['own.edit', 'modules.launch', 'university'];
const user: Permission[] = [
  ...everyone,
  'cooper',
  'professionalServices',
  'support',
  'community',
  'merchStore',
  'accountTeam',
];
const billing: Permission[] = [...user, 'organizationDashboard', 'billing', 'store'];
const admin: Permission[] = [
  ...billing,
  'users.manage',
  'groups.manage',
  'modules.manage',
  'security.manage',
  'mail.manage',
  'audit.read',
];

/** D.3, one row a role. */
export const permissionsOf: Record<Role, ReadonlySet<Permission>> = {
  'Root Admin': new Set(admin),
  Admin: new Set(admin),
  'Billing and Purchasing': new Set(billing),
  User: new Set(user),
  'Co-Managed User': new Set(everyone),
};

export function can(role: Role, permission: Permission): boolean {
  return permissionsOf[role].has(permission);
}
