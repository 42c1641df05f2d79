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
  const { entries, finding } = await walk(work, head, scope);
  const { count, since, forged } = await chain.findWaiting(head?.eventId ?? null);
  const stray: Finding | null = forged === null ? null : { touch: 'inserted', seq: null, eventId: forged, event: null };
  return {
    finding: finding ?? beyond(head, scope.anchors) ?? stray,
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

async function walk(
  work: Work,
  head: ChainEntry | null,
  { companyId, anchors }: Scope,
): Promise<{ entries: number; finding: Finding | null }> {
  if (!head) return { entries: 0, finding: null };
  const events = readAll((last: SealableEvent | null) =>
    work.store.chain.readEvents(last?.id ?? null, head.eventId, pageSize, companyId),
  );
  const entries = readAll((last: ChainEntry | null) =>
    work.store.chain.readEntries(last?.seq ?? 0, head.seq, pageSize),
  );
  const kept = new Map(anchors.map(({ seq, hash }) => [seq, hash]));
  let next = await events.next();
  let previous: ChainEntry | null = null;
  let latestAt = Number.NEGATIVE_INFINITY;
  let count = 0;
  const found = (touch: Touch, entry: ChainEntry | null, event: SealableEvent | null) => ({
    entries: count,
    finding: { touch, seq: entry?.seq ?? null, eventId: event?.id ?? entry?.eventId ?? null, event },
  });

  for await (const entry of entries) {
    const event = next.done ? null : next.value;
    const broken = judgeEntry(entry, { previous });
    if (broken === 'unsealed') return found('unsealed', { ...entry, seq: (previous?.seq ?? 0) + 1 }, null);
    if (broken) return found(broken, entry, event?.id === entry.eventId ? event : null);
    if (event && event.id < entry.eventId) return found('inserted', null, event);
    if (companyId === null || entry.companyId === companyId) {
      if (event?.id !== entry.eventId) return found('missing', entry, null);
      const touch = judgeEvent(entry, event, { latestAt });
      if (touch) return found(touch, entry, event);
      // A clock that once ran ahead must not make all that follows look late.
      latestAt = Math.max(latestAt, Math.min(event.at.getTime(), entry.sealedAt.getTime()));
      next = await events.next();
    }
    if (kept.has(entry.seq) && !kept.get(entry.seq)?.equals(entry.hash)) return found('rewritten', entry, event);
    previous = entry;
    count += 1;
  }
  if (!next.done) return found('inserted', null, next.value);
  return { entries: count, finding: null };
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
