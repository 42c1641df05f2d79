// Reports as pages, files and the API show them. Authorisation is the first line of each.
import type { Query } from '../../db/knex.ts';
import { countUpTo, searchIn } from '../../db/lists.ts';
import { notFound } from '../../lib/errors.ts';
import type { CompanyId, InstanceId, UserId } from '../../lib/ids.ts';
import { type Listed, listed, offsetOf, type Paging } from '../../lib/paging.ts';
import type { Work } from '../../work.ts';
import { authorise } from '../roles/authority.ts';
import { type DriftClass, type Finding, isUnderWay, type Reading } from './drift.ts';

export interface FindingFilter {
  search: string;
  /** Null: everything that is not as it should be. */
  class: DriftClass | null;
  onlyNew: boolean;
}

interface Row {
  class: DriftClass;
  subject: string;
  external_id: string | null;
  user_id: UserId | null;
  account: string;
  person: string;
  is_administrator: boolean;
  before_words: string;
  after_words: string;
  why: string;
  is_new: boolean;
  sort_key: string;
}

const toFinding = (row: Row): Finding => ({
  class: row.class,
  subject: row.subject,
  externalId: row.external_id,
  userId: row.user_id,
  account: row.account,
  person: row.person,
  isAdministrator: row.is_administrator,
  before: row.before_words,
  after: row.after_words,
  why: row.why,
  isNew: row.is_new,
});

export interface ReportState {
  /** The report that is shown: the latest, or the one that was asked for. */
  report: Reading | null;
  isLatest: boolean;
  /** What is being read right now. */
  underWay: Reading | null;
  /** The last try, when it led to nothing. */
  failed: Reading | null;
}

/** @param readId null: the latest. @throws AppError 404 */
export async function getReport(
  work: Work,
  companyId: CompanyId,
  instanceId: InstanceId,
  readId: string | null,
): Promise<ReportState> {
  await authorise(work, companyId, 'modules.manage');
  const { drift } = work.store.of(companyId);
  const [[last], [newest]] = await Promise.all([drift.listLatest(instanceId, 1), drift.listDone(instanceId, 1)]);
  const report = readId === null ? (newest ?? null) : await drift.findById(readId);
  if (readId !== null && (report?.instanceId !== instanceId || report.state !== 'done')) throw notFound('report');
  return {
    report,
    isLatest: report?.id === newest?.id,
    underWay: last && isUnderWay(last) ? last : null,
    failed: last?.state === 'failed' ? last : null,
  };
}

export async function listReadings(
  work: Work,
  companyId: CompanyId,
  instanceId: InstanceId,
  limit: number,
): Promise<Reading[]> {
  await authorise(work, companyId, 'modules.manage');
  return work.store.of(companyId).drift.listLatest(instanceId, limit);
}

function matching(work: Work, { companyId, id }: Reading, filter: FindingFilter): Query {
  const query: Query = work.store.db('drift_findings').where({ company_id: companyId, read_id: id });
  if (filter.class === null) query.whereNot('class', 'matched');
  else query.where('class', filter.class);
  if (filter.onlyNew) query.where('is_new', true);
  return searchIn(query, 'search_text', filter.search);
}

/** One page of a report, by name. Two statements. */
export async function listFindings(
  work: Work,
  report: Reading,
  filter: FindingFilter,
  paging: Paging,
): Promise<Listed<Finding>> {
  await authorise(work, report.companyId, 'modules.manage');
  const { db } = work.store;
  const rows: Row[] = await matching(work, report, filter)
    .orderBy(['sort_key', 'subject', 'class'])
    .offset(offsetOf(paging))
    .limit(paging.size);
  return listed(rows.map(toFinding), await countUpTo(db, matching(work, report, filter)), paging);
}

const atOnce = 1000;

/** All that match, a thousand at a time, so that a file of any length fits into memory. */
export async function* eachFinding(work: Work, report: Reading, filter: FindingFilter): AsyncGenerator<Finding[]> {
  await authorise(work, report.companyId, 'modules.manage');
  for (let last: Row | undefined; ; ) {
    const query = matching(work, report, filter).orderBy(['sort_key', 'subject', 'class']).limit(atOnce);
    if (last) query.whereRaw('(sort_key, subject, class) > (?, ?, ?)', [last.sort_key, last.subject, last.class]);
    const rows: Row[] = await query;
    yield rows.map(toFinding);
    last = rows.at(-1);
    if (!last || rows.length < atOnce) return;
  }
}

/** People whom an account could be linked to: they have none in this module. */
export async function suggestForLink(
  work: Work,
  companyId: CompanyId,
  instanceId: InstanceId,
  search: string,
): Promise<{ id: UserId; name: string; username: string; email: string; status: string }[]> {
  await authorise(work, companyId, 'modules.manage');
  if (search.trim() === '') return [];
  const { db } = work.store;
  const query: Query = db('users as u')
    .where('u.company_id', companyId)
    .whereNot('u.base_status', 'Deleted')
    .whereRaw('not exists (select from module_accounts a where a.instance_id = ? and a.user_id = u.id)', [instanceId])
    .orderByRaw('u.last_name collate "und-x-icu", u.first_name collate "und-x-icu", u.id')
    .limit(20)
    .select({
      id: 'u.id',
      name: db.raw(`u.first_name || ' ' || u.last_name`),
      username: 'u.username',
      email: 'u.email',
      status: 'u.base_status',
    });
  return searchIn(query, 'u.search_text', search);
}
