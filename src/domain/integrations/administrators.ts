// Mails to whoever can do something about a module: the active administrators of the company (D.8).
import type { CompanyId } from '../../lib/ids.ts';
import type { Work } from '../../work.ts';
import { sendMails } from '../mails/commands.ts';
import type { MailKind } from '../mails/mail.ts';
import { listAdministrators } from './administrator-queries.ts';

/** In the transaction of what they are told about. `data` goes with each one's name and the company's. */
export async function tellAdministrators(
  work: Work,
  companyId: CompanyId,
  kind: Extract<
    MailKind,
    | 'exceptionEnds'
    | 'exceptionKept'
    | 'noWayIn'
    | 'emergencyUsed'
    | 'moduleConnected'
    | 'contractOverridden'
    | 'requirementReverted'
    | 'batchWaits'
    | 'deliveriesLate'
  >,
  data: Record<string, unknown>,
): Promise<void> {
  const administrators = await listAdministrators(work, companyId);
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
