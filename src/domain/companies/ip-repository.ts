import { violatedConstraint } from '../../db/errors.ts';
import type { Database } from '../../db/knex.ts';
import { conflict } from '../../lib/errors.ts';
import type { CompanyId, UserId } from '../../lib/ids.ts';
import type { IpEntry } from './ip-entry.ts';

interface Row {
  id: string;
  network: string;
  note: string;
  created_at: Date;
}

const toEntry = (row: Row): IpEntry => ({
  id: row.id,
  network: row.network,
  note: row.note,
  createdAt: row.created_at,
});

export function ipRepository(db: Database, companyId: CompanyId) {
  return {
    /** In the order of networks: IPv4 first, neighbours beside each other. */
    async list(): Promise<IpEntry[]> {
      const rows: Row[] = await db('ip_entries').where({ company_id: companyId }).orderBy('network');
      return rows.map(toEntry);
    },

    async insert(entry: IpEntry, createdBy: UserId | null): Promise<void> {
      try {
        await db('ip_entries').insert({
          id: entry.id,
          company_id: companyId,
          network: entry.network,
          note: entry.note,
          created_at: entry.createdAt,
          created_by: createdBy,
        });
      } catch (error) {
        if (violatedConstraint(error) !== 'ip_entries_network_unique') throw error;
        const sentence = `${entry.network} is on the list already.`;
        throw conflict(sentence, { network: sentence });
      }
    },

    async delete(id: string): Promise<void> {
      await db('ip_entries').where({ company_id: companyId, id }).delete();
    },
  };
}
