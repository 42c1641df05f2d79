// Mails to whoever can do something about a module: the active administrators of the company (D.8).
import type { CompanyId, UserId } from '../../lib/ids.ts';
import type { Work } from '../../work.ts';
import { sendMails } from '../mails/commands.ts';
import type { MailKind } from '../mails/mail.ts';
import { can, roles } from '../roles/role.ts';

/** A company has a handful; this only bounds what one act may send. */
const mostTold = 100;

const managing = roles.filter((role) => can(role, 'modules.manage'));

/** In the transaction of what they are told about. `data` goes with each one's name and the company's. */
export async function tellAdministrators(
  work: Work,
  companyId: CompanyId,
  kind: Extract<MailKind, 'exceptionEnds' | 'exceptionKept' | 'requirementReverted' | 'batchWaits' | 'deliveriesLate'>,
  data: Record<string, unknown>,
): Promise<void> {
  const { rows }: { rows: { id: UserId; email: string; name: string; company: string }[] } = await work.store.db.raw(
    `select u.id, u.email, btrim(u.first_name || ' ' || u.last_name) as name, c.name as company
     from users u join companies c on c.id = u.company_id
     where u.company_id = ? and u.role = any(?) and u.base_status = 'Active' order by u.id limit ${mostTold}`,
    [companyId, managing],
  );
  await sendMails(
    work,
    rows.map(({ id, email, name, company }) => ({
      kind,
      companyId,
      userId: id,
      recipient: email,
      data: { name, company, ...data },
    })),
  );
}
