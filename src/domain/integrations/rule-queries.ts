// Access groups for rules, and what rules would mean (D.7, C34, C35). The same decision as permission.ts, for everybody at once.
import type { CompanyId, GroupId, InstanceId, UserId } from '../../lib/ids.ts';
import type { Work } from '../../work.ts';
import type { Profile } from '../modules/profile.ts';
import { authorise } from '../roles/authority.ts';

export interface RuleGroup {
  id: GroupId;
  name: string;
  isActive: boolean;
  /** It opens the instance: only then can a rule of it fit. */
  opens: boolean;
}

/** More than a list to choose from can hold. */
export const mostRuleGroups = 500;

/** Groups that a rule may name, those first that open the instance. */
export async function listRuleGroups(work: Work, companyId: CompanyId, instanceId: InstanceId): Promise<RuleGroup[]> {
  await authorise(work, companyId, 'modules.manage');
  const { rows }: { rows: RuleGroup[] } = await work.store.db.raw(
    `select g.id, g.name, g.is_active as "isActive", x.group_id is not null as opens
     from access_groups g left join group_modules x
       on x.company_id = g.company_id and x.group_id = g.id and x.instance_id = :instanceId
     where g.company_id = :companyId and g.removed_at is null and g.kind <> 'system-none'
     order by x.group_id is null, g.name collate "und-x-icu", g.id limit :limit`,
    { companyId, instanceId, limit: mostRuleGroups },
  );
  return rows;
}

export interface RulePreview {
  /** Active people who may enter. */
  people: number;
  /** By permission, in the order of the rules; with several permissions each counts. */
  permissions: { permission: string; count: number }[];
  /** Of them no rule fits: refused while access groups are on. */
  none: { count: number; sample: { id: UserId; name: string }[] };
}

export interface PreviewedRule {
  groupId: string;
  permission: string;
}

const sampleSize = 5;

// The groups that count are those through which a person reaches the instance: active, and opening it.
const decided = `
  opening as (
    select x.group_id from group_modules x join access_groups g on g.id = x.group_id and g.is_active and g.removed_at is null
    where x.company_id = :companyId and x.instance_id = :instanceId),
  rules as (
    select group_id, permission, position
    from unnest(cast(:groups as uuid[]), cast(:permissions as text[])) with ordinality as r (group_id, permission, position)),
  decided as (
    select m.user_id, min(r.position) as first, array_agg(distinct r.permission) as every
    from opening o join group_members m on m.company_id = :companyId and m.group_id = o.group_id
      join users u on u.id = m.user_id and u.base_status = 'Active'
      left join rules r on r.group_id = m.group_id
    group by m.user_id)`;

/** How many people get what by these rules, whether access groups are on or not. Two statements. */
export async function previewRules(
  work: Work,
  companyId: CompanyId,
  instanceId: InstanceId,
  { mode, rules }: { mode: Profile['permissionMode']; rules: PreviewedRule[] },
): Promise<RulePreview> {
  await authorise(work, companyId, 'modules.manage');
  const groups = rules.map(({ groupId }) => groupId);
  const permissions = rules.map(({ permission }) => permission);
  const values = { companyId, instanceId, groups, permissions, limit: sampleSize };
  const got = mode === 'one' ? 'array[(select permission from rules where position = d.first)]' : 'd.every';
  const { rows: counted }: { rows: { permission: string | null; count: number }[] } = await work.store.db.raw(
    `with ${decided}
     select got.permission, count(*)::int as count
     from decided d cross join lateral unnest(case when d.first is null then array[null]::text[] else ${got} end) as got (permission)
     where d.first is null or got.permission is not null group by got.permission`,
    values,
  );
  const { rows: some }: { rows: { id: UserId; name: string; people: number }[] } = await work.store.db.raw(
    `with ${decided}, total as (select count(*)::int as people from decided)
     select u.id, u.first_name || ' ' || u.last_name as name, total.people
     from total left join lateral (
       select d.user_id from decided d where d.first is null order by d.user_id limit :limit) none on true
     left join users u on u.id = none.user_id`,
    values,
  );
  const countOf = (permission: string | null) => counted.find((one) => one.permission === permission)?.count ?? 0;
  return {
    people: some[0]?.people ?? 0,
    permissions: [...new Set(permissions)].map((permission) => ({ permission, count: countOf(permission) })),
    none: {
      count: countOf(null),
      sample: some.flatMap(({ id, name }) => (id === null ? [] : [{ id, name }])),
    },
  };
}
