import { violatedConstraint } from '../../db/errors.ts';
import type { Database } from '../../db/knex.ts';
import { conflict } from '../../lib/errors.ts';
import type { CompanyId, InstanceId, ModuleId, UserId } from '../../lib/ids.ts';
import type { Resealing } from '../../lib/secrets.ts';
import type { ClientMetadata, Instance, Module } from './module.ts';
import { profileSchema } from './profile.ts';

export interface ModuleRow {
  id: ModuleId;
  client_id: string;
  name: string;
  icon: string | null;
  secret_hash: string | null;
  metadata: ClientMetadata;
  is_built_in: boolean;
  product: string | null;
  profile: unknown;
}

interface InstanceRow {
  id: InstanceId;
  company_id: CompanyId;
  module_id: ModuleId;
  name: string;
  initiate_login_uri: string | null;
  landing_url: string | null;
  is_enabled: boolean;
  connected_at: Date;
  connected_by: UserId | null;
  scim_url: string | null;
  sealed_scim_token: string | null;
  tenant: string | null;
  events_url: string | null;
  local_login_url: string | null;
  is_test: boolean;
  version: string;
  /** As JSON. */
  contact: string | null;
  contact_at: Date | null;
}

export const toModule = (row: ModuleRow): Module => ({
  id: row.id,
  clientId: row.client_id,
  name: row.name,
  icon: row.icon,
  secretHash: row.secret_hash,
  metadata: row.metadata,
  isBuiltIn: row.is_built_in,
  product: row.product,
  profile: profileSchema.parse(row.profile),
});

const toInstance = (row: InstanceRow): Instance => ({
  id: row.id,
  moduleId: row.module_id,
  name: row.name,
  initiateLoginUri: row.initiate_login_uri,
  landingUrl: row.landing_url,
  isEnabled: row.is_enabled,
  tenant: row.tenant,
  eventsUrl: row.events_url,
  localLoginUrl: row.local_login_url,
  isTest: row.is_test,
  version: Number(row.version),
});

/** Products: the same for all companies. */
export function moduleRepository(db: Database) {
  return {
    async findByClientId(clientId: string): Promise<Module | null> {
      const row = await db<ModuleRow>('modules').where({ client_id: clientId }).first();
      return row ? toModule(row) : null;
    },

    async findClientId(id: ModuleId): Promise<string | null> {
      const row = await db<ModuleRow>('modules').where({ id }).first('client_id');
      return row?.client_id ?? null;
    },

    async insert(module: Module): Promise<void> {
      try {
        await db('modules').insert({
          id: module.id,
          client_id: module.clientId,
          name: module.name,
          icon: module.icon,
          secret_hash: module.secretHash,
          metadata: JSON.stringify(module.metadata),
          is_built_in: module.isBuiltIn,
          product: module.product,
          profile: JSON.stringify(module.profile),
        });
      } catch (error) {
        if (violatedConstraint(error) !== 'modules_client_id_unique') throw error;
        throw conflict(`There is a module with the client id ${module.clientId} already.`);
      }
    },

    /** Built-in clients follow the settings (the public address), so they are written at each start. */
    async upsertBuiltIn(module: Module): Promise<boolean> {
      const { rows }: { rows: unknown[] } = await db.raw(
        `insert into modules (id, client_id, name, icon, secret_hash, metadata, is_built_in) values (?, ?, ?, ?, null, ?, true)
         on conflict (client_id) do update set name = excluded.name, icon = excluded.icon, metadata = excluded.metadata
           where modules.metadata is distinct from excluded.metadata or modules.name is distinct from excluded.name
         returning 1`,
        [module.id, module.clientId, module.name, module.icon, JSON.stringify(module.metadata)],
      );
      return rows.length > 0;
    },
  };
}

export interface ReachableTile {
  id: InstanceId;
  name: string;
  module: string;
  icon: string | null;
  initiateLoginUri: string | null;
  landingUrl: string | null;
}

export interface ImportableInstance {
  id: InstanceId;
  name: string;
  moduleId: ModuleId;
  module: string;
  icon: string | null;
}

/** Where an instance's people are read from (A5.1). */
export interface ScimConnection {
  url: string;
  sealedToken: string;
}

/** Where a connected module is reached; null: there is no such place. */
export interface TenantPlaces {
  initiateLoginUri: string | null;
  landingUrl: string | null;
  localLoginUrl: string | null;
  eventsUrl: string | null;
  scim: ScimConnection | null;
}

/** What one company has connected. */
export function instanceRepository(db: Database, companyId: CompanyId) {
  return {
    /** @returns false, and nothing was written, when the tenant is connected already, to whomever (C29): the unique index decides. */
    async insert(
      instance: Instance,
      connectedAt: Date,
      connectedBy: UserId | null,
      scim: ScimConnection | null = null,
    ): Promise<boolean> {
      const insert = db('module_instances').insert({
        id: instance.id,
        company_id: companyId,
        module_id: instance.moduleId,
        name: instance.name,
        initiate_login_uri: instance.initiateLoginUri,
        landing_url: instance.landingUrl,
        is_enabled: instance.isEnabled,
        tenant: instance.tenant,
        events_url: instance.eventsUrl,
        local_login_url: instance.localLoginUrl,
        is_test: instance.isTest,
        connected_at: connectedAt,
        connected_by: connectedBy,
        scim_url: scim?.url ?? null,
        sealed_scim_token: scim?.sealedToken ?? null,
      });
      const { rowCount }: { rowCount: number } = await db.raw(
        '? on conflict (module_id, tenant) where tenant is not null do nothing',
        [insert],
      );
      return rowCount === 1;
    },

    /** Null: not connected to this company, to another one perhaps. Held until the transaction ends. */
    async holdTenant(moduleId: ModuleId, tenant: string): Promise<Instance | null> {
      const row = await db<InstanceRow>('module_instances')
        .where({ company_id: companyId, module_id: moduleId, tenant })
        .forNoKeyUpdate()
        .first();
      return row ? toInstance(row) : null;
    },

    /**
     * Gives the tenant to the one instance of the module that has none yet: the operator had connected it before the module could say
     * whom it serves. Nothing happens when there is none, or several, or the tenant is connected already.
     */
    async adoptTenant(moduleId: ModuleId, tenant: string): Promise<void> {
      try {
        await db.raw(
          `update module_instances set tenant = :tenant
           where company_id = :companyId and module_id = :moduleId and tenant is null
             and not exists (select from module_instances where module_id = :moduleId and tenant = :tenant)
             and (select count(*) from module_instances
               where company_id = :companyId and module_id = :moduleId and tenant is null) = 1`,
          { companyId, moduleId, tenant },
        );
      } catch (error) {
        if (violatedConstraint(error) !== 'module_instances_tenant_unique') throw error;
        throw conflict('Somebody else is connecting it in this very moment. Try again.');
      }
    },

    /** What is left out stays. */
    async setPlaces(id: InstanceId, { scim, ...places }: Partial<TenantPlaces>): Promise<void> {
      await db('module_instances')
        .where({ company_id: companyId, id })
        .update({
          version: db.raw('version + 1'),
          initiate_login_uri: places.initiateLoginUri,
          landing_url: places.landingUrl,
          local_login_url: places.localLoginUrl,
          events_url: places.eventsUrl,
          ...(scim === undefined ? {} : { scim_url: scim?.url ?? null, sealed_scim_token: scim?.sealedToken ?? null }),
        });
    },

    /** Connected once more: what was switched off is on again. */
    async enable(id: InstanceId): Promise<void> {
      await db('module_instances').where({ company_id: companyId, id }).update({ is_enabled: true });
    },

    /** @returns the version of its settings; null: it is gone */
    async noteContact(id: InstanceId, contact: object, at: Date): Promise<number | null> {
      const [row] = await db<InstanceRow>('module_instances')
        .where({ company_id: companyId, id })
        .update({ contact: JSON.stringify(contact), contact_at: at })
        .returning('version');
      return row ? Number(row.version) : null;
    },

    /** Settings, accounts, credentials and places in groups go with it. */
    async delete(id: InstanceId): Promise<void> {
      await db('module_instances').where({ company_id: companyId, id }).delete();
    },

    async findById(id: InstanceId): Promise<Instance | null> {
      const row = await db<InstanceRow>('module_instances').where({ company_id: companyId, id }).first();
      return row ? toInstance(row) : null;
    },

    /** The same, held until the transaction ends. */
    async hold(id: InstanceId): Promise<Instance | null> {
      const row = await db<InstanceRow>('module_instances')
        .where({ company_id: companyId, id })
        .forNoKeyUpdate()
        .first();
      return row ? toInstance(row) : null;
    },

    async rename(id: InstanceId, name: string): Promise<void> {
      await db('module_instances')
        .where({ company_id: companyId, id })
        .update({ name, version: db.raw('version + 1') });
    },

    async findScim(id: InstanceId): Promise<ScimConnection | null> {
      const row = await db<InstanceRow>('module_instances').where({ company_id: companyId, id }).first();
      return row?.scim_url && row.sealed_scim_token && row.is_enabled
        ? { url: row.scim_url, sealedToken: row.sealed_scim_token }
        : null;
    },

    /** Instances whose people can be imported (A5.1, A5.2). */
    async listImportable(): Promise<ImportableInstance[]> {
      return db('module_instances as i')
        .join('modules as m', 'm.id', 'i.module_id')
        .where('i.company_id', companyId)
        .where('i.is_enabled', true)
        .whereNotNull('i.scim_url')
        .whereRaw("m.profile -> 'capabilities' @> '\"userImport\"'")
        .orderBy(['m.name', 'm.id', 'i.name', 'i.id'])
        .limit(500)
        .select({ id: 'i.id', name: 'i.name', moduleId: 'm.id', module: 'm.name', icon: 'm.icon' });
    },

    /** Tiles of a person: instances in any active group they are in (A1.10, A3.7). */
    async listReachable(userId: UserId): Promise<ReachableTile[]> {
      const { rows }: { rows: ReachableTile[] } = await db.raw(
        `select i.id, i.name, m.name as module, m.icon, i.initiate_login_uri as "initiateLoginUri", i.landing_url as "landingUrl"
         from module_instances i join modules m on m.id = i.module_id
         where i.company_id = ? and i.is_enabled and exists (
           select 1 from group_modules x
             join access_groups g on g.id = x.group_id and g.is_active
             join group_members gm on gm.group_id = g.id and gm.user_id = ?
           where x.instance_id = i.id)
         order by i.name, i.id`,
        [companyId, userId],
      );
      return rows;
    },
  };
}

/** Tokens of SCIM services that an older key sealed; crosses companies, for the change of keys (API-15). */
export async function resealScimTokens(db: Database, { keyId, limit, reseal }: Resealing): Promise<number> {
  const rows: Pick<InstanceRow, 'id' | 'sealed_scim_token'>[] = await db<InstanceRow>('module_instances')
    .whereRaw('left(sealed_scim_token, ?) <> ?', [keyId.length + 1, `${keyId}.`])
    .limit(limit)
    .select('id', 'sealed_scim_token');
  for (const { id, sealed_scim_token: old } of rows)
    if (old !== null)
      await db<InstanceRow>('module_instances')
        .where({ id, sealed_scim_token: old })
        .update({ sealed_scim_token: reseal(old) });
  return rows.length;
}
