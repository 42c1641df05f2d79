import { createSecretKey, type KeyObject } from 'node:crypto';
import { conflict } from '../../lib/errors.ts';
import { randomToken } from '../../lib/secrets.ts';
import { after, days, minutes } from '../../lib/time.ts';
import { transaction, type Work } from '../../work.ts';
import { record } from '../audit/commands.ts';
import {
  generateSigningKey,
  type KeyState,
  type SigningAlgorithm,
  type SigningKey,
  signingAlgorithms,
  signingKeyPurpose,
} from './signing-key.ts';

/** The longest life of a token that one of these keys has signed, and a day for clocks and caches. */
const overlap = days(2);

async function makeKey(work: Work, alg: SigningAlgorithm, state: KeyState): Promise<SigningKey> {
  const { kid, publicJwk, privateJwk } = await generateSigningKey(alg);
  return {
    kid,
    alg,
    state,
    publicJwk: { ...publicJwk },
    sealedPrivateJwk: work.keyring.seal(signingKeyPurpose, JSON.stringify(privateJwk)),
    createdAt: work.now,
    retiresAt: null,
  };
}

/** Makes what is missing: one current and one next key of each algorithm. Safe to call on every start and every node. */
export async function ensureSigningKeys(work: Work): Promise<SigningKey[]> {
  const present = await work.store.keys.listLive(work.now);
  if (missing(present).length === 0) return present;
  return transaction(work, async (work) => {
    await work.store.keys.lockAll();
    const wanted = missing(await work.store.keys.listLive(work.now));
    const made = await Promise.all(wanted.map(([alg, state]) => makeKey(work, alg, state)));
    for (const key of made) await work.store.keys.insert(key);
    return work.store.keys.listLive(work.now);
  });
}

function missing(keys: SigningKey[]): [SigningAlgorithm, KeyState][] {
  const states: KeyState[] = ['current', 'next'];
  return signingAlgorithms
    .flatMap((alg) => states.map((state): [SigningAlgorithm, KeyState] => [alg, state]))
    .filter(([alg, state]) => !keys.some((key) => key.alg === alg && key.state === state));
}

/** Modules keep a copy of the key set for some minutes: a key that signed before they had seen it would look forged (OAU-21). */
const unseen = minutes(10);

/** Keys that were made together with the present ones are exempt: no key set without them was ever published. */
function refuseUnseen(keys: SigningKey[], now: Date): void {
  const made = (state: KeyState) =>
    keys.filter((key) => key.state === state).map(({ createdAt }) => createdAt.getTime());
  const published = Math.max(...made('next'));
  const wait = published + unseen - now.getTime();
  if (published === Math.max(...made('current')) || wait <= 0) return;
  throw conflict(
    `Modules may not have seen the next keys yet, so they cannot sign now. Rotate again in ${Math.ceil(wait / minutes(1))} minutes.`,
  );
}

/** The next keys begin to sign, the present ones go on verifying for the overlap, and new next keys are published. */
export async function rotateSigningKeys(work: Work): Promise<SigningKey[]> {
  const made = await Promise.all(signingAlgorithms.map((alg) => makeKey(work, alg, 'next')));
  return transaction(work, async (work) => {
    await work.store.keys.lockAll();
    refuseUnseen(await work.store.keys.listLive(work.now), work.now);
    await work.store.keys.turn(after(work.now, overlap));
    for (const key of made) await work.store.keys.insert(key);
    const keys = await work.store.keys.listLive(work.now);
    const current = keys.filter(({ state }) => state === 'current').map(({ alg, kid }) => ({ alg, kid }));
    await record(work, { action: 'keys.rotate', companyId: null, details: { current } });
    await work.store.announce('keys');
    return keys;
  });
}

/** Private keys in clear, for the engine only. @throws Error when the encryption key does not fit (API-15). */
export function openSigningKeys(work: Pick<Work, 'keyring'>, keys: SigningKey[]): Record<string, unknown>[] {
  return keys.map((key) => JSON.parse(work.keyring.open(signingKeyPurpose, key.sealedPrivateJwk)));
}

export const lastingSecretPurpose = 'lasting secret';

/** A random value that stays when encryption keys are replaced. Made at the first asking, by whichever node is first. */
export async function ensureLastingSecret(work: Work, name: 'pairwise'): Promise<KeyObject> {
  const { keys } = work.store;
  if ((await keys.findSecret(name)) === null)
    await keys.insertSecret(name, work.keyring.seal(lastingSecretPurpose, randomToken()), work.now);
  const sealed = await keys.findSecret(name);
  if (sealed === null) throw new Error(`the lasting secret ${name} is gone`);
  return createSecretKey(work.keyring.open(lastingSecretPurpose, sealed), 'base64url');
}
