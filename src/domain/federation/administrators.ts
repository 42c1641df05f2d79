// Mails to whoever can do something about single sign-on: the active administrators of the company (D.8).
import type { CompanyId } from '../../lib/ids.ts';
import type { Work } from '../../work.ts';
import { sendMails } from '../mails/commands.ts';
import type { MailKind } from '../mails/mail.ts';
import { can, roles } from '../roles/role.ts';
import { listPeopleOfRoles } from './administrator-queries.ts';

const managing = roles.filter((role) => can(role, 'security.manage'));

/** In the transaction of what they are told about. `data` goes with each one's name and the company's. */
export async function tellSsoAdministrators(
  work: Work,
  companyId: CompanyId,
  kind: Extract<
    MailKind,
    'certificateEnds' | 'certificateAdded' | 'ssoReverted' | 'domainLost' | 'breakGlassEnds' | 'groupsNotSaid'
  >,
  data: Record<string, unknown>,
): Promise<void> {
  const administrators = await listPeopleOfRoles(work, companyId, managing);
  await sendMails(
    work,
    administrators.map(({ id, email, name, company }) => ({
      kind,
      companyId,
      userId: id,
      recipient: email,
      data: { name, company, ...data },
    })),
  );
}
