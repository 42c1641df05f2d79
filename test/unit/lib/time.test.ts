import { describe, expect, it } from 'vitest';
import {
  days,
  epoch,
  exact,
  hours,
  isTimeZone,
  after as later,
  minutes,
  relative,
  seconds,
  span,
} from '../../../src/lib/time.ts';

const now = new Date('2026-11-22T12:00:00.500Z');

describe('times', () => {
  it('are counted in milliseconds, and as JWTs count in whole seconds', () => {
    expect([seconds(2), minutes(2), hours(2), days(2)]).toEqual([2000, 120_000, 7_200_000, 172_800_000]);
    expect(later(now, days(1)).toISOString()).toBe('2026-11-23T12:00:00.500Z');
    expect(later(now, -minutes(1)).toISOString()).toBe('2026-11-22T11:59:00.500Z');
    expect(epoch(now)).toBe(1_795_348_800);
  });

  it.each([
    [seconds(-9), 'just now'],
    [seconds(9), 'just now'],
    [seconds(-30), '30 seconds ago'],
    [seconds(-59), '59 seconds ago'],
    [minutes(-1), '1 minute ago'],
    [minutes(9), 'in 9 minutes'],
    [minutes(-59), '59 minutes ago'],
    [hours(-1), '1 hour ago'],
    [hours(-23), '23 hours ago'],
    [days(-1), '1 day ago'],
    [days(-29), '29 days ago'],
    [days(-50), '2 months ago'],
    [days(-366), '1 year ago'],
    [days(-3650), '10 years ago'],
  ])('%d ms away is "%s"', (difference, words) => {
    expect(relative(later(now, difference), now)).toBe(words);
  });

  it.each([
    [seconds(95), '2 minutes'],
    [-minutes(20), '20 minutes'],
    [hours(1), '1 hour'],
    [days(3650), '10 years'],
  ])('%d ms last "%s"', (length, words) => {
    expect(span(length)).toBe(words);
  });

  it('are shown in the zone of the viewer', () => {
    expect(exact(now, 'UTC')).toMatch(/Nov 22, 2026, 12:00:00\sPM/);
    expect(exact(now, 'Asia/Tokyo')).toMatch(/Nov 22, 2026, 9:00:00\sPM/);
    expect(exact(now, 'America/New_York')).toMatch(/Nov 22, 2026, 7:00:00\sAM/);
  });

  it('zones are those that the runtime knows', () => {
    for (const zone of ['UTC', 'Europe/Berlin', 'America/Argentina/Buenos_Aires']) expect(isTimeZone(zone)).toBe(true);
    for (const zone of ['', 'Mars/Olympus', '<b>', 'Europe/Berlin\n']) expect(isTimeZone(zone)).toBe(false);
  });
});
