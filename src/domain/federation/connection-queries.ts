// Connections as the console shows them. Authorisation is the first line of each; no rules here.
import { notFound } from '../../lib/errors.ts';
import type { CompanyId, UserId } from '../../lib/ids.ts';
import type { Work } from '../../work.ts';
import { authorise } from '../roles/authority.ts';
import type { ConnectionId } from './connection.ts';
import type { StoredConnection } from './connection-repository.ts';
import type { StopReason } from './identity-repository.ts';

export interface ConnectionUse {
  /** When somebody came in through it last. */
  lastSeenAt: Date | null;
  /** People who are bound to it. */
  people: number;
  rules: number;
}

export interface ConnectionRow extends ConnectionUse {
  connection: StoredConnection;
}

/** All of a company, by name: a handful. */
export async function listConnections(work: Work, companyId: CompanyId): Promise<ConnectionRow[]> {
  await authorise(work, companyId, 'security.manage');
  const connections = await work.store.of(companyId).connections.list();
  const uses = await usesOf(work, companyId);
  return connections.map((connection) => ({ connection, ...(uses.get(connection.id) ?? unused) }));
}

/** @throws AppError 404, also for another company's */
export async function getConnection(work: Work, companyId: CompanyId, id: ConnectionId): Promise<StoredConnection> {
  await authorise(work, companyId, 'security.manage');
  const connection = await work.store.of(companyId).connections.find(id);
  if (!connection) throw notFound('connection');
  return connection;
}

export async function getConnectionUse(
  work: Work,
  { companyId, id }: Pick<StoredConnection, 'companyId' | 'id'>,
): Promise<ConnectionUse> {
  await authorise(work, companyId, 'security.manage');
  return (await usesOf(work, companyId)).get(id) ?? unused;
}

const unused: ConnectionUse = { lastSeenAt: null, people: 0, rules: 0 };

async function usesOf(work: Work, companyId: CompanyId): Promise<Map<ConnectionId, ConnectionUse>> {
  const { rows }: { rows: (ConnectionUse & { id: ConnectionId })[] } = await work.store.db.raw(
    `select c.id, i.people, i."lastSeenAt", (select count(*)::int from mapping_rules r where r.company_id = c.company_id and r.connection_id = c.id) as rules
     from idp_connections c, lateral (
       select count(*)::int as people, max(last_seen_at) as "lastSeenAt" from idp_identities i
       where i.company_id = c.company_id and i.connection_id = c.id) i
     where c.company_id = ?`,
    [companyId],
  );
  return new Map(rows.map(({ id, ...use }) => [id, use]));
}

/** Names of claims that were seen at this upstream lately, for those who write a rule. */
export async function seenClaims(
  work: Work,
  { companyId, id }: Pick<StoredConnection, 'companyId' | 'id'>,
): Promise<string[]> {
  await authorise(work, companyId, 'security.manage');
  const { rows }: { rows: { name: string }[] } = await work.store.db.raw(
    `select distinct k.name from (
       select claims from idp_identities where company_id = ? and connection_id = ? order by last_seen_at desc limit 200) i,
       jsonb_object_keys(i.claims) as k (name) order by 1 limit 100`,
    [companyId, id],
  );
  return rows.map(({ name }) => name);
}

/** Somebody whose groups were not said at their last sign-in, so that nothing was changed (C22). */
export interface StoppedPerson {
  userId: UserId;
  name: string;
  username: string;
  because: StopReason;
  at: Date;
}

/** The latest first; `count` is of all of them. */
export async function listStopped(
  work: Work,
  { companyId, id }: Pick<StoredConnection, 'companyId' | 'id'>,
  limit: number,
): Promise<{ count: number; people: StoppedPerson[] }> {
  await authorise(work, companyId, 'security.manage');
  const { rows }: { rows: (StoppedPerson & { count: number })[] } = await work.store.db.raw(
    `select i.user_id as "userId", btrim(u.first_name || ' ' || u.last_name) as name, u.username,
       i.stopped_because as because, i.stopped_at as at, (count(*) over ())::int as count
     from idp_identities i join users u on u.company_id = i.company_id and u.id = i.user_id
     where i.company_id = ? and i.connection_id = ? and i.stopped_because is not null and u.base_status <> 'Deleted'
     order by i.stopped_at desc, i.user_id limit ?`,
    [companyId, id, limit],
  );
  return { count: rows[0]?.count ?? 0, people: rows.map(({ count: _count, ...person }) => person) };
}
