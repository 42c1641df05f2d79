// From the claims of an ID token and userinfo to what the domain reads. Pure.
import { createHash } from 'node:crypto';
import type { UpstreamClaims, UpstreamGroups } from '../../domain/federation/claims.ts';
import type { Connection } from '../../domain/federation/connection.ts';

export type Claims = Record<string, unknown>;

/** Of the protocol, not of the person. */
const ofProtocol = new Set(
  ['iss', 'sub', 'aud', 'exp', 'iat', 'nbf', 'jti', 'nonce', 'azp', 'acr', 'amr', 'auth_time', 'sid', 'at_hash'].concat(
    ['c_hash', 's_hash', 'rh', 'uti', 'aio', 'ver', '_claim_names', '_claim_sources', 'hasgroups'],
  ),
);

/** What no rule and no page needs in full. */
const mostValues = 2_000;
const longestValue = 2_000;

/** Whether userinfo is asked as well: something that a sign-in needs was not in the ID token. */
export function lacks(claims: Claims, attributes: Connection['attributes']): boolean {
  const { email, username, firstName, lastName, groups } = attributes;
  const names = [email, username, firstName, lastName].filter((name) => name !== '');
  if (names.some((name) => textOf(claims, name) === null)) return true;
  return groups !== '' && groupsOf(claims, groups).state === 'missing';
}

/** The ID token comes first: it is signed. */
export const merged = (idToken: Claims, userinfo: Claims): Claims => ({
  ...userinfo,
  ...Object.fromEntries(Object.entries(idToken).filter(([, value]) => value !== null && value !== '')),
});

export function toUpstreamClaims(
  subject: string,
  claims: Claims,
  attributes: Connection['attributes'],
): UpstreamClaims {
  const mapped = new Set(Object.values(attributes).filter((name) => name !== ''));
  return {
    subject,
    email: isDisowned(claims, attributes) ? null : textOf(claims, attributes.email),
    username: textOf(claims, attributes.username),
    firstName: textOf(claims, attributes.firstName),
    lastName: textOf(claims, attributes.lastName),
    groups: attributes.groups === '' ? { state: 'missing' } : groupsOf(claims, attributes.groups),
    other: Object.fromEntries(
      Object.entries(claims)
        .filter(([name]) => !ofProtocol.has(name) && !mapped.has(name))
        .map(([name, value]) => [name, textsOf(value)]),
    ),
  };
}

/** The upstream itself says that nobody has proved the address: then it finds nobody here (C28). */
export const isDisowned = (claims: Claims, { email }: Pick<Connection['attributes'], 'email'>): boolean =>
  email === 'email' &&
  Object.hasOwn(claims, 'email_verified') &&
  claims.email_verified !== true &&
  claims.email_verified !== 'true';

/**
 * Missing and empty are told apart (C22). Entra ID sends a link in place of too many groups: `_claim_names` with a source, or
 * `hasgroups` where even that is too long.
 */
export function groupsOf(claims: Claims, name: string): UpstreamGroups {
  const names = claims._claim_names;
  if (typeof names === 'object' && names !== null && Object.hasOwn(names, name)) return { state: 'overage' };
  if (name === 'groups' && (claims.hasgroups === true || claims.hasgroups === 'true')) return { state: 'overage' };
  const value = Object.hasOwn(claims, name) ? claims[name] : undefined;
  if (typeof value === 'string' && value !== '') return { state: 'list', values: [value] };
  // Objects are no names: whoever sends them has to say which claim holds the names.
  if (!Array.isArray(value) || !value.every((one) => typeof one === 'string' || typeof one === 'number'))
    return { state: 'missing' };
  if (value.length > mostValues) return { state: 'overage' };
  return { state: 'list', values: [...new Set(value.map(String))] };
}

function textOf(claims: Claims, name: string): string | null {
  if (name === '' || !Object.hasOwn(claims, name)) return null;
  const value = claims[name];
  const first: unknown = Array.isArray(value) ? value[0] : value;
  if (typeof first === 'number') return String(first);
  return typeof first === 'string' && first.trim() !== '' ? first.trim().slice(0, longestValue) : null;
}

function textsOf(value: unknown): string[] {
  const values: unknown[] = Array.isArray(value) ? value.slice(0, mostValues) : [value];
  return values
    .filter((one) => one !== null && one !== undefined)
    .map((one) => (typeof one === 'object' ? JSON.stringify(one) : String(one)).slice(0, longestValue));
}

/** OpenID Connect Core section 3.1.3.6: the left half of the hash that belongs to the signature's algorithm. */
export function fitsAtHash(accessToken: string, atHash: unknown, alg: string): boolean {
  if (atHash === undefined) return true;
  const size = alg === 'EdDSA' || alg === 'Ed25519' ? '512' : alg.slice(-3);
  if (!['256', '384', '512'].includes(size)) return false;
  const hash = createHash(`sha${size}`).update(accessToken, 'ascii').digest();
  return atHash === hash.subarray(0, hash.length / 2).toString('base64url');
}
