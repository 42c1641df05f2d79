// Judging a whole list, a thousand at a time: the facts of a chunk come in a few statements, and what they mean is said by the rules
// of drift-judge.ts. A chunk, its links and its findings are one commit with the place behind it.
import type { UserId } from '../../lib/ids.ts';
import { transaction, type Work } from '../../work.ts';
import { record } from '../audit/commands.ts';
import { standingChanged } from '../standing/commands.ts';
import type { ModuleAccount } from './account.ts';
import type { Reading } from './drift.ts';
import {
  type Bench,
  certainLinks,
  type JudgedPerson,
  type Judgement,
  judgeLinked,
  judgeMissing,
  judgeUnlinked,
} from './drift-judge.ts';
import { listReceivers, readFacts } from './facts-queries.ts';

const atOnce = 1000;

/** Before all people. */
const nobody = '00000000-0000-0000-0000-000000000000' as UserId;

/** What all are judged by; null when the module is not connected any more. */
export async function benchOf(
  work: Work,
  { companyId, instanceId }: Pick<Reading, 'companyId' | 'instanceId'>,
): Promise<Bench | null> {
  const [receiver] = await listReceivers(work, companyId, [instanceId]);
  if (!receiver) return null;
  const exempt = await work.store.of(companyId).seen.listExempt(instanceId, work.now);
  return { profile: receiver.profile, settings: receiver.settings, exempt: new Set(exempt), now: work.now };
}

/** What decides about people in one instance, by their ids. */
export async function peopleOf(
  work: Work,
  { companyId, instanceId }: Pick<Reading, 'companyId' | 'instanceId'>,
  userIds: UserId[],
): Promise<Map<UserId, JudgedPerson>> {
  if (userIds.length === 0) return new Map();
  const { people, groupsOf } = await readFacts(work, companyId, userIds, [instanceId]);
  const zones = await work.store.of(companyId).deliveries.listMadeWithZone(instanceId, userIds);
  return new Map(
    people.map((one) => [
      one.userId,
      { ...one, groups: groupsOf(one.userId, instanceId), madeWithZone: zones.get(one.userId) ?? null },
    ]),
  );
}

/** One step: the next accounts, or the next people without one, or the end. @returns false when another one was faster */
export async function judgeNext(work: Work, reading: Reading): Promise<boolean> {
  return transaction(work, async (work) => {
    const { drift, seen } = work.store.of(reading.companyId);
    const bench = await benchOf(work, reading);
    if (!bench) {
      const problem = 'It is not connected any more.';
      return drift.advance(reading, { state: 'failed', problem, finishedAt: work.now }, work.now);
    }
    if (reading.judgedPerson === null) {
      const ids = await seen.listIds(reading.instanceId, { after: reading.judgedAccount, limit: atOnce });
      const isLast = ids.length < atOnce;
      const to = {
        judgedAccount: ids.at(-1) ?? reading.judgedAccount ?? '',
        ...(isLast ? { judgedPerson: nobody } : {}),
      };
      if (!(await drift.advance(reading, to, work.now))) return false;
      const fitting = await seen.findFitting(reading.instanceId, ids, bench.profile);
      await seen.linkByEmail(reading.instanceId, certainLinks(fitting, bench.profile), work.now);
      await drift.addFindings(reading.id, await judgeAccounts(work, bench, reading, ids));
      return true;
    }
    const people = await seen.listWithoutAccount(reading.instanceId, reading.judgedPerson, atOnce);
    const last = people.at(-1);
    if (last && !(await drift.advance(reading, { judgedPerson: last }, work.now))) return false;
    const facts = await peopleOf(work, reading, people);
    const missing = [...facts.values()].flatMap((person) => judgeMissing(bench, person) ?? []);
    await drift.addFindings(reading.id, missing);
    return people.length < atOnce ? finish(work, last ? { ...reading, judgedPerson: last } : reading) : true;
  });
}

async function judgeAccounts(work: Work, bench: Bench, reading: Reading, ids: string[]): Promise<Judgement[]> {
  const { companyId, instanceId } = reading;
  const { seen } = work.store.of(companyId);
  const accounts = await seen.listByIds(instanceId, ids);
  const linked = accounts.flatMap(({ userId }) => userId ?? []);
  const people = await peopleOf(work, reading, linked);
  const strays = accounts.filter(({ userId }) => userId === null).map(({ externalId }) => externalId);
  const fitting = Map.groupBy(
    await seen.findFitting(instanceId, strays, bench.profile),
    ({ externalId }) => externalId,
  );
  return accounts.flatMap((account: ModuleAccount) => {
    const person = account.userId === null ? undefined : people.get(account.userId);
    return person
      ? judgeLinked(bench, account, person)
      : judgeUnlinked(bench, account, fitting.get(account.externalId) ?? []);
  });
}

async function finish(work: Work, reading: Reading): Promise<boolean> {
  const { drift } = work.store.of(reading.companyId);
  const [last] = await drift.listDone(reading.instanceId, 1, reading.askedAt);
  const counts = await drift.compare(reading.id, last?.id ?? null);
  if (last) await drift.thinOut(last.id);
  if (!(await drift.advance(reading, { state: 'done', counts, finishedAt: work.now }, work.now))) return false;
  await hintAtLinks(work, reading);
  if (reading.cause === 'page')
    await record(work, {
      action: 'module.read',
      companyId: reading.companyId,
      target: { kind: 'module', id: reading.instanceId },
      details: {
        accounts: reading.read,
        counts: Object.fromEntries(Object.entries(counts).map(([name, { count }]) => [name, count])),
        by: reading.askedBy,
      },
    });
  return true;
}

/** Whose accounts they are was not known before: what their people may have is compared now, and not at the next sweep. */
async function hintAtLinks(work: Work, { companyId, instanceId, askedAt }: Reading): Promise<void> {
  if (!(await work.store.of(companyId).seen.hasLinkedSince(instanceId, askedAt))) return;
  const [receiver] = await listReceivers(work, companyId, [instanceId]);
  const cause = `linked by reading ${receiver?.name ?? 'its accounts'}`;
  await standingChanged(work, { companyId, userIds: null, instanceIds: [instanceId], cause });
}
