// What a module makes of a person who has passed our door: the same rule as that of the kit (C28, C32, B.8). Pure.
import type { Settings } from '../integrations/settings.ts';
import type { Profile } from '../modules/profile.ts';
import type { User } from '../users/user.ts';
import type { ModuleAccount } from './account.ts';
import { mayProvision } from './desire.ts';

/** What a module told of accounts that could be this person's. */
export interface ToldAccounts {
  account: ModuleAccount | null;
  /** Accounts without a link that the module would take for theirs (C28): the first few, by user name. */
  fitting: { userName: string; isActive: boolean; isTaken: boolean }[];
  /** When the newest whole list of accounts was asked for; null: nobody knows who has one there. */
  readAt: Date | null;
}

export interface TakingFacts extends ToldAccounts {
  profile: Profile;
  settings: Settings;
}

export type AccountVerdict =
  | 'linked'
  | 'links'
  | 'made'
  | 'proves'
  | 'suspended'
  | 'unverified'
  | 'ambiguous'
  | 'taken'
  | 'none'
  /** Its accounts were never read. */
  | 'unknown';

/** Behind "Through Technicians, but": why the module refuses. */
const refusals: Partial<Record<AccountVerdict, string>> = {
  suspended: 'their account there is not active',
  unverified: 'their address is not verified, so the module takes it for nobody’s',
  ambiguous: 'several accounts there have their address',
  taken: 'the account with their address is linked to somebody else',
  none: 'they have no account there, and none is made by itself',
};

/** Why the module would refuse them, as far as it told of its accounts; null when it would not, or when nobody knows. */
export const refusalThere = (user: Pick<User, 'emailVerifiedAt'>, facts: TakingFacts): string | null =>
  refusals[verdictOf(user, facts)] ?? null;

/** What the module would answer; null: nobody knows. */
export const isTaken = (user: Pick<User, 'emailVerifiedAt'>, facts: TakingFacts): boolean | null =>
  verdictOf(user, facts) === 'unknown' ? null : refusalThere(user, facts) === null;

/** That somebody has no account can be said of a list only. */
export function verdictOf(user: Pick<User, 'emailVerifiedAt'>, facts: TakingFacts): AccountVerdict {
  const verdict = judgeAccount(user, facts);
  return verdict === 'none' && facts.readAt === null ? 'unknown' : verdict;
}

/** Which account the module would take, on what was last told of its accounts. */
export function judgeAccount(
  { emailVerifiedAt }: Pick<User, 'emailVerifiedAt'>,
  { account, fitting, profile, settings }: Omit<TakingFacts, 'readAt'>,
): AccountVerdict {
  if (account && account.life !== 'removed') return account.isActive ? 'linked' : 'suspended';
  const isMade = mayProvision(profile, settings);
  const matches = emailVerifiedAt === null ? [] : fitting;
  if (profile.linkMode === 'explicit' && (matches.length > 0 || !isMade)) return 'proves';
  if (emailVerifiedAt === null) return 'unverified';
  if (matches.length === 0) return isMade ? 'made' : 'none';
  const free = matches.filter(({ isActive, isTaken }) => isActive && !isTaken);
  const match =
    matches.length === 1 ? matches[0] : profile.severalMatches === 'firstUsername' ? (free[0] ?? matches[0]) : null;
  if (!match) return 'ambiguous';
  if (!match.isActive) return 'suspended';
  return match.isTaken ? 'taken' : 'links';
}
