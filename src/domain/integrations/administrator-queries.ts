import type { CompanyId, UserId } from '../../lib/ids.ts';
import type { Work } from '../../work.ts';
import { can, roles } from '../roles/role.ts';

/** A company has a handful; this only bounds what one act may send. */
const mostTold = 100;

const managing = roles.filter((role) => can(role, 'modules.manage'));

/** Active people who can do something about a module, for mails. Asks for no permission. */
export async function listAdministrators(
  work: Work,
  companyId: CompanyId,
): Promise<{ id: UserId; email: string; name: string; company: string }[]> {
  const { rows }: { rows: { id: UserId; email: string; name: string; company: string }[] } = await work.store.db.raw(
    `select u.id, u.email, btrim(u.first_name || ' ' || u.last_name) as name, c.name as company
     from users u join companies c on c.id = u.company_id
     where u.company_id = ? and u.role = any(?) and u.base_status = 'Active' order by u.id limit ${mostTold}`,
    [companyId, managing],
  );
  return rows;
}
