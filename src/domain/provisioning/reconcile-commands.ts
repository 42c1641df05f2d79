// Compares what people may have with what modules last confirmed, and queues what is to be done about the difference. May run twice,
// late, or be killed anywhere: it looks again and goes on. People are never held, so no sign-in waits for it.
import type { CompanyId, InstanceId, UserId } from '../../lib/ids.ts';
import { newId } from '../../lib/ids.ts';
import { after, days, hours } from '../../lib/time.ts';
import { transaction, type Work } from '../../work.ts';
import type { AuditAction } from '../audit/audit-event.ts';
import { record, recordAll } from '../audit/commands.ts';
import { findLostLastWay } from '../integrations/ways-in-commands.ts';
import { demotes } from '../modules/profile.ts';
import { peopleInOne, type QueuedHint } from '../standing/commands.ts';
import { tellAdministrators } from '../users/administrators.ts';
import { type BatchSize, mustWait } from './batch.ts';
import type { PersonAct } from './desire.ts';
import { listConcernedAfter, listReceivers, type Receiver, readFacts } from './facts-queries.ts';
import {
  accountKey,
  carryOut,
  type Manner,
  type Pair,
  personKey,
  stepOf,
  stillRefused,
  type Tally,
  tally,
} from './reconcile.ts';

/** Why something is sent that no act has told of. */
export const foundWords = 'found by comparing';

/** Differences that are found in pieces are one crowd for so long. */
const foundTogether = days(1);

const mailsAnHour = 5;

/** People whose facts are read at once. */
export const chunk = 500;

export async function reconcile(work: Work, hint: QueuedHint): Promise<void> {
  const receivers = await listReceivers(work, hint.companyId, hint.instanceIds);
  if (receivers.length === 0) return;
  if (hint.userIds === null) await reconcileAll(work, hint, receivers);
  else await reconcileSome(work, { ...hint, isExplicit: true, isFound: false }, receivers, hint.userIds);
}

interface Cause extends Pick<QueuedHint, 'companyId' | 'cause' | 'actId' | 'actorId'> {
  isExplicit: boolean;
  isFound: boolean;
}

/** A crowd is judged as a whole before the first of them is touched. */
async function reconcileAll(work: Work, hint: QueuedHint, receivers: Receiver[]): Promise<void> {
  const cause: Cause = { ...hint, isExplicit: false, isFound: false };
  const tallies = new Map<InstanceId, Tally>();
  for await (const userIds of concerned(work, hint.companyId))
    tally(await pairsOf(work, hint.companyId, receivers, userIds), false, tallies);
  const { waiting } = await transaction(work, (work) => judge(work, cause, receivers, tallies));
  for await (const userIds of concerned(work, hint.companyId))
    await transaction(work, async (work) => {
      const { companyId } = hint;
      await work.store.of(companyId).deliveries.hold();
      const pairs = await pairsOf(work, companyId, receivers, userIds);
      await write(work, companyId, pairs, mannerOf(work, cause, waiting));
      // Who of them the act was on is not known any more, so that what it did not do is said where it was asked for last.
      if (hint.isCrowd) await work.store.of(companyId).deliveries.addWords(stillRefused(pairs), crowdWords(hint.cause));
    });
}

const crowdWords = (cause: string): string =>
  `${cause}, with more than ${peopleInOne} people at once, which is looked at as a whole and leaves what was refused as it is. Act on this person alone to end it.`;

async function* concerned(work: Work, companyId: CompanyId): AsyncGenerator<UserId[]> {
  for (let last: UserId | null = null; ; ) {
    const userIds: UserId[] = await listConcernedAfter(work, companyId, last, chunk);
    if (userIds.length > 0) yield userIds;
    last = userIds.at(-1) ?? null;
    if (userIds.length < chunk) return;
  }
}

/** @returns how many deliveries were queued, or wait */
export async function reconcileSome(
  work: Work,
  cause: Cause,
  receivers: Receiver[],
  userIds: UserId[],
): Promise<number> {
  return transaction(work, async (work) => {
    await work.store.of(cause.companyId).deliveries.hold();
    const pairs = await pairsOf(work, cause.companyId, receivers, userIds);
    const { waiting, isRefused } = await judge(work, cause, receivers, tally(pairs, cause.isExplicit));
    // The same act once more, after a fall, says nothing against a refusal; a new one does.
    const how = isRefused ? { ...cause, isExplicit: false } : cause;
    return write(work, cause.companyId, pairs, mannerOf(work, how, waiting));
  });
}

/** How it is gone about; who is held back is found on the way. */
export type Found = Omit<Manner, 'heldBack'>;

const mannerOf = (work: Work, { cause, isExplicit }: Cause, waiting: Manner['waiting']): Found => ({
  cause,
  isExplicit,
  waiting,
  now: work.now,
});

/** The guard of the last way in, asked for all accounts of an instance that are about to end or to be demoted, until none is the last. */
async function heldBackOf(work: Work, companyId: CompanyId, pairs: Pair[]): Promise<Map<string, string>> {
  const held = new Map<string, string>();
  const ending = pairs.filter((pair) => isEnding(pair) || isDemoted(pair));
  for (const [instanceId, some] of Map.groupBy(ending, ({ receiver }) => receiver.id)) {
    const accountIds = new Set(some.flatMap(({ account }) => account?.externalId ?? []));
    for (;;) {
      const change = { what: 'accounts', accountIds: [...accountIds], act: 'suspend' } as const;
      const lost = accountIds.size > 0 ? await findLostLastWay(work, companyId, instanceId, change) : null;
      if (!lost || !accountIds.delete(lost.wayIn.accountId)) break;
      const { accountId } = lost.wayIn;
      const demoted = some.find((pair) => pair.account?.externalId === accountId && isDemoted(pair));
      const act = { ...change, act: demoted ? 'demote' : 'suspend' } as const;
      const said = await findLostLastWay(work, companyId, instanceId, act);
      held.set(accountKey({ instanceId, externalId: accountId }), said?.sentence ?? lost.sentence);
    }
  }
  return held;
}

const endings = { suspend: true, remove: true, disable: true };

const isEnding = ({ step, account }: Pair): boolean => account !== null && step !== null && step.act in endings;

const isDemoted = ({ step, account, receiver }: Pair): boolean =>
  account?.isAdministrator === true &&
  step?.wanted.permissions !== undefined &&
  demotes(receiver.profile, step.wanted.permissions);

/** The difference of these people in all of these instances. */
export async function pairsOf(
  work: Work,
  companyId: CompanyId,
  receivers: Receiver[],
  userIds: UserId[],
): Promise<Pair[]> {
  const instanceIds = receivers.map(({ id }) => id);
  const { accounts, deliveries } = work.store.of(companyId);
  const { people, groupsOf } = await readFacts(work, companyId, userIds, instanceIds);
  const linked = new Map(
    (await accounts.listOf(userIds, instanceIds)).flatMap((one) =>
      one.userId ? [[personKey(one.userId, one.instanceId), one] as const] : [],
    ),
  );
  const standing = Map.groupBy(await deliveries.listStanding(userIds, instanceIds, work.now), (one) =>
    personKey(one.userId, one.instanceId),
  );
  return receivers.flatMap((receiver) =>
    people.flatMap((row) => {
      const key = personKey(row.userId, receiver.id);
      const person = { ...row, groups: groupsOf(row.userId, receiver.id) };
      const account = linked.get(key) ?? null;
      const own = standing.get(key) ?? [];
      const step = stepOf(receiver, person, account, work.now);
      return step || own.length > 0 ? [{ receiver, person, account, step, standing: own }] : [];
    }),
  );
}

/** Which instances' suspensions wait for a second administrator. An act that was judged before is not judged again. */
async function judge(
  work: Work,
  { companyId, actId, actorId, cause, isFound }: Cause,
  receivers: Receiver[],
  tallies: Map<InstanceId, Tally>,
): Promise<{ waiting: Map<InstanceId, string>; isRefused: boolean }> {
  const { batches, accounts, deliveries } = work.store.of(companyId);
  const waiting = new Map<InstanceId, string>();
  let isRefused = false;
  for (const receiver of receivers) {
    const one = tallies.get(receiver.id);
    const before = await batches.findOfAct(actId, receiver.id);
    // One that seemed settled, since nobody waited in it yet, takes up those who come now.
    if (before?.state === 'waiting' || before?.state === 'void') waiting.set(receiver.id, before.id);
    if (before?.state === 'refused') isRefused = true;
    if (before || !one) continue;
    const since = after(work.now, -foundTogether);
    const earlier = isFound ? await deliveries.countSuspended(receiver.id, foundWords, since) : 0;
    if (one.people + earlier < 2) continue;
    const size: BatchSize = { ...one, active: await accounts.countActive(receiver.id), isFound };
    if (!mustWait({ ...size, people: one.people + earlier })) continue;
    const id = newId();
    const batch = { id, actId, cause, causedBy: actorId, createdAt: work.now, instanceId: receiver.id };
    await batches.insert({ ...batch, ...size, instanceName: receiver.name });
    // DOS-06: a module can change its own settings as often as it likes; the list of what waits is whole all the same.
    if ((await batches.countSince(receiver.id, after(work.now, -hours(1)))) <= mailsAnHour)
      await tellAdministrators(work, companyId, 'batchWaits', {
        module: receiver.name,
        people: size.people,
        cause,
        href: `/admin/batches/${id}`,
      });
    await record(work, {
      action: 'module.batch.wait',
      companyId,
      target: { kind: 'module', id: receiver.id },
      details: { module: receiver.name, instanceId: receiver.id, batch: id, cause, ...size },
    });
    waiting.set(receiver.id, id);
  }
  return { waiting, isRefused };
}

export async function write(work: Work, companyId: CompanyId, pairs: Pair[], found: Found): Promise<number> {
  const manner: Manner = { ...found, heldBack: await heldBackOf(work, companyId, pairs) };
  const { inserted, superseded, suspensions, begun } = carryOut(pairs, manner);
  const { deliveries, accounts, batches } = work.store.of(companyId);
  await deliveries.supersede(superseded, `Superseded: ${manner.cause}.`, work.now);
  await deliveries.insert(inserted, work.now);
  await batches.reopen([...new Set(inserted.flatMap(({ batchId }) => batchId ?? []))]);
  await accounts.suspend(suspensions, work.now);
  await recordAll(
    work,
    begun.map(({ pair, step }) => ({
      action: actions[step.act],
      companyId,
      target: { kind: 'user' as const, id: pair.person.userId },
      details: {
        module: pair.receiver.name,
        instanceId: pair.receiver.id,
        act: step.act,
        account: pair.account?.userName ?? null,
        because: step.because,
        cause: manner.cause,
      },
    })),
  );
  if (inserted.some(({ state }) => state === 'queued')) await work.store.announce('deliveries');
  return inserted.length;
}

const actions: Record<PersonAct, AuditAction> = {
  create: 'module.provision',
  update: 'module.provision',
  suspend: 'module.deprovision',
  remove: 'module.deprovision',
  disable: 'module.deprovision',
  restore: 'module.restore',
};

/** Queues the steps of these pairs for an act that has been judged as a whole before, such as a plan. @returns how many deliveries */
export const queueSteps = (work: Work, companyId: CompanyId, pairs: Pair[], cause: string): Promise<number> =>
  write(work, companyId, pairs, { cause, isExplicit: true, waiting: new Map(), now: work.now });
