import { randomBytes } from 'node:crypto';
import { conflict, invalid, notFound } from '../../lib/errors.ts';
import { type CompanyId, type InstanceId, type ModuleId, newId } from '../../lib/ids.ts';
import { randomToken, tokenHash } from '../../lib/secrets.ts';
import { transaction, type Work } from '../../work.ts';
import { record } from '../audit/commands.ts';
import { resolveGroups } from '../groups/resolve.ts';
import { catalogue, findProduct } from './catalogue.ts';
import {
  type ClientMetadata,
  clientIdSchema,
  clientMetadataSchema,
  homeClientId,
  type Instance,
  type Module,
  moduleAddressSchema,
  moduleNameSchema,
  scimTokenPurpose,
  scimTokenSchema,
} from './module.ts';
import { type Profile, plainProfile, profileSchema } from './profile.ts';
import type { TenantPlaces } from './repository.ts';

export interface NewModule {
  name: string;
  icon?: string | null;
  /** A client id of one's own, for imports; random otherwise, so that it never equals a person's id (OAU-25). */
  clientId?: string;
  /** Key of the catalogue, whose profile it gets (B.8). */
  product?: string;
  /** A profile of its own (profile.ts). */
  profile?: unknown;
  /** Of a module without either: what it can do beside signing people in (B.7). */
  capabilities?: string[];
  metadata: unknown;
}

/**
 * Registers a product.
 * @param complaint what the protocol engine has against it, or null
 * @returns the client secret in clear, this once; the database keeps its hash
 */
export async function createModule(
  work: Work,
  input: NewModule,
  complaint: (module: Module) => string | null,
): Promise<{ module: Module; clientSecret: string | null }> {
  const metadata = parseMetadata(input.metadata, work.config.isSecure);
  const name = moduleNameSchema.safeParse(input.name);
  if (!name.success)
    throw invalid('A module needs a name of 60 characters at most.', {
      name: 'Enter a name of 60 characters at most.',
    });
  const needsSecret = metadata.token_endpoint_auth_method.startsWith('client_secret');
  const clientSecret = needsSecret ? randomToken() : null;
  const module: Module = {
    id: newId<ModuleId>(),
    clientId: parseClientId(input.clientId),
    name: name.data,
    icon: input.icon ?? null,
    secretHash: clientSecret === null ? null : tokenHash(clientSecret),
    metadata,
    isBuiltIn: false,
    ...parseProfile(input),
  };
  const problem = complaint(module);
  if (problem) throw invalid(`The module cannot be registered like this. ${problem}`, { metadata: problem });
  await transaction(work, async (work) => {
    await work.store.modules.insert(module);
    await record(work, {
      action: 'module.create',
      companyId: null,
      target: { kind: 'module', id: module.id },
      details: { name: module.name, clientId: module.clientId },
    });
    await work.store.announce('modules');
  });
  return { module, clientSecret };
}

/** The profile of a product of the catalogue, one written out in full, or that of a plain module with these capabilities. */
function parseProfile({ product, profile, capabilities }: NewModule): { product: string | null; profile: Profile } {
  if (product !== undefined) {
    const found = findProduct(product);
    if (found) return { product, profile: found.profile };
    throw invalid(`There is no product ${product}: it is one of ${catalogue.map(({ key }) => key).join(', ')}.`);
  }
  const parsed = profileSchema.safeParse(profile ?? { capabilities: capabilities ?? [] });
  if (parsed.success) return { product: null, profile: parsed.data };
  const problem = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ');
  throw invalid(`The module cannot be registered like this. ${problem}`, { profile: problem });
}

function parseClientId(given: string | undefined): string {
  // Letters and digits only: people type it behind an option, where a leading dash would be one.
  const parsed = clientIdSchema.safeParse(given ?? randomBytes(16).toString('hex'));
  if (parsed.success) return parsed.data;
  const problem = parsed.error.issues[0]?.message ?? '';
  throw invalid(`The module cannot be registered like this. client_id ${problem}.`, { clientId: problem });
}

function parseMetadata(given: unknown, isPublicProvider: boolean): ClientMetadata {
  const parsed = clientMetadataSchema.safeParse(given);
  if (!parsed.success) {
    const fields = Object.fromEntries(
      parsed.error.issues.map(({ path, message }) => [path.join('.') || 'metadata', message]),
    );
    const sentence = Object.entries(fields)
      .map(([field, message]) => `${field}: ${message}`)
      .join('; ');
    throw invalid(`The module cannot be registered like this. ${sentence}`, fields);
  }
  const metadata = parsed.data;
  const problem = contradiction(metadata, isPublicProvider);
  if (problem) throw invalid(`The module cannot be registered like this. ${problem}`, { metadata: problem });
  return metadata;
}

function contradiction(metadata: ClientMetadata, isPublicProvider: boolean): string | null {
  const isInteractive = metadata.grant_types.includes('authorization_code');
  const isPublic = metadata.token_endpoint_auth_method === 'none';
  if (isInteractive && metadata.redirect_uris.length === 0)
    return 'redirect_uris: at least one is needed to sign people in.';
  if (isPublic && metadata.grant_types.includes('client_credentials'))
    return 'grant_types: a public client cannot use client_credentials.';
  if (isPublic && !metadata.require_pkce) return 'require_pkce: a public client must use PKCE (RFC 9700 2.1.1).';
  if (metadata.token_endpoint_auth_method === 'private_key_jwt' && !metadata.jwks && !metadata.jwks_uri) {
    return 'jwks or jwks_uri: private_key_jwt needs one of them.';
  }
  // OAU-03: where people sign in over https, only programs on their own machines get their answers over http.
  const http = metadata.redirect_uris.find((uri) => uri.startsWith('http:'));
  return http && isPublicProvider && metadata.application_type === 'web'
    ? `redirect_uris: ${http} must be https.`
    : null;
}

export interface NewInstance {
  clientId: string;
  name?: string;
  initiateLoginUri?: string;
  landingUrl?: string;
  /** Custom groups that shall hold it besides All Module Access. */
  groups?: string[];
  /** The module's own name for whom it serves (C29). */
  tenant?: string;
  eventsUrl?: string;
  localLoginUrl?: string;
  isTest?: boolean;
  /** Where its people can be read from by SCIM 2.0, and the bearer token for it (A5.1). */
  scim?: { url: string; token: string };
}

/** Gives a company an instance; it joins All Module Access by itself (B.4). */
export async function connectModule(
  work: Work,
  companyId: CompanyId,
  input: NewInstance,
): Promise<{ instanceId: InstanceId }> {
  for (const address of [
    input.initiateLoginUri,
    input.landingUrl,
    input.eventsUrl,
    input.localLoginUrl,
    input.scim?.url,
  ]) {
    if (address !== undefined && !moduleAddressSchema.safeParse(address).success)
      throw invalid(`${address} is not an address that a module may have.`);
  }
  if (input.scim && !scimTokenSchema.safeParse(input.scim.token).success)
    throw invalid('That is no bearer token: letters, digits and - . _ ~ + / = alone, and no space.');
  const scim = input.scim && {
    url: input.scim.url,
    sealedToken: work.keyring.seal(scimTokenPurpose, input.scim.token),
  };
  return transaction(work, async (work) => {
    const module = await work.store.modules.findByClientId(input.clientId);
    if (!module || module.isBuiltIn) throw notFound('module');
    const { groups } = work.store.of(companyId);
    const added = await addInstance(work, companyId, module, {
      name: input.name ?? module.name,
      tenant: input.tenant ?? null,
      isTest: input.isTest ?? false,
      places: {
        initiateLoginUri: input.initiateLoginUri ?? null,
        landingUrl: input.landingUrl ?? null,
        eventsUrl: input.eventsUrl ?? null,
        localLoginUrl: input.localLoginUrl ?? null,
        scim: scim ?? null,
      },
    });
    if (!added) throw conflict(`The tenant ${input.tenant} of ${module.name} is connected already.`);
    const { id: instanceId } = added;
    if (input.groups?.length) {
      for (const group of await resolveGroups(work, companyId, input.groups)) {
        if (group.kind === 'custom') await groups.addModule(group.id, instanceId);
      }
    }
    await record(work, {
      action: 'module.connect',
      companyId,
      target: { kind: 'module', id: module.id },
      details: { name: module.name, instanceId },
    });
    return { instanceId };
  });
}

interface InstanceInput {
  name: string;
  tenant: string | null;
  isTest: boolean;
  places: TenantPlaces;
}

/** @returns null when somebody has connected the tenant already */
async function addInstance(
  work: Work,
  companyId: CompanyId,
  module: Module,
  { name, tenant, isTest, places }: InstanceInput,
): Promise<Instance | null> {
  const { instances, groups } = work.store.of(companyId);
  const { scim, ...addresses } = places;
  const instance: Instance = {
    id: newId<InstanceId>(),
    moduleId: module.id,
    name,
    ...addresses,
    initiateLoginUri: addresses.initiateLoginUri ?? module.metadata.initiate_login_uri ?? null,
    isEnabled: true,
    tenant,
    isTest,
    version: 1,
  };
  const connectedBy = work.actor.kind === 'user' ? work.actor.id : null;
  if (!(await instances.insert(instance, work.now, connectedBy, scim))) return null;
  const all = await groups.getSystem('system-all');
  await groups.addModule(all.id, instance.id);
  return instance;
}

/**
 * The tenant of a module as an instance of this company: a new one, or the one that it has already, with new places and switched on.
 * @returns null when another company has it (C29)
 */
export async function connectTenant(
  work: Work,
  companyId: CompanyId,
  of: { module: Module; tenant: { id: string; name: string }; places: TenantPlaces },
): Promise<{ instance: Instance; isNew: boolean } | null> {
  const { module, tenant, places } = of;
  const { instances } = work.store.of(companyId);
  const input = { name: tenant.name, tenant: tenant.id, isTest: false, places };
  await instances.adoptTenant(module.id, tenant.id);
  // Who is disconnecting it in this moment is waited for, and then it is free: so it is asked for twice.
  let known: Instance | null = null;
  for (let round = 0; round < 2 && !known; round += 1) {
    const added = await addInstance(work, companyId, module, input);
    if (added) return { instance: added, isNew: true };
    known = await instances.holdTenant(module.id, tenant.id);
  }
  if (!known) return null;
  const initiateLoginUri = places.initiateLoginUri ?? module.metadata.initiate_login_uri ?? null;
  await instances.setPlaces(known.id, { ...places, initiateLoginUri });
  await instances.enable(known.id);
  const instance = await instances.findById(known.id);
  return instance && { instance, isNew: false };
}

/** The provider's own pages as a client, kept in step with the public address. */
export async function ensureHomeClient(work: Work): Promise<void> {
  const { publicUrl, brandName } = work.config;
  const changed = await work.store.modules.upsertBuiltIn({
    id: newId<ModuleId>(),
    clientId: homeClientId,
    name: brandName,
    icon: null,
    secretHash: null,
    isBuiltIn: true,
    product: null,
    profile: plainProfile,
    metadata: clientMetadataSchema.parse({
      redirect_uris: [`${publicUrl}/signed-in`],
      post_logout_redirect_uris: [`${publicUrl}/signed-out`],
      token_endpoint_auth_method: 'none',
      grant_types: ['authorization_code'],
      scope: 'openid',
    }),
  });
  if (changed) await work.store.announce('modules');
}
