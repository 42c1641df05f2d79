// What an upstream identity provider said of somebody, in one form for SAML and OpenID Connect alike.

/** Groups as they came. Only `list` says anything: what is missing, or too long to be sent, is never "no groups" (C22). */
export type UpstreamGroups =
  | { state: 'list'; values: string[] }
  | { state: 'missing' }
  /** A link instead of the groups (Entra ID, more than 150 or 200 of them). */
  | { state: 'overage' };

export interface UpstreamClaims {
  /** Stable at this upstream: NameID, or `sub`. */
  subject: string;
  email: string | null;
  /** No attribute of that name came: it was read from the NameID, whose format says that it is an address. */
  isEmailFromSubject?: boolean | undefined;
  /** Asserted by the upstream, and of a domain that the company has proved or over a connection of this company alone. */
  username: string | null;
  firstName: string | null;
  lastName: string | null;
  groups: UpstreamGroups;
  /** Every other claim by its name as sent, values as text. */
  other: Record<string, string[]>;
}
