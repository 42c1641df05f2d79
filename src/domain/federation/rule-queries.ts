// Mapping rules as the console shows them. Authorisation is the first line of each.
import { notFound } from '../../lib/errors.ts';
import type { CompanyId } from '../../lib/ids.ts';
import type { Work } from '../../work.ts';
import { authorise } from '../roles/authority.ts';
import type { ConnectionId } from './connection.ts';
import type { MappingRule } from './mapping.ts';
import { nearest, type UnseenGroup } from './unseen-groups.ts';

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

const compared = 200;

/** Of these, the ones that nobody has come with. Nothing, as long as no group at all was seen there: then every name is as good as another. */
export async function listUnseenGroups(
  work: Work,
  companyId: CompanyId,
  connectionId: ConnectionId,
  names: string[],
): Promise<UnseenGroup[]> {
  await authorise(work, companyId, 'security.manage');
  if (names.length === 0) return [];
  const known = (await listSeenGroups(work, companyId, connectionId, compared)).map(({ name }) => name);
  if (known.length === 0) return [];
  const { rows }: { rows: { name: string }[] } = await work.store.db.raw(
    `select n.name from unnest(?::text[]) with ordinality as n (name, place)
     where not exists (select from idp_identities i where i.company_id = ? and i.connection_id = ? and n.name = any(i.groups))
     order by n.place`,
    [names, companyId, connectionId],
  );
  return rows.map(({ name }) => ({ name, near: nearest(name, known) }));
}
