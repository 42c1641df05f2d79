import type { Database } from '../../db/knex.ts';
import type { CompanyId } from '../../lib/ids.ts';
import type { ConnectionId } from './connection.ts';
import type { MappingRule } from './mapping.ts';

interface Row {
  id: string;
  position: number;
  condition: MappingRule['when'];
  role: MappingRule['role'];
  group_ids: string[];
  stops: boolean;
}

export function ruleRepository(db: Database, companyId: CompanyId) {
  const of = (connectionId: ConnectionId) =>
    db('mapping_rules').where({ company_id: companyId, connection_id: connectionId });

  return {
    async list(connectionId: ConnectionId): Promise<MappingRule[]> {
      const rows: Row[] = await of(connectionId).orderBy('position');
      return rows.map(({ id, position, condition, role, group_ids, stops }) => ({
        id,
        position,
        when: condition,
        role,
        groupIds: group_ids,
        stops,
      }));
    },

    /** Exactly these. */
    async replace(connectionId: ConnectionId, rules: readonly MappingRule[]): Promise<void> {
      await of(connectionId).delete();
      if (rules.length === 0) return;
      await db('mapping_rules').insert(
        rules.map(({ id, position, when, role, groupIds, stops }) => ({
          id,
          company_id: companyId,
          connection_id: connectionId,
          position,
          condition: JSON.stringify(when),
          role,
          group_ids: groupIds,
          stops,
        })),
      );
    },

    /** Rules and switch of the mapping together are one version of the connection. */
    async saveSwitches(
      connectionId: ConnectionId,
      { enabled, mapping }: { enabled: boolean; mapping: boolean },
    ): Promise<void> {
      await db('idp_connections')
        .where({ company_id: companyId, id: connectionId })
        .update({ is_enabled: enabled, is_mapping: mapping, version: db.raw('version + 1') });
    },
  };
}
