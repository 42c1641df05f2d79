// Requests of our own to addresses that somebody else has named: never into the network around us (API-11), never without an end
// (DOS-03), never to another place than the one that was named. Node's own client, since its `lookup` sees each address before a
// connection is made: a name that changes its mind between a check and the connection gains nothing.
import { lookup } from 'node:dns';
import { Agent as HttpAgent, request as requestHttp } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import { BlockList, isIP, type LookupFunction } from 'node:net';

export type OutgoingProblem = 'refused-address' | 'unreachable' | 'timeout' | 'too-large';

export class OutgoingError extends Error {
  readonly problem: OutgoingProblem;

  constructor(problem: OutgoingProblem, cause?: unknown) {
    super(problem, { cause });
    this.name = 'OutgoingError';
    this.problem = problem;
  }
}

export interface OutgoingRequest {
  /** GET unless told. */
  method?: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  headers: Record<string, string>;
  body?: string;
  /** Many follow to the same place: the connection is kept for a moment. Only for what may be sent twice. */
  isOneOfMany?: boolean;
  /** For the whole answer, from the first look-up to the last byte. */
  timeoutMs: number;
  maxBytes: number;
}

export interface OutgoingAnswer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: string;
}

/** Redirects are answers like others, and followed by nobody. @throws OutgoingError */
export type Outgoing = (address: string, request: OutgoingRequest) => Promise<OutgoingAnswer>;

/** Special-use addresses (RFC 6890 and the IANA registries): loopback, private, link-local, documentation, multicast and the like. */
const special = new BlockList();
for (const network of [
  ...['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12', '192.0.0.0/24'],
  ...['192.0.2.0/24', '192.31.196.0/24', '192.52.193.0/24', '192.88.99.0/24', '192.168.0.0/16', '192.175.48.0/24'],
  ...['198.18.0.0/15', '198.51.100.0/24', '203.0.113.0/24', '224.0.0.0/4', '240.0.0.0/4'],
]) {
  const [net = '', length] = network.split('/');
  special.addSubnet(net, Number(length), 'ipv4');
}
for (const network of [
  ...['::/96', '64:ff9b::/96', '64:ff9b:1::/48', '100::/64', '2001::/23', '2001:db8::/32', '2002::/16'],
  ...['2620:4f:8000::/48', '3fff::/20', '5f00::/16', 'fc00::/7', 'fe80::/10', 'fec0::/10', 'ff00::/8'],
]) {
  const [net = '', length] = network.split('/');
  special.addSubnet(net, Number(length), 'ipv6');
}

export function isSpecialUse(address: string): boolean {
  const family = isIP(address);
  // An IPv4 address inside an IPv6 one is looked at as what it is (RFC 4291 section 2.5.5.2).
  return family === 0 || special.check(address, family === 4 ? 'ipv4' : 'ipv6');
}

const loopbackHosts = ['localhost', '127.0.0.1', '[::1]'];

/** On a developer's machine, where we ourselves are on loopback, modules are there too; there and only there. */
export const isLoopbackHost = (hostname: string): boolean => loopbackHosts.includes(hostname);

const guardedLookup: LookupFunction = (hostname, options, done) => {
  lookup(hostname, { ...options, all: true }, (error, found) => {
    if (error) return done(error, []);
    if (found.some(({ address }) => isSpecialUse(address))) return done(new OutgoingError('refused-address'), []);
    const [first] = found;
    if (options.all) done(null, found);
    else done(null, first?.address ?? '', first?.family);
  });
};

export function createOutgoing({ mayReachLoopback }: { mayReachLoopback: boolean }): Outgoing {
  return async (address, given) => {
    const url = new URL(address);
    const isOpen = mayReachLoopback && isLoopbackHost(url.hostname);
    // A number in place of a name is not looked up at all.
    const literal = url.hostname.replace(/^\[|\]$/g, '');
    if (!isOpen && isIP(literal) !== 0 && isSpecialUse(literal)) throw new OutgoingError('refused-address');
    return ask(url, given, isOpen ? null : guardedLookup);
  };
}

// A kept connection was made through the very check that a new one would go through, for the same name: looked-up connections and
// those of a developer's machine never share one. Nobody is kept waiting by it, since it ends by itself in seconds.
const keeping = { keepAlive: true, maxFreeSockets: 4, timeout: 4000, scheduling: 'lifo' } as const;
const agents = {
  guarded: { 'https:': new HttpsAgent(keeping), 'http:': new HttpAgent(keeping) },
  open: { 'https:': new HttpsAgent(keeping), 'http:': new HttpAgent(keeping) },
};

function agentFor(url: URL, { isOneOfMany }: OutgoingRequest, lookup: LookupFunction | null): HttpAgent | false {
  if (!isOneOfMany) return false;
  return agents[lookup ? 'guarded' : 'open'][url.protocol === 'https:' ? 'https:' : 'http:'];
}

/** A kept connection that the other side has just closed is found out by using it: then it is asked anew, once. */
function ask(url: URL, given: OutgoingRequest, lookup: LookupFunction | null): Promise<OutgoingAnswer> {
  return exchange(url, given, lookup).catch((error: unknown) => {
    if (!(error instanceof ClosedMeanwhile)) throw error;
    return exchange(url, { ...given, isOneOfMany: false }, lookup);
  });
}

class ClosedMeanwhile extends Error {}

function exchange(url: URL, given: OutgoingRequest, lookup: LookupFunction | null) {
  const { method = 'GET', headers, body, timeoutMs, maxBytes } = given;
  return new Promise<OutgoingAnswer>((resolve, reject) => {
    const fail = (error: unknown) => {
      clearTimeout(timer);
      const isOld = request.reusedSocket && isReset(error);
      reject(
        isOld
          ? new ClosedMeanwhile()
          : error instanceof OutgoingError
            ? error
            : new OutgoingError('unreachable', error),
      );
      request.destroy();
    };
    const send = url.protocol === 'https:' ? requestHttps : requestHttp;
    const agent = agentFor(url, given, lookup);
    const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
    const options = { method, headers: { ...headers, ...length }, agent, ...(lookup ? { lookup } : {}) };
    const request = send(url, options, (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      response.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > maxBytes) fail(new OutgoingError('too-large'));
        else chunks.push(chunk);
      });
      response.on('error', fail);
      response.on('end', () => {
        clearTimeout(timer);
        if (!response.complete) return fail(new Error('the answer broke off'));
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(chunks).toString('utf8'),
        });
      });
    });
    const timer = setTimeout(() => fail(new OutgoingError('timeout')), timeoutMs);
    request.on('error', fail);
    request.end(body);
  });
}

const isReset = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'ECONNRESET' || error.code === 'EPIPE');
