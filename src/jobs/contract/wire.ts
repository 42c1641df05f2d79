// What lies between our client and the module during a contract test: it writes down what goes over the wire, and answers in place of
// the module where a case wants to see what happens then.
import type { Exchange } from '../../domain/integrations/contract.ts';
import { cut } from '../../lib/cut.ts';
import type { Outgoing, OutgoingAnswer } from '../../lib/outgoing.ts';

/** What happens to the next request that changes something. */
export type Disturbance =
  /** Answered in place of the module, which hears nothing of it. */
  | { kind: 'instead'; status: number; retryAfter: string | null }
  /** The module does its work, and its answer is lost. */
  | { kind: 'answer-lost'; status: number };

export interface Wire {
  send: Outgoing;
  /** What went over since the last call, and forgets it. */
  take(): Exchange[];
  /** The last answer so far to a request of this method. */
  last(method: string): Exchange | null;
  /** Queued for the next requests that change something, one each. */
  disturb(disturbances: Disturbance[]): void;
  /** Disturbances that have not happened yet. */
  waiting(): number;
}

const mostText = 4000;
/** A case that goes round in circles does not fill the table. */
const mostExchanges = 30;
const telling = ['content-type', 'etag', 'location', 'retry-after'];

export function createWire(inner: Outgoing, secrets: readonly string[]): Wire {
  let exchanges: Exchange[] = [];
  const last = new Map<string, Exchange>();
  let plan: Disturbance[] = [];
  const clean = (text: string) => cut(masked(pretty(text), secrets), mostText);

  const keep = (exchange: Exchange) => {
    last.set(exchange.method, exchange);
    if (exchanges.length < mostExchanges) exchanges.push(exchange);
  };

  return {
    async send(address, request) {
      const { method = 'GET', body = '' } = request;
      const base = { method, address: masked(address, secrets), sent: clean(body) };
      const disturbance = method === 'GET' ? undefined : plan.shift();
      try {
        const { answer, isInjected } = await disturbed(disturbance, () => inner(address, request));
        keep({
          ...base,
          status: answer.status,
          headers: headersOf(answer, secrets),
          received: clean(answer.body),
          isInjected,
        });
        return answer;
      } catch (error) {
        const words = error instanceof Error ? error.message : 'unknown';
        keep({ ...base, status: null, headers: {}, received: clean(words), isInjected: false });
        throw error;
      }
    },
    take() {
      const taken = exchanges;
      exchanges = [];
      return taken;
    },
    last: (method) => last.get(method) ?? null,
    disturb(disturbances) {
      plan = [...disturbances];
    },
    waiting: () => plan.length,
  };
}

async function disturbed(
  disturbance: Disturbance | undefined,
  send: () => Promise<OutgoingAnswer>,
): Promise<{ answer: OutgoingAnswer; isInjected: boolean }> {
  if (!disturbance) return { answer: await send(), isInjected: false };
  if (disturbance.kind === 'answer-lost') await send();
  const detail = `The contract test answers ${disturbance.status} in place of the module.`;
  const retryAfter = disturbance.kind === 'instead' ? disturbance.retryAfter : null;
  return {
    isInjected: true,
    answer: {
      status: disturbance.status,
      headers: {
        'content-type': 'application/scim+json',
        ...(retryAfter === null ? {} : { 'retry-after': retryAfter }),
      },
      body: JSON.stringify({
        schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'],
        status: String(disturbance.status),
        detail,
      }),
    },
  };
}

const headersOf = ({ headers }: OutgoingAnswer, secrets: readonly string[]): Record<string, string> =>
  Object.fromEntries(
    telling.flatMap((name) => {
      const value = headers[name];
      return value === undefined ? [] : [[name, cut(masked(String(value), secrets), 300)] as const];
    }),
  );

/** API-15: what is shown and stored holds no credential, also where a module sends ours back. */
function masked(text: string, secrets: readonly string[]): string {
  return secrets.reduce((rest, secret) => (secret === '' ? rest : rest.replaceAll(secret, '…')), text);
}

function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    // A table cannot store NUL.
    return text.replaceAll('\0', '');
  }
}
