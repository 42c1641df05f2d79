// Walks along the chain and the events side by side, in constant memory, and names the first entry that was touched.
import type { Work } from '../../work.ts';
import { type Anchor, type ChainEntry, judgeEntry, judgeEvent, type SealableEvent, type Touch } from './chain.ts';

const pageSize = 2000;

export interface Finding {
  touch: Touch;
  /** Place in the chain; null for an event that has none. */
  seq: number | null;
  eventId: bigint | null;
  event: Pick<SealableEvent, 'at' | 'action'> | null;
}

export interface Verification {
  /** The first entry that was touched; null: nothing was. */
  finding: Finding | null;
  /** When the first one is a matter of clocks only: the first that is not, if there is any. */
  further: Finding | null;
  /** Entries looked at. */
  entries: number;
  /** What to keep elsewhere; null while nothing is sealed. */
  head: Anchor | null;
  /** Events that wait to be sealed. */
  waiting: number;
  waitingSince: Date | null;
}

interface Scope {
  /** Only this company's events are read; the links of the chain are checked all the same. */
  companyId: string | null;
  /** Heads that were kept elsewhere. */
  anchors: Anchor[];
}

export async function verifyAudit(work: Work, scope: Scope): Promise<Verification> {
  const { chain } = work.store;
  const head = await chain.findHead();
  const { entries, misdated, finding } = await walk(work, head, scope);
  const { count, since, forged } = await chain.findWaiting(head?.eventId ?? null);
  const stray: Finding | null = forged === null ? null : { touch: 'inserted', seq: null, eventId: forged, event: null };
  const certain = finding ?? beyond(head, scope.anchors) ?? stray;
  return {
    finding: misdated ?? certain,
    further: misdated && certain,
    entries,
    head: head && { seq: head.seq, hash: head.hash },
    waiting: count,
    waitingSince: since,
  };
}

/** An anchor that the chain does not reach any more: its end is gone. */
function beyond(head: ChainEntry | null, anchors: Anchor[]): Finding | null {
  const end = head?.seq ?? 0;
  return anchors.some(({ seq }) => seq > end) ? { touch: 'unsealed', seq: end + 1, eventId: null, event: null } : null;
}

interface Place {
  previous: ChainEntry | null;
  latestAt: number;
  /** Heads that were kept elsewhere, by their place. */
  kept: Map<number, Buffer>;
  isOurs: (entry: ChainEntry) => boolean;
}

function judge(entry: ChainEntry, event: SealableEvent | null, place: Place): Touch | null {
  const broken = judgeEntry(entry, place);
  if (broken) return broken;
  if (event && event.id < entry.eventId) return 'inserted';
  if (place.isOurs(entry) && event?.id !== entry.eventId) return 'missing';
  const touch = place.isOurs(entry) && event ? judgeEvent(entry, event, place) : null;
  const anchor = place.kept.get(entry.seq);
  return touch !== 'changed' && anchor && !anchor.equals(entry.hash) ? 'rewritten' : touch;
}

function toFinding(touch: Touch, entry: ChainEntry, event: SealableEvent | null, place: Place): Finding {
  if (touch === 'unsealed') return { touch, seq: (place.previous?.seq ?? 0) + 1, eventId: null, event: null };
  if (touch === 'inserted') return { touch, seq: null, eventId: event?.id ?? null, event };
  return { touch, seq: entry.seq, eventId: entry.eventId, event: event?.id === entry.eventId ? event : null };
}

interface Walked {
  entries: number;
  misdated: Finding | null;
  finding: Finding | null;
}

async function walk(work: Work, head: ChainEntry | null, { companyId, anchors }: Scope): Promise<Walked> {
  const walked: Walked = { entries: 0, misdated: null, finding: null };
  if (!head) return walked;
  const { chain } = work.store;
  const events = readAll<SealableEvent>((last) =>
    chain.readEvents(last?.id ?? null, head.eventId, pageSize, companyId),
  );
  const place: Place = {
    previous: null,
    latestAt: Number.NEGATIVE_INFINITY,
    kept: new Map(anchors.map(({ seq, hash }) => [seq, hash])),
    isOurs: (entry) => companyId === null || entry.companyId === companyId,
  };
  let next = await events.next();
  for await (const entry of readAll<ChainEntry>((last) => chain.readEntries(last?.seq ?? 0, head.seq, pageSize))) {
    const event = next.done ? null : next.value;
    const touch = judge(entry, event, place);
    // A clock that was wrong once must not hide what comes after it.
    if (touch === 'misdated') walked.misdated ??= toFinding(touch, entry, event, place);
    else if (touch) return { ...walked, finding: toFinding(touch, entry, event, place) };
    if (event && place.isOurs(entry)) {
      // Nor must one that ran ahead make all that follows look late.
      place.latestAt = Math.max(place.latestAt, Math.min(event.at.getTime(), entry.sealedAt.getTime()));
      next = await events.next();
    }
    place.previous = entry;
    walked.entries += 1;
  }
  if (!next.done) walked.finding = { touch: 'inserted', seq: null, eventId: next.value.id, event: next.value };
  return walked;
}

/** All rows in their order, a page in memory at a time. */
async function* readAll<T>(page: (last: T | null) => Promise<T[]>): AsyncGenerator<T, undefined> {
  let last: T | null = null;
  for (;;) {
    const rows: T[] = await page(last);
    yield* rows;
    last = rows.at(-1) ?? null;
    if (rows.length < pageSize) return;
  }
}
