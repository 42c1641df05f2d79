// What modules told of the accounts that could be one person's: three statements, however many modules there are.
import type { CompanyId, InstanceId } from '../../lib/ids.ts';
import { likePattern } from '../../lib/paging.ts';
import type { Work } from '../../work.ts';
import type { Profile } from '../modules/profile.ts';
import { emailKey, type User, usernameKey } from '../users/user.ts';
import type { ToldAccounts } from './taking.ts';

type Asked = { id: InstanceId; profile: Pick<Profile, 'linkMode'> };

/** @returns one entry for each instance that is asked for */
export async function readToldAccounts(
  work: Work,
  companyId: CompanyId,
  user: User,
  instances: Asked[],
): Promise<Map<InstanceId, ToldAccounts>> {
  if (instances.length === 0) return new Map();
  const ids = instances.map(({ id }) => id);
  const [accounts, fitting, read] = await Promise.all([
    work.store.of(companyId).accounts.listOf([user.id], ids),
    listFitting(work, companyId, user, instances),
    listReadings(work, companyId, ids),
  ]);
  return new Map(
    ids.map((id) => [
      id,
      {
        account: accounts.find(({ instanceId }) => instanceId === id) ?? null,
        fitting: fitting
          .filter(({ instanceId }) => instanceId === id)
          .map(({ userName, isActive, isTaken }) => ({ userName, isActive, isTaken })),
        readAt: read.get(id) ?? null,
      },
    ]),
  );
}

type Fitting = ToldAccounts['fitting'][number] & { instanceId: InstanceId };

/** Whose address, or name where the product goes by it, is this person's: the first few of each instance. */
async function listFitting(work: Work, companyId: CompanyId, user: User, instances: Asked[]): Promise<Fitting[]> {
  const email = emailKey(user.email);
  const username = usernameKey(user.username);
  const { rows }: { rows: Fitting[] } = await work.store.db.raw(
    `select i.id as "instanceId", f.user_name as "userName", f.is_active as "isActive",
       f.user_id is not null and f.user_id <> :userId as "isTaken"
     from unnest(:ids::uuid[], :byName::boolean[]) as i (id, by_name)
       cross join lateral (
         select * from (
           select * from module_accounts a
           where a.instance_id = i.id and a.email_key = any(case when i.by_name then :names::text[] else array[:email]::text[] end)
           union
           select * from module_accounts a where i.by_name and a.instance_id = i.id and a.search_text like any(:patterns)
             and lower(a.user_name) = any(:names)) one
         where company_id = :companyId and life <> 'removed' order by user_name collate "C" limit 6) f
     order by f.user_name collate "C"`,
    {
      companyId,
      userId: user.id,
      ids: instances.map(({ id }) => id),
      byName: instances.map(({ profile }) => profile.linkMode === 'emailOrUsername'),
      email,
      names: [email, username],
      patterns: [likePattern(email), likePattern(username)],
    },
  );
  return rows;
}

/** When the newest list of accounts that was read to its end was asked for. */
async function listReadings(work: Work, companyId: CompanyId, ids: InstanceId[]): Promise<Map<InstanceId, Date>> {
  const rows: { instance_id: InstanceId; asked_at: Date }[] = await work.store
    .db('drift_reads')
    .where({ company_id: companyId, is_whole: true })
    .whereIn('instance_id', ids)
    // Judging comes after reading: what the module has is known by then.
    .whereIn('state', ['judging', 'done'])
    .groupBy('instance_id')
    .select('instance_id')
    .max({ asked_at: 'asked_at' });
  return new Map(rows.map((row) => [row.instance_id, row.asked_at]));
}
