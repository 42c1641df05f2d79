import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addressKey, plainAddress } from '../../../src/lib/addresses.ts';
import { clientAddress } from '../../../src/web/middleware/door.ts';

describe('addresses as limits count them', () => {
  it.each([
    ['203.0.113.7', '203.0.113.7'],
    ['::ffff:203.0.113.7', '203.0.113.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:DB8:1:2::9', '2001:db8:1:2::/64'],
    ['2001:0db8:0001:0002:ffff:ffff:ffff:ffff', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['2001:db8:1:3::9', '2001:db8:1:3::/64'],
    ['::1', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ])('AUT-08 %s counts as %s', (ip, key) => {
    expect(addressKey(ip)).toBe(key);
  });

  it('AUT-08 every address of a /64 has one key, in every spelling', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(0xffff), { minLength: 8, maxLength: 8 }), fc.nat(0xffff), (groups, other) => {
        const long = groups.map((group) => group.toString(16).padStart(4, '0')).join(':');
        const short = groups.map((group) => group.toString(16)).join(':');
        const neighbour = [...groups.slice(0, 4), other, 0, 0, 1].map((group) => group.toString(16)).join(':');
        return addressKey(long) === addressKey(short) && addressKey(neighbour) === addressKey(short);
      }),
    );
  });
});

describe('whose word about the address counts', () => {
  it.each([
    ['AUT-08 nobody’s without proxies', '10.0.0.9', '203.0.113.7', 0, '10.0.0.9'],
    ['AUT-08 the proxy’s', '10.0.0.9', '203.0.113.7', 1, '203.0.113.7'],
    ['AUT-08 not what a stranger wrote before it', '10.0.0.9', '198.51.100.1, 203.0.113.7', 1, '203.0.113.7'],
    ['AUT-08 the second proxy’s from our side', '10.0.0.9', '198.51.100.1, 203.0.113.7, 10.1.1.1', 2, '203.0.113.7'],
    ['AUT-08 the peer, when the proxy says nothing', '10.0.0.9', undefined, 1, '10.0.0.9'],
    ['AUT-08 the peer, when the proxy says something empty', '10.0.0.9', ' ', 1, '10.0.0.9'],
    ['AUT-08 the first, when there are fewer hops than proxies', '10.0.0.9', '203.0.113.7', 3, '203.0.113.7'],
    ['AUT-08 IPv4 in IPv6 clothes is IPv4', '::ffff:10.0.0.9', undefined, 0, '10.0.0.9'],
  ])('%s', (_title, peer, forwarded, proxies, address) => {
    expect(clientAddress(peer, forwarded, proxies)).toBe(address);
    expect(plainAddress(address)).toBe(address);
  });
});
