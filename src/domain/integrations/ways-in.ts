// Who can still get into a module while Log In with KaseyaOne is required there: the last of them is guarded by every surface.
// Pure; ways-in-commands.ts asks it with the facts of the database.
import { after, days } from '../../lib/time.ts';
import type { Exception } from './settings.ts';

/** What counts of the account behind an exception; null when the module has told of no such account. */
export interface LocalAccount {
  isActive: boolean;
  /** Null: the module does not say, so nobody can count on it. */
  hasLocalLogin: boolean | null;
  isAdministrator: boolean;
  /** It is being suspended, disabled, removed or demoted: it counts no more, though the module has not confirmed it yet. */
  isEnding: boolean;
}

export interface Exempt extends Exception {
  account: LocalAccount | null;
}

export interface WayIn {
  exceptionId: string;
  accountId: string;
  userName: string;
  kind: Exception['kind'];
  endsAt: Date | null;
}

export const isInForce = ({ endsAt }: Pick<Exception, 'endsAt'>, now: Date): boolean => endsAt === null || now < endsAt;

/** An active administrator of the module with a password of its own there. */
export const canGetIn = (account: LocalAccount | null): boolean =>
  account?.isActive === true && account.hasLocalLogin === true && account.isAdministrator && !account.isEnding;

export function waysIn(exempt: readonly Exempt[], now: Date): WayIn[] {
  return exempt
    .filter((one) => isInForce(one, now) && canGetIn(one.account))
    .map(({ id, accountId, userName, kind, endsAt }) => ({ exceptionId: id, accountId, userName, kind, endsAt }));
}

/** Two administrators, or one and a sealed emergency account. */
export function isEnough(ways: readonly WayIn[]): boolean {
  const people = ways.filter(({ kind }) => kind === 'person').length;
  return people >= 2 || (people === 1 && ways.length >= 2);
}

/** Why it is not enough, and what to do; the sentence of the pre-flight. */
export function waysSentence(ways: readonly WayIn[], { module, brand }: { module: string; brand: string }): string {
  const people = ways.filter(({ kind }) => kind === 'person').length;
  const sealed = ways.length - people;
  if (isEnough(ways))
    return sealed > 0
      ? `${counted(people)} and ${sealed === 1 ? 'a sealed emergency account' : `${sealed} sealed emergency accounts`} can get into ${module} without ${brand}.`
      : `${counted(people)} can get into ${module} without ${brand}.`;
  const instead = 'Exempt active administrators of the module who have a local password there.';
  if (ways.length === 0)
    return `No administrator could get in without ${brand}. ${instead} Two are needed, or one and a sealed emergency account.`;
  return people === 0
    ? `Only ${sealed === 1 ? 'a sealed emergency account' : 'sealed emergency accounts'} could get in without ${brand}. Exempt an administrator, too.`
    : `Only 1 administrator could get in without ${brand}. Exempt a second one, or keep a sealed emergency account.`;
}

const counted = (n: number): string => `${n} ${n === 1 ? 'administrator' : 'administrators'}`;

/** What somebody wants to do that may take a way in away. */
export type WayInChange =
  /** Accounts of the module are suspended, disabled, removed, or are no administrators any more. */
  | { what: 'accounts'; accountIds: readonly string[]; act: 'suspend' | 'disable' | 'remove' | 'demote' }
  /** An exception is as said afterwards; null: it is gone. */
  | { what: 'exception'; id: string; after: Pick<Exception, 'kind' | 'endsAt'> | null };

/** @returns the way in that would be lost as the last one, or null when one stays, or there was none before */
export function lastWayLost(exempt: readonly Exempt[], change: WayInChange, now: Date): WayIn | null {
  const before = waysIn(exempt, now);
  const stays = waysIn(changed(exempt, change), now);
  return stays.length > 0 ? null : (before[0] ?? null);
}

function changed(exempt: readonly Exempt[], change: WayInChange): Exempt[] {
  if (change.what === 'accounts') return exempt.filter(({ accountId }) => !change.accountIds.includes(accountId));
  const { id, after } = change;
  return exempt.flatMap((one) => (one.id !== id ? [one] : after === null ? [] : [{ ...one, ...after }]));
}

const actWords = { suspend: 'suspended', disable: 'disabled', remove: 'removed', demote: 'demoted' };

/** The refusal names who it is, and what to do. */
export function lastWaySentence(
  { userName, kind }: WayIn,
  change: WayInChange,
  { module, brand }: { module: string; brand: string },
): string {
  const who = kind === 'emergency' ? `The emergency account ${userName}` : userName;
  const act =
    change.what === 'accounts'
      ? `It cannot be ${actWords[change.act]}`
      : change.after === null
        ? 'The exception cannot be removed'
        : 'The exception cannot be changed like that';
  return `${who} is the last one who can get into ${module} without ${brand} while that is required. ${act}: exempt another administrator first, or turn the requirement off.`;
}

/** So long before its end the last way in is kept, so that modules hear of it in time, also when we cannot be reached then. */
export const keptAhead = days(1);
/** And by so much. */
export const keptBy = days(7);

/**
 * The exception that would end soon as the last way in: it is kept in force, and the administrators are told.
 * Also one that has ended within the last day, when nobody was there to keep it; what ended longer ago was meant to.
 */
export function wayToKeep(exempt: readonly Exempt[], now: Date): { exempt: Exempt; until: Date } | null {
  const isLate = ({ endsAt }: Exempt) => endsAt !== null && endsAt <= after(now, -keptAhead);
  const able = exempt.filter((one) => canGetIn(one.account) && !isLate(one));
  if (able.some(({ endsAt }) => endsAt === null || endsAt > after(now, keptAhead))) return null;
  const [last] = able.toSorted((a, b) => Number(b.endsAt) - Number(a.endsAt));
  return last ? { exempt: last, until: after(now, keptBy) } : null;
}
