/**
 * The module's own people: accounts that exist whether or not anybody logs in with the provider.
 * Here are the rules about them; they are kept in `account-table.ts`.
 */
export interface Account {
  readonly id: string;
  readonly email: string;
  readonly name: string;
  /** The module's own permission, such as Full Access, Team Access or Read only. */
  readonly role: string;
  readonly status: 'active' | 'suspended';
  readonly timeZone: string;
  /** Null: no local password, so the account can be used through the provider only. */
  readonly passwordHash: string | null;
  /** Who this is at the provider, once known. The address may change on either side, this does not (C28). */
  readonly link: AccountLink | null;
}

export interface AccountLink {
  readonly issuer: string;
  readonly subject: string;
  readonly linkedAt: string;
}

/** What the provider says about who is at the door. */
export interface Identity {
  readonly issuer: string;
  readonly subject: string;
  readonly email: string | null;
  readonly emailVerified: boolean;
}

export type EntryRefusal = 'unverified' | 'no-account' | 'suspended' | 'ambiguous' | 'linked-elsewhere';
export type Entry =
  | { outcome: 'enter'; account: Account; isNewLink: boolean }
  | { outcome: 'refused'; reason: EntryRefusal };

export const sameEmail = (one: string, other: string): boolean =>
  one.normalize('NFC').toLowerCase() === other.normalize('NFC').toLowerCase();

const refused = (reason: EntryRefusal): Entry => ({ outcome: 'refused', reason });

/**
 * Whose account it is that someone from the provider may enter (C28, D.6).
 * A link decides alone; only without one does the address count, and only a verified one that fits one account.
 */
export function decideEntry(identity: Identity, accounts: readonly Account[]): Entry {
  const linked = accounts.find(({ link }) => link?.subject === identity.subject && link.issuer === identity.issuer);
  if (linked) {
    return linked.status === 'active' ? { outcome: 'enter', account: linked, isNewLink: false } : refused('suspended');
  }
  const { email } = identity;
  if (email === null || !identity.emailVerified) return refused('unverified');
  const [match, ...others] = accounts.filter((account) => sameEmail(account.email, email));
  if (!match) return refused('no-account');
  if (others.length > 0) return refused('ambiguous');
  if (match.status !== 'active') return refused('suspended');
  // An address that has passed to another person must not hand over the account of the one before.
  if (match.link !== null) return refused('linked-elsewhere');
  return { outcome: 'enter', account: match, isNewLink: true };
}
