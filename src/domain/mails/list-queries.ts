// What was mailed to a company's people, and which of their addresses are blocked. Never what a mail said.
import type { Database, Query } from '../../db/knex.ts';
import { countUpTo } from '../../db/lists.ts';
import { notFound } from '../../lib/errors.ts';
import type { CompanyId, UserId } from '../../lib/ids.ts';
import { type Listed, likePattern, listed, offsetOf, type Paging, reach } from '../../lib/paging.ts';
import type { Work } from '../../work.ts';
import { authorise } from '../roles/authority.ts';
import type { MailKind, MailState } from './mail.ts';

export interface MailFilter {
  /** Part of the recipient's address. */
  search: string;
  state: MailState | null;
  kind: MailKind | null;
}

export interface MailRow {
  id: string;
  kind: MailKind;
  recipient: string;
  state: MailState;
  answer: string | null;
  error: string | null;
  attempts: number;
  nextTryAt: Date | null;
  createdAt: Date;
  sentAt: Date | null;
  /** Null when the person is gone, or the mail was to nobody in particular. */
  person: { id: UserId; firstName: string; lastName: string } | null;
}

interface FlatMail extends Omit<MailRow, 'person'> {
  userId: UserId | null;
  firstName: string | null;
  lastName: string | null;
  baseStatus: string | null;
}

function narrowed(query: Query, companyId: CompanyId, { search, state, kind }: MailFilter): Query {
  query.where('m.company_id', companyId);
  if (search !== '') query.whereRaw('lower(m.recipient) like ?', [likePattern(search.toLowerCase())]);
  if (state !== null) query.where('m.state', state);
  if (kind !== null) query.where('m.kind', kind);
  return query;
}

/** One page of a company's mails, the newest first. Two statements, however many there are. */
export async function listMails(
  work: Work,
  companyId: CompanyId,
  filter: MailFilter,
  paging: Paging,
): Promise<Listed<MailRow>> {
  await authorise(work, companyId, 'mail.manage');
  const { db } = work.store;
  const newest = 'm.created_at desc, m.id desc';
  const page = narrowed(db('mails as m'), companyId, filter)
    .orderByRaw(newest)
    .offset(offsetOf(paging))
    .limit(paging.size)
    .select('m.*');
  const rows: FlatMail[] = await db
    .from(page.as('m'))
    .leftJoin('users as u', (on) => on.on('u.company_id', 'm.company_id').andOn('u.id', 'm.user_id'))
    .orderByRaw(newest)
    .select({
      id: 'm.id',
      kind: 'm.kind',
      recipient: 'm.recipient',
      state: 'm.state',
      answer: 'm.answer',
      error: 'm.error',
      attempts: 'm.attempts',
      nextTryAt: 'm.next_try_at',
      createdAt: 'm.created_at',
      sentAt: 'm.sent_at',
      userId: 'u.id',
      firstName: 'u.first_name',
      lastName: 'u.last_name',
      baseStatus: 'u.base_status',
    });
  const counted = await countUpTo(db, narrowed(db('mails as m'), companyId, filter));
  return listed(rows.map(toRow), counted, paging);
}

const toRow = ({ userId, firstName, lastName, baseStatus, ...mail }: FlatMail): MailRow => ({
  ...mail,
  person:
    userId === null || baseStatus === 'Deleted'
      ? null
      : { id: userId, firstName: firstName ?? '', lastName: lastName ?? '' },
});

/** How many mails of the company wait for a mail server that did not take them, `reach` at most. */
export async function countWaiting(work: Work, companyId: CompanyId): Promise<number> {
  await authorise(work, companyId, 'mail.manage');
  const { db } = work.store;
  return countUpTo(db, db('mails as m').where({ 'm.company_id': companyId, 'm.state': 'deferred' }), reach);
}

export interface BlockedRow {
  userId: UserId;
  firstName: string;
  lastName: string;
  email: string;
  reason: string;
  since: Date;
  lastRefusedAt: Date;
}

const blocked = (db: Database, companyId: CompanyId, search: string): Query => {
  const query = db('mail_suppressions as s')
    .join('users as u', 'u.email_key', 's.address_key')
    .where('u.company_id', companyId)
    .whereNot('u.base_status', 'Deleted');
  if (search !== '') query.whereRaw('s.address_key like ?', [likePattern(search.toLowerCase())]);
  return query;
};

const blockedColumns = {
  userId: 'u.id',
  firstName: 'u.first_name',
  lastName: 'u.last_name',
  email: 'u.email',
  reason: 's.reason',
  since: 's.created_at',
  lastRefusedAt: 's.last_refused_at',
};

/** Blocked addresses of the company's own people (C50). */
export async function listBlocked(
  work: Work,
  companyId: CompanyId,
  search: string,
  paging: Paging,
): Promise<Listed<BlockedRow>> {
  await authorise(work, companyId, 'mail.manage');
  const { db } = work.store;
  const rows: BlockedRow[] = await blocked(db, companyId, search)
    .orderByRaw('s.created_at desc, u.id')
    .offset(offsetOf(paging))
    .limit(paging.size)
    .select(blockedColumns);
  return listed(rows, await countUpTo(db, blocked(db, companyId, search)), paging);
}

export interface BlockedPerson extends BlockedRow {
  /** The last test mails since the address was blocked, the newest first. */
  tests: Pick<MailRow, 'state' | 'answer' | 'error' | 'createdAt' | 'nextTryAt'>[];
  /** One of them was taken after the last refusal: the block may be lifted. */
  isProved: boolean;
}

/** @throws AppError 404 also for a person whose address is open */
export async function getBlockedPerson(work: Work, companyId: CompanyId, userId: UserId): Promise<BlockedPerson> {
  await authorise(work, companyId, 'mail.manage');
  const { db, mails } = work.store;
  const row: BlockedRow | undefined = await blocked(db, companyId, '').where('u.id', userId).first(blockedColumns);
  if (!row) throw notFound('blocked address');
  const tests: BlockedPerson['tests'] = await db('mails')
    .whereRaw('lower(recipient) = ?', [row.email.trim().toLowerCase()])
    .where({ company_id: companyId, kind: 'test' })
    .where('created_at', '>', row.since)
    .orderBy('created_at', 'desc')
    .limit(5)
    .select({ state: 'state', answer: 'answer', error: 'error', createdAt: 'created_at', nextTryAt: 'next_try_at' });
  return { ...row, tests, isProved: await mails.wasSent(companyId, row.email, 'test', row.lastRefusedAt) };
}
