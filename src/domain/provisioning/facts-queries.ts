// The facts of many people in many instances, in a few statements whatever their number.
import type { CompanyId, InstanceId, UserId } from '../../lib/ids.ts';
import type { Work } from '../../work.ts';
import { readSettings } from '../integrations/repository.ts';
import type { Settings } from '../integrations/settings.ts';
import { type Profile, profileSchema } from '../modules/profile.ts';
import type { Role } from '../roles/role.ts';
import type { BaseStatus } from '../users/user.ts';
import type { PersonFacts } from './desire.ts';

/** An instance as provisioning sees it. */
export interface Receiver {
  id: InstanceId;
  name: string;
  /** The product's name, where one company has several instances of it. */
  module: string;
  profile: Profile;
  settings: Settings;
  hasScim: boolean;
  hasEvents: boolean;
}

/** Instances to which something can be told. @param ids null: all of the company */
export async function listReceivers(work: Work, companyId: CompanyId, ids: InstanceId[] | null): Promise<Receiver[]> {
  const { db } = work.store;
  const { rows }: { rows: (Omit<Receiver, 'profile' | 'settings'> & { profile: unknown })[] } = await db.raw(
    `select i.id, i.name, m.name as module, m.profile, i.scim_url is not null as "hasScim", i.events_url is not null as "hasEvents"
     from module_instances i join modules m on m.id = i.module_id
     where i.company_id = ? and (i.scim_url is not null or i.events_url is not null) and (?::uuid[] is null or i.id = any(?))
     order by i.id`,
    [companyId, ids, ids],
  );
  const settings = new Map(
    (
      await readSettings(
        db,
        rows.map(({ id }) => id),
      )
    ).map((one) => [one.instanceId, one]),
  );
  return rows.flatMap((row) => {
    const own = settings.get(row.id);
    const profile = profileSchema.parse(row.profile);
    return own
      ? [{ ...row, profile, settings: own, hasEvents: row.hasEvents && profile.capabilities.includes('events') }]
      : [];
  });
}

interface PersonRow {
  userId: UserId;
  status: BaseStatus;
  role: Role;
  username: string;
  email: string;
  emailVerified: boolean;
  firstName: string;
  lastName: string;
}

type Group = PersonFacts['groups'][number];

export interface Facts {
  people: PersonRow[];
  groupsOf(userId: UserId, instanceId: InstanceId): Group[];
}

export async function readFacts(
  work: Work,
  companyId: CompanyId,
  userIds: UserId[],
  instanceIds: InstanceId[],
): Promise<Facts> {
  const { db } = work.store;
  const { rows: people }: { rows: PersonRow[] } = await db.raw(
    `select id as "userId", base_status as status, role, username, email, email_verified_at is not null as "emailVerified",
       first_name as "firstName", last_name as "lastName"
     from users where company_id = ? and id = any(?) order by id`,
    [companyId, userIds],
  );
  const { rows: reach }: { rows: { userId: UserId; instanceId: InstanceId; groups: Group[] }[] } = await db.raw(
    `select gm.user_id as "userId", x.instance_id as "instanceId",
       jsonb_agg(jsonb_build_object('id', g.id, 'name', g.name) order by g.name, g.id) as groups
     from group_members gm
       join access_groups g on g.id = gm.group_id and g.is_active and g.removed_at is null
       join group_modules x on x.group_id = g.id
     where gm.company_id = ? and gm.user_id = any(?) and x.instance_id = any(?)
     group by gm.user_id, x.instance_id`,
    [companyId, userIds, instanceIds],
  );
  const groups = new Map(reach.map((one) => [`${one.userId} ${one.instanceId}`, one.groups]));
  return { people, groupsOf: (userId, instanceId) => groups.get(`${userId} ${instanceId}`) ?? [] };
}

/** One person's facts in one instance; null: there is no such person, dead or alive. */
export async function readPersonFacts(
  work: Work,
  companyId: CompanyId,
  userId: UserId,
  instanceId: InstanceId,
): Promise<PersonFacts | null> {
  const { people, groupsOf } = await readFacts(work, companyId, [userId], [instanceId]);
  const [person] = people;
  return person ? { ...person, groups: groupsOf(userId, instanceId) } : null;
}

/** Whom it may concern: the living, and those who are gone and have an account yet. In the order of their ids, a chunk at a time. */
export async function listConcernedAfter(
  work: Work,
  companyId: CompanyId,
  last: UserId | null,
  limit: number,
): Promise<UserId[]> {
  const { rows }: { rows: { id: UserId }[] } = await work.store.db.raw(
    `select u.id from users u
     where u.company_id = ? and u.id > ?::uuid and (u.base_status <> 'Deleted' or exists (
       select from module_accounts a where a.company_id = u.company_id and a.user_id = u.id))
     order by u.id limit ?`,
    [companyId, last ?? '00000000-0000-0000-0000-000000000000', limit],
  );
  return rows.map(({ id }) => id);
}
