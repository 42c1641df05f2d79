// From people and modules as they are to what has to be sent: pure, on facts that were read for many at once.
import { type InstanceId, newId, type UserId } from '../../lib/ids.ts';
import { fullName } from '../users/user.ts';
import type { ModuleAccount, Wanted } from './account.ts';
import type { Suspension } from './account-repository.ts';
import type { NewDelivery, Standing } from './delivery-repository.ts';
import { desire, heldUntil, nextStep, type PersonFacts, type Step } from './desire.ts';
import type { Receiver } from './facts-queries.ts';

/** One person in one instance. */
export interface Pair {
  receiver: Receiver;
  person: PersonFacts;
  account: ModuleAccount | null;
  step: Step | null;
  /** Newest first. */
  standing: Standing[];
}

export function stepOf(receiver: Receiver, person: PersonFacts, account: ModuleAccount | null, now: Date): Step | null {
  const { profile, settings } = receiver;
  const step = nextStep(desire(profile, settings, person), account, settings, profile, now);
  return step && channelsOf(receiver, step).length > 0 ? step : null;
}

/** By SCIM what an account is to be; and to those who subscribe, what has happened to the person. */
export function channelsOf({ hasScim, hasEvents }: Receiver, { act }: Pick<Step, 'act'>): ('scim' | 'event')[] {
  const isEvent = hasEvents && act !== 'create' && act !== 'update';
  return [...(hasScim ? (['scim'] as const) : []), ...(isEvent ? (['event'] as const) : [])];
}

export interface Manner {
  cause: string;
  /** An act on these very people, rather than a look at everybody: it also tries again what was given up. */
  isExplicit: boolean;
  /** Batches that wait, by instance. */
  waiting: Map<InstanceId, string>;
  /** Accounts that are the last way into their module, with the sentence that says so: they stay until there is another. */
  heldBack: Map<string, string>;
  now: Date;
}

export interface Outcome {
  inserted: NewDelivery[];
  superseded: string[];
  suspensions: Suspension[];
  /** What is begun now, for the audit log. */
  begun: { pair: Pair; step: Step }[];
}

/**
 * Who would be suspended and is not. A look at everybody leaves out those of whom it would say nothing new: they wait already, or it was
 * refused. An act on them does not.
 */
export const isNewSuspension = (pair: Pair, isExplicit: boolean): boolean =>
  pair.step?.act === 'suspend' && pair.account?.life !== 'suspended' && (isExplicit || !isQuiet(pair, pair.step));

const isQuiet = ({ receiver, standing }: Pair, step: Step): boolean =>
  channelsOf(receiver, step).every((own) => {
    const newest = standing.find(({ channel }) => channel === own);
    return newest !== undefined && isSame(newest, step) && isSettled(newest, { isExplicit: false }, false);
  });

/** Suspensions that another administrator has refused, and that would still be due: the ids of their deliveries. */
export const stillRefused = (pairs: Pair[]): string[] =>
  pairs.flatMap(({ step, account, standing }) =>
    step?.act === 'suspend' && account?.life !== 'suspended'
      ? standing
          .filter((one) => one.state === 'given-up' && one.batchId !== null && isSame(one, step))
          .map(({ id }) => id)
      : [],
  );

export function carryOut(pairs: Pair[], manner: Manner): Outcome {
  const outcome: Outcome = { inserted: [], superseded: [], suspensions: [], begun: [] };
  for (const pair of pairs)
    if (pair.step) take(pair, pair.step, manner, outcome);
    else dropUnwanted(pair, outcome);
  return outcome;
}

const isOpen = ({ state }: Standing): boolean => ['waiting', 'queued', 'sent', 'accepted', 'failed'].includes(state);

/** All is as it should be: what has not gone out need not. What was accepted is still read back. */
function dropUnwanted({ standing }: Pair, outcome: Outcome): void {
  for (const one of standing)
    if (isOpen(one) && one.state !== 'accepted' && !one.isClaimed && !isOnlyPlanned(one))
      outcome.superseded.push(one.id);
}

/** A time zone is what a plan alone changes: that nothing else is to be done says nothing against it. */
const isOnlyPlanned = ({ act, wanted }: Standing): boolean =>
  act === 'update' && Object.keys(wanted).every((name) => name === 'timeZone');

function take(pair: Pair, step: Step, manner: Manner, outcome: Outcome): void {
  const { receiver, standing, account } = pair;
  // Only what nobody has been asked about yet: one person alone, by a later act, goes through at once.
  const batchId = isBatched(pair) ? (manner.waiting.get(receiver.id) ?? null) : null;
  const words = account ? manner.heldBack.get(accountKey(account)) : undefined;
  const mayGo = batchId === null && words === undefined;
  const channels = channelsOf(receiver, step).filter((channel) => {
    const own = standing.filter((one) => one.channel === channel);
    const [newest] = own;
    if (newest && isSame(newest, step) && isSettled(newest, manner, mayGo)) return false;
    outcome.superseded.push(...own.filter(isOpen).map(({ id }) => id));
    return true;
  });
  if (channels.length === 0) return;
  for (const channel of channels) outcome.inserted.push(deliveryOf(pair, step, channel, manner, { batchId, words }));
  if (!mayGo) return;
  outcome.begun.push({ pair, step });
  if (step.act === 'suspend' && account)
    outcome.suspensions.push({
      instanceId: receiver.id,
      externalId: account.externalId,
      heldUntil: heldUntil(receiver.settings, manner.now),
      reason: step.because,
    });
}

const isBatched = ({ step, account }: Pair): boolean => step?.act === 'suspend' && account?.life !== 'suspended';

/** Nothing new is to be said about it. */
function isSettled({ state, batchId }: Standing, { isExplicit }: Pick<Manner, 'isExplicit'>, mayGo: boolean): boolean {
  if (state === 'waiting') return batchId === null ? !mayGo : !isExplicit;
  if (state === 'given-up') return !isExplicit;
  return state !== 'superseded' && state !== 'verified';
}

const isSame = (one: { act: string; wanted: Wanted }, other: { act: string; wanted: Wanted }): boolean =>
  one.act === other.act && canonical(one.wanted) === canonical(other.wanted);

/** Members in one order, as the database keeps them in another. */
const canonical = (wanted: Wanted): string =>
  JSON.stringify(
    Object.entries(wanted)
      .map(([key, value]) => [
        key,
        typeof value === 'object' && !Array.isArray(value) ? Object.entries(value).sort() : value,
      ])
      .sort(([one], [other]) => String(one).localeCompare(String(other))),
  );

function deliveryOf(
  { receiver, person, account }: Pair,
  { act, wanted }: Step,
  channel: 'scim' | 'event',
  { cause }: Manner,
  { batchId, words }: { batchId: string | null; words: string | undefined },
): NewDelivery {
  return {
    id: newId(),
    instanceId: receiver.id,
    instanceName: receiver.name,
    userId: person.userId,
    person: fullName(person) || person.username,
    externalId: account?.externalId ?? null,
    channel,
    act,
    reason: cause,
    batchId,
    wanted,
    state: batchId === null && words === undefined ? 'queued' : 'waiting',
    ...(words === undefined ? {} : { words }),
  };
}

/** How many people of whom an act would suspend, by instance. */
export interface Tally {
  people: number;
  administrators: number;
}

export function tally(pairs: Pair[], isExplicit: boolean, into = new Map<InstanceId, Tally>()): Map<InstanceId, Tally> {
  for (const pair of pairs) {
    if (!isNewSuspension(pair, isExplicit)) continue;
    const one = into.get(pair.receiver.id) ?? { people: 0, administrators: 0 };
    one.people += 1;
    if (pair.account?.isAdministrator) one.administrators += 1;
    into.set(pair.receiver.id, one);
  }
  return into;
}

export const accountKey = ({ instanceId, externalId }: Pick<ModuleAccount, 'instanceId' | 'externalId'>): string =>
  `${instanceId} ${externalId}`;

export const personKey = (userId: UserId, instanceId: InstanceId): string => `${userId} ${instanceId}`;
