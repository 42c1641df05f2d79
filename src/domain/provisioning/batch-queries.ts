// Batches as a second administrator looks at them.
import { notFound } from '../../lib/errors.ts';
import { type CompanyId, isId, type UserId } from '../../lib/ids.ts';
import { type Listed, listed, type Paging, reach } from '../../lib/paging.ts';
import type { Work } from '../../work.ts';
import { authorise } from '../roles/authority.ts';
import type { Batch } from './batch.ts';

/** Those that wait, newest first; a company has a handful. */
export async function listWaitingBatches(work: Work, companyId: CompanyId): Promise<Batch[]> {
  await authorise(work, companyId, 'modules.manage');
  return work.store.of(companyId).batches.listWaiting(100);
}

export interface BatchPerson {
  userId: UserId;
  person: string;
  account: string;
  email: string;
  isAdministrator: boolean;
}

/** @throws AppError 404 */
export async function getBatch(
  work: Work,
  companyId: CompanyId,
  id: string,
  paging: Paging,
): Promise<{ batch: Batch; people: Listed<BatchPerson>; causedBy: string | null }> {
  await authorise(work, companyId, 'modules.manage');
  const batch = isId(id) ? await work.store.of(companyId).batches.findById(id) : null;
  if (!batch) throw notFound('batch');
  const { db } = work.store;
  const of = [companyId, batch.id];
  const { rows: counts }: { rows: { total: number }[] } = await db.raw(
    `select count(*)::int as total from (
       select distinct user_id from deliveries where company_id = ? and batch_id = ? and user_id is not null limit ${reach + 1}) d`,
    of,
  );
  const { rows }: { rows: BatchPerson[] } = await db.raw(
    `select d.user_id as "userId", d.person, coalesce(a.user_name, d.external_id, '') as account, coalesce(a.email, '') as email,
       coalesce(a.is_administrator, false) as "isAdministrator"
     from (select distinct on (user_id) user_id, person, instance_id, external_id
           from deliveries where company_id = ? and batch_id = ? and user_id is not null order by user_id, seq) d
       left join module_accounts a on a.instance_id = d.instance_id and a.external_id = d.external_id
     order by coalesce(a.is_administrator, false) desc, d.person, d.user_id limit ? offset ?`,
    [...of, paging.size, (paging.page - 1) * paging.size],
  );
  const causedBy = batch.causedBy && (await work.store.of(companyId).users.findById(batch.causedBy));
  return {
    batch,
    people: listed(rows, counts[0]?.total ?? 0, paging),
    causedBy: causedBy ? `${causedBy.firstName} ${causedBy.lastName}` : null,
  };
}
