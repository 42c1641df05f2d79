// Keys that sign tokens: made, published, used, retired (OAU-21). Owns the signing_keys table, and lasting_secrets beside it.
import { generateKeyPair } from 'node:crypto';
import { promisify } from 'node:util';
import { randomToken } from '../../lib/secrets.ts';

export const signingAlgorithms = ['RS256', 'ES256', 'EdDSA'] as const;
export type SigningAlgorithm = (typeof signingAlgorithms)[number];

export const signingKeyPurpose = 'signing-key';

export type KeyState = 'next' | 'current' | 'previous';

export interface SigningKey {
  kid: string;
  alg: SigningAlgorithm;
  state: KeyState;
  publicJwk: Record<string, unknown>;
  sealedPrivateJwk: string;
  createdAt: Date;
  retiresAt: Date | null;
}

const generate = promisify(generateKeyPair);

/** A fresh pair as JWKs with kid, alg and use (RFC 7517 section 4). */
export async function generateSigningKey(
  alg: SigningAlgorithm,
): Promise<{ kid: string; publicJwk: object; privateJwk: object }> {
  const { publicKey, privateKey } =
    alg === 'RS256'
      ? await generate('rsa', { modulusLength: 2048 })
      : alg === 'ES256'
        ? await generate('ec', { namedCurve: 'P-256' })
        : await generate('ed25519');
  const kid = randomToken(12);
  const common = { kid, alg, use: 'sig' };
  return {
    kid,
    publicJwk: { ...publicKey.export({ format: 'jwk' }), ...common },
    privateJwk: { ...privateKey.export({ format: 'jwk' }), ...common },
  };
}

/**
 * The order matters: the engine signs with the first key that fits, so the current one of each algorithm stands
 * before the next and the previous ones.
 */
export function inSigningOrder(keys: SigningKey[]): SigningKey[] {
  const rank: Record<KeyState, number> = { current: 0, next: 1, previous: 2 };
  const algorithm = (key: SigningKey) => signingAlgorithms.indexOf(key.alg);
  return [...keys].sort(
    (a, b) => rank[a.state] - rank[b.state] || algorithm(a) - algorithm(b) || a.kid.localeCompare(b.kid),
  );
}
