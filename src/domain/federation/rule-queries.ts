// Mapping rules as the console shows them. Authorisation is the first line of each.
import { notFound } from '../../lib/errors.ts';
import type { CompanyId } from '../../lib/ids.ts';
import type { Work } from '../../work.ts';
import { authorise } from '../roles/authority.ts';
import type { ConnectionId } from './connection.ts';
import type { MappingRule } from './mapping.ts';

/** In their order. @throws AppError 404 */
export async function listRules(work: Work, companyId: CompanyId, connectionId: ConnectionId): Promise<MappingRule[]> {
  await authorise(work, companyId, 'security.manage');
  const { connections, mappingRules } = work.store.of(companyId);
  if (!(await connections.find(connectionId))) throw notFound('connection');
  return mappingRules.list(connectionId);
}

/** Groups that were seen at this upstream, the most frequent first: what a rule can be written for without a typo. */
export async function listSeenGroups(
  work: Work,
  companyId: CompanyId,
  connectionId: ConnectionId,
  limit: number,
): Promise<{ name: string; people: number }[]> {
  await authorise(work, companyId, 'security.manage');
  const { rows }: { rows: { name: string; people: number }[] } = await work.store.db.raw(
    `select g.name, count(*)::int as people from idp_identities i, unnest(i.groups) as g (name)
     where i.company_id = ? and i.connection_id = ? group by g.name order by people desc, g.name limit ?`,
    [companyId, connectionId, limit],
  );
  return rows;
}
