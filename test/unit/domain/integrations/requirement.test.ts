// C30: the pre-flight in words, the states of a trial, and what confirms it.
import { describe, expect, it } from 'vitest';
import { dueReminder, endProblems } from '../../../../src/domain/integrations/exception.ts';
import {
  judgePreflight,
  needsReading,
  type PreflightFacts,
  standingOf,
} from '../../../../src/domain/integrations/requirement.ts';
import type { Settings } from '../../../../src/domain/integrations/settings.ts';
import type { UserId } from '../../../../src/lib/ids.ts';
import { days, hours, after as later, minutes, seconds } from '../../../../src/lib/time.ts';
import { confirms, trialBegins } from '../../../../src/lib/trial.ts';

const now = new Date('2026-11-22T12:00:00.700Z');
const way = (id: string) => ({
  exceptionId: id,
  accountId: id,
  userName: id,
  kind: 'person' as const,
  endsAt: null,
});
const ready: PreflightFacts = {
  module: 'Workplace',
  brand: 'KaseyaOne',
  acting: 'ada' as UserId,
  signedInAt: later(now, -minutes(3)),
  waysIn: [way('ada'), way('ben')],
  isReadable: true,
  readAt: later(now, -minutes(2)),
  isBeingRead: false,
  problem: null,
  counts: { of: 43, linked: 30, matching: 8, stranded: 3 },
  sample: [{ accountId: '18', userName: 'ben', reason: 'stranded' }],
};
const sentenceOf = (facts: Partial<PreflightFacts>, name: string) => {
  const check = judgePreflight({ ...ready, ...facts }, now).checks.find((one) => one.name === name);
  return check && [check.passed, check.isUnderWay, check.sentence];
};

describe('the pre-flight', () => {
  it('is ready when everything is', () => {
    const preflight = judgePreflight(ready, now);
    expect(preflight.ready).toBe(true);
    expect(preflight.checks.map(({ name, sentence }) => [name, sentence])).toEqual([
      ['signed_in', 'You entered Workplace through KaseyaOne 3 minutes ago.'],
      ['ways_in', '2 administrators can get into Workplace without KaseyaOne.'],
      ['accounts', 'The list of accounts is 2 minutes old.'],
    ]);
  });

  it('says who loses the local login, and what is left to them, the worst first', () => {
    const { losesLocal } = judgePreflight(ready, now);
    expect([losesLocal.count, losesLocal.of]).toEqual([41, 43]);
    expect(losesLocal.reasons.map(({ reason, count }) => [reason, count])).toEqual([
      ['stranded', 3],
      ['matching', 8],
      ['linked', 30],
    ]);
    expect(losesLocal.sample[0]?.reason).toBe(
      'not exempt, and nobody in KaseyaOne belongs to it: it cannot get in at all',
    );
  });

  it.each<[string, Partial<PreflightFacts>, boolean, string]>([
    [
      'never',
      { signedInAt: null },
      false,
      'You have not entered Workplace through KaseyaOne in the last 10 minutes. Do it now in another window, to see that it works, and come back.',
    ],
    [
      'ten minutes ago',
      { signedInAt: later(now, -minutes(10)) },
      false,
      'You have not entered Workplace through KaseyaOne in the last 10 minutes. Do it now in another window, to see that it works, and come back.',
    ],
    [
      'by a local session of the module',
      { acting: null, signedInAt: null },
      false,
      'You are not in Workplace through KaseyaOne. Log out there, log in with KaseyaOne, and come back within 10 minutes.',
    ],
    [
      'just now, by a node whose clock is 90 s fast',
      { signedInAt: later(now, seconds(90)) },
      true,
      'You entered Workplace through KaseyaOne just now.',
    ],
    [
      'in the far future',
      { signedInAt: later(now, minutes(5)) },
      false,
      'You have not entered Workplace through KaseyaOne in the last 10 minutes. Do it now in another window, to see that it works, and come back.',
    ],
  ])('signed in %s', (_, facts, passed, sentence) => {
    expect(sentenceOf(facts, 'signed_in')).toEqual([passed, false, sentence]);
    expect(judgePreflight({ ...ready, ...facts }, now).ready).toBe(passed);
  });

  it.each<[string, Partial<PreflightFacts>, boolean, boolean, string, boolean]>([
    ['just now', { readAt: now }, true, false, 'The list of accounts is less than a minute old.', false],
    [
      'fifteen minutes ago',
      { readAt: later(now, -minutes(15)) },
      false,
      true,
      'The list of accounts is being read. Look again in a minute.',
      true,
    ],
    [
      'long ago, and being read',
      { readAt: later(now, -hours(30)), isBeingRead: true },
      false,
      true,
      'The list of accounts is being read. Look again in a minute.',
      false,
    ],
    [
      'never, and it has just failed',
      { readAt: null, problem: 'The module answered 500.' },
      false,
      false,
      'The accounts of Workplace could not be read. The module answered 500.',
      false,
    ],
    [
      'a good one, though a later one has failed',
      { problem: 'The module answered 500.' },
      true,
      false,
      'The list of accounts is 2 minutes old.',
      false,
    ],
    [
      'where there is no address',
      { readAt: null, isReadable: false },
      false,
      false,
      'Workplace has given no address for its accounts, so nobody can say who would be locked out.',
      false,
    ],
  ])('accounts read %s', (_, facts, passed, isUnderWay, sentence, asks) => {
    expect(sentenceOf(facts, 'accounts')).toEqual([passed, isUnderWay, sentence]);
    expect(needsReading({ ...ready, ...facts }, now)).toBe(asks);
  });
});

describe('the states of a trial', () => {
  const settings = (enabled: boolean, state: 'off' | 'trial' | 'on', ends: Date | null = null) =>
    ({ enabled, require: { state, trialEndsAt: ends, trialBy: null } }) as Settings;
  it.each([
    ['off', settings(true, 'off'), 'off'],
    ['on', settings(true, 'on'), 'on'],
    ['asleep', settings(false, 'on'), 'off'],
    ['on trial', settings(true, 'trial', later(now, 1)), 'trial'],
    ['over', settings(true, 'trial', now), 'over'],
  ])('%s', (_, given, standing) => {
    expect(standingOf(given, now)).toBe(standing);
  });

  it.each<[string, Date | null, Date, boolean]>([
    ['the entry that the pre-flight saw', null, later(now, -minutes(1)), false],
    ['an entry of the same second, which may be that one', null, later(now, 200), false],
    ['an entry of the next second', null, new Date('2026-11-22T12:00:01Z'), true],
    [
      'the entry that was seen, told by a clock that is 90 s fast',
      later(now, seconds(90)),
      later(now, seconds(90)),
      false,
    ],
    ['a later one by that clock', later(now, seconds(90)), later(now, seconds(92)), true],
  ])('is confirmed, or not, by %s', (_, seen, entered, does) => {
    expect(confirms(entered, trialBegins(now, seen))).toBe(does);
  });
});

describe('the end of an exception (A8.6)', () => {
  it.each<[string, { endsAt: Date | null; noEnd: boolean }, string | undefined]>([
    ['a week', { endsAt: later(now, days(7)), noEnd: false }, undefined],
    ['no end, by choice', { endsAt: null, noEnd: true }, undefined],
    ['nothing chosen', { endsAt: null, noEnd: false }, 'Enter the day on which it ends, or choose "No end".'],
    ['both', { endsAt: later(now, days(7)), noEnd: true }, 'Either a day on which it ends, or "No end".'],
    ['the past', { endsAt: later(now, -1), noEnd: false }, 'The end must be an hour from now, or later.'],
    [
      'two years',
      { endsAt: later(now, days(730)), noEnd: false },
      'The end is a year from now at the latest. For longer choose "No end".',
    ],
  ])('%s', (_, ending, problem) => {
    expect(endProblems(ending, now).endsAt).toBe(problem);
  });

  it.each<[string, number | null, number | null, number | null]>([
    ['none without an end', null, null, null],
    ['none eight days before', 8, null, null],
    ['the first seven days before', 7, null, 7],
    ['the first once', 6, 7, null],
    ['the last a day before', 1, 7, 1],
    ['only the last when the first was missed', 0.5, null, 1],
    ['the last once', 0.5, 1, null],
    ['none when it has ended', -1, null, null],
  ])('reminder: %s', (_, daysLeft, remindedDays, due) => {
    const endsAt = daysLeft === null ? null : later(now, days(daysLeft));
    expect(dueReminder({ endsAt, remindedDays }, now)).toBe(due);
  });
});
