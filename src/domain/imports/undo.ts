// Taking an import back: who of it is deleted again, and who is kept, by one rule for the page that asks and for the act.
import type { User } from '../users/user.ts';

export type UndoFacts = Pick<User, 'baseStatus' | 'lastLoginAt'>;

/** Why a person whom an import has made is kept; null: nobody would miss them. */
export function keptBecause(user: UndoFacts | null): string | null {
  if (user === null || user.baseStatus === 'Deleted') return 'Is deleted already.';
  if (user.lastLoginAt !== null || user.baseStatus !== 'Invited') return 'Has logged in since, and is kept.';
  return null;
}
