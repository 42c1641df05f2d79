// The audit trail of a person and about them.
import type { CompanyId, UserId } from '../../lib/ids.ts';
import { type Listed, listed, offsetOf, type Paging, reach } from '../../lib/paging.ts';
import type { Work } from '../../work.ts';
import type { AuditRow } from '../audit/repository.ts';
import type { ToldEvent } from '../audit/sentence.ts';
import { authorise } from '../roles/authority.ts';

export const activityKinds = ['all', 'sign-ins', 'changes'] as const;
export type ActivityKind = (typeof activityKinds)[number];

const signIns = ['login.ok', 'login.fail', 'logout', 'session.end', 'user.lock', 'entry.refuse'];

const narrowed: Record<ActivityKind, string> = {
  all: '',
  'sign-ins': 'and action = any(:signIns)',
  changes: 'and action <> all(:signIns)',
};

// Each half by an index of its own; what a person did to themselves stands in the first alone.
const halves = (show: ActivityKind, columns: string) => ({
  about: `select ${columns} from audit_events
    where target_id = :userId and target_kind = 'user' and company_id = :companyId ${narrowed[show]}`,
  of: `select ${columns} from audit_events
    where actor ->> 'id' = :userId and company_id = :companyId
      and (target_id is distinct from :userId or target_kind is distinct from 'user') ${narrowed[show]}`,
});

export async function listActivity(
  work: Work,
  companyId: CompanyId,
  userId: UserId,
  { show, ...paging }: Paging & { show: ActivityKind },
): Promise<Listed<AuditRow>> {
  await authorise(work, companyId, 'users.manage');
  const { db } = work.store;
  const values = { companyId, userId, signIns, upTo: offsetOf(paging) + paging.size, most: reach + 1 };
  const whole = halves(show, '*');
  const { rows }: { rows: AuditRow[] } = await db.raw(
    `(${whole.about} order by id desc limit :upTo) union all (${whole.of} order by at desc, id desc limit :upTo)
     order by id desc offset :offset limit :size`,
    { ...values, offset: offsetOf(paging), size: paging.size },
  );
  const counted = halves(show, '1');
  const { rows: counts }: { rows: { count: number }[] } = await db.raw(
    `select count(*)::int as count from (
       (${counted.about} limit :most) union all (${counted.of} limit :most) limit :most) counted`,
    values,
  );
  return listed(rows, counts[0]?.count ?? 0, paging);
}

export const toTold = (row: AuditRow): ToldEvent => ({
  action: row.action,
  actor: row.actor,
  target: row.target_kind !== null && row.target_id !== null ? { kind: row.target_kind, id: row.target_id } : null,
  details: row.details,
});
