// The door: which host names we answer to, whom we believe about the client's address, and under which id the log knows a request.
import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Next } from 'koa';
import type { Config } from '../../config/load.ts';
import { plainAddress } from '../../lib/addresses.ts';
import { misdirected } from '../../lib/errors.ts';
import type { Context } from '../context.ts';

/**
 * The client's address: the peer itself, or what the n-th trusted proxy from our side wrote (AUT-08).
 * Entries further left were written by strangers and are never believed.
 */
export function clientAddress(peer: string, forwardedFor: string | undefined, trustedProxies: number): string {
  if (trustedProxies === 0 || !forwardedFor) return plainAddress(peer);
  const hops = forwardedFor.split(',').map((hop) => hop.trim());
  return plainAddress(hops[Math.max(0, hops.length - trustedProxies)] || peer);
}

export function addressOf({ socket, headers }: IncomingMessage, config: Config): string {
  const forwardedFor = headers['x-forwarded-for'];
  // Node joins repeated headers of this name by commas.
  return clientAddress(socket.remoteAddress ?? '', forwardedFor?.toString(), config.trustedProxies);
}

/**
 * A request line may name a whole address, and then its host is what counts (RFC 9112 section 3.2.2). Koa and the engine
 * would take it from there whatever the header Host says, so the host goes where the door looks, and the path stays.
 */
export function toOriginForm(request: IncomingMessage): void {
  const { url: target = '/' } = request;
  if (target.startsWith('/')) return;
  const url = URL.parse(target);
  request.headers.host = url?.host ?? '';
  request.url = url ? `${url.pathname}${url.search}` : '/';
}

/** True when the request names our public host, whatever letters' case it uses (F5, WEB-10). */
export function isOurHost(request: IncomingMessage, publicHost: string): boolean {
  return request.headers.host?.toLowerCase() === publicHost;
}

/** Health probes come to the machine's own address, not to the public name. */
const anyHost = new Set(['/health/live', '/health/ready', '/metrics']);

export function door(config: Config) {
  const { host, protocol } = new URL(config.publicUrl);
  return async (ctx: Context, next: Next): Promise<void> => {
    const { headers } = ctx.req;
    const ip = addressOf(ctx.req, config);
    // From here on the headers say what we believe, so that neither the engine nor koa can be told otherwise (F5, WEB-10).
    delete headers.forwarded;
    headers['x-forwarded-for'] = ip;
    headers['x-forwarded-proto'] = protocol.slice(0, -1);
    headers['x-forwarded-host'] = host;
    ctx.state.requestId = randomUUID();
    ctx.state.ip = ip;
    if (!anyHost.has(ctx.path) && headers.host?.toLowerCase() !== host) throw misdirected();
    await next();
  };
}
