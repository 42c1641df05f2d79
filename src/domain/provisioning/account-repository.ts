import type { Database } from '../../db/knex.ts';
import type { CompanyId, InstanceId, UserId } from '../../lib/ids.ts';
import type { Life, LinkedBy, ModuleAccount } from './account.ts';
import type { SeenAccount } from './drift.ts';

export interface AccountRow {
  company_id: CompanyId;
  instance_id: InstanceId;
  external_id: string;
  user_name: string;
  email: string;
  first_name: string;
  last_name: string;
  is_active: boolean;
  permissions: string[];
  time_zone: string | null;
  known_as: string | null;
  has_local_login: boolean | null;
  is_administrator: boolean;
  etag: string | null;
  confirmed_at: Date;
  user_id: UserId | null;
  linked_by: LinkedBy | null;
  life: Life;
  suspended_at: Date | null;
  held_until: Date | null;
  life_reason: string | null;
}

export const toModuleAccount = (row: AccountRow): ModuleAccount => ({
  companyId: row.company_id,
  instanceId: row.instance_id,
  externalId: row.external_id,
  userName: row.user_name,
  email: row.email,
  firstName: row.first_name,
  lastName: row.last_name,
  isActive: row.is_active,
  permissions: row.permissions,
  timeZone: row.time_zone,
  knownAs: row.known_as,
  hasLocalLogin: row.has_local_login,
  isAdministrator: row.is_administrator,
  etag: row.etag,
  confirmedAt: row.confirmed_at,
  userId: row.user_id,
  linkedBy: row.linked_by,
  life: row.life,
  suspendedAt: row.suspended_at,
  heldUntil: row.held_until,
  lifeReason: row.life_reason,
});

export interface Suspension {
  instanceId: InstanceId;
  externalId: string;
  heldUntil: Date;
  reason: string;
}

/** What modules last confirmed of their accounts, and the links to people. */
export function accountRepository(db: Database, companyId: CompanyId) {
  const all = () => db<AccountRow>('module_accounts').where({ company_id: companyId });

  return {
    async find(instanceId: InstanceId, externalId: string): Promise<ModuleAccount | null> {
      const row = await all().where({ instance_id: instanceId, external_id: externalId }).first();
      return row ? toModuleAccount(row) : null;
    },

    async findOf(instanceId: InstanceId, userId: UserId): Promise<ModuleAccount | null> {
      const row = await all().where({ instance_id: instanceId, user_id: userId }).first();
      return row ? toModuleAccount(row) : null;
    },

    /** Linked accounts of these people in these instances. */
    async listOf(userIds: UserId[], instanceIds: InstanceId[]): Promise<ModuleAccount[]> {
      const { rows }: { rows: AccountRow[] } = await db.raw(
        'select * from module_accounts where company_id = ? and user_id = any(?) and instance_id = any(?)',
        [companyId, userIds, instanceIds],
      );
      return rows.map(toModuleAccount);
    },

    async countActive(instanceId: InstanceId): Promise<number> {
      const { rows } = await db.raw(
        'select count(*)::int as count from module_accounts where company_id = ? and instance_id = ? and is_active',
        [companyId, instanceId],
      );
      return rows[0]?.count ?? 0;
    },

    /** Held from now on. What is held already keeps its end: letting it in at the module does not begin the time anew. */
    async suspend(suspensions: Suspension[], now: Date): Promise<void> {
      if (suspensions.length === 0) return;
      await db.raw(
        `update module_accounts a
         set life = 'suspended', suspended_at = coalesce(a.suspended_at, ?), held_until = coalesce(a.held_until, s.held_until),
           life_reason = s.reason
         from unnest(?::uuid[], ?::text[], ?::timestamptz[], ?::text[]) as s (instance_id, external_id, held_until, reason)
         where a.company_id = ? and a.instance_id = s.instance_id and a.external_id = s.external_id`,
        [
          now,
          suspensions.map(({ instanceId }) => instanceId),
          suspensions.map(({ externalId }) => externalId),
          suspensions.map(({ heldUntil }) => heldUntil),
          suspensions.map(({ reason }) => reason),
          companyId,
        ],
      );
    },

    /** What the module has just said of an account; link and life stay as they are. */
    async confirm(instanceId: InstanceId, seen: SeenAccount, now: Date): Promise<void> {
      await db.raw(
        `insert into module_accounts (company_id, instance_id, external_id, user_name, email, email_key, first_name, last_name,
           is_active, permissions, time_zone, known_as, has_local_login, is_administrator, etag, confirmed_at)
         values (?, ?, ?, ?, ?, nullif(lower(?), ''), ?, ?, ?, ?::text[], ?, ?, ?, coalesce(?, false), ?, ?)
         on conflict (instance_id, external_id) do update set user_name = excluded.user_name, email = excluded.email,
           email_key = excluded.email_key, first_name = excluded.first_name, last_name = excluded.last_name,
           is_active = excluded.is_active, permissions = excluded.permissions, time_zone = excluded.time_zone,
           known_as = excluded.known_as, has_local_login = coalesce(excluded.has_local_login, module_accounts.has_local_login),
           is_administrator = coalesce(?, module_accounts.is_administrator), etag = excluded.etag, confirmed_at = excluded.confirmed_at
         where module_accounts.company_id = excluded.company_id`,
        [
          companyId,
          instanceId,
          seen.externalId,
          seen.username,
          seen.email,
          seen.email.normalize('NFKC').trim(),
          seen.firstName,
          seen.lastName,
          seen.isActive,
          seen.permissions,
          seen.timeZone,
          seen.knownAs,
          seen.hasLocalLogin,
          seen.isAdministrator,
          seen.etag,
          now,
          seen.isAdministrator,
        ],
      );
    },

    /** Where the module confirms without saying what of. */
    async setActive(instanceId: InstanceId, externalId: string, isActive: boolean, now: Date): Promise<void> {
      await all()
        .where({ instance_id: instanceId, external_id: externalId })
        .update({ is_active: isActive, confirmed_at: now });
    },

    /**
     * Ties an account to a person (C28): from now on the link alone counts.
     * @returns false when the account belongs to somebody else; nothing has changed then
     */
    async link(
      instanceId: InstanceId,
      externalId: string,
      { userId, by, now }: { userId: UserId; by: LinkedBy; now: Date },
    ): Promise<boolean> {
      const { rows } = await db.raw(
        `update module_accounts set user_id = ?, linked_by = case when user_id = ? then linked_by else ? end,
           linked_at = case when user_id = ? then linked_at else ?::timestamptz end,
           life = case when life = 'free' then 'live' else life end
         where company_id = ? and instance_id = ? and external_id = ? and (user_id is null or user_id = ?) returning 1`,
        [userId, userId, by, userId, now, companyId, instanceId, externalId, userId],
      );
      return rows.length > 0;
    },

    async endLife(
      instanceId: InstanceId,
      externalId: string,
      life: 'live' | 'removed' | 'disabled',
      reason: string | null,
    ): Promise<void> {
      await all()
        .where({ instance_id: instanceId, external_id: externalId })
        .update({
          life,
          suspended_at: null,
          held_until: null,
          life_reason: reason,
          // What is gone is nobody's: the person may get a new one.
          ...(life === 'removed' ? { user_id: null, linked_by: null, is_active: false } : {}),
        });
    },
  };
}

/** Accounts whose held time is over, whosever they are: for the sweep. */
export async function listHeldOver(
  db: Database,
  now: Date,
  limit: number,
): Promise<{ companyId: CompanyId; instanceId: InstanceId; userId: UserId }[]> {
  const { rows } = await db.raw(
    `select a.company_id as "companyId", a.instance_id as "instanceId", a.user_id as "userId"
     from module_accounts a
       join integration_settings s on s.instance_id = a.instance_id and s.deprovision
       join module_instances i on i.id = a.instance_id and i.is_enabled
     where a.held_until <= ? and a.user_id is not null and not exists (
       select from deliveries d where d.instance_id = a.instance_id and d.user_id = a.user_id
         and d.act in ('remove', 'disable') and (d.state in ('queued', 'sent', 'accepted', 'failed', 'given-up')))
     order by a.held_until limit ?`,
    [now, limit],
  );
  return rows;
}
