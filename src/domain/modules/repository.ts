import { violatedConstraint } from '../../db/errors.ts';
import type { Database } from '../../db/knex.ts';
import { conflict } from '../../lib/errors.ts';
import type { CompanyId, InstanceId, ModuleId, UserId } from '../../lib/ids.ts';
import type { ClientMetadata, Instance, Module } from './module.ts';

export interface ModuleRow {
  id: ModuleId;
  client_id: string;
  name: string;
  icon: string | null;
  secret_hash: string | null;
  metadata: ClientMetadata;
  is_built_in: boolean;
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
}

export const toModule = (row: ModuleRow): Module => ({
  id: row.id,
  clientId: row.client_id,
  name: row.name,
  icon: row.icon,
  secretHash: row.secret_hash,
  metadata: row.metadata,
  isBuiltIn: row.is_built_in,
});

const toInstance = (row: InstanceRow): Instance => ({
  id: row.id,
  moduleId: row.module_id,
  name: row.name,
  initiateLoginUri: row.initiate_login_uri,
  landingUrl: row.landing_url,
  isEnabled: row.is_enabled,
});

/** Products: the same for all companies. */
export function moduleRepository(db: Database) {
  return {
    async findByClientId(clientId: string): Promise<Module | null> {
      const row = await db<ModuleRow>('modules').where({ client_id: clientId }).first();
      return row ? toModule(row) : null;
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
}

/** What one company has connected. */
export function instanceRepository(db: Database, companyId: CompanyId) {
  return {
    async insert(instance: Instance, connectedAt: Date, connectedBy: UserId | null): Promise<void> {
      await db('module_instances').insert({
        id: instance.id,
        company_id: companyId,
        module_id: instance.moduleId,
        name: instance.name,
        initiate_login_uri: instance.initiateLoginUri,
        landing_url: instance.landingUrl,
        is_enabled: instance.isEnabled,
        connected_at: connectedAt,
        connected_by: connectedBy,
      });
    },

    async findById(id: InstanceId): Promise<Instance | null> {
      const row = await db<InstanceRow>('module_instances').where({ company_id: companyId, id }).first();
      return row ? toInstance(row) : null;
    },

    /** Tiles of a person: instances in any active group they are in (A1.10, A3.7). */
    async listReachable(userId: UserId): Promise<ReachableTile[]> {
      const { rows }: { rows: ReachableTile[] } = await db.raw(
        `select i.id, i.name, m.name as module, m.icon
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
