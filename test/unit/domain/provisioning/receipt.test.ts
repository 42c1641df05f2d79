// The way of a delivery, and when all access of a leaver has ended: pure, as tables.
import { describe, expect, it } from 'vitest';
import type { Delivery } from '../../../../src/domain/provisioning/account.ts';
import {
  type AccountReceipts,
  type EndFacts,
  endOfAccess,
  isLate,
  mayResend,
  stepsOf,
} from '../../../../src/domain/provisioning/receipt.ts';
import type { CompanyId, InstanceId, UserId } from '../../../../src/lib/ids.ts';

const at = (second: number) => new Date(Date.UTC(2026, 10, 22, 10, 0, second));

const delivery = (change: Partial<Delivery> = {}): Delivery => ({
  id: 'd',
  seq: 1,
  companyId: 'c' as CompanyId,
  instanceId: 'i' as InstanceId,
  instanceName: 'Workplace',
  userId: 'u' as UserId,
  person: 'Ben User',
  externalId: '17',
  channel: 'scim',
  act: 'suspend',
  reason: 'deactivated by Ada Root',
  batchId: null,
  wanted: { active: false },
  state: 'verified',
  attempts: 1,
  queuedAt: at(0),
  nextAt: null,
  sentAt: at(1),
  acceptedAt: at(2),
  verifiedAt: at(3),
  endedAt: at(3),
  answer: { status: 200, words: '' },
  ...change,
});

const account = (change: Partial<AccountReceipts> = {}): AccountReceipts => ({
  instanceId: 'i' as InstanceId,
  instance: 'Workplace',
  module: 'Datto Workplace',
  icon: null,
  account: {
    externalId: '17',
    userName: 'ben',
    isActive: false,
    isAdministrator: false,
    life: 'suspended',
    suspendedAt: at(0),
    heldUntil: at(59),
    lifeReason: null,
    confirmedAt: at(3),
  },
  deprovisions: true,
  deliveries: [delivery()],
  ...change,
});

const facts = (change: Partial<EndFacts> = {}): EndFacts => ({
  act: { action: 'user.deactivate', at: at(0), by: 'Ada Root' },
  sessionsEnded: 2,
  sessionsLeft: 0,
  tokensLeft: 0,
  logouts: [
    { id: 'l', clientId: 'w', module: 'Workplace', queuedAt: at(0), sentAt: at(4), attempts: 1, problem: null },
  ],
  accounts: [account()],
  ...change,
});

describe('C36 the end of access', () => {
  it('is when the last of all had ended', () => {
    expect(endOfAccess(facts())).toMatchObject({ state: 'ended', at: at(4) });
    expect(endOfAccess(facts({ logouts: [] }))).toMatchObject({ state: 'ended', at: at(3) });
    expect(endOfAccess(facts({ logouts: [], accounts: [] }))).toMatchObject({ state: 'ended', at: at(0) });
  });

  it('is nothing of somebody who has access', () => {
    expect(endOfAccess(facts({ act: null }))).toEqual({ state: null, at: null, lines: [] });
  });

  const left = account().account as NonNullable<AccountReceipts['account']>;
  const active = { ...left, isActive: true, life: 'live' as const };
  it.each<[string, Partial<EndFacts>, string]>([
    ['a session is left', { sessionsLeft: 1 }, 'failed'],
    ['a token is left', { tokensLeft: 1 }, 'failed'],
    [
      'a logout was not taken',
      {
        logouts: [{ id: 'l', clientId: 'w', module: 'W', queuedAt: at(0), sentAt: null, attempts: 3, problem: '503' }],
      },
      'pending',
    ],
    [
      'it is queued',
      { accounts: [account({ deliveries: [delivery({ state: 'queued', verifiedAt: null })] })] },
      'pending',
    ],
    ['it is accepted only', { accounts: [account({ deliveries: [delivery({ state: 'accepted' })] })] }, 'pending'],
    ['it waits for a second', { accounts: [account({ deliveries: [delivery({ state: 'waiting' })] })] }, 'pending'],
    ['it was given up', { accounts: [account({ deliveries: [delivery({ state: 'given-up' })] })] }, 'failed'],
    ['nothing is queued yet', { accounts: [account({ account: active, deliveries: [] })] }, 'pending'],
    ['the module keeps it', { accounts: [account({ account: active, deliveries: [], deprovisions: false })] }, 'kept'],
    ['it was not active', { accounts: [account({ deliveries: [] })] }, 'ended'],
    [
      'it was removed before',
      { accounts: [account({ account: { ...left, life: 'removed' }, deliveries: [] })] },
      'ended',
    ],
    [
      'what was sent before does not count',
      { accounts: [account({ account: active, deliveries: [delivery({ queuedAt: at(-60) })] })] },
      'pending',
    ],
    [
      'what was superseded does not count',
      { accounts: [account({ account: active, deliveries: [delivery({ state: 'superseded' })] })] },
      'pending',
    ],
  ])('%s', (_words, change, state) => {
    const end = endOfAccess(facts(change));
    expect(end.state).toBe(state);
    expect(end.at === null).toBe(state === 'pending' || state === 'failed');
  });

  it('an event counts once the module has taken it: it is not read back', () => {
    const event = delivery({ channel: 'event', state: 'accepted', verifiedAt: null, acceptedAt: at(9) });
    const end = endOfAccess(facts({ accounts: [account({ deliveries: [delivery(), event] })] }));
    expect(end).toMatchObject({ state: 'ended', at: at(9) });
    expect(end.lines.map(({ name }) => name)).toEqual(['act', 'sessions', 'tokens', 'logout', 'account', 'event']);
  });
});

describe('a delivery', () => {
  it.each<[Partial<Delivery>, string[]]>([
    [{}, ['queued', 'sent', 'accepted', 'verified']],
    [{ state: 'waiting', sentAt: null, acceptedAt: null, verifiedAt: null }, ['queued']],
    [{ state: 'failed', acceptedAt: null, verifiedAt: null, nextAt: at(30) }, ['queued', 'sent', 'failed', 'retry']],
    [{ state: 'given-up', acceptedAt: null, verifiedAt: null }, ['queued', 'sent', 'given-up']],
    [{ state: 'superseded', sentAt: null, acceptedAt: null, verifiedAt: null }, ['queued', 'superseded']],
    [
      {
        state: 'superseded',
        sentAt: null,
        acceptedAt: null,
        verifiedAt: null,
        answer: { status: null, words: 'Confirmed by Ben; sent as number 7.', sentAs: 'x' },
      },
      ['queued', 'confirmed'],
    ],
  ])('tells its way %#', (change, steps) => {
    expect(stepsOf(delivery(change)).map(({ step }) => step)).toEqual(steps);
  });

  it('is late while it is under way for more than a quarter of an hour', () => {
    const later = (minutes: number) => new Date(at(0).getTime() + minutes * 60_000);
    expect(isLate({ state: 'failed', queuedAt: at(0) }, later(16))).toBe(true);
    expect(isLate({ state: 'failed', queuedAt: at(0) }, later(14))).toBe(false);
    expect(isLate({ state: 'verified', queuedAt: at(0) }, later(16))).toBe(false);
    expect(isLate({ state: 'waiting', queuedAt: at(0) }, later(16))).toBe(false);
  });

  it('can be sent again when it was given up, or before its next try', () => {
    expect((['given-up', 'failed'] as const).every((state) => mayResend({ state }))).toBe(true);
    expect(
      (['queued', 'sent', 'verified', 'superseded', 'waiting'] as const).some((state) => mayResend({ state })),
    ).toBe(false);
  });
});
