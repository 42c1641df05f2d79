// Access groups for rules, and what rules would mean (D.7, C34, C35). The same decision as permission.ts, for everybody at once.
import type { CompanyId, GroupId, InstanceId, UserId } from '../../lib/ids.ts';
import type { Work } from '../../work.ts';
import type { Profile } from '../modules/profile.ts';
import { authorise, authoriseInstance } from '../roles/authority.ts';

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
export async function listRuleGroups(
  work: Work,
  companyId: CompanyId,
  instanceId: InstanceId,
  limit: number,
): Promise<RuleGroup[]> {
  await authoriseInstance(work, companyId, instanceId);
  const { rows }: { rows: RuleGroup[] } = await work.store.db.raw(
    `select g.id, g.name, g.is_active as "isActive", x.group_id is not null as opens
     from access_groups g left join group_modules x
       on x.company_id = g.company_id and x.group_id = g.id and x.instance_id = :instanceId
     where g.company_id = :companyId and g.removed_at is null and g.kind <> 'system-none'
     order by x.group_id is null, g.name collate "und-x-icu", g.id limit :limit`,
    { companyId, instanceId, limit },
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
  reached as (
    select m.user_id, m.group_id
    from opening o join group_members m on m.company_id = :companyId and m.group_id = o.group_id
      join users u on u.id = m.user_id and u.base_status = 'Active'),
  decided as (
    select user_id, min(r.position)::int as first from reached left join rules r using (group_id) group by user_id)`;

const counted: Record<Profile['permissionMode'], string> = {
  one: `select (cast(:permissions as text[]))[first] as permission, sum(people) as people from (
      select first, count(*) as people from decided where first is not null group by first) by_rule group by 1`,
  many: 'select permission, count(distinct user_id) as people from reached join rules using (group_id) group by permission',
};

/** How many people get what by these rules, whether access groups are on or not. One statement, which looks at everybody. */
export async function previewRules(
  work: Work,
  companyId: CompanyId,
  instanceId: InstanceId,
  { mode, rules }: { mode: Profile['permissionMode']; rules: PreviewedRule[] },
): Promise<RulePreview> {
  await authorise(work, companyId, 'modules.manage');
  const groups = rules.map(({ groupId }) => groupId);
  const permissions = rules.map(({ permission }) => permission);
  const { rows }: { rows: { people: number; counts: Record<string, number>; none: RulePreview['none'] }[] } =
    await work.store.db.raw(
      `with ${decided}
       select (select count(*)::int from decided) as people,
         coalesce((select jsonb_object_agg(permission, people) from (${counted[mode]}) counts), '{}') as counts,
         jsonb_build_object(
           'count', (select count(*) from decided where first is null),
           'sample', coalesce((
             select jsonb_agg(jsonb_build_object('id', u.id, 'name', u.first_name || ' ' || u.last_name) order by u.id)
             from (select user_id from decided where first is null order by user_id limit ${sampleSize}) some_of_them
               join users u on u.id = some_of_them.user_id), '[]')) as none`,
      { companyId, instanceId, groups, permissions },
    );
  const { people = 0, counts = {}, none = { count: 0, sample: [] } } = rows[0] ?? {};
  return {
    people,
    permissions: [...new Set(permissions)].map((permission) => ({
      permission,
      count: Object.hasOwn(counts, permission) ? (counts[permission] ?? 0) : 0,
    })),
    none,
  };
}
