// Narrows a query on `audit_events as e` to what a filter means.
import type { Query } from '../../db/knex.ts';
import type { CompanyId } from '../../lib/ids.ts';
import type { AuditFilter } from './audit-filter.ts';

/** An event has two people; each side has its index, and an event of both is met as its target's. */
export type PersonPart = 'target' | 'actor' | 'anybody';

export function matchEvents(query: Query, companyId: CompanyId, filter: AuditFilter, part: PersonPart): Query {
  query.where('e.company_id', companyId);
  if (part === 'target') query.where('e.target_id', filter.personId);
  if (part === 'actor')
    query
      .whereRaw(`e.actor ->> 'id' = ?`, [filter.personId])
      .whereRaw('e.target_id is distinct from ?', [filter.personId]);
  if (filter.from) query.where('e.at', '>=', filter.from);
  if (filter.to) query.where('e.at', '<', filter.to);
  if (filter.ip !== '') query.where('e.ip', filter.ip);
  if (filter.code !== '') query.where('e.code', filter.code);
  return query;
}
