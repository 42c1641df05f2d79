import { describe, expect, it } from 'vitest';
import { isTimeZone } from '../../../src/lib/time.ts';
import { dayBounds, instantOf, zonesToChoose } from '../../../src/lib/zones.ts';

const at = (local: string, zone: string) => instantOf(local, zone)?.toISOString() ?? null;

describe('what a clock in a zone shows, as an instant', () => {
  it.each([
    ['2026-11-22T09:30', 'UTC', '2026-11-22T09:30:00.000Z'],
    ['2026-11-22T09:30', 'Europe/Berlin', '2026-11-22T08:30:00.000Z'],
    ['2026-07-22T09:30:15', 'Europe/Berlin', '2026-07-22T07:30:15.000Z'],
    ['2026-11-22T00:00', 'Asia/Kathmandu', '2026-11-21T18:15:00.000Z'],
    ['2026-11-22T00:00', 'Pacific/Kiritimati', '2026-11-21T10:00:00.000Z'],
    ['2026-11-22T00:00', 'Pacific/Pago_Pago', '2026-11-22T11:00:00.000Z'],
    // The hour that comes twice: its first pass.
    ['2026-10-25T02:30', 'Europe/Berlin', '2026-10-25T00:30:00.000Z'],
    // The hour that is left out.
    ['2026-03-29T02:30', 'Europe/Berlin', '2026-03-29T01:30:00.000Z'],
    // A day that begins at one o'clock.
    ['2018-11-04T00:00', 'America/Sao_Paulo', '2018-11-04T03:00:00.000Z'],
  ])('%s in %s is %s', (local, zone, expected) => {
    expect(at(local, zone)).toBe(expected);
  });

  it.each([
    '',
    'x',
    '2026-13-01T00:00',
    '2026-02-30T00:00',
    '2026-11-22',
    '2026-11-22T25:00',
    '0001-01-01T00:00',
    '99999-01-01T00:00',
  ])('%j is no time', (local) => {
    expect(at(local, 'Europe/Berlin')).toBeNull();
  });
});

describe('days of a zone', () => {
  it('begin at its midnights, through the change of the clocks', () => {
    const bounds = dayBounds(new Date('2026-10-26T22:59:00Z'), 3, 'Europe/Berlin');
    expect(bounds.map((bound) => bound.toISOString())).toEqual([
      '2026-10-23T22:00:00.000Z',
      '2026-10-24T22:00:00.000Z',
      '2026-10-25T23:00:00.000Z',
      '2026-10-26T23:00:00.000Z',
    ]);
  });

  it('the last one is today there, not here', () => {
    const now = new Date('2026-11-22T12:00:00Z');
    for (const zone of ['Pacific/Kiritimati', 'Pacific/Pago_Pago', 'UTC', 'Asia/Kathmandu']) {
      const bounds = dayBounds(now, 90, zone);
      expect(bounds).toHaveLength(91);
      expect(Number(bounds.at(-2))).toBeLessThanOrEqual(now.getTime());
      expect(Number(bounds.at(-1))).toBeGreaterThan(now.getTime());
      // Quarters of an hour add up to each of them.
      for (const bound of bounds) expect(Number(bound) % 900_000).toBe(0);
    }
  });
});

describe('zones to choose from', () => {
  it('begin with UTC and bear the names of today, each once', () => {
    const zones = zonesToChoose('');
    expect(zones[0]).toBe('UTC');
    expect(zones).toEqual(expect.arrayContaining(['Asia/Kolkata', 'Europe/Kyiv', 'Asia/Yangon', 'Europe/Berlin']));
    for (const old of ['Asia/Calcutta', 'Europe/Kiev', 'Asia/Rangoon']) expect(zones).not.toContain(old);
    expect(new Set(zones).size).toBe(zones.length);
    expect(zones.filter((zone) => !isTimeZone(zone))).toEqual([]);
  });

  it.each(['Asia/Calcutta', 'Europe/Kyiv', 'UTC', 'US/Eastern'])(
    'offer %s, which is stored, by that name',
    (stored) => {
      expect(zonesToChoose(stored).filter((zone) => zone === stored)).toHaveLength(1);
    },
  );

  it('offer nothing that is no zone', () => {
    expect(zonesToChoose('Mars/Base')).toEqual(zonesToChoose(''));
  });
});
