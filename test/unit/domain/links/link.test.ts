import { describe, expect, it } from 'vitest';
import { isLive, linkAddress, linkPaths } from '../../../../src/domain/links/link.ts';
import { days } from '../../../../src/lib/time.ts';

describe('links that mails carry', () => {
  const createdAt = new Date('2026-11-22T12:00:00Z');
  const in14Days = createdAt.getTime() + days(14);
  const link = { usedAt: null, voidedAt: null, expiresAt: new Date(in14Days) };

  it('A5.7, AUT-17, D.10 no. 5 live for fourteen days, to the last millisecond and not one longer', () => {
    expect(isLive(link, createdAt)).toBe(true);
    expect(isLive(link, new Date(in14Days - 1))).toBe(true);
    expect(isLive(link, new Date(in14Days))).toBe(false);
  });

  it('AUT-13 are dead once used, and once voided by a newer one', () => {
    expect(isLive({ ...link, usedAt: createdAt }, createdAt)).toBe(false);
    expect(isLive({ ...link, voidedAt: createdAt }, createdAt)).toBe(false);
  });

  it('AUT-15 lead to the public address, each kind to a place of its own', () => {
    expect(linkAddress('https://one.example', 'invitation', 'abc')).toBe('https://one.example/invitation/abc');
    const places = Object.values(linkPaths);
    expect(new Set(places).size).toBe(places.length);
  });
});
