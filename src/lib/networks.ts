// IPv4 and IPv6 networks as an administrator writes them, and whether an address lies in one.
import { isIPv4, isIPv6 } from 'node:net';

interface Address {
  family: 4 | 6;
  bits: bigint;
}

const width = { 4: 32n, 6: 128n };

/** IPv4-mapped IPv6 addresses are IPv4 ones (RFC 4291 section 2.5.5.2), so that both ways of writing one mean the same. */
const mapped = 0xffffn;

function joined(parts: number[], size: bigint): bigint {
  return parts.reduce((bits, part) => (bits << size) | BigInt(part), 0n);
}

const ipv4Bits = (text: string) => joined(text.split('.').map(Number), 8n);

function ipv6Bits(text: string): bigint {
  const hexadecimal = text.replace(/(?<=:)[\d.]+\.\d+$/, (end) => {
    const bits = ipv4Bits(end);
    return `${(bits >> 16n).toString(16)}:${(bits & 0xffffn).toString(16)}`;
  });
  const [head = '', tail] = hexadecimal.split('::');
  const groups = (side: string) => (side === '' ? [] : side.split(':').map((group) => Number.parseInt(group, 16)));
  const left = groups(head);
  const right = groups(tail ?? '');
  return joined([...left, ...Array<number>(8 - left.length - right.length).fill(0), ...right], 16n);
}

function parseAddress(text: string): Address | null {
  if (isIPv4(text)) return { family: 4, bits: ipv4Bits(text) };
  if (!isIPv6(text) || text.includes('%')) return null;
  const bits = ipv6Bits(text);
  return bits >> 32n === mapped ? { family: 4, bits: bits & 0xffffffffn } : { family: 6, bits };
}

function write({ family, bits }: Address): string {
  const size = family === 4 ? 8n : 16n;
  const count = family === 4 ? 4 : 8;
  const mask = (1n << size) - 1n;
  const parts = Array.from({ length: count }, (_, at) => (bits >> (size * BigInt(count - 1 - at))) & mask);
  if (family === 4) return parts.join('.');
  return shortened(parts.map((part) => part.toString(16)));
}

/** RFC 5952 section 4.2: the longest run of zeros, the first of equal ones, and never a single one. */
function shortened(groups: string[]): string {
  let best = { at: 0, length: 1 };
  for (let at = 0; at < groups.length; at += 1) {
    let length = 0;
    while (groups[at + length] === '0') length += 1;
    if (length > best.length) best = { at, length };
  }
  if (best.length === 1) return groups.join(':');
  return `${groups.slice(0, best.at).join(':')}::${groups.slice(best.at + best.length).join(':')}`;
}

interface Network extends Address {
  prefix: bigint;
}

const kept = (bits: bigint, family: 4 | 6, prefix: bigint) => {
  const free = width[family] - prefix;
  return (bits >> free) << free;
};

function parseNetwork(text: string): Network | null {
  const [head = '', length, ...more] = text.trim().split('/');
  const address = parseAddress(head);
  if (!address || more.length > 0) return null;
  const isMapped = address.family === 4 && head.includes(':');
  if (length === undefined) return { ...address, prefix: width[address.family] };
  if (!/^\d{1,3}$/.test(length)) return null;
  const prefix = BigInt(length) - (isMapped ? 96n : 0n);
  if (prefix < 0n || prefix > width[address.family]) return null;
  return { family: address.family, bits: kept(address.bits, address.family, prefix), prefix };
}

/** The one way to write a network: no bits behind its length, RFC 5952 for IPv6, always with a length. Null: it is none. */
export function normalNetwork(text: string): string | null {
  const network = parseNetwork(text);
  return network && `${write(network)}/${network.prefix}`;
}

/** A list is asked again and again where the past is played again, mostly about the same addresses. */
const known = new WeakMap<readonly string[], { networks: Network[]; answers: Map<string, boolean> }>();

function lookUp(list: readonly string[]) {
  const present = known.get(list);
  if (present) return present;
  const fresh = { networks: list.flatMap((text) => parseNetwork(text) ?? []), answers: new Map<string, boolean>() };
  known.set(list, fresh);
  return fresh;
}

/** Whether an address lies in one of the networks, which do not change; what is no address lies in none. */
export function isWithin(list: readonly string[], ip: string): boolean {
  const { networks, answers } = lookUp(list);
  const answer = answers.get(ip);
  if (answer !== undefined) return answer;
  const address = parseAddress(ip.replace(/%.*$/s, ''));
  const isIn =
    address !== null &&
    networks.some(
      ({ family, bits, prefix }) => family === address.family && kept(address.bits, family, prefix) === bits,
    );
  answers.set(ip, isIn);
  return isIn;
}
