// B.3: networks of the IP access list, as people write them.
import { BlockList, isIPv6 } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isWithin, normalNetwork } from '../../../src/lib/networks.ts';

describe('a network', () => {
  it.each([
    ['203.0.113.7', '203.0.113.7/32'],
    [' 203.0.113.7 ', '203.0.113.7/32'],
    ['203.0.113.7/24', '203.0.113.0/24'],
    ['10.0.0.0/8', '10.0.0.0/8'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['2001:DB8::1', '2001:db8::1/128'],
    ['2001:db8:0:0:1:0:0:1/64', '2001:db8::/64'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1/128'],
    ['::/0', '::/0'],
    ['::1', '::1/128'],
    ['::ffff:203.0.113.7', '203.0.113.7/32'],
    ['::ffff:cb00:7107', '203.0.113.7/32'],
    ['::ffff:203.0.113.7/120', '203.0.113.0/24'],
  ])('%s is written %s', (typed, normal) => {
    expect(normalNetwork(typed)).toBe(normal);
  });

  it.each([
    '',
    '/8',
    '203.0.113',
    '203.0.113.256',
    '203.0.113.7/33',
    '203.0.113.7/-1',
    '203.0.113.7/1.5',
    '203.0.113.7/24/8',
    '203.0.113.7/',
    '203.0.113.007',
    '203.0.113.1-203.0.113.9',
    '2001:db8::/129',
    '2001:db8::1::2',
    'fe80::1%eth0',
    '::ffff:203.0.113.7/24',
    'example.com',
    "' or 1=1 --",
    '1'.repeat(50_000),
  ])('%s is none', (typed) => {
    expect(normalNetwork(typed)).toBeNull();
  });
});

describe('an address', () => {
  it.each([
    [['203.0.113.0/24'], '203.0.113.7', true],
    [['203.0.113.0/24'], '203.0.114.7', false],
    [['203.0.113.0/24'], '::ffff:203.0.113.7', true],
    [['203.0.113.0/24'], '::ffff:cb00:7107', true],
    [['::/0'], '203.0.113.7', false],
    [['0.0.0.0/0'], '2001:db8::1', false],
    [['2001:db8::/32'], '2001:db8:ffff::1', true],
    [['2001:db8::/32'], '2001:db9::1', false],
    [['fe80::/10'], 'fe80::1%eth0', true],
    [['10.0.0.0/8', '2001:db8::1/128'], '2001:db8::1', true],
    [[], '127.0.0.1', false],
    [['0.0.0.0/0', '::/0'], '', false],
    [['0.0.0.0/0', '::/0'], 'nobody', false],
  ])('of %j: %s is %s', (networks, ip, expected) => {
    expect(isWithin(networks, ip)).toBe(expected);
  });

  it('lies where node says that it lies', () => {
    const v4 = fc.tuple(fc.ipV4(), fc.integer({ min: 0, max: 32 }));
    const v6 = fc
      .tuple(fc.ipV6(), fc.integer({ min: 0, max: 128 }))
      .filter(([ip]) => !normalNetwork(ip)?.includes('.'));
    const near = (ip: string) => fc.oneof(fc.constant(ip), isIPv6(ip) ? fc.ipV6() : fc.ipV4());
    fc.assert(
      fc.property(
        fc.oneof(v4, v6).chain(([ip, prefix]) => fc.tuple(fc.constant(ip), fc.constant(prefix), near(ip))),
        ([ip, prefix, asked]) => {
          const type = isIPv6(ip) ? 'ipv6' : 'ipv4';
          const list = new BlockList();
          list.addSubnet(ip, prefix, type);
          const plain = normalNetwork(asked)?.split('/')[0] ?? '';
          fc.pre(isIPv6(plain) === isIPv6(ip));
          expect(isWithin([`${ip}/${prefix}`], asked)).toBe(list.check(plain, type));
          expect(normalNetwork(normalNetwork(`${ip}/${prefix}`) ?? '')).toBe(normalNetwork(`${ip}/${prefix}`));
        },
      ),
      { numRuns: 500 },
    );
  });
});
