// The engine, made anew when signing keys change; whoever holds the Engine always reaches the present one.
import { type JWK, Provider } from 'oidc-provider';
import { ensureLastingSecret, ensureSigningKeys, openSigningKeys } from '../domain/keys/commands.ts';
import { inSigningOrder, type SigningKey } from '../domain/keys/signing-key.ts';
import { sameSecret, tokenHash } from '../lib/secrets.ts';
import type { Work } from '../work.ts';
import { createConfiguration, type EngineParts } from './configuration.ts';
import { listenToEngine } from './events.ts';

export interface ReadyDocument {
  body: Buffer;
  headers: Record<string, string>;
}

export interface Engine {
  readonly provider: Provider;
  /** Discovery and key set as the engine answered them, by path: they change only when the engine is made anew. */
  readonly documents: Map<string, ReadyDocument>;
  /** Reads the keys again and swaps the engine if they changed. */
  reload(work: Work): Promise<void>;
}

export async function createEngine(
  work: Work,
  parts: Omit<EngineParts, 'jwks' | 'log' | 'pairwiseKey'>,
): Promise<Engine> {
  const pairwiseKey = await ensureLastingSecret(work, 'pairwise');
  const build = (keys: SigningKey[]) => {
    const jwks = openSigningKeys(work, inSigningOrder(keys)) as JWK[];
    const kids = keys
      .map(({ kid, state }) => `${kid}:${state}`)
      .sort()
      .join();
    return {
      kids,
      provider: createProvider({ ...parts, jwks, pairwiseKey, log: work.log }),
      documents: new Map<string, ReadyDocument>(),
    };
  };
  let present = build(await ensureSigningKeys(work));
  return {
    get provider() {
      return present.provider;
    },
    get documents() {
      return present.documents;
    },
    async reload(work) {
      const next = build(await ensureSigningKeys(work));
      if (next.kids !== present.kids) present = next;
    },
  };
}

function createProvider(parts: EngineParts): Provider {
  const provider = new Provider(parts.config.publicUrl, createConfiguration(parts));
  // The door has put the believed scheme and host into the forwarding headers (web/middleware/door.ts).
  provider.proxy = true;
  listenToEngine(provider);
  // Client secrets are kept as hashes (API-15): what a client sends is hashed before it is compared, in constant time.
  Object.defineProperty(provider.Client.prototype, 'compareClientSecret', {
    value(this: { clientSecret: string }, actual: string) {
      return sameSecret(this.clientSecret, tokenHash(actual));
    },
  });
  return provider;
}
