// What the audit log can be searched by. The door of this room: it reads what other rooms own, for administrators; it changes nothing
// but the record of who exported what.
import type { UserId } from '../../lib/ids.ts';
import { auditActions } from '../audit/action-words.ts';
import type { AuditAction } from '../audit/audit-event.ts';

export interface AuditFilter {
  /** As the one who acted, or as the one it was about. */
  personId: UserId | null;
  /** Empty: any. */
  actions: AuditAction[];
  from: Date | null;
  /** Up to and without. */
  to: Date | null;
  ip: string;
  /** A code that an error page showed. */
  code: string;
}

export const anyEvent: AuditFilter = { personId: null, actions: [], from: null, to: null, ip: '', code: '' };

export const actionGroups = {
  signIn: 'Logins and sessions',
  user: 'People',
  group: 'Access groups',
  module: 'Modules',
  import: 'Imports and exports',
  security: 'Security and single sign-on',
  mail: 'Mail',
  company: 'Company',
} as const;

export type ActionGroup = keyof typeof actionGroups;

const groupOfNoun: Record<string, ActionGroup> = {
  login: 'signIn',
  logout: 'signIn',
  session: 'signIn',
  token: 'signIn',
  grant: 'signIn',
  entry: 'signIn',
  user: 'user',
  root: 'user',
  receipt: 'import',
  group: 'group',
  module: 'module',
  import: 'import',
  audit: 'import',
  policy: 'security',
  ip: 'security',
  keys: 'security',
  sso: 'security',
  operator: 'security',
  mail: 'mail',
};

/** By the noun in front of the dot, so that an action that is added finds its place by itself. */
export function groupOf(action: string): ActionGroup {
  return groupOfNoun[action.split('.')[0] ?? ''] ?? 'company';
}

export function actionsOf(group: ActionGroup): AuditAction[] {
  return auditActions.filter((action) => groupOf(action) === group);
}
