// Third-party single sign-on (B.5): the identity providers that a company signs in with, what their words make of a person, and the
// log of what came. Owns connections, certificates, identities, rules, plans. Knows nothing of XML or HTTP (sso).
import { z } from 'zod';
import type { CompanyId } from '../../lib/ids.ts';
import type { choosableRoles } from '../roles/role.ts';

export type ConnectionId = string & { readonly __brand?: 'ConnectionId' };

export const samlSettings = z.strictObject({
  kind: z.literal('saml'),
  /** Issuer of its answers. */
  entityId: z.string().trim().min(1).max(1024),
  ssoUrl: z.url(),
  /** Single logout, where it has it. */
  sloUrl: z.url().nullable().default(null),
  /** PEM; two during a roll-over. */
  certificates: z.array(z.string()).min(1).max(4),
  /** Where its metadata can be read again; null: pasted or uploaded. */
  metadataUrl: z.url().nullable().default(null),
  signRequests: z.boolean().default(true),
  /** By HTTP-POST, where it takes no HTTP-Redirect. Not there rather than false: what was tested without it stays tested. */
  postsRequests: z.literal(true).optional(),
  /** Refuses what is not encrypted. */
  wantEncrypted: z.boolean().default(false),
  allowIdpInitiated: z.boolean().default(false),
});

export const oidcSettings = z.strictObject({
  kind: z.literal('oidc'),
  issuer: z.url(),
  clientId: z.string().trim().min(1).max(400),
  scopes: z.string().trim().max(400).default('openid email profile'),
  /** It knows our address to come back to after a logout there; one that does not would refuse the logout itself. */
  logoutReturns: z.boolean().default(false),
});

export const connectionSettings = z.discriminatedUnion('kind', [samlSettings, oidcSettings]);

/** Which claim says what; names as the upstream sends them. */
export const attributeNames = z.strictObject({
  email: z.string().trim().min(1).max(400),
  username: z.string().trim().max(400),
  firstName: z.string().trim().max(400),
  lastName: z.string().trim().max(400),
  groups: z.string().trim().max(400),
  companyIdentifier: z.string().trim().max(400),
});

export interface Connection {
  id: ConnectionId;
  companyId: CompanyId;
  name: string;
  settings: z.infer<typeof connectionSettings>;
  attributes: z.infer<typeof attributeNames>;
  enabled: boolean;
  /** Enable Automatic User Creation (JIT) with a role and groups. */
  creation: { on: boolean; role: (typeof choosableRoles)[number]; groupIds: string[] };
  /** Ask for our own second factor as well (C25). */
  asksSecondFactor: boolean;
  /** Enable Mapping Rules: whoever is in no mapped group is deactivated (T15). */
  mapping: boolean;
  /** Grows with every change. */
  version: number;
  testedAt: Date | null;
}
