// What a module's answer to one request means, whatever was asked of it. The words were written by others: they are cut, and never
// hold our credential.
import { z } from 'zod';
import type { SeenAccount } from '../domain/provisioning/drift.ts';
import { lanes } from '../domain/provisioning/lane.ts';
import { cut } from '../lib/cut.ts';
import type { OutgoingAnswer, OutgoingError } from '../lib/outgoing.ts';
import type { ScimService } from './scim.ts';

export type Sent =
  | {
      outcome: 'accepted';
      status: number;
      words: string;
      /** As the module describes it in its answer; null: it said nothing of it. */
      account: SeenAccount | null;
      /** The account is not there (any more). */
      isGone?: boolean;
      /** What was to be removed was disabled instead (C36). */
      isKept?: boolean;
    }
  | {
      outcome: 'passing';
      status: number | null;
      words: string;
      retryAfterMs: number | null;
      /** It tells something of the module, not of this account; `pause`: it asks for time. */
      lane: 'failure' | 'pause' | null;
    }
  | { outcome: 'refused'; status: number | null; words: string };

/** Nobody answered, or not as a whole. */
export function unreached({ problem }: OutgoingError): Sent {
  const words = {
    'refused-address': 'Its address lies in a network that is not reached from here.',
    timeout: `It did not answer within ${lanes.requestMs / 1000} seconds.`,
    'too-large': 'Its answer was far too large.',
    unreachable: 'It cannot be reached, or its answer broke off.',
  }[problem];
  return { outcome: 'passing', status: null, words, retryAfterMs: null, lane: 'failure' };
}

/** What an answer says of the module itself, whatever was asked; null: it deals with the account. */
export function moduleProblem({ status, headers, body }: OutgoingAnswer, { token }: { token: string }): Sent | null {
  const failure = (words: string): Sent => ({ outcome: 'passing', status, words, retryAfterMs: null, lane: 'failure' });
  if (status === 401 || status === 403) return failure('It refused our credential.');
  if (status < 200 || (status >= 300 && status < 400))
    return failure('It sent us on to another address, which we do not follow.');
  if (status !== 429 && status !== 408 && (status < 500 || status === 501)) return null;
  const retryAfterMs = waitOf(headers['retry-after']);
  const words = `${status === 429 ? 'It asks for time' : 'It answered with an error of its own'}${detailOf(body, token)}`;
  const isPause = status === 429 || (status === 503 && retryAfterMs !== null);
  return { outcome: 'passing', status, words, retryAfterMs, lane: isPause ? 'pause' : 'failure' };
}

/** RFC 9110 section 10.2.3: seconds, or a date. */
function waitOf(header: string | string[] | undefined): number | null {
  const text = String(header ?? '').trim();
  if (text === '') return null;
  const wait = /^\d{1,9}$/.test(text) ? Number(text) * 1000 : Date.parse(text) - Date.now();
  return Number.isFinite(wait) && wait > 0 ? wait : null;
}

const errorBody = z.object({ detail: z.string() });

/** The module's own words, cut, and without what must not be read by others. */
export function detailOf(body: string, token: string): string {
  const parsed = errorBody.safeParse(parseJson(body));
  const text = parsed.success
    ? parsed.data.detail
        .toWellFormed()
        .replace(/\p{Cc}+/gu, ' ')
        .replaceAll(token, '…')
        .trim()
    : '';
  return text === '' ? '.' : `: ${cut(text, 300)}`;
}

export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

export const refused = (answer: OutgoingAnswer, service: ScimService, what: string): Sent => ({
  outcome: 'refused',
  status: answer.status,
  words: `${what} (${answer.status})${detailOf(answer.body, service.token)}`,
});

export const halfAnswer = (status: number): Sent => ({
  outcome: 'passing',
  status,
  words: 'It said yes, but not of this account.',
  retryAfterMs: null,
  lane: null,
});
