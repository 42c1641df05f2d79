import type { Database } from '../../db/knex.ts';
import type { CompanyId, GroupId, InstanceId, UserId } from '../../lib/ids.ts';
import type { Work } from '../../work.ts';
import { authorise } from '../roles/authority.ts';
import type { Module } from './module.ts';
import { type Profile, profileSchema } from './profile.ts';
import { type ModuleRow, toModule } from './repository.ts';

export interface InstanceForPerson {
  id: InstanceId;
  name: string;
  module: string;
  icon: string | null;
  isEnabled: boolean;
  profile: Profile;
  /** Groups of the person that hold it, inactive ones too. */
  groups: { id: GroupId; name: string; isActive: boolean }[];
}

/** All products, for the copy that each node keeps of them. */
export async function listModules(db: Database): Promise<Module[]> {
  return (await db<ModuleRow>('modules').orderBy('name')).map(toModule);
}

/** More instances than anybody connects; the page says so if there are more. */
export const instancesShown = 200;

/** Every instance of the company with the groups through which this person gets at it. */
export async function listInstancesFor(work: Work, companyId: CompanyId, userId: UserId): Promise<InstanceForPerson[]> {
  await authorise(work, companyId, 'users.manage');
  const { rows }: { rows: (Omit<InstanceForPerson, 'profile'> & { profile: unknown })[] } = await work.store.db.raw(
    `select i.id, i.name, m.name as module, m.icon, m.profile, i.is_enabled as "isEnabled", coalesce((
       select jsonb_agg(jsonb_build_object('id', g.id, 'name', g.name, 'isActive', g.is_active) order by g.name)
       from group_modules x
         join access_groups g on g.id = x.group_id and g.removed_at is null
         join group_members gm on gm.group_id = g.id and gm.user_id = :userId
       where x.instance_id = i.id), '[]'::jsonb) as groups
     from module_instances i join modules m on m.id = i.module_id
     where i.company_id = :companyId order by i.name, i.id limit :limit`,
    { companyId, userId, limit: instancesShown },
  );
  return rows.map((row) => ({ ...row, profile: profileSchema.parse(row.profile) }));
}
