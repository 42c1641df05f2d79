import { violatedConstraint } from '../../db/errors.ts';
import type { Database } from '../../db/knex.ts';
import type { CompanyId, InstanceId, UserId } from '../../lib/ids.ts';
import type { LinkedBy } from './account.ts';

export interface EntryLink {
  companyId: CompanyId;
  instanceId: InstanceId;
  userId: UserId;
  externalId: string;
  userName: string;
  isAdministrator: boolean;
  linkedBy: LinkedBy;
}

/**
 * Ties an account to a person, for good (C28); an account that no reading has told of yet is made from what was reported.
 * One statement, so that of two reports at once one makes the link.
 * @returns `taken` when the account, or the person in this module, belongs to another; else also whether the account administered the
 * module before, null for one that was not known
 */
export async function linkByEntry(
  db: Database,
  link: EntryLink,
  now: Date,
): Promise<'taken' | { isNew: boolean; administered: boolean | null }> {
  try {
    const { rows }: { rows: { isNew: boolean; administered: boolean | null }[] } = await db.raw(
      `insert into module_accounts as a (company_id, instance_id, external_id, user_name, is_active, is_administrator, confirmed_at,
         user_id, linked_by, linked_at, life)
       values (:companyId, :instanceId, :externalId, :userName, true, :isAdministrator, :now, :userId, :linkedBy, :now, 'live')
       on conflict (instance_id, external_id) do update set
         user_name = excluded.user_name, is_administrator = excluded.is_administrator, user_id = excluded.user_id,
         linked_by = coalesce(case when a.user_id is not null then a.linked_by end, excluded.linked_by),
         linked_at = coalesce(case when a.user_id is not null then a.linked_at end, excluded.linked_at),
         is_active = a.is_active or a.life = 'removed',
         life = case when a.life in ('free', 'removed') then 'live' else a.life end
         where a.user_id is null or a.user_id = excluded.user_id
       returning a.linked_at = :now as "isNew", (select b.is_administrator from module_accounts b
         where b.instance_id = :instanceId and b.external_id = :externalId) as administered`,
      { ...link, now },
    );
    return rows[0] ?? 'taken';
  } catch (error) {
    if (violatedConstraint(error) === 'module_accounts_user_unique') return 'taken';
    throw error;
  }
}
