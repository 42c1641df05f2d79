import type { Database } from '../../db/knex.ts';
import type { ModuleId } from '../../lib/ids.ts';
import type { ClientMetadata, Module } from './module.ts';

/** All products, for the copy that each node keeps of them. */
export async function listModules(db: Database): Promise<Module[]> {
  const rows: {
    id: ModuleId;
    client_id: string;
    name: string;
    icon: string | null;
    secret_hash: string | null;
    metadata: ClientMetadata;
    is_built_in: boolean;
  }[] = await db('modules').orderBy('name');
  return rows.map((row) => ({
    id: row.id,
    clientId: row.client_id,
    name: row.name,
    icon: row.icon,
    secretHash: row.secret_hash,
    metadata: row.metadata,
    isBuiltIn: row.is_built_in,
  }));
}
