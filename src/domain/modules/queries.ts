import type { Database } from '../../db/knex.ts';
import type { Module } from './module.ts';
import { type ModuleRow, toModule } from './repository.ts';

/** All products, for the copy that each node keeps of them. */
export async function listModules(db: Database): Promise<Module[]> {
  return (await db<ModuleRow>('modules').orderBy('name')).map(toModule);
}
