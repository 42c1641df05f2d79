// What time does to exceptions: reminders 7 and 1 days before the end, the last way in that is kept, and the tidying of old ones.
// Ended exceptions need no job: everybody goes by the time that stands in them.
import type { CompanyId, InstanceId } from '../../lib/ids.ts';
import { after, days, hours } from '../../lib/time.ts';
import { transaction, type Work } from '../../work.ts';
import { tellAdministrators } from '../users/administrators.ts';
import { dueReminder, reminderDays } from './exception.ts';
import { tell } from './exception-commands.ts';
import {
  clearAlarms,
  deleteEnded,
  listDueInstances,
  listInstancesWithoutWayIn,
  type StoredException,
} from './exception-repository.ts';
import { type Connected, getConnected } from './requirement-queries.ts';
import { isRequired, type Settings } from './settings.ts';
import { keptAhead, waysIn, wayToKeep } from './ways-in.ts';

/** Those that ended longer ago are of no use even for looking back: the audit log has them. */
const keptEnded = days(30);

/** Instances looked at in one turn; the housekeeping comes every minute. */
const atOnce = 500;

/** At every turn of the housekeeping, on every node: whoever comes second finds nothing to do. */
export async function watchExceptions(work: Work): Promise<void> {
  const { now } = work;
  const [first, last] = reminderDays;
  const due = {
    now,
    firstReminder: after(now, days(first)),
    lastReminder: after(now, days(last)),
    longEnded: after(now, -keptAhead),
    limit: atOnce,
  };
  for (const { companyId, instanceId } of await listDueInstances(work.store.db, due))
    await watchInstance(work, companyId, instanceId);
  await deleteEnded(work.store.db, after(now, -keptEnded));
  await watchWaysIn(work);
}

/** As long as it is so, the administrators are told anew after this time. */
const alarmAgain = days(7);

/** A module that says now this and now that of who administers it rings no more often (DOS-06). */
const quietFor = hours(1);

/** What happens at a module itself nobody here can refuse; whoever can mend it is told. */
async function watchWaysIn(work: Work): Promise<void> {
  const { db } = work.store;
  await clearAlarms(db, { now: work.now, rungBefore: after(work.now, -quietFor) });
  const due = { now: work.now, toldBefore: after(work.now, -alarmAgain), limit: atOnce };
  for (const { companyId, instanceId } of await listInstancesWithoutWayIn(db, due))
    await transaction(work, async (work) => {
      const { integrations, exceptions } = work.store.of(companyId);
      const settings = await integrations.hold(instanceId);
      if (!settings || !isRequired(settings, work.now)) return;
      if (waysIn(await exceptions.list(instanceId), work.now).length > 0) return;
      // Of two nodes the second one finds that it is told already.
      if (!(await integrations.alarm(instanceId, work.now, due.toldBefore))) return;
      const { instance } = await getConnected(work, companyId, instanceId);
      const href = `/admin/modules/${instanceId}/exceptions`;
      await tellAdministrators(work, companyId, 'noWayIn', { module: instance, href });
    });
}

async function watchInstance(work: Work, companyId: CompanyId, instanceId: InstanceId): Promise<void> {
  const { integrations, exceptions } = work.store.of(companyId);
  const settings = await integrations.find(instanceId);
  // A look without a lock first: most turns find nothing.
  if (!settings || !isAnythingDue(settings, await exceptions.list(instanceId), work.now)) return;
  await transaction(work, async (work) => {
    const { integrations, exceptions } = work.store.of(companyId);
    const settings = await integrations.hold(instanceId);
    if (!settings) return;
    const connected = await getConnected(work, companyId, instanceId);
    const kept = await keepLastWayIn(work, companyId, { connected, settings, list: await exceptions.list(instanceId) });
    for (const one of await exceptions.list(instanceId))
      if (one.id !== kept) await remind(work, companyId, { connected, exception: one });
  });
}

const isAnythingDue = (settings: Settings, list: StoredException[], now: Date): boolean =>
  list.some((one) => dueReminder(one, now) !== null) || (isRequired(settings, now) && wayToKeep(list, now) !== null);

/** @returns the id of the exception that was kept in force, since without it nobody could get in but through us */
async function keepLastWayIn(
  work: Work,
  companyId: CompanyId,
  { connected, settings, list }: { connected: Connected; settings: Settings; list: StoredException[] },
): Promise<string | null> {
  const keep = isRequired(settings, work.now) ? wayToKeep(list, work.now) : null;
  if (!keep) return null;
  const { exempt, until } = keep;
  // Its administrators hear of it with this mail; the next word comes a day before the new end.
  const change = { kind: exempt.kind, reason: exempt.reason, endsAt: until, remindedDays: reminderDays[0] };
  await work.store.of(companyId).exceptions.update(exempt.id, change);
  await tell(work, companyId, connected, 'kept', { ...exempt, endsAt: until });
  await tellAdministrators(work, companyId, 'exceptionKept', mailData(connected, { ...exempt, endsAt: until }));
  return exempt.id;
}

async function remind(
  work: Work,
  companyId: CompanyId,
  { connected, exception }: { connected: Connected; exception: StoredException },
): Promise<void> {
  const due = dueReminder(exception, work.now);
  if (due === null) return;
  await work.store.of(companyId).exceptions.remind(exception.id, due);
  await tellAdministrators(work, companyId, 'exceptionEnds', mailData(connected, exception));
}

const mailData = (
  { instance, instanceId }: Connected,
  { userName, reason, endsAt }: Pick<StoredException, 'userName' | 'reason' | 'endsAt'>,
) => ({
  module: instance,
  account: userName,
  reason,
  endsAt: endsAt?.toISOString() ?? '',
  href: `/admin/modules/${instanceId}/exceptions`,
});
