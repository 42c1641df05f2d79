// Receipts as people read them: the way of a delivery step by step, whether it is late, and whether all access of a leaver has ended.
// Pure: pages, the command and the signed export tell the same.
import type { CompanyId, InstanceId, UserId } from '../../lib/ids.ts';
import type { LogoutReceipt } from '../sessions/logout-repository.ts';
import type { Delivery, DeliveryState, Life } from './account.ts';
import { lanes } from './lane.ts';

const openStates: readonly DeliveryState[] = ['queued', 'sent', 'accepted', 'failed'];

/** Something will still happen to it by itself. */
export const isOpen = ({ state }: Pick<Delivery, 'state'>): boolean => openStates.includes(state);

/** Under way for longer than is right: it is shown, and administrators are told. */
export const isLate = ({ state, queuedAt }: Pick<Delivery, 'state' | 'queuedAt'>, now: Date): boolean =>
  isOpen({ state }) && state !== 'accepted' && now.getTime() - queuedAt.getTime() > lanes.alertMs;

/** One that has ended without its effect can be sent anew; one that waits for its next try can be sent at once. */
/** What stands in a batch is for a second administrator. */
export const mayResend = ({
  state,
  batchId = null,
}: Pick<Delivery, 'state'> & Partial<Pick<Delivery, 'batchId'>>): boolean =>
  batchId === null && (state === 'given-up' || state === 'failed');

export type ReceiptStep =
  | 'queued'
  | 'sent'
  | 'accepted'
  | 'verified'
  | 'failed'
  | 'retry'
  | 'given-up'
  | 'confirmed'
  | 'superseded';

/** It waited for a second administrator, who let it go: another delivery went out in its place. */
export const isConfirmed = ({ state, answer }: Pick<Delivery, 'state' | 'answer'>): boolean =>
  state === 'superseded' && answer?.sentAs !== undefined;

function queuedWords(delivery: Delivery): string {
  if (delivery.state === 'waiting') return 'Waits for a second administrator';
  return isConfirmed(delivery) ? 'Waited for a second administrator' : 'Queued';
}

/** The way so far, the first step first. `at` null: it is to come at an unknown time. */
export function stepsOf(delivery: Delivery): { step: ReceiptStep; at: Date | null; words: string }[] {
  const { state, queuedAt, sentAt, acceptedAt, verifiedAt, nextAt, endedAt, attempts, answer } = delivery;
  const answered = answer ? `${answer.status ?? 'No answer'}: ${answer.words}` : '';
  const steps: { step: ReceiptStep; at: Date | null; words: string }[] = [
    { step: 'queued', at: queuedAt, words: queuedWords(delivery) },
  ];
  if (sentAt) steps.push({ step: 'sent', at: sentAt, words: attempts > 1 ? `Sent, try ${attempts}` : 'Sent' });
  if (acceptedAt) steps.push({ step: 'accepted', at: acceptedAt, words: 'Accepted by the module' });
  if (verifiedAt) steps.push({ step: 'verified', at: verifiedAt, words: 'Verified by reading it back' });
  if (state === 'failed') {
    steps.push({ step: 'failed', at: sentAt, words: `Failed. ${answered}`.trim() });
    steps.push({ step: 'retry', at: nextAt, words: 'Next try' });
  }
  if (state === 'given-up') steps.push({ step: 'given-up', at: endedAt, words: `Given up. ${answered}`.trim() });
  if (isConfirmed(delivery)) steps.push({ step: 'confirmed', at: endedAt, words: answer?.words ?? '' });
  else if (state === 'superseded') steps.push({ step: 'superseded', at: endedAt, words: 'A later act said otherwise' });
  return steps;
}

/** An account of one person, with what was last done about it. */
export interface AccountReceipts {
  instanceId: InstanceId;
  instance: string;
  module: string;
  icon: string | null;
  /** Null: the instance is disconnected, or the person has no account there (any more). */
  account: {
    externalId: string;
    userName: string;
    isActive: boolean;
    isAdministrator: boolean;
    life: Life;
    suspendedAt: Date | null;
    heldUntil: Date | null;
    lifeReason: string | null;
    confirmedAt: Date;
  } | null;
  /** Whoever loses the access loses the account. */
  deprovisions: boolean;
  /** The newest first. */
  deliveries: Delivery[];
}

export interface EndFacts {
  /** What took everything away; null: nothing did. */
  act: { action: 'user.deactivate' | 'user.delete'; at: Date; by: string } | null;
  sessionsEnded: number;
  sessionsLeft: number;
  /** Grants, codes and tokens that the engine still keeps. */
  tokensLeft: number;
  logouts: LogoutReceipt[];
  accounts: AccountReceipts[];
}

/** `kept`: outside of what is ended by us, such as an account of a module whose deprovisioning is off. */
export type EndOutcome = 'ended' | 'pending' | 'failed' | 'kept';

export interface EndLine {
  name: 'act' | 'sessions' | 'tokens' | 'logout' | 'account' | 'event';
  subject: string;
  outcome: EndOutcome;
  at: Date | null;
  sentence: string;
}

export interface EndOfAccess {
  /** Null: the person has access, or never lost it as a whole. */
  state: EndOutcome | null;
  /** When the last of all had ended; null while something is pending or failed. */
  at: Date | null;
  lines: EndLine[];
}

const many = (count: number, one: string, more: string) => `${count} ${count === 1 ? one : more}`;

/** Has all access of this person ended, and when? Each line is one thing that had to end. */
export function endOfAccess(facts: EndFacts): EndOfAccess {
  const { act } = facts;
  if (act === null) return { state: null, at: null, lines: [] };
  const lines: EndLine[] = [
    {
      name: 'act',
      subject: 'The account here',
      outcome: 'ended',
      at: act.at,
      sentence: `${act.action === 'user.delete' ? 'Deleted' : 'Deactivated'} by ${act.by}.`,
    },
    ...ownLines(facts, act.at),
    ...facts.logouts.map(logoutLine),
    ...facts.accounts.flatMap((account) => accountLines(account, act.at)),
  ];
  const has = (outcome: EndOutcome) => lines.some((line) => line.outcome === outcome);
  const state = has('failed') ? 'failed' : has('pending') ? 'pending' : has('kept') ? 'kept' : 'ended';
  const times = lines.flatMap(({ outcome, at }) => (outcome === 'ended' && at ? [at.getTime()] : []));
  const isThrough = state === 'ended' || state === 'kept';
  return { state, at: isThrough ? new Date(Math.max(...times)) : null, lines };
}

function ownLines({ sessionsEnded, sessionsLeft, tokensLeft }: EndFacts, at: Date): EndLine[] {
  return [
    {
      name: 'sessions',
      subject: 'Sessions',
      ...(sessionsLeft === 0 ? { outcome: 'ended' as const, at } : { outcome: 'failed' as const, at: null }),
      sentence:
        sessionsLeft === 0
          ? `${many(sessionsEnded, 'session', 'sessions')} ended in the same moment; none is left.`
          : `${many(sessionsLeft, 'session is', 'sessions are')} left.`,
    },
    {
      name: 'tokens',
      subject: 'Tokens',
      ...(tokensLeft === 0 ? { outcome: 'ended' as const, at } : { outcome: 'failed' as const, at: null }),
      sentence:
        tokensLeft === 0
          ? 'Every token, code and grant was revoked in the same moment.'
          : `${many(tokensLeft, 'record', 'records')} of the protocol engine are left.`,
    },
  ];
}

function logoutLine({ module, sentAt, problem, attempts }: LogoutReceipt): EndLine {
  const base = { name: 'logout' as const, subject: `Logout from ${module}` };
  if (sentAt) return { ...base, outcome: 'ended', at: sentAt, sentence: 'The module took the logout.' };
  const why =
    problem === null ? 'It is on its way.' : `Not taken yet after ${many(attempts, 'try', 'tries')}: ${problem}`;
  return { ...base, outcome: 'pending', at: null, sentence: why };
}

const endings = new Set(['suspend', 'remove', 'disable']);

function accountLines(receipts: AccountReceipts, since: Date): EndLine[] {
  const about = receipts.deliveries.filter(
    ({ act, state, queuedAt }) => endings.has(act) && state !== 'superseded' && queuedAt >= since,
  );
  const events = about.filter(({ channel }) => channel === 'event').slice(0, 1);
  return [
    ...accountLine(
      receipts,
      about.find(({ channel }) => channel === 'scim'),
    ),
    ...events.map(eventLine),
  ];
}

function accountLine({ instance, account, deprovisions }: AccountReceipts, last: Delivery | undefined): EndLine[] {
  const base = { name: 'account' as const, subject: `Account in ${instance}` };
  if (last) return [{ ...base, ...deliveryEnd(last) }];
  if (!account || account.life === 'removed') return [];
  if (!account.isActive)
    return [
      {
        ...base,
        outcome: 'ended',
        at: account.suspendedAt ?? account.confirmedAt,
        sentence: 'It was not active any more.',
      },
    ];
  return deprovisions
    ? [{ ...base, outcome: 'pending', at: null, sentence: 'Its suspension has not been queued yet.' }]
    : [
        {
          ...base,
          outcome: 'kept',
          at: null,
          sentence: 'It stays, since automatic deprovisioning is off there; nobody enters it from here.',
        },
      ];
}

const eventLine = (delivery: Delivery): EndLine => {
  const line = { name: 'event' as const, subject: `Event to ${delivery.instanceName}`, ...deliveryEnd(delivery) };
  // An event is not read back: that the module has taken it is all there is to know.
  return delivery.acceptedAt
    ? { ...line, outcome: 'ended', at: delivery.acceptedAt, sentence: 'The module took the event.' }
    : line;
};

function deliveryEnd({
  state,
  act,
  verifiedAt,
  answer,
  nextAt,
}: Delivery): Pick<EndLine, 'outcome' | 'at' | 'sentence'> {
  const what = act === 'remove' ? 'Removed' : act === 'disable' ? 'Disabled' : 'Suspended';
  const words = answer ? ` ${answer.status ?? 'No answer'}: ${answer.words}` : '';
  switch (state) {
    case 'verified':
      return { outcome: 'ended', at: verifiedAt, sentence: `${what}, and verified by reading it back.` };
    case 'given-up':
      return { outcome: 'failed', at: null, sentence: `Given up.${words}` };
    case 'waiting':
      return { outcome: 'pending', at: null, sentence: 'Waits for a second administrator.' };
    case 'failed':
      return { outcome: 'pending', at: nextAt, sentence: `Failed, will be tried again.${words}` };
    default:
      return { outcome: 'pending', at: null, sentence: 'On its way.' };
  }
}

/** Who it is about, also when they are deleted. */
export interface Leaver {
  userId: UserId;
  companyId: CompanyId;
  name: string;
  username: string;
  email: string;
  status: string;
}
