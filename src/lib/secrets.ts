// Secrets: making, comparing, sealing. Sealed values carry the id of their key, so keys can be rotated (API-15).
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createSecretKey,
  hash,
  hkdfSync,
  type KeyObject,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto';

/** A random value for links, cookies and client secrets: base64url, 256 bits unless told. */
export function randomToken(bytes = 32): string {
  return randomBytes(bytes).toString('base64url');
}

/** What is stored instead of a random token; tokens have full entropy, so one fast hash is enough. */
export function tokenHash(token: string): string {
  return hash('sha256', token, 'base64url');
}

/** Compares without telling by time where two values differ (DOS-05). */
export function sameSecret(a: string, b: string): boolean {
  const left = hash('sha256', a, 'buffer');
  const right = hash('sha256', b, 'buffer');
  return timingSafeEqual(left, right);
}

// Keys are key objects: Node makes one of a plain buffer at every use, which takes five times as long as the sealing itself.
interface RingKey {
  id: string;
  key: KeyObject;
}

/**
 * AES-256-GCM under a small ring of keys: the first one seals, all of them open.
 * `purpose` is bound into each box, so a value sealed for one place cannot be carried to another.
 */
export interface Keyring {
  seal(purpose: string, plain: string): string;
  /** @throws Error when no key opens it; a wrong key must fail loudly. */
  open(purpose: string, box: string): string;
  /** A key for HMACs, derived from the ring's first key. */
  derive(purpose: string): KeyObject;
  /** Derived keys of the whole ring, newest first, for cookies that outlive a rotation. */
  deriveAll(purpose: string): KeyObject[];
  /** Boxes that the first key sealed begin with this and a dot. */
  readonly keyId: string;
  /** True when there is no older key, and so nothing that it could have sealed. */
  readonly isSingle: boolean;
}

/** How a table's boxes are replaced by boxes of the first key. */
export interface Resealing {
  keyId: string;
  limit: number;
  reseal(box: string): string;
}

const ivBytes = 12;
const tagBytes = 16;

/** @param keys 32 bytes each, newest first. */
export function createKeyring(keys: Buffer[]): Keyring {
  if (keys.length === 0) throw new Error('a keyring needs at least one key');
  const ring: RingKey[] = keys.map((key) => ({
    id: createHash('sha256').update('id').update(key).digest('base64url').slice(0, 6),
    key: createSecretKey(key),
  }));
  const [first] = ring as [RingKey];
  const derived = ({ key }: RingKey, purpose: string) =>
    createSecretKey(Buffer.from(hkdfSync('sha256', key, '', purpose, 32)));

  return {
    seal(purpose, plain) {
      const iv = randomBytes(ivBytes);
      const cipher = createCipheriv('aes-256-gcm', first.key, iv).setAAD(Buffer.from(purpose));
      const body = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()]);
      return `${first.id}.${Buffer.concat([iv, body, cipher.getAuthTag()]).toString('base64url')}`;
    },
    open(purpose, box) {
      const dot = box.indexOf('.');
      const entry = ring.find(({ id }) => id === box.slice(0, dot));
      if (dot < 1 || !entry)
        throw new Error('sealed with an unknown key: is ENCRYPTION_KEYS the one this database was made with?');
      const raw = Buffer.from(box.slice(dot + 1), 'base64url');
      if (raw.length < ivBytes + tagBytes) throw new Error('sealed value is too short');
      const decipher = createDecipheriv('aes-256-gcm', entry.key, raw.subarray(0, ivBytes))
        .setAAD(Buffer.from(purpose))
        .setAuthTag(raw.subarray(raw.length - tagBytes));
      return Buffer.concat([decipher.update(raw.subarray(ivBytes, raw.length - tagBytes)), decipher.final()]).toString(
        'utf8',
      );
    },
    derive: (purpose) => derived(first, purpose),
    deriveAll: (purpose) => ring.map((entry) => derived(entry, purpose)),
    keyId: first.id,
    isSingle: ring.length === 1,
  };
}

export function hmac(key: KeyObject, value: string): string {
  return createHmac('sha256', key).update(value).digest('base64url');
}
