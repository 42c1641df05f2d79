import { violatedConstraint } from '../../db/errors.ts';
import type { Database } from '../../db/knex.ts';
import { conflict } from '../../lib/errors.ts';
import type { CompanyId, GroupId, InstanceId, UserId } from '../../lib/ids.ts';
import type { Group } from './group.ts';

interface Row {
  id: GroupId;
  company_id: CompanyId;
  name: string;
  kind: Group['kind'];
  is_active: boolean;
}

const toGroup = (row: Row): Group => ({ id: row.id, name: row.name, kind: row.kind, isActive: row.is_active });

export function groupRepository(db: Database, companyId: CompanyId) {
  const all = () => db<Row>('access_groups').where({ company_id: companyId });

  return {
    async list(): Promise<Group[]> {
      return (await all().orderBy('name')).map(toGroup);
    },

    async findByNames(names: string[]): Promise<Group[]> {
      return (await all().whereIn('name', names)).map(toGroup);
    },

    async getSystem(kind: 'system-all' | 'system-none'): Promise<Group> {
      const row = await all().where({ kind }).first();
      if (!row) throw new Error(`company ${companyId} has no ${kind} group`);
      return toGroup(row);
    },

    async insert(group: Group): Promise<void> {
      try {
        await db('access_groups').insert({
          id: group.id,
          company_id: companyId,
          name: group.name,
          kind: group.kind,
          is_active: group.isActive,
        });
      } catch (error) {
        if (violatedConstraint(error) !== 'access_groups_name_unique') throw error;
        throw conflict('There is a group of this name already.', { name: 'There is a group of this name already.' });
      }
    },

    async addMembers(groupIds: GroupId[], userId: UserId): Promise<void> {
      if (groupIds.length === 0) return;
      await db('group_members')
        .insert(groupIds.map((group_id) => ({ company_id: companyId, group_id, user_id: userId })))
        .onConflict()
        .ignore();
    },

    async listOf(userId: UserId): Promise<Group[]> {
      const rows: Row[] = await all()
        .join('group_members', 'group_members.group_id', 'access_groups.id')
        .where('group_members.user_id', userId)
        .select('access_groups.*')
        .orderBy('name');
      return rows.map(toGroup);
    },

    async addModule(groupId: GroupId, instanceId: InstanceId): Promise<void> {
      await db('group_modules')
        .insert({ company_id: companyId, group_id: groupId, instance_id: instanceId })
        .onConflict()
        .ignore();
    },
  };
}
