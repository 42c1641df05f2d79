// People as mapping sees them: one statement for any number. Asks for no permission: for commands that have.
import type { CompanyId, UserId } from '../../lib/ids.ts';
import type { Work } from '../../work.ts';
import { roles } from '../roles/role.ts';
import type { ConnectionId } from './connection.ts';
import {
  isAdministrator,
  type LastSeen,
  type MappedPerson,
  type MembershipSource,
  type RoleSource,
} from './person-mapping.ts';
import { unseen } from './plan.ts';

/** A person with what one connection knows of them. */
export interface SeenPerson extends MappedPerson {
  emailVerifiedAt: Date | null;
  /** Who they are at this upstream; null: never seen there. */
  identity: (LastSeen & { issuer: string; subject: string; lastSeenAt: Date }) | null;
}

interface Row extends Omit<SeenPerson, 'sources' | 'roleSource' | 'identity'> {
  sources: MembershipSource[] | null;
  roleSource: RoleSource | null;
  issuer: string | null;
  subject: string;
  seenGroups: string[] | null;
  groupsState: LastSeen['groupsState'];
  claims: Record<string, string[]>;
  groupsSeenAt: Date | null;
  lastSeenAt: Date;
}

const columns = `
  u.id, u.username, u.first_name as "firstName", u.last_name as "lastName", u.role, u.base_status as "baseStatus",
  u.deactivated_reason as "deactivatedReason", u.email_verified_at as "emailVerifiedAt", p.is_break_glass as "isBreakGlass", p.groups,
  p.sources,
  case when r.user_id is null then null else jsonb_build_object('connectionId', r.connection_id, 'ruleId', r.rule_id,
    'role', r.role, 'before', r.role_before) end as "roleSource",
  i.issuer, i.subject, i.groups as "seenGroups", i.groups_state as "groupsState", i.claims,
  i.groups_seen_at as "groupsSeenAt", i.last_seen_at as "lastSeenAt"`;

const people = `
  from users u
  left join role_sources r on r.user_id = u.id
  left join idp_identities i on i.company_id = u.company_id and i.connection_id = :connectionId and i.user_id = u.id
  cross join lateral (
    select array(select m.group_id from group_members m join access_groups g on g.id = m.group_id and g.removed_at is null
        where m.company_id = u.company_id and m.user_id = u.id order by m.group_id) as groups,
      (select jsonb_agg(jsonb_build_object('groupId', s.group_id, 'connectionId', s.connection_id, 'ruleIds', to_jsonb(s.rule_ids),
          'wasByHand', s.was_by_hand) order by s.group_id, s.connection_id)
        from membership_sources s where s.user_id = u.id) as sources,
      exists (select from break_glass_people b where b.user_id = u.id and (b.ends_at is null or b.ends_at > :now)) as is_break_glass
    offset 0) p
  where u.company_id = :companyId and u.base_status <> 'Deleted'`;

/**
 * Of all that is decided from about a person. Whoever was never seen is left alone whatever they are: nothing about them can make a
 * plan old.
 */
const inputHash = `
  case when i.user_id is not null then encode(sha256(convert_to(row(u.role, u.base_status, u.deactivated_reason, p.is_break_glass,
    p.groups, p.sources, r.connection_id, r.role, r.role_before, i.groups, i.groups_state, i.claims)::text, 'UTF8')), 'base64') else '${unseen}' end`;

function toPerson({
  issuer,
  subject,
  seenGroups,
  groupsState,
  claims,
  groupsSeenAt,
  lastSeenAt,
  ...row
}: Row): SeenPerson {
  return {
    ...row,
    sources: row.sources ?? [],
    identity:
      issuer === null
        ? null
        : {
            issuer,
            subject,
            groups: seenGroups,
            groupsState,
            other: claims,
            at: groupsSeenAt ?? lastSeenAt,
            lastSeenAt,
          },
  };
}

interface Of {
  companyId: CompanyId;
  connectionId: ConnectionId;
}

/** Those of some people who are still there, by id. */
export async function listSeenPeople(work: Work, of: Of, userIds: UserId[]): Promise<SeenPerson[]> {
  const { rows }: { rows: Row[] } = await work.store.db.raw(
    `select ${columns} ${people} and u.id = any(:userIds) order by u.id`,
    {
      ...of,
      now: work.now,
      userIds,
    },
  );
  return rows.map(toPerson);
}

/** As a plan decides about them. */
export type PlannedPerson = SeenPerson & { inputHash: string };

/** All people of the company by id, some at a time; the next ones are read while these are decided. */
export async function* eachSeenPerson(work: Work, of: Of, atOnce: number): AsyncGenerator<PlannedPerson[]> {
  const read = async (after: UserId | null): Promise<(Row & { inputHash: string })[]> => {
    const { rows } = await work.store.db.raw(
      `select ${columns}, ${inputHash} as "inputHash" ${people} ${after === null ? '' : 'and u.id > :after'} order by u.id limit :atOnce`,
      { ...of, now: work.now, atOnce, ...(after === null ? {} : { after }) },
    );
    return rows;
  };
  for (let next = read(null); ; ) {
    const rows = await next;
    const isLast = rows.length < atOnce;
    if (!isLast) next = read(rows.at(-1)?.id ?? null);
    // Awaited with the next round; until then a failure must not count as one that nobody looks at.
    next.catch(() => undefined);
    if (rows.length > 0) yield rows.map((row) => ({ ...toPerson(row), inputHash: row.inputHash }));
    if (isLast) return;
  }
}

/** What is known of everybody whom the connection has seen, as one hash: `peopleHashOf` of the rows that would be decided now. */
export async function hashSeenPeople(work: Work, of: Of): Promise<string> {
  const { rows }: { rows: { hash: string }[] } = await work.store.db.raw(
    `select encode(sha256(convert_to(coalesce(string_agg(one.id || ' ' || one.hash, E'\n' order by one.id), ''), 'UTF8')), 'hex') as hash
     from (select u.id, ${inputHash} as hash ${people} and i.user_id is not null) one`,
    { ...of, now: work.now },
  );
  return rows[0]?.hash ?? '';
}

/** Two with one address are enough to know that it is not clear (C13). */
export async function listByEmail(work: Work, companyId: CompanyId, emailKey: string): Promise<UserId[]> {
  const rows: { id: UserId }[] = await work.store
    .db('users')
    .where({ company_id: companyId, email_key: emailKey })
    .whereNot({ base_status: 'Deleted' })
    .orderBy('id')
    .limit(2)
    .select('id');
  return rows.map(({ id }) => id);
}

const administrating = roles.filter(isAdministrator);

export async function countAdministrators(
  work: Work,
  companyId: CompanyId,
  except: UserId | null = null,
): Promise<number> {
  const query = work.store
    .db('users')
    .where({ company_id: companyId, base_status: 'Active' })
    .whereIn('role', administrating)
    .count({ count: '*' });
  if (except !== null) query.whereNot({ id: except });
  const rows: { count?: string | number }[] = await query;
  return Number(rows[0]?.count ?? 0);
}

export async function countActive(work: Work, companyId: CompanyId): Promise<number> {
  const rows: { count?: string | number }[] = await work.store
    .db('users')
    .where({ company_id: companyId, base_status: 'Active' })
    .count({ count: '*' });
  return Number(rows[0]?.count ?? 0);
}

/** The domain of an address is proved by another company: an upstream of this one does not vouch for it. */
export async function isForeignDomain(work: Work, companyId: CompanyId, domain: string): Promise<boolean> {
  const row = await work.store
    .db('email_domains')
    .where({ domain })
    .whereNotNull('verified_at')
    .whereNot({ company_id: companyId })
    .first(work.store.db.raw('1'));
  return row !== undefined;
}

/** From where alone people of the company may log in; null: from anywhere (B.3). */
export async function allowedNetworks(work: Work, companyId: CompanyId): Promise<string[] | null> {
  const { rows }: { rows: { allowed: string[] | null }[] } = await work.store.db.raw(
    `select case when c.policy @> '{"ipList": {"enabled": true}}' then array(
       select e.network::text from ip_entries e where e.company_id = c.id) end as allowed
     from companies c where c.id = ?`,
    [companyId],
  );
  return rows[0]?.allowed ?? null;
}
