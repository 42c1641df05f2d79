// One batch of claimed deliveries of one module: sent by a few at a time, and written down as they come back.
import type { KeyObject } from 'node:crypto';
import { subjectOf } from '../domain/keys/subject.ts';
import type { ModuleAccount } from '../domain/provisioning/account.ts';
import { findClientMetadata, listTaken, type ReceiverEndpoint } from '../domain/provisioning/endpoint-queries.ts';
import { listReceivers } from '../domain/provisioning/facts-queries.ts';
import { type ClaimedDelivery, type Lane, laneAfter, lanes } from '../domain/provisioning/lane.ts';
import { type Result, settleDeliveries, type Tried } from '../domain/provisioning/outcome-commands.ts';
import { reconcileSome } from '../domain/provisioning/reconcile-commands.ts';
import { newId, type UserId } from '../lib/ids.ts';
import type { Outgoing } from '../lib/outgoing.ts';
import { epoch } from '../lib/time.ts';
import { transaction, type Work } from '../work.ts';
import type { Sent } from './module-answer.ts';
import { createAccount, deleteAccount, differenceOf, patchAccount, readBack } from './scim-write.ts';
import { pushEvent, type Signer, signEvent } from './security-event.ts';

export interface Batch {
  work: () => Work;
  send: Outgoing;
  isStopped: () => boolean;
  lane: Lane;
  until: Date;
  claimed: ClaimedDelivery[];
  endpoint: ReceiverEndpoint | null;
  signers: Signer[];
  pairwiseKey: KeyObject;
}

/** As many are written down together; fewer when the last one is through. */
const writtenTogether = 8;

/** @returns whether the lane may go on */
export async function deliverBatch(batch: Batch): Promise<boolean> {
  const { claimed, until } = batch;
  const accounts = await accountsOf(batch);
  const began = Date.now();
  const waiting = [...claimed];
  const results: Result[] = [];
  const state = { lane: batch.lane, isSaved: true };
  const mayGo = () =>
    !batch.isStopped() &&
    !isClosed(state.lane, batch.work().now) &&
    Date.now() - began < lanes.leaseMs - lanes.requestMs;

  async function goOn(): Promise<void> {
    while (mayGo()) {
      const delivery = waiting.shift();
      if (!delivery) return;
      const sent = await tryOne(batch, delivery, accounts);
      note(state, sent, batch.work().now);
      results.push({ delivery, tried: sent.tried });
      if (results.length >= writtenTogether) await write(batch, results.splice(0));
    }
  }

  // What one of them cannot write down is nobody's loss but its own: its claim ends, and it is done again.
  const ends = await Promise.allSettled(Array.from({ length: Math.min(lanes.atOnce, claimed.length) }, goOn));
  await write(batch, results.splice(0));
  if (waiting.length > 0)
    await batch.work().store.lanes.letGo(
      waiting.map(({ id }) => id),
      until,
    );
  await saveLane(batch, state.lane);
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
  return mayGo() || waiting.length === 0;
}

const isClosed = ({ closedUntil }: Lane, now: Date): boolean => closedUntil !== null && closedUntil > now;

interface Attempt {
  tried: Tried;
  /** What it says of the module; null: nothing was sent. */
  lane: 'success' | 'failure' | 'pause' | null;
  retryAfterMs?: number | null;
}

/** In the middle of a batch too: the fifth failure in a row is the last one. */
function note(state: { lane: Lane }, { tried, lane, retryAfterMs = null }: Attempt, now: Date): void {
  if (lane === null) return;
  const words = 'words' in tried ? tried.words : '';
  state.lane = laneAfter(
    state.lane,
    lane === 'success' ? { kind: 'success' } : { kind: lane, words, retryAfterMs },
    now,
  );
}

const wordy = 60_000;

/** Not after each batch that went well: only when something has changed that others go by. */
async function saveLane({ work, lane: before, endpoint }: Batch, lane: Lane): Promise<void> {
  if (!endpoint) return;
  const isSame = lane.failures === before.failures && lane.closedUntil?.getTime() === before.closedUntil?.getTime();
  const isFresh =
    before.lastSuccessAt !== null && (lane.lastSuccessAt?.getTime() ?? 0) - before.lastSuccessAt.getTime() < wordy;
  if (isSame && (isFresh || lane.lastSuccessAt === null) && before.failures < lanes.failuresToClose) return;
  await work().store.lanes.saveLane(endpoint.companyId, lane);
}

async function accountsOf({ claimed, endpoint, work }: Batch): Promise<Map<UserId, ModuleAccount>> {
  if (!endpoint) return new Map();
  const userIds = claimed.flatMap(({ userId }) => userId ?? []);
  const found = await work().store.of(endpoint.companyId).accounts.listOf(userIds, [endpoint.instanceId]);
  return new Map(found.flatMap((one) => (one.userId ? [[one.userId, one] as const] : [])));
}

async function write({ work: fresh, claimed, until }: Batch, results: Result[]): Promise<void> {
  const [first] = claimed;
  if (!first || results.length === 0) return;
  const { companyId, instanceId } = first;
  const work = fresh();
  const { again } = await settleDeliveries(work, { companyId, instanceId, until }, results);
  if (again.length === 0) return;
  const receivers = await listReceivers(work, companyId, [instanceId]);
  const cause = {
    companyId,
    cause: 'looked at again',
    actId: newId(),
    actorId: null,
    isExplicit: false,
    isFound: true,
  };
  if (receivers.length > 0) await transaction(fresh(), (work) => reconcileSome(work, cause, receivers, again));
}

const said = (sent: Sent): Attempt =>
  sent.outcome === 'passing'
    ? // Whatever it said of the account: it is there, and answers.
      { tried: sent, lane: sent.lane ?? 'success', retryAfterMs: sent.retryAfterMs }
    : { tried: sent, lane: 'success' };

const pointless = (words: string): Attempt => ({ tried: { outcome: 'pointless', words }, lane: null });

export async function tryOne(
  batch: Batch,
  delivery: ClaimedDelivery,
  accounts: Map<UserId, ModuleAccount>,
): Promise<Attempt> {
  if (delivery.channel === 'event') return tryEvent(batch, delivery);
  if (!batch.endpoint) return pointless('The module was disconnected.');
  const { scim } = batch.endpoint;
  if (!scim) return pointless('The module has no address for accounts any more.');
  const account = delivery.userId ? accounts.get(delivery.userId) : undefined;
  if (delivery.isReading) return look(batch, delivery, account);
  if (delivery.act === 'create') return create(batch, delivery, account);
  const id = account?.externalId ?? delivery.externalId;
  if (id === null) return pointless('There is no account that it could be done to.');
  const sent =
    delivery.act === 'remove'
      ? await deleteAccount(batch.send, scim, id)
      : await patchAccount(batch.send, scim, id, delivery.wanted);
  return said(sent);
}

async function create(batch: Batch, delivery: ClaimedDelivery, account: ModuleAccount | undefined): Promise<Attempt> {
  const { endpoint, send, pairwiseKey, work } = batch;
  if (!endpoint?.scim || !delivery.userId) return pointless('There is nobody to make an account for.');
  if (account) return pointless('They have an account there already.');
  const { userId } = delivery;
  const sent = await createAccount(send, endpoint.scim, {
    wanted: delivery.wanted,
    subject: subjectOf(pairwiseKey, endpoint.metadata, userId),
    linkMode: endpoint.profile.linkMode,
    severalMatches: endpoint.profile.severalMatches,
    takenOf: (ids) => listTaken(work(), endpoint.instanceId, ids, userId),
  });
  return said(sent);
}

async function look(
  { endpoint, send }: Batch,
  delivery: ClaimedDelivery,
  account: ModuleAccount | undefined,
): Promise<Attempt> {
  const id = delivery.externalId ?? account?.externalId ?? null;
  if (!endpoint?.scim || id === null) return pointless('There is no account that could be read back.');
  const read = await readBack(send, endpoint.scim, id);
  if (read.outcome !== 'read') return said(read);
  // A module may keep what it has removed, as long as nobody gets in by it.
  const wanted = delivery.act === 'remove' ? { active: false } : delivery.wanted;
  const isEnd = ['suspend', 'remove', 'disable'].includes(delivery.act);
  const differs = read.account
    ? differenceOf(wanted, read.account)
    : isEnd
      ? null
      : 'It said that it was done, but there is no such account.';
  return { tried: { outcome: 'read', account: read.account, differs }, lane: 'success' };
}

async function tryEvent(batch: Batch, delivery: ClaimedDelivery): Promise<Attempt> {
  const { endpoint, signers, send, pairwiseKey, work: fresh } = batch;
  const url = delivery.endpoint?.url ?? endpoint?.eventsUrl ?? null;
  const clientId = delivery.endpoint?.clientId ?? endpoint?.clientId ?? null;
  if (url === null || clientId === null) return pointless('The module does not take events any more.');
  const work = fresh();
  const metadata = endpoint?.metadata ?? (await findClientMetadata(work, clientId));
  const signer = signers.find(({ alg }) => alg === (metadata?.id_token_signed_response_alg ?? 'RS256'));
  if (!metadata || !signer) return pointless('There is no such product any more.');
  const token = signEvent(
    {
      issuer: work.config.publicUrl,
      clientId,
      act: delivery.act,
      id: `${delivery.id}.${delivery.attempts}`,
      seq: delivery.seq,
      instanceId: delivery.instanceId,
      subject: delivery.userId ? subjectOf(pairwiseKey, metadata, delivery.userId) : null,
      // The module compares it with its own clock, and so with the true one.
      issuedAt: epoch(new Date()),
    },
    signer,
  );
  const sent = await pushEvent(send, url, token);
  if (sent.outcome !== 'accepted') return said(sent);
  // Where accounts cannot be read, the module's word is what is known of them.
  return { tried: { ...sent, isFinal: true, isWordOnly: !endpoint?.scim }, lane: 'success' };
}
