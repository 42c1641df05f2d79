import { violatedConstraint } from '../../db/errors.ts';
import type { Database } from '../../db/knex.ts';
import { invalid } from '../../lib/errors.ts';
import type { CompanyId, InstanceId } from '../../lib/ids.ts';
import type { Exception } from './settings.ts';
import type { Exempt } from './ways-in.ts';

export interface StoredException extends Exempt {
  remindedDays: number | null;
  createdAt: Date;
  createdBy: string;
  email: string | null;
}

interface Row {
  id: string;
  kind: Exception['kind'];
  account_id: string;
  user_name: string;
  reason: string;
  ends_at: Date | null;
  reminded_days: number | null;
  created_at: Date;
  created_by: string;
  email: string | null;
  is_active: boolean | null;
  has_local_login: boolean | null;
  is_administrator: boolean | null;
  life: string | null;
  is_demoted: boolean;
}

const toStored = (row: Row): StoredException => ({
  id: row.id,
  kind: row.kind,
  accountId: row.account_id,
  userName: row.user_name,
  reason: row.reason,
  endsAt: row.ends_at,
  remindedDays: row.reminded_days,
  createdAt: row.created_at,
  createdBy: row.created_by,
  email: row.email,
  account:
    row.is_active === null
      ? null
      : {
          isActive: row.is_active,
          hasLocalLogin: row.has_local_login,
          isAdministrator: row.is_administrator === true,
          isEnding: row.is_demoted || (row.life !== 'free' && row.life !== 'live'),
        },
});

// On its way to the module: permissions without any that administers it.
const demoting = `exists (
  select from deliveries d where d.instance_id = a.instance_id and d.user_id = a.user_id
    and d.state in ('queued', 'sent', 'accepted', 'failed') and d.act in ('create', 'update', 'restore')
    and jsonb_exists(d.wanted, 'permissions') and jsonb_array_length(m.profile -> 'administrators') > 0
    and not jsonb_exists_any(d.wanted -> 'permissions', array(select jsonb_array_elements_text(m.profile -> 'administrators'))))`;

/** Exceptions of the instances of one company, each with what the module last told of its account. */
export function exceptionRepository(db: Database, companyId: CompanyId) {
  return {
    /** By name; ended ones too. */
    async list(instanceId: InstanceId): Promise<StoredException[]> {
      const { rows }: { rows: Row[] } = await db.raw(
        `select x.*, a.email, a.is_active, a.has_local_login, a.is_administrator, a.life, ${demoting} as is_demoted
         from login_exceptions x
           join module_instances i on i.id = x.instance_id
           join modules m on m.id = i.module_id
           left join module_accounts a on a.instance_id = x.instance_id and a.external_id = x.account_id
         where x.company_id = ? and x.instance_id = ? order by x.user_name collate "und-x-icu", x.id`,
        [companyId, instanceId],
      );
      return rows.map(toStored);
    },

    /** What the module calls an account; null when it has told of none. */
    async findUserName(instanceId: InstanceId, accountId: string): Promise<string | null> {
      const row: { user_name: string } | undefined = await db('module_accounts')
        .where({ company_id: companyId, instance_id: instanceId, external_id: accountId })
        .first('user_name');
      return row?.user_name ?? null;
    },

    /** Whoever is exempt already stays so with the old row, unless that one has ended. */
    async insert(
      instanceId: InstanceId,
      exception: Exception & { remindedDays?: number | null },
      by: string,
      now: Date,
    ): Promise<void> {
      await db('login_exceptions')
        .where({ company_id: companyId, instance_id: instanceId, account_id: exception.accountId })
        .where('ends_at', '<=', now)
        .delete();
      try {
        await db('login_exceptions').insert({
          id: exception.id,
          company_id: companyId,
          instance_id: instanceId,
          kind: exception.kind,
          account_id: exception.accountId,
          user_name: exception.userName,
          reason: exception.reason,
          ends_at: exception.endsAt,
          reminded_days: exception.remindedDays ?? null,
          created_at: now,
          created_by: by,
        });
      } catch (error) {
        if (violatedConstraint(error) !== 'login_exceptions_account_unique') throw error;
        throw invalid(`${exception.userName} is exempt already.`, { accountId: 'This account is exempt already.' });
      }
    },

    /** A new end begins its reminders anew. */
    async update(
      id: string,
      change: Pick<Exception, 'kind' | 'reason' | 'endsAt'> & { remindedDays: number | null },
    ): Promise<void> {
      await db('login_exceptions').where({ company_id: companyId, id }).update({
        kind: change.kind,
        reason: change.reason,
        ends_at: change.endsAt,
        reminded_days: change.remindedDays,
      });
    },

    async remind(id: string, daysBefore: number): Promise<void> {
      await db('login_exceptions').where({ company_id: companyId, id }).update({ reminded_days: daysBefore });
    },

    /** Whose word of a sealed account's use it is; null when it is none, `isNews` when nobody was told since `toldBefore`. */
    async noteUse(
      instanceId: InstanceId,
      accountId: string,
      times: { now: Date; toldBefore: Date },
    ): Promise<{ userName: string; isNews: boolean } | null> {
      const emergency = () =>
        db('login_exceptions').where({
          company_id: companyId,
          instance_id: instanceId,
          account_id: accountId,
          kind: 'emergency',
        });
      const [news] = await emergency()
        .where((told) => told.whereNull('use_told_at').orWhere('use_told_at', '<', times.toldBefore))
        .update({ use_told_at: times.now })
        .returning('user_name');
      if (news) return { userName: news.user_name, isNews: true };
      const known = await emergency().first('user_name');
      return known ? { userName: known.user_name, isNews: false } : null;
    },

    async delete(id: string): Promise<void> {
      await db('login_exceptions').where({ company_id: companyId, id }).delete();
    },
  };
}

const able = `join module_accounts a on a.instance_id = x.instance_id and a.external_id = x.account_id and a.is_active
  and a.has_local_login and a.is_administrator and a.life in ('free', 'live')`;

/**
 * Instances where time has something to do with exceptions, whosever they are: a reminder is due, or the last way in is about to end.
 * What exactly, rules decide (exception.ts, ways-in.ts); this finds the few among all.
 */
export async function listDueInstances(
  db: Database,
  due: { now: Date; firstReminder: Date; lastReminder: Date; longEnded: Date; limit: number },
): Promise<{ companyId: CompanyId; instanceId: InstanceId }[]> {
  const { rows }: { rows: { companyId: CompanyId; instanceId: InstanceId }[] } = await db.raw(
    `select distinct company_id as "companyId", instance_id as "instanceId" from (
       select x.company_id, x.instance_id from login_exceptions x
       where x.ends_at > :now and (
         x.ends_at <= :firstReminder and x.reminded_days is null or x.ends_at <= :lastReminder and x.reminded_days > 1)
       union all
       select s.company_id, s.instance_id from integration_settings s
       where s.require_state <> 'off'
         and exists (select from login_exceptions x ${able} where x.instance_id = s.instance_id and x.ends_at > :longEnded)
         and not exists (select from login_exceptions x ${able}
           where x.instance_id = s.instance_id and (x.ends_at is null or x.ends_at > :lastReminder))) due
     order by 2 limit :limit`,
    due,
  );
  return rows;
}

/**
 * Removes what ended long ago, but for instances that require the login now: there the one that ended last may be the last way in.
 */
export async function deleteEnded(db: Database, before: Date): Promise<void> {
  await db.raw(
    `delete from login_exceptions where id in (
       select x.id from login_exceptions x join integration_settings s on s.instance_id = x.instance_id and s.require_state = 'off'
       where x.ends_at < ? limit 1000)`,
    [before],
  );
}

/** Instances that require the login and have no way in beside it, whosever they are; those that nobody was told of since `toldBefore`. */
export async function listInstancesWithoutWayIn(
  db: Database,
  { now, toldBefore, limit }: { now: Date; toldBefore: Date; limit: number },
): Promise<{ companyId: CompanyId; instanceId: InstanceId }[]> {
  const { rows }: { rows: { companyId: CompanyId; instanceId: InstanceId }[] } = await db.raw(
    `select s.company_id as "companyId", s.instance_id as "instanceId" from integration_settings s
     where s.require_state <> 'off' and (s.alarmed_at is null or s.alarmed_at < :toldBefore)
       and not exists (select from login_exceptions x ${able}
         where x.instance_id = s.instance_id and (x.ends_at is null or x.ends_at > :now))
     order by 2 limit :limit`,
    { now, toldBefore, limit },
  );
  return rows;
}

/** Where somebody can get in again, or nobody needs to, the next alarm is a new one; not of those that rang since `rungBefore`. */
export async function clearAlarms(db: Database, { now, rungBefore }: { now: Date; rungBefore: Date }): Promise<void> {
  await db.raw(
    `update integration_settings s set alarmed_at = null where s.alarmed_at < :rungBefore and (s.require_state = 'off'
       or exists (select from login_exceptions x ${able}
         where x.instance_id = s.instance_id and (x.ends_at is null or x.ends_at > :now)))`,
    { now, rungBefore },
  );
}
