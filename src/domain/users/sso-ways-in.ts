// Who can still log in with a password while single sign-on is enforced: the last administrator of them is guarded by every act that
// could take them away (C26). Pure.
import type { UserId } from '../../lib/ids.ts';
import { can, type Role } from '../roles/role.ts';

/** Somebody exempt who can really get in: active, with a password of their own. */
export interface SsoWayIn {
  userId: UserId;
  username: string;
  name: string;
  kind: 'root' | 'break-glass';
  role: Role;
  endsAt: Date | null;
}

export const canMend = ({ role }: Pick<SsoWayIn, 'role'>): boolean => can(role, 'security.manage');

/** Names who would be the last one, and what to do. */
export function lastWaySentence({ name }: Pick<SsoWayIn, 'name'>): string {
  return `${name} is the last administrator who can log in while single sign-on is enforced. Add another active administrator with a password to the break-glass people first, or turn Enforce Log In with SSO off.`;
}

/** @returns the way in that would be lost as the last one who could mend anything; null: one stays, or there was none before */
export function lastWayLost(ways: readonly SsoWayIn[], gone: ReadonlySet<UserId>): SsoWayIn | null {
  const mending = ways.filter(canMend);
  if (mending.some(({ userId }) => !gone.has(userId))) return null;
  return mending[0] ?? null;
}
