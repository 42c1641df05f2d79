import { violatedConstraint } from '../../db/errors.ts';
import type { Database } from '../../db/knex.ts';
import { conflict } from '../../lib/errors.ts';
import type { CompanyId, GroupId, InstanceId, UserId } from '../../lib/ids.ts';
import type { Role } from '../roles/role.ts';
import type { GroupState } from './effects.ts';
import type { Group } from './group.ts';

interface Row {
  id: GroupId;
  company_id: CompanyId;
  name: string;
  kind: Group['kind'];
  is_active: boolean;
  removed_at: Date | null;
}

export interface Member {
  id: UserId;
  role: Role;
  isActive: boolean;
  groups: GroupId[];
}

export interface MemberPair {
  groupId: GroupId;
  userId: UserId;
}

const toGroup = (row: Row): Group => ({ id: row.id, name: row.name, kind: row.kind, isActive: row.is_active });

const nameTaken = 'There is a group of this name already.';

/** Refusals of the schema in words of the domain. */
function translated(error: unknown): unknown {
  switch (violatedConstraint(error)) {
    case 'access_groups_name_unique':
      return conflict(nameTaken, { name: nameTaken });
    case 'group_members_group_fkey':
    case 'group_modules_group_fkey':
      return conflict('A group of these was deleted in the meantime. Reload the page and choose again.');
    case 'group_modules_instance_fkey':
      return conflict('A module of these was disconnected in the meantime. Reload the page and choose again.');
    default:
      return error;
  }
}

const lockClass = 7_304_813;

export function groupRepository(db: Database, companyId: CompanyId) {
  const all = () => db<Row>('access_groups').where('access_groups.company_id', companyId).whereNull('removed_at');
  const write = async (act: () => Promise<unknown>): Promise<void> => {
    try {
      await act();
    } catch (error) {
      throw translated(error);
    }
  };

  return {
    async list(): Promise<Group[]> {
      return (await all().orderByRaw('name collate "und-x-icu", id')).map(toGroup);
    },

    async findById(id: GroupId): Promise<Group | null> {
      const row = await all().where({ id }).first();
      return row ? toGroup(row) : null;
    },

    /**
     * Lets changes of memberships stand in line until the transaction ends: those of single people beside each other (they hold
     * their people's rows), those of a whole group alone. No sign-in waits for this.
     */
    async holdMemberships(who: 'some' | 'all'): Promise<void> {
      const lock = who === 'all' ? 'pg_advisory_xact_lock' : 'pg_advisory_xact_lock_shared';
      await db.raw(`select ${lock}(?::int, hashtext(?))`, [lockClass, companyId]);
    },

    /** All groups with the enabled instances that each opens. */
    async listStates(): Promise<GroupState[]> {
      const rows: (Row & { instances: InstanceId[] })[] = await all()
        .select('access_groups.*')
        .select(
          db.raw(`array(select x.instance_id from group_modules x
            join module_instances i on i.id = x.instance_id and i.is_enabled
            where x.company_id = access_groups.company_id and x.group_id = access_groups.id) as instances`),
        )
        .orderByRaw('name collate "und-x-icu", id');
      return rows.map((row) => ({ ...toGroup(row), instances: row.instances }));
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
      await write(() =>
        db('access_groups').insert({
          id: group.id,
          company_id: companyId,
          name: group.name,
          kind: group.kind,
          is_active: group.isActive,
        }),
      );
    },

    async update(id: GroupId, changes: { name?: string; isActive?: boolean }): Promise<void> {
      await write(() =>
        all()
          .where({ id })
          .update({
            ...(changes.name === undefined ? {} : { name: changes.name }),
            ...(changes.isActive === undefined ? {} : { is_active: changes.isActive }),
          }),
      );
    },

    /** It gives nothing from now on and shows nowhere; its name is free. Its members are moved out behind it. */
    async markRemoved(id: GroupId, at: Date): Promise<void> {
      await all().where({ id }).update({ removed_at: at, is_active: false, name: id });
    },

    async isRemoved(id: GroupId): Promise<boolean> {
      const row = await db<Row>('access_groups')
        .where({ company_id: companyId, id })
        .whereNotNull('removed_at')
        .first('id');
      return row !== undefined;
    },

    /** Takes people out of a group; whoever is in no other one falls back to No Module Access (C20). */
    async moveOut(groupId: GroupId, userIds: UserId[]): Promise<void> {
      // Who is being deleted right now is waited for, and gets no membership behind it (C15).
      const here = await this.listPeople(userIds, true);
      await db.raw(
        `insert into group_members (company_id, group_id, user_id)
         select :companyId, n.id, one.user_id from unnest(:userIds::uuid[]) as one (user_id)
           join access_groups n on n.company_id = :companyId and n.kind = 'system-none'
         where not exists (
           select from group_members m join access_groups g on g.id = m.group_id and g.removed_at is null
           where m.user_id = one.user_id and m.group_id <> :groupId)
         on conflict do nothing`,
        { companyId, groupId, userIds: here.map(({ id }) => id) },
      );
      await db('group_members')
        .where({ company_id: companyId, group_id: groupId })
        .whereIn('user_id', userIds)
        .delete();
    },

    async delete(id: GroupId): Promise<void> {
      await db('access_groups').where({ company_id: companyId, id }).delete();
    },

    async addMembers(groupIds: GroupId[], userId: UserId): Promise<void> {
      if (groupIds.length === 0) return;
      await write(() =>
        db('group_members')
          .insert(groupIds.map((group_id) => ({ company_id: companyId, group_id, user_id: userId })))
          .onConflict()
          .ignore(),
      );
    },

    /** One statement each, whatever the number. */
    async changeMembers(added: MemberPair[], removed: MemberPair[]): Promise<void> {
      const pairs = (list: MemberPair[]) => [list.map(({ groupId }) => groupId), list.map(({ userId }) => userId)];
      if (removed.length > 0)
        await db.raw(
          `delete from group_members m using unnest(?::uuid[], ?::uuid[]) as gone (group_id, user_id)
           where m.company_id = ? and m.group_id = gone.group_id and m.user_id = gone.user_id`,
          [...pairs(removed), companyId],
        );
      if (added.length > 0)
        await write(() =>
          db.raw(
            `insert into group_members (group_id, user_id, company_id)
             select group_id, user_id, ? from unnest(?::uuid[], ?::uuid[]) as fresh (group_id, user_id)
             on conflict do nothing`,
            [companyId, ...pairs(added)],
          ),
        );
    },

    /** People with their groups; `hold` keeps both as they are until the transaction ends. Those who are gone are left out. */
    async listPeople(userIds: UserId[], hold: boolean): Promise<Member[]> {
      // In the order of ids, so that two such acts do not wait for each other.
      const { rows }: { rows: Omit<Member, 'groups'>[] } = await db.raw(
        `select id, role, base_status = 'Active' as "isActive" from users
         where company_id = ? and id = any(?) and base_status <> 'Deleted' order by id ${hold ? 'for no key update' : ''}`,
        [companyId, userIds],
      );
      const { rows: pairs }: { rows: MemberPair[] } = await db.raw(
        `select m.group_id as "groupId", m.user_id as "userId" from group_members m
           join access_groups g on g.id = m.group_id and g.removed_at is null
         where m.company_id = ? and m.user_id = any(?)`,
        [companyId, userIds],
      );
      const groups = Map.groupBy(pairs, ({ userId }) => userId);
      return rows.map((row) => ({ ...row, groups: (groups.get(row.id) ?? []).map(({ groupId }) => groupId) }));
    },

    /** Members in the order of their ids, a chunk at a time. */
    async listMemberIds(groupId: GroupId, limit: number): Promise<UserId[]> {
      const rows: { user_id: UserId }[] = await db('group_members')
        .where({ company_id: companyId, group_id: groupId })
        .orderBy('user_id')
        .limit(limit)
        .select('user_id');
      return rows.map(({ user_id }) => user_id);
    },

    async listOf(userId: UserId): Promise<Group[]> {
      const rows: Row[] = await all()
        .join('group_members', 'group_members.group_id', 'access_groups.id')
        .where('group_members.user_id', userId)
        .select('access_groups.*')
        .orderByRaw('name collate "und-x-icu", access_groups.id');
      return rows.map(toGroup);
    },

    /** Exactly these instances of the company. */
    async setModules(groupId: GroupId, instanceIds: InstanceId[]): Promise<void> {
      await db('group_modules')
        .where({ company_id: companyId, group_id: groupId })
        .whereNotIn('instance_id', instanceIds)
        .delete();
      await write(() =>
        db.raw(
          `insert into group_modules (company_id, group_id, instance_id)
           select ?, ?, instance_id from unnest(?::uuid[]) as chosen (instance_id) on conflict do nothing`,
          [companyId, groupId, instanceIds],
        ),
      );
    },

    async addModule(groupId: GroupId, instanceId: InstanceId): Promise<void> {
      await db('group_modules')
        .insert({ company_id: companyId, group_id: groupId, instance_id: instanceId })
        .onConflict()
        .ignore();
    },
  };
}
