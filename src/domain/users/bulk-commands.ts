// Acts on many people at once: one task, one row a person, each row the very command that one person's page uses.
import { invalid } from '../../lib/errors.ts';
import type { CompanyId, GroupId, UserId } from '../../lib/ids.ts';
import type { Work } from '../../work.ts';
import { addMembers, removeMembers } from '../groups/member-commands.ts';
import { authorise } from '../roles/authority.ts';
import { causeOf, standingChanged } from '../standing/commands.ts';
import { startTask } from '../tasks/commands.ts';
import type { Outcome, Task, TaskHandler } from '../tasks/task.ts';
import { deleteUser, resendInvitation, resetPassword, resetSecondFactor } from './admin-commands.ts';
import { type BulkAct, previewBulk, type Selection, selected } from './bulk-queries.ts';
import { activateUser } from './commands.ts';
import { editUser } from './edit-commands.ts';
import { deactivateSome, leavingTogether } from './leave-commands.ts';
import { roleSchema } from './user.ts';

const verbs: Record<BulkAct['act'], string> = {
  deactivate: 'Deactivate',
  activate: 'Activate',
  resend: 'Invite again:',
  'reset-2fa': 'Reset 2FA of',
  'reset-password': 'Reset the password of',
  delete: 'Delete',
  'change-role': 'Change the role of',
  'add-to-group': 'Add to a group:',
  'remove-from-group': 'Remove from a group:',
};

const number = new Intl.NumberFormat('en');

/** "Deactivate 37 people" */
export function bulkTitle(act: BulkAct['act'], people: number): string {
  return `${verbs[act]} ${number.format(people)} ${people === 1 ? 'person' : 'people'}`;
}

/** Queues the act for everybody who is selected now; whom the rule leaves out is reported as skipped, with the reason. */
export async function startBulk(work: Work, companyId: CompanyId, act: BulkAct, selection: Selection): Promise<Task> {
  await authorise(work, companyId, 'users.manage');
  if (act.act === 'add-to-group' || act.act === 'remove-from-group')
    await refuseForeignGroup(work, companyId, act.groupId);
  const { done } = await previewBulk(work, companyId, act.act, selection);
  if (done === 0) throw invalid('There is nobody among them to whom this can be done.');
  return startTask(work, companyId, {
    kind: 'bulk',
    title: bulkTitle(act.act, done),
    params: { ...act },
    rows: selected(work, companyId, selection).select({ label: 'u.username', user_id: 'u.id' }),
  });
}

async function refuseForeignGroup(work: Work, companyId: CompanyId, groupId: GroupId): Promise<void> {
  const groups = await work.store.of(companyId).groups.list();
  if (!groups.some(({ id }) => id === groupId)) throw invalid('Choose a group.', { group: 'Choose a group.' });
}

export const bulkHandler: TaskHandler = {
  // Somebody may be signing in as one of these people right now: what cannot be done for some in a moment is done one by one.
  chunk: ({ params }) => (params.act === 'deactivate' ? leavingTogether : 1),
  async run(work, task, rows) {
    // What startBulk wrote.
    const act = task.params as unknown as BulkAct;
    if (act.act === 'deactivate')
      return deactivateSome(
        { ...work, isPartOfMore: true },
        task.companyId,
        rows.map(({ userId }) => userId),
      );
    const outcomes: Outcome[] = [];
    for (const { userId } of rows) {
      if (userId === null) outcomes.push({ outcome: 'skipped', message: 'There is no such person any more.' });
      else outcomes.push(await actOn({ ...work, isPartOfMore: true }, task.companyId, act, userId));
    }
    return outcomes;
  },
  // What it means for modules is one act, and judged as a whole: a large one waits for a second administrator.
  async finished(work, { companyId, params, title, succeeded }) {
    // What startBulk wrote.
    const { act } = params as unknown as BulkAct;
    if (succeeded > 0 && changesStanding.has(act))
      await standingChanged(work, { companyId, userIds: null, instanceIds: null, cause: causeOf(work, `“${title}”`) });
  },
};

const changesStanding = new Set<BulkAct['act']>([
  'deactivate',
  'activate',
  'delete',
  'change-role',
  'add-to-group',
  'remove-from-group',
]);

async function actOn(work: Work, companyId: CompanyId, act: BulkAct, userId: UserId): Promise<Outcome> {
  const done: Outcome = { outcome: 'succeeded', userId };
  switch (act.act) {
    case 'deactivate':
      return (await deactivateSome(work, companyId, [userId]))[0] ?? done;
    case 'activate':
      await activateUser(work, companyId, userId);
      return done;
    case 'resend':
      await resendInvitation(work, companyId, userId);
      return done;
    case 'reset-2fa':
      await resetSecondFactor(work, companyId, userId);
      return done;
    case 'reset-password':
      await resetPassword(work, companyId, userId);
      return done;
    case 'delete':
      await deleteUser(work, companyId, userId);
      return done;
    case 'change-role':
      await editUser(work, companyId, userId, { role: roleSchema.parse(act.role) });
      return done;
    case 'add-to-group':
      return changed(userId, await addMembers(work, companyId, act.groupId, [userId]), 'is a member already');
    case 'remove-from-group':
      return changed(userId, await removeMembers(work, companyId, act.groupId, [userId]), 'is no member');
  }
}

function changed(userId: UserId, result: { changed: number }, otherwise: string): Outcome {
  return result.changed > 0
    ? { outcome: 'succeeded', userId }
    : { outcome: 'skipped', message: `Nothing to change: this person ${otherwise}.` };
}
