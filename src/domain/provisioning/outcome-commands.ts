// What became of deliveries, written down together with what it says of the accounts: the receipt and the last confirmed state are one
// commit. A claim that is not ours any more changes nothing.
import type { CompanyId, InstanceId, UserId } from '../../lib/ids.ts';
import { after, seconds } from '../../lib/time.ts';
import { transaction, type Work } from '../../work.ts';
import { recordAll } from '../audit/commands.ts';
import type { LinkedBy } from './account.ts';
import type { SeenAccount } from './drift.ts';
import { type ClaimedDelivery, isTooOld, lanes, retryAt, type Settled } from './lane.ts';

/** What a try came to, as the job tells it. */
export type Tried =
  | {
      outcome: 'accepted';
      status: number | null;
      words: string;
      account: SeenAccount | null;
      isGone?: boolean;
      isKept?: boolean;
      linkedBy?: LinkedBy;
      /** An event: nothing of it can be read back. */
      isFinal?: boolean;
      /** And nothing else says how the account stands. */
      isWordOnly?: boolean;
    }
  | { outcome: 'passing'; status: number | null; words: string; retryAfterMs: number | null }
  | { outcome: 'refused'; status: number | null; words: string }
  /** Read back: as wanted, or with the words for what differs. */
  | { outcome: 'read'; account: SeenAccount | null; differs: string | null }
  /** There is nobody to tell any more, or nothing left to tell. */
  | { outcome: 'pointless'; words: string };

export interface Result {
  delivery: ClaimedDelivery;
  tried: Tried;
}

export interface Written {
  /** People who are to be looked at again: a later act came while this one was under way, or they have an account now. */
  again: UserId[];
}

export async function settleDeliveries(
  work: Work,
  of: { companyId: CompanyId; instanceId: InstanceId; until: Date },
  results: Result[],
): Promise<Written> {
  // In one order, so that two of these never wait for each other.
  const inOrder = results.toSorted((one, other) => one.delivery.id.localeCompare(other.delivery.id));
  return transaction(work, async (work) => {
    const settled: Settled[] = [];
    for (const { delivery, tried } of inOrder) settled.push(await settle(work, delivery, tried));
    const superseded = new Set(await work.store.lanes.settle(settled, of.until));
    const givenUp = settled.filter(({ id, state }) => state === 'given-up' && !superseded.has(id));
    await recordAll(
      work,
      givenUp.map(({ id, answer }) => {
        const delivery = results.find((one) => one.delivery.id === id)?.delivery;
        return {
          action: 'module.delivery.givenUp' as const,
          companyId: of.companyId,
          target: delivery?.userId
            ? { kind: 'user' as const, id: delivery.userId }
            : { kind: 'module' as const, id: of.instanceId },
          details: {
            module: delivery?.instanceName ?? '',
            instanceId: of.instanceId,
            act: delivery?.act ?? '',
            problem: answer.words,
          },
        };
      }),
    );
    const again = inOrder.filter(
      ({ delivery, tried }) =>
        superseded.has(delivery.id) ||
        (tried.outcome === 'accepted' && (delivery.act === 'create' || delivery.act === 'restore')),
    );
    return { again: [...new Set(again.flatMap(({ delivery }) => delivery.userId ?? []))] };
  });
}

const nothing = { nextAt: null, externalId: null, acceptedAt: null, verifiedAt: null, endedAt: null };

async function settle(work: Work, delivery: ClaimedDelivery, tried: Tried): Promise<Settled> {
  const { id } = delivery;
  const { now } = work;
  switch (tried.outcome) {
    case 'accepted': {
      const refusal = await confirm(work, delivery, tried);
      if (refusal !== null)
        return { ...nothing, id, state: 'given-up', endedAt: now, answer: { status: tried.status, words: refusal } };
      return {
        ...nothing,
        id,
        state: 'accepted',
        externalId: tried.account?.externalId ?? null,
        acceptedAt: now,
        ...(tried.isFinal ? { endedAt: now } : { nextAt: after(now, lanes.readBackMs) }),
        answer: { status: tried.status, words: tried.words },
      };
    }
    case 'refused':
      return { ...nothing, id, state: 'given-up', endedAt: now, answer: tried };
    case 'pointless':
      return { ...nothing, id, state: 'superseded', endedAt: now, answer: { status: null, words: tried.words } };
    case 'passing':
      return delivery.isReading ? readLater(delivery, tried, now) : tryLater(delivery, tried, now);
    case 'read':
      return read(work, delivery, tried);
  }
}

function tryLater(
  delivery: ClaimedDelivery,
  { status, words, retryAfterMs }: { status: number | null; words: string; retryAfterMs: number | null },
  now: Date,
): Settled {
  const answer = { status, words };
  if (isTooOld(delivery, now)) return { ...nothing, id: delivery.id, state: 'given-up', endedAt: now, answer };
  const nextAt = retryAt(delivery.attempts, now, { retryAfterMs: retryAfterMs ?? 0 });
  return { ...nothing, id: delivery.id, state: 'failed', nextAt, answer };
}

/** The module's word stands as long as it cannot be looked at. */
function readLater(delivery: ClaimedDelivery, { words }: { words: string }, now: Date): Settled {
  const answer = { status: null, words: `Accepted, and not read back yet. ${words}` };
  if (isTooOld(delivery, now)) return { ...nothing, id: delivery.id, state: 'accepted', endedAt: now, answer };
  return { ...nothing, id: delivery.id, state: 'accepted', nextAt: after(now, seconds(30)), answer };
}

async function read(
  work: Work,
  delivery: ClaimedDelivery,
  { account, differs }: { account: SeenAccount | null; differs: string | null },
): Promise<Settled> {
  const { now } = work;
  const { accounts } = work.store.of(delivery.companyId);
  if (account) await accounts.confirm(delivery.instanceId, account, now);
  if (differs !== null) return tryLater(delivery, { status: 200, words: differs, retryAfterMs: null }, now);
  return {
    ...nothing,
    id: delivery.id,
    state: 'verified',
    verifiedAt: now,
    endedAt: now,
    answer: { status: account ? 200 : 404, words: account ? 'Read back, and it is so.' : 'Read back: it is gone.' },
  };
}

/** Writes down what the module has confirmed. @returns why it cannot be so, or null */
async function confirm(
  work: Work,
  delivery: ClaimedDelivery,
  tried: Tried & { outcome: 'accepted' },
): Promise<string | null> {
  const { accounts } = work.store.of(delivery.companyId);
  const { instanceId, userId, act, wanted, channel } = delivery;
  if (channel === 'event' && !tried.isWordOnly) return null;
  if (act === 'create') return userId === null ? null : linkNew(work, delivery, userId, tried);
  const externalId = tried.account?.externalId ?? delivery.externalId;
  if (externalId === null) return null;
  if (tried.isGone) {
    await accounts.endLife(instanceId, externalId, 'removed', delivery.reason);
    return null;
  }
  if (tried.account) await accounts.confirm(instanceId, tried.account, work.now);
  else if (wanted.active !== undefined) await accounts.setActive(instanceId, externalId, wanted.active, work.now);
  if (act === 'restore') await accounts.endLife(instanceId, externalId, 'live', null);
  if (act === 'disable' || act === 'remove')
    await accounts.endLife(instanceId, externalId, 'disabled', delivery.reason);
  return null;
}

async function linkNew(
  work: Work,
  { companyId, instanceId }: ClaimedDelivery,
  userId: UserId,
  { account, linkedBy = 'created' }: Tried & { outcome: 'accepted' },
): Promise<string | null> {
  if (!account) return null;
  const { accounts } = work.store.of(companyId);
  const present = await accounts.findOf(instanceId, userId);
  if (present && present.externalId !== account.externalId)
    return `They have the account ${present.userName} there already.`;
  await accounts.confirm(instanceId, account, work.now);
  const isLinked = await accounts.link(instanceId, account.externalId, { userId, by: linkedBy, now: work.now });
  return isLinked ? null : 'The account belongs to somebody else there.';
}
