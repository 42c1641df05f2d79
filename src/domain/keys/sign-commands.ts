// Documents of ours that others can check: a compact JWS (RFC 7515) with the key that signs tokens right now.
import { createPrivateKey, type JsonWebKey, sign } from 'node:crypto';
import type { Work } from '../../work.ts';
import { openSigningKeys } from './commands.ts';

const encoded = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/**
 * @param type keeps it from being taken for a token of another kind (RFC 8725 section 3.11)
 * @returns the document; its header carries the public key, too, since a key leaves the key set some time after it was replaced
 */
export async function signDocument(work: Work, type: string, payload: object): Promise<{ jws: string; kid: string }> {
  const keys = await work.store.keys.listLive(work.now);
  const current = keys.find(({ alg, state }) => alg === 'RS256' && state === 'current');
  if (!current) throw new Error('there is no current signing key');
  const [jwk] = openSigningKeys(work, [current]);
  const { kid, publicJwk } = current;
  const input = `${encoded({ alg: 'RS256', typ: type, kid, jwk: publicJwk })}.${encoded(payload)}`;
  const key = createPrivateKey({ key: jwk as JsonWebKey, format: 'jwk' });
  return { jws: `${input}.${sign('sha256', Buffer.from(input), key).toString('base64url')}`, kid };
}
