// Deliveries and ends of access in words.
import type { Act, Delivery, Life } from '../../../domain/provisioning/account.ts';
import {
  type AccountReceipts,
  type EndOfAccess,
  type EndOutcome,
  isConfirmed,
  isLate,
} from '../../../domain/provisioning/receipt.ts';
import { exact } from '../../../lib/time.ts';
import type { Desk } from '../console.ts';
import { instancePath } from '../modules/instance-head.ts';
import type { StatusWords } from '../views.ts';
import type { DeliveryLine, EndBanner } from './views.ts';

export const actWords: Record<Act, string> = {
  create: 'Create',
  update: 'Update',
  suspend: 'Suspend',
  restore: 'Restore',
  remove: 'Remove',
  disable: 'Disable',
  'end-sessions': 'End sessions',
  'settings-changed': 'Settings changed',
  disconnected: 'Disconnected',
};

export const stateWords: Record<Delivery['state'], StatusWords> = {
  waiting: { tone: 'wait', word: 'Waiting', more: 'for a second administrator' },
  queued: { tone: 'wait', word: 'Queued', more: '' },
  sent: { tone: 'wait', word: 'Sent', more: '' },
  accepted: { tone: 'wait', word: 'Accepted', more: '' },
  verified: { tone: 'good', word: 'Verified', more: '' },
  failed: { tone: 'danger', word: 'Failed', more: '' },
  'given-up': { tone: 'danger', word: 'Given up', more: '' },
  superseded: { tone: 'off', word: 'Superseded', more: '' },
};

export const lifeWords: Record<Life, StatusWords> = {
  free: { tone: 'good', word: 'Active', more: '' },
  live: { tone: 'good', word: 'Active', more: '' },
  suspended: { tone: 'wait', word: 'Suspended', more: '' },
  removed: { tone: 'off', word: 'Removed', more: '' },
  disabled: { tone: 'off', word: 'Disabled', more: '' },
};

/** An event is through once the module has taken it: it is not read back. */
export function deliveryStatus(delivery: Delivery, desk: Desk): StatusWords {
  if (isConfirmed(delivery)) return { tone: 'good', word: 'Confirmed', more: '' };
  const status = stateWords[delivery.state];
  if (delivery.channel === 'event' && delivery.state === 'accepted') return { ...status, tone: 'good' };
  if (delivery.state === 'failed' && delivery.nextAt)
    return { ...status, more: `next try ${desk.moment(delivery.nextAt).text}` };
  return status;
}

export const answerWords = ({ answer }: Pick<Delivery, 'answer'>): string =>
  answer === null ? '' : [answer.status, answer.words].filter((part) => part !== null && part !== '').join(': ');

export const deliveryPath = (instanceId: string, id: string): string =>
  `${instancePath(instanceId, 'deliveries')}/${id}`;

export function deliveryLine(delivery: Delivery, desk: Desk): DeliveryLine {
  const { instanceId, id, act, person, userId, instanceName, channel, queuedAt, attempts } = delivery;
  return {
    href: deliveryPath(instanceId, id),
    act: actWords[act],
    person: person === '' ? 'The module itself' : person,
    personHref: userId && `/admin/users/${userId}/accounts`,
    instance: instanceName,
    channel: channel === 'scim' ? 'Account' : 'Event',
    queuedAt: desk.moment(queuedAt),
    status: deliveryStatus(delivery, desk),
    isLate: isLate(delivery, desk.work.now),
    tries: attempts === 0 ? '' : String(attempts),
    answer: answerWords(delivery),
  };
}

const accountStates: Record<'none' | 'gone', StatusWords> = {
  none: { tone: 'off', word: 'No account', more: '' },
  gone: { tone: 'off', word: 'Disconnected', more: '' },
};

export function accountStatus({ account, module }: AccountReceipts): StatusWords {
  if (!account) return accountStates[module === '' ? 'gone' : 'none'];
  if (account.life === 'free' || account.life === 'live')
    return account.isActive ? lifeWords.live : { tone: 'off', word: 'Not active', more: '' };
  return lifeWords[account.life];
}

const outcomeWords: Record<EndOutcome, StatusWords> = {
  ended: { tone: 'good', word: 'Ended', more: '' },
  pending: { tone: 'wait', word: 'Pending', more: '' },
  failed: { tone: 'danger', word: 'Failed', more: '' },
  kept: { tone: 'off', word: 'Stays', more: '' },
};

export const outcomeStatus = (outcome: EndOutcome): StatusWords => outcomeWords[outcome];

const many = (count: number, one: string, more: string) => `${count} ${count === 1 ? one : more}`;

/** "All access ended at 10:02:41", or what is missing. */
export function endBanner({ state, at, lines }: EndOfAccess, desk: Desk): Omit<EndBanner, 'href'> | null {
  const count = (outcome: EndOutcome) => lines.filter((line) => line.outcome === outcome).length;
  const when = at ? exact(at, desk.user.timeZone ?? 'UTC') : '';
  switch (state) {
    case null:
      return null;
    case 'ended':
      return { tone: 'good', icon: 'circle-check', words: `All access ended at ${when}.`, more: '' };
    case 'kept':
      return {
        tone: 'wait',
        icon: 'alert-circle',
        words: `All access through here ended at ${when}.`,
        more: `${many(count('kept'), 'account stays', 'accounts stay')} at a module, since deprovisioning is off there.`,
      };
    case 'pending':
      return {
        tone: 'wait',
        icon: 'clock-pause',
        words: `${many(count('pending'), 'thing is', 'things are')} still ending.`,
        more: 'Nobody enters from here any more; modules are being told.',
      };
    case 'failed':
      return {
        tone: 'danger',
        icon: 'alert-circle',
        words: `${many(count('failed'), 'thing has', 'things have')} not ended.`,
        more: 'Look at what failed, and send it again.',
      };
  }
}
