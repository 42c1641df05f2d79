// What openid-client refuses, as one of the problems that pages and the log know. The upstream's own words go to the log only.
import * as client from 'openid-client';
import type { SsoProblem } from '../../domain/federation/problem.ts';
import { OutgoingError } from '../../lib/outgoing.ts';
import { OidcProblem } from './oidc-configuration.ts';

export interface Told {
  problem: SsoProblem;
  details: Record<string, unknown>;
}

const cutTo = (text: string | undefined): string => (text ?? '').slice(0, 300);

/** @returns null for what is a fault of ours */
export function tellProblem(error: unknown): Told | null {
  const own = chain(error).find((one) => one instanceof OidcProblem);
  if (own) return { problem: own.problem, details: own.details };
  const outgoing = chain(error).find((one) => one instanceof OutgoingError);
  if (outgoing) return { problem: 'upstream-unreachable', details: { reason: outgoing.problem } };
  if (error instanceof client.AuthorizationResponseError)
    return { problem: 'upstream-error', details: { error: cutTo(error.error), words: cutTo(error.error_description) } };
  if (error instanceof client.ResponseBodyError)
    return {
      problem: 'upstream-error',
      details: { at: 'token', error: cutTo(error.error), words: cutTo(error.error_description), status: error.status },
    };
  if (error instanceof client.WWWAuthenticateChallengeError)
    return { problem: 'upstream-error', details: { at: 'userinfo', status: error.response.status } };
  return error instanceof client.ClientError ? ofClient(error) : null;
}

function chain(error: unknown): unknown[] {
  const found: unknown[] = [];
  for (let one = error; one instanceof Error && found.length < 5; one = one.cause) found.push(one);
  return found;
}

function ofClient(error: client.ClientError): Told {
  const inner = chain(error).find((one): one is Error => one instanceof Error && one !== error);
  const words = cutTo(inner?.message ?? error.message);
  const cause = causeOf(inner ?? error);
  switch (error.code) {
    case 'OAUTH_JWT_CLAIM_COMPARISON_FAILED':
      return ofClaim(cause.claim, words);
    case 'OAUTH_JWT_TIMESTAMP_CHECK_FAILED':
      return { problem: cause.claim === 'exp' ? 'expired' : 'clock-skew', details: { claim: cause.claim, words } };
    case 'OAUTH_JSON_ATTRIBUTE_COMPARISON_FAILED':
      return { problem: 'upstream-error', details: { words } };
    case 'OAUTH_KEY_SELECTION_FAILED':
      return { problem: 'certificate', details: { words } };
    case 'OAUTH_UNSUPPORTED_OPERATION':
      return { problem: 'algorithm', details: { words } };
    case 'OAUTH_RESPONSE_IS_NOT_CONFORM':
    case 'OAUTH_HTTP_REQUEST_FORBIDDEN':
    case 'OAUTH_REQUEST_PROTOCOL_FORBIDDEN':
      return { problem: 'upstream-error', details: { words: cutTo(error.message) } };
    case 'OAUTH_TIMEOUT':
    case 'OAUTH_ABORT':
      return { problem: 'upstream-unreachable', details: { reason: 'timeout' } };
    default:
      return ofWords(words);
  }
}

function ofClaim(claim: string | undefined, words: string): Told {
  const details = { claim, words };
  switch (claim) {
    case 'iss':
      return { problem: 'issuer', details };
    case 'aud':
    case 'azp':
      return { problem: 'audience', details };
    case 'nonce':
      return { problem: 'not-asked', details };
    default:
      return { problem: 'malformed', details };
  }
}

/** Answers of one code that only their words tell apart; an unknown one is told as what it is: not readable. */
function ofWords(words: string): Told {
  if (/signature verification/.test(words)) return { problem: 'signature', details: { words } };
  if (/"alg"/.test(words)) return { problem: 'algorithm', details: { words } };
  if (/"iss"/.test(words)) return { problem: 'issuer', details: { words } };
  if (/"(state|nonce)"/.test(words)) return { problem: 'not-asked', details: { words } };
  return { problem: 'malformed', details: { words } };
}

function causeOf({ cause }: Error): { claim?: string } {
  const claim: unknown = typeof cause === 'object' && cause !== null && 'claim' in cause ? cause.claim : undefined;
  return typeof claim === 'string' ? { claim } : {};
}
