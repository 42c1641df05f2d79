import { describe, expect, it } from 'vitest';
import { approvalRefusal, mustWait, waitWords } from '../../../../src/domain/provisioning/batch.ts';
import {
  freshLane,
  isHalfOpen,
  isTooOld,
  type Lane,
  laneAfter,
  lanes,
  retryAt,
} from '../../../../src/domain/provisioning/lane.ts';
import type { InstanceId, UserId } from '../../../../src/lib/ids.ts';
import { days, minutes, seconds } from '../../../../src/lib/time.ts';

const now = new Date('2026-11-22T12:00:00Z');
const waitOf = (at: Date | null) => (at === null ? null : at.getTime() - now.getTime());

describe('when it is tried again', () => {
  it('waits twice as long each time, up to a quarter of an hour, a fifth more or less', () => {
    const middle = (attempts: number) => waitOf(retryAt(attempts, now, { random: () => 0.5 }));
    expect([1, 2, 3, 4].map(middle)).toEqual([2000, 4000, 8000, 16_000]);
    expect(middle(40)).toBe(minutes(15));
    expect(waitOf(retryAt(3, now, { random: () => 0 }))).toBe(6400);
    expect(waitOf(retryAt(3, now, { random: () => 1 }))).toBe(9600);
  });

  it('RFC 9110 10.2.3: not before the module wants, but not later than half an hour because of it', () => {
    expect(waitOf(retryAt(1, now, { retryAfterMs: minutes(5) }))).toBe(minutes(5));
    expect(waitOf(retryAt(1, now, { retryAfterMs: days(400) }))).toBe(lanes.mostWaitMs);
  });

  it('gives up after three days', () => {
    const since = (ms: number) => isTooOld({ queuedAt: new Date(now.getTime() - ms) }, now);
    expect([since(days(3)), since(days(3) + 1)]).toEqual([false, true]);
  });
});

describe('the circuit breaker of a lane', () => {
  const fail = (lane: Lane) => laneAfter(lane, { kind: 'failure', words: 'It is down.', retryAfterMs: null }, now);
  const failed = (times: number) => {
    let lane = freshLane('i' as InstanceId);
    for (let i = 0; i < times; i += 1) lane = fail(lane);
    return lane;
  };

  it.each([
    [4, null],
    [5, seconds(30)],
    [6, seconds(60)],
    [7, seconds(120)],
    [9, seconds(480)],
    [10, minutes(10)],
    [100, minutes(10)],
  ])('after %i failures in a row it is closed for %s ms', (times, wait) => {
    expect(waitOf(failed(times).closedUntil)).toBe(wait);
    expect(isHalfOpen(failed(times))).toBe(times >= 5);
  });

  it('one success opens it again, and the count begins anew', () => {
    const open = laneAfter(failed(8), { kind: 'success' }, now);
    expect(open).toMatchObject({ failures: 0, closedUntil: null, lastSuccessAt: now, lastProblem: 'It is down.' });
    expect(fail(open)).toMatchObject({ failures: 1, closedUntil: null });
  });

  it('a module that asks for time has not failed', () => {
    const pause = (retryAfterMs: number | null) =>
      laneAfter(freshLane('i' as InstanceId), { kind: 'pause', words: 'slow down', retryAfterMs }, now);
    expect(pause(seconds(7))).toMatchObject({ failures: 0 });
    expect(waitOf(pause(seconds(7)).closedUntil)).toBe(seconds(7));
    expect(waitOf(pause(null).closedUntil)).toBe(seconds(1));
    expect(waitOf(pause(days(9)).closedUntil)).toBe(lanes.mostWaitMs);
  });
});

describe('what waits for a second administrator', () => {
  it.each<[string, Parameters<typeof mustWait>[0], boolean]>([
    ['10 of 20', { people: 10, administrators: 0, active: 20 }, false],
    ['11 of 20', { people: 11, administrators: 0, active: 20 }, true],
    ['11 of 220, exactly 5 %', { people: 11, administrators: 0, active: 220 }, false],
    ['12 of 220', { people: 12, administrators: 0, active: 220 }, true],
    ['500 of 50,000', { people: 500, administrators: 0, active: 50_000 }, false],
    ['one administrator alone', { people: 1, administrators: 1, active: 100 }, false],
    ['an administrator among two', { people: 2, administrators: 1, active: 100 }, true],
    ['10 that nobody has caused', { people: 10, administrators: 0, active: 50_000, isFound: true }, false],
    ['11 that nobody has caused', { people: 11, administrators: 0, active: 50_000, isFound: true }, true],
  ])('%s: %o', (_, size, waits) => {
    expect(mustWait(size)).toBe(waits);
  });

  it('another than who caused it decides; the operator may', () => {
    const [ada, ben] = ['ada' as UserId, 'ben' as UserId];
    expect(approvalRefusal({ state: 'waiting', causedBy: ada }, ada)).toMatch(/Another administrator/);
    expect(approvalRefusal({ state: 'waiting', causedBy: ada }, ben)).toBeNull();
    expect(approvalRefusal({ state: 'waiting', causedBy: null }, ada)).toBeNull();
    expect(approvalRefusal({ state: 'waiting', causedBy: ada }, null)).toBeNull();
    expect(approvalRefusal({ state: 'approved', causedBy: ada }, ben)).toMatch(/decided/);
  });

  it('says how many of how many', () => {
    expect(waitWords({ people: 12, administrators: 2, active: 100 }, 'Workplace')).toBe(
      '12 people of 100 active accounts would be suspended in Workplace. 2 of them administer Workplace.',
    );
    expect(waitWords({ people: 2, administrators: 1, active: 0 }, 'Workplace')).toBe(
      '2 people would be suspended in Workplace. One of them administers Workplace.',
    );
  });
});
