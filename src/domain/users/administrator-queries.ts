import type { CompanyId, UserId } from '../../lib/ids.ts';
import type { Work } from '../../work.ts';
import type { Role } from '../roles/role.ts';

/** A company has a handful; this only bounds what one act may send. */
const mostTold = 100;

/** Active people of these roles, for mails. Asks for no permission. */
export async function listPeopleOfRoles(
  work: Work,
  companyId: CompanyId,
  roles: readonly Role[],
): Promise<{ id: UserId; email: string; name: string; company: string }[]> {
  const { rows }: { rows: { id: UserId; email: string; name: string; company: string }[] } = await work.store.db.raw(
    `select u.id, u.email, btrim(u.first_name || ' ' || u.last_name) as name, c.name as company
     from users u join companies c on c.id = u.company_id
     where u.company_id = ? and u.role = any(?) and u.base_status = 'Active' order by u.id limit ${mostTold}`,
    [companyId, [...roles]],
  );
  return rows;
}
