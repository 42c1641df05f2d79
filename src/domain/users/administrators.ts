// Mails to whoever can do something about a module or about single sign-on: the active administrators of the company (D.8).
import type { CompanyId } from '../../lib/ids.ts';
import type { Work } from '../../work.ts';
import { sendMails } from '../mails/commands.ts';
import type { MailKind } from '../mails/mail.ts';
import { can, type Permission, roles } from '../roles/role.ts';
import { listPeopleOfRoles } from './administrator-queries.ts';

/** Who is told of what: whoever may do something about it. */
const permissionFor = {
  exceptionEnds: 'modules.manage',
  exceptionKept: 'modules.manage',
  noWayIn: 'modules.manage',
  emergencyUsed: 'modules.manage',
  moduleConnected: 'modules.manage',
  contractOverridden: 'modules.manage',
  requirementReverted: 'modules.manage',
  batchWaits: 'modules.manage',
  deliveriesLate: 'modules.manage',
  certificateEnds: 'security.manage',
  certificateAdded: 'security.manage',
  ssoReverted: 'security.manage',
  domainLost: 'security.manage',
  breakGlassEnds: 'security.manage',
  groupsNotSaid: 'security.manage',
} as const satisfies Partial<Record<MailKind, Permission>>;

/** In the transaction of what they are told about. `data` goes with each one's name and the company's. */
export async function tellAdministrators(
  work: Work,
  companyId: CompanyId,
  kind: keyof typeof permissionFor,
  data: Record<string, unknown>,
): Promise<void> {
  const managing = roles.filter((role) => can(role, permissionFor[kind]));
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
