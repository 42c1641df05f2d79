// Security Event Tokens (RFC 8417), signed with the key that signs this module's ID tokens, and pushed to it (RFC 8935).
import { createPrivateKey, type KeyObject, sign } from 'node:crypto';
import { z } from 'zod';
import { openSigningKeys } from '../domain/keys/commands.ts';
import { inSigningOrder, type SigningAlgorithm } from '../domain/keys/signing-key.ts';
import type { Act } from '../domain/provisioning/account.ts';
import { lanes } from '../domain/provisioning/lane.ts';
import { cut } from '../lib/cut.ts';
import { type Outgoing, OutgoingError } from '../lib/outgoing.ts';
import type { Work } from '../work.ts';
import { moduleProblem, type Sent, unreached } from './module-answer.ts';

const risc = 'https://schemas.openid.net/secevent/risc/event-type';

/** What each act is told as (docs/module-protocol.md, 5). Creating and changing are told by SCIM alone. */
const eventTypes: Partial<Record<Act, string>> = {
  suspend: `${risc}/account-disabled`,
  restore: `${risc}/account-enabled`,
  remove: `${risc}/account-purged`,
  disable: `${risc}/account-purged`,
  'end-sessions': 'https://schemas.openid.net/secevent/caep/event-type/session-revoked',
  'settings-changed': 'urn:unifiedlogin:event-type:settings-changed',
  disconnected: 'urn:unifiedlogin:event-type:disconnected',
};

export interface SecurityEvent {
  issuer: string;
  clientId: string;
  act: Act;
  /** Another at each try, so that a repeated one is not taken for a replayed one; `seq` says which is the later. */
  id: string;
  seq: number;
  instanceId: string;
  /** What the module knows the person by; null: it concerns nobody in particular. */
  subject: string | null;
  issuedAt: number;
}

export function toClaims(event: SecurityEvent): Record<string, unknown> {
  const type = eventTypes[event.act];
  if (type === undefined) throw new Error(`${event.act} is not told as an event`);
  const { issuer: iss, subject } = event;
  return {
    iss,
    aud: event.clientId,
    iat: event.issuedAt,
    jti: event.id,
    // RFC 9493 section 3.2.3
    ...(subject === null ? {} : { sub_id: { format: 'iss_sub', iss, sub: subject } }),
    instance: event.instanceId,
    seq: event.seq,
    events: { [type]: {} },
  };
}

export interface Signer {
  kid: string;
  alg: SigningAlgorithm;
  key: KeyObject;
}

/** The keys that sign now, one of each algorithm. */
export async function currentSigners(work: Work): Promise<Signer[]> {
  const keys = inSigningOrder(await work.store.keys.listLive(work.now)).filter(({ state }) => state === 'current');
  return openSigningKeys(work, keys).map((jwk, i) => ({
    kid: keys[i]?.kid ?? '',
    alg: keys[i]?.alg ?? 'RS256',
    key: createPrivateKey({ key: jwk as import('node:crypto').JsonWebKey, format: 'jwk' }),
  }));
}

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** A compact JWS (RFC 7515 section 7.1) of the type that says what it is (RFC 8417 section 2.3). */
export function signEvent(event: SecurityEvent, { kid, alg, key }: Signer): string {
  const text = `${part({ alg, typ: 'secevent+jwt', kid })}.${part(toClaims(event))}`;
  const bytes = Buffer.from(text);
  const signature =
    alg === 'ES256'
      ? // RFC 7518 section 3.4: R and S side by side, not in DER.
        sign('sha256', bytes, { key, dsaEncoding: 'ieee-p1363' })
      : sign(alg === 'EdDSA' ? null : 'sha256', bytes, key);
  return `${text}.${signature.toString('base64url')}`;
}

const errorBody = z.object({ err: z.string(), description: z.string().default('') });

/** RFC 8935 section 2: 202 is yes, 400 says what was wrong with it. */
export async function pushEvent(send: Outgoing, url: string, token: string): Promise<Sent> {
  try {
    const answer = await send(url, {
      method: 'POST',
      headers: { 'content-type': 'application/secevent+jwt', accept: 'application/json' },
      body: token,
      timeoutMs: lanes.requestMs,
      maxBytes: lanes.answerBytes,
      isOneOfMany: true,
    });
    const problem = moduleProblem(answer, { token });
    if (problem) return problem;
    if (answer.status < 300) return { outcome: 'accepted', status: answer.status, words: 'Accepted.', account: null };
    const said = errorBody.safeParse(parse(answer.body));
    const why = said.success
      ? `: ${cut(`${said.data.err} ${said.data.description}`.replace(/\p{Cc}+/gu, ' ').trim(), 300)}`
      : '.';
    // It may know the key tomorrow, or the person: tried again as long as anything is.
    return {
      outcome: 'passing',
      status: answer.status,
      words: `It did not take the event (${answer.status})${why}`,
      retryAfterMs: null,
      lane: null,
    };
  } catch (error) {
    if (!(error instanceof OutgoingError)) throw error;
    return unreached(error);
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
