// "Require is lock-out-proof": who can still get in, and when somebody would be the last.
import { describe, expect, it } from 'vitest';
import {
  type Exempt,
  isEnough,
  lastWayLost,
  lastWaySentence,
  type WayInChange,
  waysIn,
  waysSentence,
  wayToKeep,
} from '../../../../src/domain/integrations/ways-in.ts';
import { days, hours, after as later } from '../../../../src/lib/time.ts';

const now = new Date('2026-11-22T12:00:00Z');
const able = { isActive: true, hasLocalLogin: true, isAdministrator: true, isEnding: false };
const exempt = (id: string, more: Partial<Exempt> = {}): Exempt => ({
  id: `x-${id}`,
  kind: 'person',
  accountId: id,
  userName: `${id}@northwind.example`,
  reason: 'On call',
  endsAt: null,
  account: able,
  ...more,
});
const names = { module: 'Workplace', brand: 'KaseyaOne' };

describe('who is a way in', () => {
  it.each<[string, Partial<Exempt>, boolean]>([
    ['an active administrator with a local password', {}, true],
    ['until the second of the end', { endsAt: later(now, 1) }, true],
    ['not from it on', { endsAt: now }, false],
    ['not without an account', { account: null }, false],
    ['not when suspended there', { account: { ...able, isActive: false } }, false],
    ['not without a local password', { account: { ...able, hasLocalLogin: false } }, false],
    ['not when the module does not say', { account: { ...able, hasLocalLogin: null } }, false],
    ['not as a plain user', { account: { ...able, isAdministrator: false } }, false],
    ['not while being suspended by us', { account: { ...able, isEnding: true } }, false],
  ])('%s', (_, more, counts) => {
    expect(waysIn([exempt('ada', more)], now)).toHaveLength(counts ? 1 : 0);
  });
});

describe('how many are enough', () => {
  const sealed = (id: string) => exempt(id, { kind: 'emergency' });
  it.each<[string, Exempt[], boolean, string]>([
    [
      'nobody',
      [],
      false,
      'No administrator could get in without KaseyaOne. Exempt active administrators of the module who have a local password there. Two are needed, or one and a sealed emergency account.',
    ],
    [
      'one',
      [exempt('ada')],
      false,
      'Only 1 administrator could get in without KaseyaOne. Exempt a second one, or keep a sealed emergency account.',
    ],
    ['two', [exempt('ada'), exempt('ben')], true, '2 administrators can get into Workplace without KaseyaOne.'],
    [
      'one and a sealed account',
      [exempt('ada'), sealed('vault')],
      true,
      '1 administrator and a sealed emergency account can get into Workplace without KaseyaOne.',
    ],
    [
      'a sealed account alone',
      [sealed('vault')],
      false,
      'Only a sealed emergency account could get in without KaseyaOne. Exempt an administrator, too.',
    ],
    [
      'two sealed accounts',
      [sealed('vault'), sealed('safe')],
      false,
      'Only sealed emergency accounts could get in without KaseyaOne. Exempt an administrator, too.',
    ],
    [
      'one who can and one who cannot',
      [exempt('ada'), exempt('ben', { account: { ...able, isAdministrator: false } })],
      false,
      'Only 1 administrator could get in without KaseyaOne. Exempt a second one, or keep a sealed emergency account.',
    ],
  ])('%s', (_, list, enough, sentence) => {
    const ways = waysIn(list, now);
    expect([isEnough(ways), waysSentence(ways, names)]).toEqual([enough, sentence]);
  });
});

describe('the last one', () => {
  const ada = exempt('ada');
  const ben = exempt('ben');
  const remove = (id: string): WayInChange => ({ what: 'exception', id: `x-${id}`, after: null });
  const accounts = (...accountIds: string[]): WayInChange => ({ what: 'accounts', accountIds, act: 'suspend' });
  it.each<[string, Exempt[], WayInChange, string | null]>([
    ['one of two goes', [ada, ben], remove('ada'), null],
    ['the last exception goes', [ada], remove('ada'), 'ada'],
    ['both accounts at once', [ada, ben], accounts('ada', 'ben', 'carl'), 'ada'],
    ['the account of the last one', [ada], accounts('ada'), 'ada'],
    ['an account of somebody else', [ada], accounts('carl'), null],
    ['nobody was there before', [], accounts('carl'), null],
    ['who could not get in anyway', [exempt('ada', { account: null })], remove('ada'), null],
    [
      'an exception that ends at once',
      [ada],
      { what: 'exception', id: 'x-ada', after: { kind: 'person', endsAt: now } },
      'ada',
    ],
    [
      'an exception that gets an end',
      [ada],
      { what: 'exception', id: 'x-ada', after: { kind: 'person', endsAt: later(now, days(1)) } },
      null,
    ],
    ['the other has ended', [ada, exempt('ben', { endsAt: now })], remove('ada'), 'ada'],
  ])('%s', (_, list, change, lost) => {
    expect(lastWayLost(list, change, now)?.accountId ?? null).toBe(lost);
  });

  it('is named by the refusal, with what to do', () => {
    const [way] = waysIn([ada], now);
    if (!way) throw new Error('no way in');
    expect(lastWaySentence(way, { what: 'accounts', accountIds: ['ada'], act: 'demote' }, names)).toBe(
      'ada@northwind.example is the last one who can get into Workplace without KaseyaOne while that is required. It cannot be demoted: exempt another administrator first, or turn the requirement off.',
    );
    expect(lastWaySentence({ ...way, kind: 'emergency' }, remove('ada'), names)).toContain(
      'The emergency account ada@northwind.example is the last one',
    );
  });
});

describe('an exception that would end as the last way in is kept', () => {
  const inDays = (n: number) => later(now, days(n));
  it.each<[string, Exempt[], string | null]>([
    ['none', [], null],
    ['one without an end', [exempt('ada')], null],
    ['one that ends in two days', [exempt('ada', { endsAt: inDays(2) })], null],
    ['one that ends in a day', [exempt('ada', { endsAt: inDays(1) })], 'ada'],
    ['one that has ended while nobody was there', [exempt('ada', { endsAt: inDays(-0.9) })], 'ada'],
    ['not one that ended long ago, as it was meant to', [exempt('ada', { endsAt: inDays(-1) })], null],
    [
      'of two the one that ends later',
      [exempt('ada', { endsAt: later(now, hours(2)) }), exempt('ben', { endsAt: later(now, hours(3)) })],
      'ben',
    ],
    ['not while another stays', [exempt('ada', { endsAt: inDays(0.5) }), exempt('ben', { endsAt: inDays(30) })], null],
    ['not one that is no way in', [exempt('ada', { endsAt: inDays(0.5), account: null })], null],
    [
      'not for one that is no way in either',
      [exempt('ada', { endsAt: inDays(0.5) }), exempt('ben', { account: { ...able, isActive: false } })],
      'ada',
    ],
  ])('%s', (_, list, kept) => {
    const keep = wayToKeep(list, now);
    expect(keep?.exempt.accountId ?? null).toBe(kept);
    if (keep) expect(keep.until).toEqual(inDays(7));
  });
});
