import type { Database } from '../../db/knex.ts';

/** People with a second factor, for the demo's authenticator page only. */
export async function listEnrolled(
  db: Database,
  limit: number,
): Promise<{ name: string; username: string; company: string; role: string; sealedSecret: string }[]> {
  return db('factors as f')
    .join('users as u', 'u.id', 'f.user_id')
    .join('companies as c', 'c.id', 'u.company_id')
    .whereNot('u.base_status', 'Deleted')
    .orderBy(['c.name', 'u.username'])
    .limit(limit)
    .select(
      db.raw("u.first_name || ' ' || u.last_name as name"),
      'u.username',
      'c.name as company',
      'u.role',
      'f.sealed_secret as sealedSecret',
    );
}
