// After people lost a module (C21): what it holds for them is found and destroyed. Whether they lost it is asked here, live, by the
// same rule as at each use of a token (D.2), so this may run late, twice, or for people who have it still.
import type { Database } from '../../db/knex.ts';
import type { CompanyId, ModuleId, UserId } from '../../lib/ids.ts';

export interface Holder {
  userId: UserId;
  moduleId: ModuleId;
}

// Grants are found by person, and a session's modules stand in its payload: both by the index on the person.
const holders = `
  select distinct h.user_id as "userId", m.id as "moduleId" from (
    select r.account_id as user_id, r.client_id from oidc_records r
    where r.kind = 'Grant' and r.account_id = any(:userIds)
    union all
    select r.account_id, a.key from oidc_records r, jsonb_each(coalesce(r.payload -> 'authorizations', '{}')) a
    where r.kind = 'Session' and r.account_id = any(:userIds) and a.value ->> 'sid' is not null) h
  join modules m on m.client_id = h.client_id and m.id = any(:moduleIds) and not m.is_built_in
  join users u on u.id = h.user_id and u.company_id = :companyId
  where not exists (
    select from group_members gm
      join access_groups g on g.id = gm.group_id and g.is_active
      join group_modules x on x.group_id = g.id
      join module_instances i on i.id = x.instance_id and i.is_enabled
    where gm.user_id = h.user_id and i.module_id = m.id)
  -- In one order, so that two who end sessions of the same people do not wait for each other.
  order by 1, 2`;

/** Who of these people holds something of a module that they may not enter any more. */
export async function listHoldersWithoutAccess(
  db: Database,
  companyId: CompanyId,
  of: { userIds: UserId[]; moduleIds: ModuleId[] },
): Promise<Holder[]> {
  const { rows }: { rows: Holder[] } = await db.raw(holders, { companyId, ...of });
  return rows;
}

/** People of a company in the order of their ids, a chunk at a time. */
export async function listUserIdsAfter(
  db: Database,
  companyId: CompanyId,
  after: string | null,
  limit: number,
): Promise<UserId[]> {
  const { rows }: { rows: { id: UserId }[] } = await db.raw(
    `select id from users where company_id = ? and base_status <> 'Deleted' and id > ?::uuid order by id limit ?`,
    [companyId, after ?? '00000000-0000-0000-0000-000000000000', limit],
  );
  return rows.map(({ id }) => id);
}
