import type { Database } from '../../db/knex.ts';
import type { CompanyId, UserId } from '../../lib/ids.ts';

/** What pages remember for a person: columns of a list, names and order of tiles. Small values, one row each. */
export function preferenceRepository(db: Database, companyId: CompanyId) {
  return {
    async find(userId: UserId, name: string): Promise<unknown> {
      const row: { value: unknown } | undefined = await db('user_preferences')
        .where({ company_id: companyId, user_id: userId, name })
        .first('value');
      return row?.value ?? null;
    },

    async save(userId: UserId, name: string, value: object): Promise<void> {
      await db('user_preferences')
        .insert({ company_id: companyId, user_id: userId, name, value: JSON.stringify(value) })
        .onConflict(['user_id', 'name'])
        .merge(['value']);
    },
  };
}
