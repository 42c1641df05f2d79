/**
 * The module's own people: accounts that exist whether or not anybody logs in with the provider.
 * Who may enter which of them is the kit's to decide (`decideAccount`); they are kept in `account-table.ts`.
 */
import type { ModuleAccount } from '../../sdk/module.ts';

export interface Account {
  readonly id: string;
  readonly email: string;
  /** What they log in with; their address, unless the provider gave them another name. */
  readonly userName: string;
  readonly name: string;
  readonly givenName: string;
  readonly familyName: string;
  /** The module's own permissions, such as Full Access, Team Access or Read only. */
  readonly permissions: readonly string[];
  readonly status: 'active' | 'suspended';
  /** Who has suspended it: what the module's own administrator did is not undone from outside. */
  readonly suspendedBy: 'provider' | 'module' | null;
  readonly timeZone: string;
  /** Null: no local password, so the account can be used through the provider only. */
  readonly passwordHash: string | null;
  /** Who this is at the provider, once known. The address may change on either side, this does not (C28). */
  readonly link: AccountLink | null;
  readonly externalId: string | null;
  /** What else the product asks for, such as a department. */
  readonly values: Readonly<Record<string, string>>;
  readonly eventSeq: number;
  /** Sessions that began until then are over. */
  readonly sessionsEndedAt: number;
}

export interface AccountLink {
  readonly issuer: string;
  readonly subject: string;
  readonly linkedAt: string;
}

export const sameText = (one: string, other: string): boolean =>
  one.normalize('NFC').toLowerCase() === other.normalize('NFC').toLowerCase();

/** An account that knows one name only: its last word is the family's. */
export function namesOf(name: string): { givenName: string; familyName: string } {
  const at = name.lastIndexOf(' ');
  return at < 0
    ? { givenName: name, familyName: '' }
    : { givenName: name.slice(0, at), familyName: name.slice(at + 1) };
}

export const isAdministrator = ({ permissions }: Account, administrators: readonly string[]): boolean =>
  permissions.some((name) => administrators.includes(name));

/** The account as the kit knows it. */
export function toModuleAccount(account: Account, administrators: readonly string[]): ModuleAccount {
  const { id, userName, email, givenName, familyName, name, suspendedBy, permissions, timeZone } = account;
  const { externalId, values, link, eventSeq, status, passwordHash } = account;
  return {
    id,
    userName,
    email,
    givenName,
    familyName,
    displayName: name,
    active: status === 'active',
    suspendedBy,
    permissions,
    timeZone,
    externalId,
    values,
    eventSeq,
    link: link && { issuer: link.issuer, sub: link.subject },
    localLogin: passwordHash !== null,
    administrator: isAdministrator(account, administrators),
  };
}
