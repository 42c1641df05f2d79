// What a module tells of its accounts, as it comes in page by page, and whom they could mean.
import type { Database, Query } from '../../db/knex.ts';
import { type CompanyId, type InstanceId, isId, type UserId } from '../../lib/ids.ts';
import type { Profile } from '../modules/profile.ts';
import { emailKey } from '../users/user.ts';
import type { ModuleAccount } from './account.ts';
import { type AccountRow, toModuleAccount } from './account-repository.ts';
import type { Reading, SeenAccount } from './drift.ts';

export function seenRepository(db: Database, companyId: CompanyId) {
  return {
    /**
     * Takes in one page: what is there already is only replaced by what was asked for later, since an act of ours may have been
     * confirmed while the page was on its way.
     * @returns how many of them this reading had not seen before
     */
    async keepPage(
      reading: Pick<Reading, 'id' | 'instanceId'>,
      accounts: SeenAccount[],
      askedAt: Date,
    ): Promise<number> {
      const page = [...new Map(accounts.map((one) => [one.externalId, one])).values()];
      if (page.length === 0) return 0;
      const ids = page.map(({ externalId }) => externalId);
      const { rows }: { rows: { seen: number }[] } = await db.raw(
        `select count(*)::int as seen from (${named}) a where read_id = :readId`,
        { instanceId: reading.instanceId, externalIds: ids, readId: reading.id },
      );
      const { rowCount }: { rowCount: number } = await db.raw(upsert, [
        companyId,
        reading.instanceId,
        askedAt,
        reading.id,
        JSON.stringify(page.map(recordOf)),
      ]);
      if (rowCount < page.length)
        await db.raw(
          `update module_accounts a set read_id = :readId from (${named}) n
           where a.instance_id = :instanceId and a.external_id = n.external_id and a.read_id is distinct from :readId`,
          { instanceId: reading.instanceId, externalIds: ids, readId: reading.id },
        );
      return page.length - (rows[0]?.seen ?? 0);
    },

    /** C28: accounts of a page that the module itself knows by our name for a person. */
    async linkKnown(
      instanceId: InstanceId,
      accounts: Pick<SeenAccount, 'externalId' | 'knownAs'>[],
      now: Date,
    ): Promise<number> {
      // Only what may be an id of ours is looked up.
      const known = accounts.flatMap(({ externalId, knownAs }) =>
        knownAs !== null && isId(knownAs) ? [{ externalId, userId: knownAs }] : [],
      );
      if (known.length === 0) return 0;
      const { rowCount }: { rowCount: number } = await db.raw(
        `update module_accounts a set user_id = m.user_id, linked_by = 'known', linked_at = :now, life = 'live'
         from (
           select distinct on (u.id) k.external_id, u.id as user_id
           from unnest(:externalIds::text[], :userIds::uuid[]) as k (external_id, user_id)
             join users u on u.id = k.user_id and u.company_id = :companyId and u.base_status <> 'Deleted'
           where not exists (select from module_accounts o where o.instance_id = :instanceId and o.user_id = u.id)
           order by u.id, k.external_id) m
         where a.instance_id = :instanceId and a.external_id = m.external_id and a.user_id is null and a.life = 'free'`,
        {
          companyId,
          instanceId,
          externalIds: known.map(({ externalId }) => externalId),
          userIds: known.map(({ userId }) => userId),
          now,
        },
      );
      return rowCount;
    },

    /** C28: accounts of nobody that are somebody's from now on. */
    async linkByEmail(
      instanceId: InstanceId,
      links: Pick<Fitting, 'externalId' | 'userId'>[],
      now: Date,
    ): Promise<number> {
      if (links.length === 0) return 0;
      const { rowCount }: { rowCount: number } = await db.raw(
        `update module_accounts a set user_id = m.user_id, linked_by = 'email', linked_at = :now, life = 'live'
         from unnest(:externalIds::text[], :userIds::uuid[]) as m (external_id, user_id)
         where a.company_id = :companyId and a.instance_id = :instanceId and a.external_id = m.external_id and a.user_id is null
           and a.life = 'free'`,
        {
          companyId,
          instanceId,
          externalIds: links.map(({ externalId }) => externalId),
          userIds: links.map(({ userId }) => userId),
          now,
        },
      );
      return rowCount;
    },

    /** Has a reading that began then tied an account to somebody? */
    async hasLinkedSince(instanceId: InstanceId, since: Date): Promise<boolean> {
      const { rows } = await db.raw(
        `select from module_accounts where company_id = ? and instance_id = ? and linked_at >= ? and linked_by in ('known', 'email')
           and user_id is not null limit 1`,
        [companyId, instanceId, since],
      );
      return rows.length > 0;
    },

    /** Of some accounts that belong to nobody: the people whom they could mean, two at most of each. */
    async findFitting(
      instanceId: InstanceId,
      externalIds: string[],
      { linkMode }: Pick<Profile, 'linkMode'>,
    ): Promise<Fitting[]> {
      if (externalIds.length === 0) return [];
      const { rows }: { rows: Fitting[] } = await db.raw(
        `with fitting as (${fitting})
         select external_id as "externalId", user_id as "userId", by_rule as "byRule", is_linked as "isLinked", rivals,
           is_first as "isFirst", name
         from fitting order by external_id, by_rule desc, name, user_id`,
        { companyId, instanceId, externalIds, withUsername: linkMode === 'emailOrUsername' },
      );
      return rows;
    },

    /** Ids of accounts in their order; with `readId`, of those that this reading has seen. */
    async listIds(
      instanceId: InstanceId,
      { after, limit, readId }: { after: string | null; limit: number; readId?: string },
    ): Promise<string[]> {
      // By the instance alone, so that the primary key gives the order.
      const query: Query = db('module_accounts')
        .where({ instance_id: instanceId })
        .whereNot('life', 'removed')
        .where('external_id', '>', after ?? '')
        .orderBy('external_id')
        .limit(limit)
        .select('external_id');
      const rows: { external_id: string }[] = await (readId === undefined ? query : query.where('read_id', readId));
      return rows.map(({ external_id }) => external_id);
    },

    async listByIds(instanceId: InstanceId, ids: string[]): Promise<ModuleAccount[]> {
      const { rows }: { rows: AccountRow[] } = await db.raw(
        `select * from (${named}) a where company_id = :companyId order by external_id`,
        { companyId, instanceId, externalIds: ids },
      );
      return rows.map(toModuleAccount);
    },

    /** The same, held until the transaction ends. */
    async hold(instanceId: InstanceId, externalId: string): Promise<ModuleAccount | null> {
      const row = await db('module_accounts')
        .where({ company_id: companyId, instance_id: instanceId, external_id: externalId })
        .forUpdate()
        .first();
      return row ? toModuleAccount(row) : null;
    },

    async listOfPeople(instanceId: InstanceId, userIds: UserId[]): Promise<ModuleAccount[]> {
      const rows: AccountRow[] = await db('module_accounts')
        .where({ company_id: companyId, instance_id: instanceId })
        .whereRaw('user_id = any(?)', [userIds]);
      return rows.map(toModuleAccount);
    },

    /** @returns false when one of the two belongs to somebody else by now */
    async link(instanceId: InstanceId, externalId: string, userId: UserId, now: Date): Promise<boolean> {
      const { rowCount }: { rowCount: number } = await db.raw(
        `update module_accounts a set user_id = :userId, linked_by = 'hand', linked_at = :now,
           life = case when a.life = 'free' then 'live' else a.life end
         where a.company_id = :companyId and a.instance_id = :instanceId and a.external_id = :externalId and a.user_id is null
           and not exists (select from module_accounts o where o.instance_id = :instanceId and o.user_id = :userId)`,
        { companyId, instanceId, externalId, userId, now },
      );
      return rowCount === 1;
    },

    async unlink(instanceId: InstanceId, externalId: string): Promise<void> {
      await db('module_accounts')
        .where({ company_id: companyId, instance_id: instanceId, external_id: externalId })
        .update({
          user_id: null,
          linked_by: null,
          linked_at: null,
          life: 'free',
          life_reason: null,
          suspended_at: null,
        });
    },

    /** People who may enter and have no account, not even one that could be theirs; in the order of their ids. */
    async listWithoutAccount(instanceId: InstanceId, after: UserId, limit: number): Promise<UserId[]> {
      const { rows }: { rows: { id: UserId }[] } = await db.raw(
        `select u.id from users u
         where u.company_id = :companyId and u.id > :after and u.base_status = 'Active'
           and exists (
             select from group_members m
               join group_modules x on x.group_id = m.group_id and x.instance_id = :instanceId
               join access_groups g on g.id = m.group_id and g.is_active
             where m.user_id = u.id)
           and not exists (
             select from module_accounts a where a.instance_id = :instanceId and a.user_id = u.id and a.life <> 'removed')
           and not exists (
             select from module_accounts a where a.instance_id = :instanceId and a.email_key = u.email_key and a.user_id is null
               and a.life <> 'removed' and u.email_verified_at is not null)
         order by u.id limit :limit`,
        { companyId, instanceId, after, limit },
      );
      return rows.map(({ id }) => id);
    },

    /** Accounts that may log in locally now although it is required otherwise. */
    async listExempt(instanceId: InstanceId, now: Date): Promise<string[]> {
      const rows: { account_id: string }[] = await db('login_exceptions')
        .where({ company_id: companyId, instance_id: instanceId })
        .where((live) => live.whereNull('ends_at').orWhere('ends_at', '>', now))
        .select('account_id');
      return rows.map(({ account_id }) => account_id);
    },

    /** Accounts that a whole reading has not seen, and that were known before it began. Linked ones, or others. */
    async listUnseen(reading: Pick<Reading, 'id' | 'instanceId' | 'askedAt'>, limit: number): Promise<string[]> {
      const rows: { external_id: string }[] = await unseen(reading)
        .where((any: Query) => any.whereNotNull('user_id').orWhereNot('life', 'free'))
        .orderBy('external_id')
        .limit(limit)
        .select('external_id');
      return rows.map(({ external_id }) => external_id);
    },

    /** Forgets accounts that are gone: those named, and, with null, all that are nobody's and that we have done nothing to. */
    async forget(reading: Pick<Reading, 'id' | 'instanceId' | 'askedAt'>, ids: string[] | null): Promise<number> {
      const query = unseen(reading);
      return ids === null
        ? query.whereNull('user_id').where('life', 'free').delete()
        : query.whereIn('external_id', ids).delete();
    },
  };

  function unseen({ id, instanceId, askedAt }: Pick<Reading, 'id' | 'instanceId' | 'askedAt'>): Query {
    return db('module_accounts')
      .where({ company_id: companyId, instance_id: instanceId })
      .whereRaw('read_id is distinct from ?', [id])
      .where('confirmed_at', '<', askedAt)
      .whereNot('life', 'removed');
  }
}

export interface Fitting {
  externalId: string;
  userId: UserId;
  /** False: the address is theirs, but nobody has verified it. */
  byRule: boolean;
  /** The person has an account here already. */
  isLinked: boolean;
  /** Other accounts with the same address that belong to nobody. */
  rivals: number;
  /** Of those the first username. */
  isFirst: boolean;
  name: string;
}

/**
 * Accounts by their ids, each by the primary key. The table grows by the thousand before anybody has told the planner, who would then
 * rather walk through all accounts of the instance for every page.
 */
const named = `
  select n.* from unnest(:externalIds::text[]) as i (id) cross join lateral (
    select * from module_accounts where instance_id = :instanceId and external_id = i.id limit 1) n`;

/** Unlinked accounts and the people whom they could mean. */

const fitting = `
  select a.external_id, u.id as user_id, u.first_name || ' ' || u.last_name as name, u.by_rule,
    l.is_linked is not null as is_linked, r.rivals, r.is_first
  from (${named}) a
    cross join lateral (
      select u.id, u.first_name, u.last_name, bool_or(u.by_rule) as by_rule from (
        select id, first_name, last_name, email_verified_at is not null as by_rule from users
        where email_key = a.email_key and company_id = :companyId and base_status <> 'Deleted'
        union all
        select id, first_name, last_name, true from users
        where :withUsername::boolean and username_key = lower(trim(normalize(a.user_name, NFKC))) and company_id = :companyId
          and base_status <> 'Deleted') u
      group by u.id, u.first_name, u.last_name order by 4 desc, 1 limit 3) u
    left join lateral (
      select true as is_linked from module_accounts o where o.instance_id = :instanceId and o.user_id = u.id limit 1) l on true
    cross join lateral (
      select count(*)::int as rivals, coalesce(bool_and((o.user_name, o.external_id) > (a.user_name, a.external_id)), true) as is_first
      from module_accounts o
      where o.instance_id = :instanceId and o.email_key = a.email_key and o.external_id <> a.external_id and o.user_id is null
        and o.life <> 'removed') r
  where a.company_id = :companyId and a.user_id is null and a.life <> 'removed'`;

const upsert = `
  insert into module_accounts as a (company_id, instance_id, external_id, user_name, email, email_key, first_name, last_name, is_active,
    permissions, time_zone, known_as, has_local_login, is_administrator, etag, confirmed_at, read_id)
  select s.company_id, s.instance_id, i.external_id, i.user_name, i.email, i.email_key, i.first_name, i.last_name, i.is_active,
    i.permissions, i.time_zone, i.known_as, i.has_local_login, i.is_administrator, i.etag, s.asked_at, s.read_id
  from (select ?::uuid as company_id, ?::uuid as instance_id, ?::timestamptz as asked_at, ?::uuid as read_id) s
    cross join jsonb_to_recordset(?::jsonb) as i (external_id text, user_name text, email text, email_key text, first_name text,
      last_name text, is_active boolean, permissions text[], time_zone text, known_as text, has_local_login boolean,
      is_administrator boolean, etag text)
  order by i.external_id
  on conflict (instance_id, external_id) do update set user_name = excluded.user_name, email = excluded.email,
    email_key = excluded.email_key, first_name = excluded.first_name, last_name = excluded.last_name, is_active = excluded.is_active,
    permissions = excluded.permissions, time_zone = excluded.time_zone, known_as = excluded.known_as,
    has_local_login = coalesce(excluded.has_local_login, a.has_local_login), is_administrator = excluded.is_administrator, etag = excluded.etag,
    confirmed_at = excluded.confirmed_at, read_id = excluded.read_id,
    life = case when a.life = 'removed' and excluded.is_active then 'free' else a.life end
  where a.confirmed_at < excluded.confirmed_at`;

const recordOf = (account: SeenAccount) => ({
  external_id: account.externalId,
  user_name: account.username,
  email: account.email,
  email_key: emailKey(account.email) || null,
  first_name: account.firstName,
  last_name: account.lastName,
  is_active: account.isActive,
  permissions: account.permissions,
  time_zone: account.timeZone,
  known_as: account.knownAs,
  has_local_login: account.hasLocalLogin,
  is_administrator: account.isAdministrator ?? false,
  etag: account.etag,
});
