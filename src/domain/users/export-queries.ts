// People as rows of a file. Status is never in it (A10.10, D.10 no. 17).
import type { CompanyId, UserId } from '../../lib/ids.ts';
import type { Work } from '../../work.ts';
import { record } from '../audit/commands.ts';
import { authorise } from '../roles/authority.ts';
import { type Selection, selected } from './bulk-queries.ts';
import { usesSsoSql } from './sso-queries.ts';

export const exportFields = {
  id: 'User ID',
  username: 'Username',
  email: 'Email Address',
  firstName: 'First Name',
  lastName: 'Last Name',
  role: 'Role',
  secondFactor: '2FA',
  groups: 'Groups',
  lastLogin: 'Last login',
} as const;

export type ExportField = keyof typeof exportFields;

type Row = Record<ExportField, string | null>;

const batch = 1000;

/** The export is on record before its first row is read. @returns batches of rows, in the order of ids */
export async function exportPeople(
  work: Work,
  companyId: CompanyId,
  selection: Selection,
  fields: ExportField[],
): Promise<AsyncGenerator<string[][]>> {
  await authorise(work, companyId, 'users.manage');
  const counted: { count: string }[] = await selected(work, companyId, selection).count({ count: '*' });
  await record(work, {
    action: 'user.export',
    companyId,
    details: { count: Number(counted[0]?.count ?? 0), fields: fields.map((field) => exportFields[field]) },
  });
  return eachBatch(work, companyId, selection, fields);
}

/** A thousand at a time, so that memory does not grow with the company. */
async function* eachBatch(
  work: Work,
  companyId: CompanyId,
  selection: Selection,
  fields: ExportField[],
): AsyncGenerator<string[][]> {
  const { db } = work.store;
  for (let last: string | null = null; ; ) {
    // Anew each time: who is no administrator any more gets no more of a long file.
    await authorise(work, companyId, 'users.manage');
    const page = selected(work, companyId, selection).orderBy('u.id').limit(batch).select('u.*');
    if (last !== null) page.where('u.id', '>', last as UserId);
    const rows: Row[] = await db
      .from(page.as('u'))
      .orderBy('u.id')
      .select({
        id: 'u.id',
        username: 'u.username',
        email: 'u.email',
        firstName: 'u.first_name',
        lastName: 'u.last_name',
        role: 'u.role',
        secondFactor: db.raw(
          `case when ${usesSsoSql} then 'SSO' when u.must_enrol_2fa then 'Not Enrolled' else 'Enrolled' end`,
          [work.now, work.now],
        ),
        groups: db.raw(`coalesce((select string_agg(g.name, ';' order by g.name) from group_members m
        join access_groups g on g.id = m.group_id where m.user_id = u.id), '')`),
        lastLogin: db.raw(`to_char(u.last_login_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')`),
      });
    yield rows.map((row) => fields.map((field) => row[field] ?? ''));
    last = rows.at(-1)?.id ?? null;
    if (rows.length < batch) return;
  }
}
