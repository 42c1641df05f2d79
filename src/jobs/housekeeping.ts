// What runs by the clock: expired records go in small batches, expired sessions are ended and their modules told.
import { watchBreakGlass } from '../domain/federation/break-glass-commands.ts';
import { revertOverdueEnforceTrials } from '../domain/federation/enforce-commands.ts';
import { purgePlans } from '../domain/federation/plan-repository.ts';
import { watchExceptions } from '../domain/integrations/exception-clock.ts';
import { revertOverdueTrials } from '../domain/integrations/requirement-commands.ts';
import { historyDays, keptDays } from '../domain/mails/mail.ts';
import { notifyModules } from '../domain/sessions/commands.ts';
import { purgeEndedSessions, takeExpiredSessions } from '../domain/sessions/repository.ts';
import { purgeTasks } from '../domain/tasks/repository.ts';
import { after, days } from '../lib/time.ts';
import { transaction, type Work } from '../work.ts';
import { reviveContracts } from './contract/run.ts';
import { keepReadings } from './read-accounts.ts';
import { keepDrafts } from './read-module-people.ts';
import { reviveTasks } from './task.ts';

const batch = 1000;
const maxBatches = 50;

async function inBatches(remove: () => Promise<number>): Promise<void> {
  for (let i = 0; i < maxBatches; i += 1) if ((await remove()) < batch) return;
}

/** Ends what has run out, and tells the modules that were entered. */
export async function endExpiredSessions(work: Work): Promise<void> {
  await inBatches(() =>
    transaction(work, async (work) => {
      const { ended, notices } = await takeExpiredSessions(work.store.db, work.now, batch);
      await notifyModules(work, notices);
      return ended;
    }),
  );
}

export async function keepHouse(work: Work): Promise<void> {
  const { store, now } = work;
  await inBatches(() => store.records.purgeExpired(batch));
  await endExpiredSessions(work);
  await revertOverdueTrials(work);
  await watchExceptions(work);
  await revertOverdueEnforceTrials(work);
  await watchBreakGlass(work);
  await inBatches(() => purgeEndedSessions(store.db, after(now, -days(30)), batch));
  await reviveTasks(work);
  await keepDrafts(work);
  await keepReadings(work);
  await reviveContracts(work);
  await inBatches(() => purgeTasks(store.db, after(now, -days(60)), batch));
  // Each may have a row for everybody of a company.
  await purgePlans(store.db, after(now, -days(60)), 5);
  await inBatches(() => store.mails.erase(after(now, -days(keptDays)), batch));
  await inBatches(() => store.mails.purge(after(now, -days(historyDays)), batch));
  await inBatches(() => store.machines.purgeEnded(now, batch));
  await store.signIns.purgeAddresses(now);
  await store.ssoRequests.purge(now);
  await store.signIns.purgeBrowsers(after(now, -days(400)));
  await store.keys.deleteRetired(now);
}
