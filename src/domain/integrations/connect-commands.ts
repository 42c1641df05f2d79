// Connecting and disconnecting (A8.3-A8.5, C29): an administrator on both sides, one transaction, one tenant for one company.
import { z } from 'zod';
import { cut } from '../../lib/cut.ts';
import { notFound, standsInTheWay } from '../../lib/errors.ts';
import type { CompanyId, InstanceId } from '../../lib/ids.ts';
import { transaction, type Work } from '../../work.ts';
import { record } from '../audit/commands.ts';
import { accountIdSchema } from '../modules/account-id.ts';
import { connectTenant } from '../modules/commands.ts';
import {
  type Instance,
  type Module,
  moduleAddressSchema,
  scimTokenPurpose,
  scimTokenSchema,
} from '../modules/module.ts';
import type { TenantPlaces } from '../modules/repository.ts';
import { authoriseInstance } from '../roles/authority.ts';
import { revokeLostAccess } from '../sessions/lost-access-commands.ts';
import { causeOf, connectionEnded, settingsChanged, standingChanged } from '../standing/commands.ts';
import { issueCredential, type NewCredential } from './credential-commands.ts';

const address = moduleAddressSchema.max(2000);
/** API-06: a new address never gets the secret that was meant for the old one, so both come together. */
const scimService = z.object({ url: address, token: scimTokenSchema });

/** Where a module can be reached, as it says so itself. */
export const placesSchema = z.object({
  initiate_login_uri: address.nullish(),
  landing_url: address.nullish(),
  local_login_url: address.nullish(),
  events_url: address.nullish(),
  scim: scimService.nullish(),
});

/** What somebody or something is called at a module. */
export const nameThereSchema = z
  .string()
  .trim()
  .min(1)
  .max(200)
  .refine((text) => !/\p{Cc}/u.test(text), 'must be one line');

export const connectionSchema = placesSchema.extend({
  /** Whom the module serves: its own id for it, and what it is called there; tiles show the beginning of a long name. */
  tenant: z.object({ id: z.string().min(1).max(200), name: nameThereSchema.transform((name) => cut(name, 60).trim()) }),
  /** Which administrator of the module began it. */
  admin: z.object({ id: accountIdSchema, name: nameThereSchema }),
});

export type PlacesInput = z.infer<typeof placesSchema>;
export type ConnectionInput = z.infer<typeof connectionSchema>;

/** Null takes a place away; what is left out is as it was. */
function placesOf(work: Work, input: PlacesInput): Partial<TenantPlaces> {
  const { scim } = input;
  const sealed = scim && { url: scim.url, sealedToken: work.keyring.seal(scimTokenPurpose, scim.token) };
  const places = {
    initiateLoginUri: input.initiate_login_uri,
    landingUrl: input.landing_url,
    localLoginUrl: input.local_login_url,
    eventsUrl: input.events_url,
    scim: sealed,
  };
  return Object.fromEntries(Object.entries(places).filter(([, place]) => place !== undefined));
}

const nowhere: TenantPlaces = {
  initiateLoginUri: null,
  landingUrl: null,
  localLoginUrl: null,
  eventsUrl: null,
  scim: null,
};

export interface Connection {
  instance: Instance;
  credential: NewCredential;
  isNew: boolean;
}

/**
 * Connects a tenant of a module to the company, or once more when it is connected to it already: the same instance then, with new
 * places and a new credential, the old ones ended. All Module Access gets it by itself (B.4). The caller has made sure that both
 * sides' administrators want it (connect-ceremony.ts).
 * @throws AppError 409 `connected_elsewhere` when another company has the tenant (C29)
 */
export async function connectInstance(
  work: Work,
  companyId: CompanyId,
  module: Module,
  input: ConnectionInput,
): Promise<Connection> {
  return transaction(work, async (work) => {
    const { tenant, admin } = input;
    const connected = await connectTenant(work, companyId, {
      module,
      tenant,
      places: { ...nowhere, ...placesOf(work, input) },
    });
    if (!connected)
      throw standsInTheWay(
        'connected_elsewhere',
        `${tenant.name} is connected to another company. It has to be disconnected there first.`,
      );
    const { instance, isNew } = connected;
    const credential = await issueCredential(work, companyId, instance.id, work.now);
    await record(work, {
      action: 'module.connect',
      companyId,
      target: { kind: 'module', id: module.id },
      details: { name: module.name, instanceId: instance.id, tenant: tenant.id, admin: admin.name, again: !isNew },
    });
    const hint = { companyId, instanceIds: [instance.id], cause: causeOf(work, 'connected') };
    await standingChanged(work, { ...hint, userIds: null });
    return { instance, credential, isNew };
  });
}

/** The module says where it is reached from now on. */
export async function changePlaces(
  work: Work,
  companyId: CompanyId,
  instanceId: InstanceId,
  input: PlacesInput,
): Promise<void> {
  await authoriseInstance(work, companyId, instanceId);
  const places = placesOf(work, input);
  await transaction(work, async (work) => {
    const { instances } = work.store.of(companyId);
    const before = await instances.hold(instanceId);
    if (!before) throw notFound('module');
    await instances.setPlaces(instanceId, places);
    const { scim, ...addresses } = places;
    await record(work, {
      action: 'module.places',
      companyId,
      target: { kind: 'module', id: before.moduleId },
      details: {
        name: before.name,
        instanceId,
        before: Object.fromEntries(
          Object.keys(addresses).map((name) => [name, before[name as keyof typeof addresses]]),
        ),
        after: { ...addresses, ...(scim === undefined ? {} : { accounts: scim?.url ?? null }) },
      },
    });
    await settingsChanged(work, { companyId, instanceId, cause: causeOf(work, 'addresses changed') });
  });
}

/**
 * Ends a connection: settings, accounts and credentials go with the instance, receipts stay. Tokens of people who reach the module
 * through it alone are refused from the commit on, since access is read at each use; the job destroys them and tells the module (C21).
 */
export async function disconnectInstance(work: Work, companyId: CompanyId, instanceId: InstanceId): Promise<void> {
  await authoriseInstance(work, companyId, instanceId);
  await transaction(work, async (work) => {
    const { instances } = work.store.of(companyId);
    const instance = await instances.hold(instanceId);
    const clientId = instance && (await work.store.modules.findClientId(instance.moduleId));
    if (!instance || !clientId) throw notFound('module');
    const { moduleId, name: instanceName, eventsUrl } = instance;
    const cause = causeOf(work, 'disconnected');
    await connectionEnded(work, { companyId, instanceId, instanceName, clientId, eventsUrl, cause });
    await instances.delete(instanceId);
    await revokeLostAccess(work, { companyId, moduleIds: [moduleId], userIds: null });
    await record(work, {
      action: 'module.disconnect',
      companyId,
      target: { kind: 'module', id: moduleId },
      details: { name: instanceName, instanceId, tenant: instance.tenant },
    });
  });
}
