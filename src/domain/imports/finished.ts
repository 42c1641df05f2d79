import { minutes } from '../../lib/time.ts';
import type { Work } from '../../work.ts';
import { sendMail } from '../mails/commands.ts';
import type { Task } from '../tasks/task.ts';
import { fullName } from '../users/user.ts';

/** Whoever watched for a minute may have left: a mail says that it is done, and where the report is (D.8). */
export async function tellWhoBegan(work: Work, task: Task): Promise<void> {
  const { actor, companyId, kind, succeeded, skipped, failed } = task;
  if (actor.kind !== 'user' || (kind !== 'csv' && kind !== 'module')) return;
  if (work.now.getTime() - task.createdAt.getTime() < minutes(1)) return;
  const user = await work.store.of(companyId).users.findById(actor.id);
  const company = await work.store.companies.findById(companyId);
  if (!user || !company) return;
  await sendMail(work, {
    kind: 'importFinished',
    companyId,
    userId: user.id,
    recipient: user.email,
    data: {
      name: fullName(user),
      company: company.name,
      kind,
      counts: { imported: succeeded, skipped, failed },
      href: `/admin/tasks/${task.id}`,
    },
  });
}
