// The audit log as administrators read it: newest first, by keyset, from millions of rows. Whatever it is filtered by, each branch
// of the query walks along an index in the very order of the answer and stops after one page.
import type { Database, Query } from '../../db/knex.ts';
import { searchIn } from '../../db/lists.ts';
import { notFound } from '../../lib/errors.ts';
import type { CompanyId, UserId } from '../../lib/ids.ts';
import { isId } from '../../lib/ids.ts';
import type { Work } from '../../work.ts';
import type { ToldEvent } from '../audit/sentence.ts';
import { authorise } from '../roles/authority.ts';
import type { AuditFilter } from './audit-filter.ts';
import { matchEvents, type PersonPart } from './audit-match-queries.ts';

export interface AuditEntry extends ToldEvent {
  id: string;
  at: Date;
  code: string | null;
  ip: string;
  agent: string;
  requestId: string;
}

interface Row {
  id: string;
  at: Date;
  action: string;
  actor: ToldEvent['actor'];
  target_kind: string | null;
  target_id: string | null;
  details: Record<string, unknown>;
  code: string | null;
  ip: string | null;
  agent: string | null;
  request_id: string | null;
}

const toEntry = (row: Row): AuditEntry => ({
  id: row.id,
  at: row.at,
  action: row.action,
  actor: row.actor,
  target: row.target_kind && row.target_id ? { kind: row.target_kind, id: row.target_id } : null,
  details: row.details,
  code: row.code,
  ip: row.ip ?? '',
  agent: row.agent ?? '',
  requestId: row.request_id ?? '',
});

/** Where a page begins: behind an event of the list, towards older or newer ones. */
export interface Cursor {
  id: string;
  towards: 'older' | 'newer';
}

export interface AuditPage {
  entries: AuditEntry[];
  hasOlder: boolean;
  hasNewer: boolean;
}

/** One page of the log, newest first. One statement. */
export async function listAudit(
  work: Work,
  companyId: CompanyId,
  filter: AuditFilter,
  { size, cursor }: { size: number; cursor: Cursor | null },
): Promise<AuditPage> {
  await authorise(work, companyId, 'audit.read');
  const isBackwards = cursor?.towards === 'newer';
  const rows = await read(work.store.db, companyId, filter, { limit: size + 1, cursor });
  const hasMore = rows.length > size;
  const entries = rows.slice(0, size).map(toEntry);
  if (isBackwards) entries.reverse();
  return { entries, hasOlder: isBackwards || hasMore, hasNewer: isBackwards ? hasMore : cursor !== null };
}

/** All events that a filter means, a batch at a time: each is a statement of its own, so no transaction stays open meanwhile. */
export async function* eachBatch(
  work: Work,
  companyId: CompanyId,
  filter: AuditFilter,
  size = 1000,
): AsyncGenerator<AuditEntry[]> {
  let cursor: Cursor | null = null;
  for (;;) {
    // Anew each time: who is no administrator any more gets no more of a long file.
    await authorise(work, companyId, 'audit.read');
    const rows: Row[] = await read(work.store.db, companyId, filter, { limit: size, cursor });
    if (rows.length > 0) yield rows.map(toEntry);
    const last = rows.at(-1);
    if (!last || rows.length < size) return;
    cursor = { id: last.id, towards: 'older' };
  }
}

function read(
  db: Database,
  companyId: CompanyId,
  filter: AuditFilter,
  { limit, cursor }: { limit: number; cursor: Cursor | null },
): Promise<Row[]> {
  const isBackwards = cursor?.towards === 'newer';
  const order = isBackwards ? 'e.at asc, e.id asc' : 'e.at desc, e.id desc';
  const branch = (part: PersonPart, action: string | null): Query => {
    const query = matchEvents(db('audit_events as e'), companyId, filter, part);
    if (action !== null) query.where('e.action', action);
    else if (filter.actions.length > 0) query.whereIn('e.action', filter.actions);
    if (cursor)
      query.whereRaw(
        `(e.at, e.id) ${isBackwards ? '>' : '<'} ((select c.at from audit_events c where c.id = ?::bigint and c.company_id = ?), ?::bigint)`,
        [cursor.id, companyId, cursor.id],
      );
    return query.select('e.*').orderByRaw(order).limit(limit);
  };
  // A person's events are few; else each action has an index of its own.
  const branches: Query[] =
    filter.personId !== null
      ? [branch('target', null), branch('actor', null)]
      : filter.actions.length > 0
        ? filter.actions.map((action) => branch('anybody', action))
        : [branch('anybody', null)];
  return db
    .from(db.queryBuilder().unionAll(branches, true).as('e'))
    .select<Row[]>(
      'id',
      'at',
      'action',
      'actor',
      'target_kind',
      'target_id',
      'details',
      'code',
      'ip',
      'agent',
      'request_id',
    )
    .orderByRaw(order)
    .limit(limit);
}

/** One event with its seal. @throws AppError 404, for other companies' events too */
export async function getAuditEntry(
  work: Work,
  companyId: CompanyId,
  id: string,
): Promise<{ entry: AuditEntry; seal: { seq: number; hash: string; at: Date } | null }> {
  await authorise(work, companyId, 'audit.read');
  const row: Row | undefined = /^\d{1,18}$/.test(id)
    ? await work.store.db('audit_events').where({ id, company_id: companyId }).first()
    : undefined;
  if (!row) throw notFound('event');
  const seal = await work.store.chain.findByEvent(id);
  return { entry: toEntry(row), seal: seal && { seq: seal.seq, hash: seal.hash.toString('hex'), at: seal.sealedAt } };
}

export interface Suggestion {
  id: UserId;
  name: string;
  username: string;
}

/** People whose name, username or e-mail holds these words, for a field that completes itself. */
export async function suggestPeople(work: Work, companyId: CompanyId, search: string): Promise<Suggestion[]> {
  await authorise(work, companyId, 'audit.read');
  if (search.trim() === '') return [];
  const query = work.store
    .db('users as u')
    .where('u.company_id', companyId)
    .whereNot('u.base_status', 'Deleted')
    .select<{ id: UserId; first_name: string; last_name: string; username: string }[]>(
      'u.id',
      'u.first_name',
      'u.last_name',
      'u.username',
    )
    .limit(8);
  searchIn(query, 'u.search_text', search);
  return (await query).map((row) => ({
    id: row.id,
    name: `${row.first_name} ${row.last_name}`.trim(),
    username: row.username,
  }));
}

/** A person by username or by id, also one who is deleted. */
export async function findPersonFor(work: Work, companyId: CompanyId, word: string): Promise<Suggestion | null> {
  await authorise(work, companyId, 'audit.read');
  const { users } = work.store.of(companyId);
  // An id has the form of one, which is all that the brand says.
  const user = isId(word) ? await users.findById(word as UserId) : await users.findByUsername(word);
  return user && { id: user.id, name: `${user.firstName} ${user.lastName}`.trim(), username: user.username };
}
