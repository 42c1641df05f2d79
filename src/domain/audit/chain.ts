// The chain that seals the audit log: each entry holds the hash of an event and of the entry before it, so that nobody changes,
// removes, adds or reorders an event without changing every later hash. One chain for the whole server: a company cannot
// vanish from it unseen, an operator's acts are in it, and there is one head to keep elsewhere.
import { createHash } from 'node:crypto';
import { hours } from '../../lib/time.ts';

export interface ChainEntry {
  /** Counts from 1, without gaps. */
  seq: number;
  eventId: bigint;
  companyId: string | null;
  eventHash: Buffer;
  hash: Buffer;
  sealedAt: Date;
}

/** An event as the chain sees it. */
export interface SealableEvent {
  id: bigint;
  at: Date;
  companyId: string | null;
  action: string;
  /** The whole event as text, the same every time it is read. */
  canonical: string;
}

const sha256 = (...parts: (string | Buffer)[]): Buffer => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
};

/** What the first entry follows. */
export const genesis = sha256('Unified Login audit chain 1');

export const hashEvent = (canonical: string): Buffer => sha256(canonical);

export function hashEntry(previous: Buffer, entry: Omit<ChainEntry, 'hash'>): Buffer {
  const { seq, eventId, companyId, eventHash, sealedAt } = entry;
  return sha256(
    previous,
    JSON.stringify([seq, String(eventId), companyId, eventHash.toString('hex'), sealedAt.toISOString()]),
  );
}

/** The entries that seal these events, in their order. */
export function extendChain(
  head: Pick<ChainEntry, 'seq' | 'hash'> | null,
  events: SealableEvent[],
  sealedAt: Date,
): ChainEntry[] {
  let { seq, hash } = head ?? { seq: 0, hash: genesis };
  return events.map(({ id, companyId, canonical }) => {
    seq += 1;
    const entry = { seq, eventId: id, companyId, eventHash: hashEvent(canonical), sealedAt };
    hash = hashEntry(hash, entry);
    return { ...entry, hash };
  });
}

/** What is kept elsewhere: a place in the chain and its hash. */
export interface Anchor {
  seq: number;
  hash: Buffer;
}

export const anchorText = ({ seq, hash }: Anchor): string => `${seq}:${hash.toString('hex')}`;

/** Null for what is no anchor. */
export function parseAnchor(text: string): Anchor | null {
  const [, seq, hash] = /^([1-9]\d{0,14}):([0-9a-f]{64})$/i.exec(text.trim()) ?? [];
  return seq && hash ? { seq: Number(seq), hash: Buffer.from(hash, 'hex') } : null;
}

export type Touch =
  /** Its event is not what was sealed. */
  | 'changed'
  /** The event is gone. */
  | 'missing'
  /** An event that came after all around it had been sealed. */
  | 'inserted'
  /** The entry of the chain is gone. */
  | 'unsealed'
  /** The entry of the chain is not what it was. */
  | 'resealed'
  /** Later than what follows it. */
  | 'reordered'
  /** Its time does not fit its place. */
  | 'misdated'
  /** The chain is not the one whose hash was kept elsewhere. */
  | 'rewritten';

/**
 * Acts keep the time at which they began, and servers' clocks differ a little; a job ends after a quarter of an hour.
 * What is further off did not come about by itself.
 */
export const patience = hours(1);

interface Place {
  previous: Pick<ChainEntry, 'seq' | 'hash' | 'eventId'> | null;
  /** No later than the latest event so far. */
  latestAt: number;
}

/** What is wrong with an entry of the chain, whatever its event says; null: nothing. */
export function judgeEntry(entry: ChainEntry, { previous }: Pick<Place, 'previous'>): Touch | null {
  if (entry.seq !== (previous?.seq ?? 0) + 1) return 'unsealed';
  if (previous && entry.eventId <= previous.eventId) return 'reordered';
  return hashEntry(previous?.hash ?? genesis, entry).equals(entry.hash) ? null : 'resealed';
}

/** What is wrong with the event of an entry; null: nothing. */
export function judgeEvent(
  entry: ChainEntry,
  event: SealableEvent,
  { latestAt }: Pick<Place, 'latestAt'>,
): Touch | null {
  if (!hashEvent(event.canonical).equals(entry.eventHash)) return 'changed';
  const at = event.at.getTime();
  const isFit = at >= latestAt - patience && at <= entry.sealedAt.getTime() + patience;
  return isFit ? null : 'misdated';
}
