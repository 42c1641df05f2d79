// Modules: the products people enter, and the instances that companies have connected. Owns OAuth client metadata.
import { z } from 'zod';
import { type InstanceId, isId, type ModuleId } from '../../lib/ids.ts';
import type { Profile } from './profile.ts';

/** Loopback addresses may be http (RFC 8252 section 7.3); all else is https (OAU-03, BCP 2.6). */
function isAcceptableAddress(text: string): boolean {
  const url = URL.parse(text);
  if (url?.hash !== '' || text.includes('#') || text.includes('*') || url.username !== '' || url.password !== '')
    return false;
  if (url.protocol === 'https:') return true;
  return url.protocol === 'http:' && ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname);
}

export const moduleAddressSchema = z
  .string()
  .refine(
    isAcceptableAddress,
    'must be an https address (http only on localhost) without fragment, wildcard or credentials',
  );

export const clientAuthMethods = ['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'] as const;
export const grantTypes = ['authorization_code', 'refresh_token', 'client_credentials'] as const;

/** Client metadata that a module may be registered with; names of OpenID Connect Dynamic Client Registration 1.0 section 2. */
export const clientMetadataSchema = z.strictObject({
  redirect_uris: z.array(moduleAddressSchema).default([]),
  post_logout_redirect_uris: z.array(moduleAddressSchema).default([]),
  token_endpoint_auth_method: z.enum(clientAuthMethods).default('client_secret_basic'),
  grant_types: z.array(z.enum(grantTypes)).min(1).default(['authorization_code', 'refresh_token']),
  response_types: z.array(z.literal('code')).default(['code']),
  scope: z.string().default('openid profile email phone address offline_access'),
  application_type: z.enum(['web', 'native']).default('web'),
  id_token_signed_response_alg: z.enum(['RS256', 'ES256', 'EdDSA']).default('RS256'),
  subject_type: z.enum(['public', 'pairwise']).default('public'),
  sector_identifier_uri: moduleAddressSchema.optional(),
  initiate_login_uri: moduleAddressSchema.optional(),
  backchannel_logout_uri: moduleAddressSchema.optional(),
  backchannel_logout_session_required: z.boolean().default(true),
  jwks_uri: moduleAddressSchema.optional(),
  jwks: z.object({ keys: z.array(z.record(z.string(), z.unknown())) }).optional(),
  default_max_age: z.number().int().min(0).optional(),
  require_auth_time: z.boolean().default(true),
  require_pushed_authorization_requests: z.boolean().default(false),
  dpop_bound_access_tokens: z.boolean().default(false),
  /** Not of the standard: a confidential client may be registered without PKCE. */
  require_pkce: z.boolean().default(true),
  /** Not of the standard: origins whose scripts may call the token endpoints (OAU-12). */
  cors_origins: z.array(z.url()).default([]),
  /** Not of the standard: clients whose tokens this one may introspect besides its own. */
  may_introspect_all: z.boolean().default(false),
});

export type ClientMetadata = z.infer<typeof clientMetadataSchema>;

export interface Module {
  id: ModuleId;
  clientId: string;
  name: string;
  icon: string | null;
  secretHash: string | null;
  metadata: ClientMetadata;
  isBuiltIn: boolean;
  /** Entry of the catalogue that it was made from; null: one of its own. */
  product: string | null;
  profile: Profile;
}

export interface Instance {
  id: InstanceId;
  moduleId: ModuleId;
  name: string;
  initiateLoginUri: string | null;
  landingUrl: string | null;
  isEnabled: boolean;
  /** The module's own name for whom it serves (C29). */
  tenant: string | null;
  eventsUrl: string | null;
  /** Where exempt people log in locally (C31). */
  localLoginUrl: string | null;
  isTest: boolean;
  /** Grows with each change of settings, exceptions, rules or state. */
  version: number;
}

/** A client id that could be a person's id would let a client pass for that person where only `sub` is looked at (OAU-25, BCP 4.15). */
export const clientIdSchema = z
  .string()
  .regex(
    /^[A-Za-z0-9][\w.~-]{0,99}$/,
    'must begin with a letter or digit and hold those and . _ ~ - alone, 100 at most',
  )
  .refine((text) => !isId(text.toLowerCase()), 'must not look like the id of a person');

/** The sealed bearer token of an instance's SCIM service; opened by the job that calls it, and shown to nobody. */
export const scimTokenPurpose = 'scim token';

/** RFC 6750 section 2.1: what a bearer token may hold. */
export const scimTokenSchema = z.string().regex(/^[A-Za-z0-9._~+/-]{1,2000}=*$/);

export const moduleNameSchema = z.string().trim().min(1).max(60);

/** The provider's own pages sign in through the same door as every module (architecture 7). */
export const homeClientId = 'home';
