// Gathers the facts that effects are decided from. Members are read in chunks and as people alike, so that memory does not grow
// with their number.
import type { CompanyId, GroupId, InstanceId, ModuleId, UserId } from '../../lib/ids.ts';
import type { Work } from '../../work.ts';
import {
  closedBy,
  type Effects,
  effectsOf,
  type GroupState,
  namedAtMost,
  noEffects,
  type PeopleAlike,
  type WholeGroupChange,
} from './effects.ts';

const chunk = 5000;

/** What a change of a group means for all its members. */
export async function effectsOnMembers(
  work: Work,
  companyId: CompanyId,
  change: WholeGroupChange,
  states: GroupState[],
): Promise<Effects> {
  const touched = instancesTouchedBy(change, states);
  // Other groups matter as far as they open the same modules; fewer groups make more people alike.
  const relevant = states.filter(
    ({ id, instances }) => id === change.groupId || instances.some((instance) => touched.includes(instance)),
  );
  const effects = noEffects();
  for (let after: string | null = null; ; ) {
    const { last, people, members }: Chunk = await membersAlike(work, companyId, {
      groupId: change.groupId,
      relevant: relevant.map(({ id }) => id),
      after,
    });
    effectsOf(change, relevant, people, effects);
    if (members < chunk) return effects;
    after = last;
  }
}

function instancesTouchedBy(change: WholeGroupChange, states: GroupState[]): InstanceId[] {
  const group = states.find(({ id }) => id === change.groupId);
  if (!group) return [];
  if (change.kind !== 'modules') return group.instances;
  return [...closedBy(change, group), ...change.instances.filter((id) => !group.instances.includes(id))];
}

interface Chunk {
  last: string | null;
  members: number;
  people: PeopleAlike[];
}

async function membersAlike(
  work: Work,
  companyId: CompanyId,
  of: { groupId: GroupId; relevant: GroupId[]; after: string | null },
): Promise<Chunk> {
  const { rows }: { rows: Chunk[] } = await work.store.db.raw(
    `with piece as materialized (
       select user_id from group_members
       where company_id = :companyId and group_id = :groupId and user_id > :after order by user_id limit :chunk),
     each as (
       select u.id, u.base_status = 'Active' as is_active, array(
         select m.group_id from group_members m
         where m.user_id = u.id and m.group_id = any(:relevant) order by m.group_id) as groups
       from piece join users u on u.id = piece.user_id where u.base_status <> 'Deleted')
     select (select count(*)::int from piece) as members, (select max(user_id::text) from piece) as last,
       coalesce((select jsonb_agg(alike) from (
         select groups, is_active as "isActive", count(*) as people,
           (array_agg(id order by id))[1:${namedAtMost}] as first from each group by groups, is_active) alike), '[]') as people`,
    { companyId, ...of, after: of.after ?? '00000000-0000-0000-0000-000000000000', chunk },
  );
  return rows[0] ?? { last: null, members: 0, people: [] };
}

/** Products behind instances: what tokens belong to. */
export async function modulesOf(work: Work, companyId: CompanyId, instanceIds: InstanceId[]): Promise<ModuleId[]> {
  if (instanceIds.length === 0) return [];
  const rows: { module_id: ModuleId }[] = await work.store
    .db('module_instances')
    .where({ company_id: companyId })
    .whereIn('id', instanceIds)
    .distinct('module_id');
  return rows.map(({ module_id }) => module_id);
}

export interface Named {
  id: UserId;
  firstName: string;
  lastName: string;
  username: string;
}

/** The people whom a preview names. */
export async function namesOf(work: Work, companyId: CompanyId, ids: UserId[]): Promise<Named[]> {
  if (ids.length === 0) return [];
  return work.store
    .db('users')
    .where({ company_id: companyId })
    .whereIn('id', ids)
    .select({ id: 'id', firstName: 'first_name', lastName: 'last_name', username: 'username' });
}
