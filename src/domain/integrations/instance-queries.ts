// What a company has connected, as the console shows it: the list, and one instance with all that concerns it. No rules here.
import { notFound } from '../../lib/errors.ts';
import type { CompanyId, InstanceId, ModuleId } from '../../lib/ids.ts';
import type { Work } from '../../work.ts';
import type { AuditRow } from '../audit/repository.ts';
import { type Profile, profileSchema } from '../modules/profile.ts';
import { authorise } from '../roles/authority.ts';
import type { Settings, SettingsInput } from './settings.ts';

/** How deliveries to an instance go; absent until there was one. */
export interface LaneFacts {
  failures: number;
  closedUntil: Date | null;
  lastSuccessAt: Date | null;
  lastFailureAt: Date | null;
  lastProblem: string | null;
}

/** Once may happen; from here on somebody should look. */
const failuresToTell = 3;

export const isLaneFailing = (lane: LaneFacts | null, now: Date): lane is LaneFacts =>
  lane !== null && (lane.failures >= failuresToTell || (lane.closedUntil !== null && lane.closedUntil > now));

export interface InstanceDetail {
  id: InstanceId;
  name: string;
  moduleId: ModuleId;
  /** Name of the product. */
  module: string;
  icon: string | null;
  profile: Profile;
  settings: Settings;
  tenant: string | null;
  isTest: boolean;
  initiateLoginUri: string | null;
  landingUrl: string | null;
  eventsUrl: string | null;
  localLoginUrl: string | null;
  scimUrl: string | null;
  connectedAt: Date;
  /** Name of who connected it; null: the operator, or somebody who is gone. */
  connectedBy: string | null;
  /** When the module was last heard of, and what it said. */
  contactAt: Date | null;
  contact: Record<string, unknown> | null;
  lane: LaneFacts | null;
}

interface DetailRow extends Omit<InstanceDetail, 'settings' | 'lane' | 'profile'> {
  profile: unknown;
  failures: number | null;
  closedUntil: Date | null;
  lastSuccessAt: Date | null;
  lastFailureAt: Date | null;
  lastProblem: string | null;
}

/** @throws AppError 404, also for an instance of another company */
export async function getInstance(work: Work, companyId: CompanyId, id: InstanceId): Promise<InstanceDetail> {
  await authorise(work, companyId, 'modules.manage');
  const { rows }: { rows: DetailRow[] } = await work.store.db.raw(
    `select i.id, i.name, m.id as "moduleId", m.name as module, m.icon, m.profile, i.tenant, i.is_test as "isTest",
       i.initiate_login_uri as "initiateLoginUri", i.landing_url as "landingUrl", i.events_url as "eventsUrl",
       i.local_login_url as "localLoginUrl", i.scim_url as "scimUrl", i.connected_at as "connectedAt",
       u.first_name || ' ' || u.last_name as "connectedBy", i.contact, i.contact_at as "contactAt", l.failures,
       l.closed_until as "closedUntil", l.last_success_at as "lastSuccessAt", l.last_failure_at as "lastFailureAt",
       l.last_problem as "lastProblem"
     from module_instances i join modules m on m.id = i.module_id
       left join users u on u.company_id = i.company_id and u.id = i.connected_by
       left join delivery_lanes l on l.instance_id = i.id
     where i.company_id = ? and i.id = ?`,
    [companyId, id],
  );
  const [row] = rows;
  const settings = row && (await work.store.of(companyId).integrations.find(id));
  if (!row || !settings) throw notFound('module');
  const { failures, closedUntil, lastSuccessAt, lastFailureAt, lastProblem, ...rest } = row;
  const lane = failures === null ? null : { failures, closedUntil, lastSuccessAt, lastFailureAt, lastProblem };
  return { ...rest, profile: profileSchema.parse(row.profile), settings, lane };
}

export interface CredentialFacts {
  id: string;
  createdAt: Date;
  lastUsedAt: Date | null;
  endsAt: Date | null;
}

/** Exceptions that are in force. */
export interface ExceptionCounts {
  count: number;
  withoutEnd: number;
}

export interface InstanceOverview {
  /** Newest first; what has ended is left out. */
  credentials: CredentialFacts[];
  exceptions: ExceptionCounts;
  /** Accounts that the module told of, and how many of them belong to somebody. */
  accounts: { count: number; linked: number };
  /** The latest events of this instance. */
  history: AuditRow[];
}

const shownEvents = 8;

/** What the overview shows beside the instance itself; the caller has found the instance. */
export async function readInstanceOverview(
  work: Work,
  companyId: CompanyId,
  { id, moduleId }: Pick<InstanceDetail, 'id' | 'moduleId'>,
): Promise<InstanceOverview> {
  await authorise(work, companyId, 'modules.manage');
  const { db } = work.store;
  const ofInstance = { company_id: companyId, instance_id: id };
  const [credentials, exceptions, [accounts], { rows: history }] = await Promise.all([
    db('instance_credentials')
      .where(ofInstance)
      .where((live) => live.whereNull('ends_at').orWhere('ends_at', '>', work.now))
      .orderBy('created_at', 'desc')
      .limit(20)
      .select<CredentialFacts[]>({ id: 'id', createdAt: 'created_at', lastUsedAt: 'last_used_at', endsAt: 'ends_at' }),
    readExceptionCounts(work, companyId, id),
    db('module_accounts')
      .where(ofInstance)
      .select<InstanceOverview['accounts'][]>(
        db.raw('count(*)::int as count'),
        db.raw('count(user_id)::int as linked'),
      ),
    // Events of the module as such belong here when they say so.
    db.raw<{ rows: AuditRow[] }>(
      `select * from audit_events where company_id = :companyId and target_kind = 'module'
         and (target_id = :id or (target_id = :moduleId and details ->> 'instanceId' = :id))
       order by id desc limit :limit`,
      { companyId, id, moduleId, limit: shownEvents },
    ),
  ]);
  return {
    credentials,
    exceptions,
    accounts: accounts ?? { count: 0, linked: 0 },
    history,
  };
}

export async function readExceptionCounts(
  work: Work,
  companyId: CompanyId,
  instanceId: InstanceId,
): Promise<ExceptionCounts> {
  await authorise(work, companyId, 'modules.manage');
  const { db } = work.store;
  const [counts] = await db('login_exceptions')
    .where({ company_id: companyId, instance_id: instanceId })
    .where((live) => live.whereNull('ends_at').orWhere('ends_at', '>', work.now))
    .select<ExceptionCounts[]>(
      db.raw('count(*)::int as count'),
      db.raw('(count(*) filter (where ends_at is null))::int as "withoutEnd"'),
    );
  return counts ?? { count: 0, withoutEnd: 0 };
}

/** Active accounts that belong to somebody who has no access any more: what deprovisioning would suspend if it began now. */
export async function countLeftAccounts(
  work: Work,
  companyId: CompanyId,
  { id }: Pick<InstanceDetail, 'id'>,
): Promise<number> {
  await authorise(work, companyId, 'modules.manage');
  const { rows }: { rows: { count: number }[] } = await work.store.db.raw(
    `select count(*)::int as count from module_accounts a
     where a.company_id = :companyId and a.instance_id = :id and a.is_active and a.user_id is not null and not exists (
       select from users u join group_members m on m.company_id = u.company_id and m.user_id = u.id
         join access_groups g on g.id = m.group_id and g.is_active and g.removed_at is null
         join group_modules x on x.group_id = g.id and x.instance_id = a.instance_id
       where u.id = a.user_id and u.base_status = 'Active')`,
    { companyId, id },
  );
  return rows[0]?.count ?? 0;
}

/**
 * What provisioning would do at once if it began with these settings: people with access and a verified address who have no account.
 * `tied`: an account of nobody has that address already, so none is made.
 */
export async function countNewAccounts(
  work: Work,
  companyId: CompanyId,
  { id, profile }: Pick<InstanceDetail, 'id' | 'profile'>,
  { accessGroups: { on, rules } }: Pick<SettingsInput, 'accessGroups'>,
): Promise<{ made: number; tied: number }> {
  await authorise(work, companyId, 'modules.manage');
  const { rows }: { rows: { made: number; tied: number }[] } = await work.store.db.raw(
    `select (count(*) filter (where not is_tied))::int as made, (count(*) filter (where is_tied))::int as tied
     from (
       select :isTied::boolean and u.email_key in (
           select email_key from module_accounts where instance_id = :id and user_id is null and life <> 'removed') as is_tied
       from users u
       where u.company_id = :companyId and u.base_status = 'Active' and u.email_verified_at is not null and u.id in (
           select m.user_id from group_members m
             join access_groups g on g.id = m.group_id and g.is_active and g.removed_at is null
             join group_modules x on x.group_id = g.id and x.instance_id = :id
           where m.company_id = :companyId and (:byRules::boolean is false or g.id = any(:ruled::uuid[])))
         and not exists (
           select from module_accounts a where a.instance_id = :id and a.user_id = u.id and a.life <> 'removed')) u`,
    { companyId, id, byRules: on, ruled: rules.map(({ groupId }) => groupId), isTied: profile.linkMode !== 'explicit' },
  );
  return rows[0] ?? { made: 0, tied: 0 };
}

export interface AccountFacts {
  id: string;
  userName: string;
  email: string;
  isAdministrator: boolean;
}

/** One account as the module last told of it. */
export async function findAccount(
  work: Work,
  companyId: CompanyId,
  instanceId: InstanceId,
  externalId: string,
): Promise<AccountFacts | null> {
  await authorise(work, companyId, 'modules.manage');
  const row: AccountFacts | undefined = await work.store
    .db('module_accounts')
    .where({ company_id: companyId, instance_id: instanceId, external_id: externalId })
    .first({ id: 'external_id', userName: 'user_name', email: 'email', isAdministrator: 'is_administrator' });
  return row ?? null;
}
