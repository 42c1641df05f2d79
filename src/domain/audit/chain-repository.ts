// SQL of the chain over the audit log. The text of an event is made by the database, which keeps every digit of what it stores;
// hashes are computed here.
import type { Database } from '../../db/knex.ts';
import type { ChainEntry, SealableEvent } from './chain.ts';

interface EntryRow {
  seq: string;
  event_id: string;
  company_id: string | null;
  event_hash: Buffer;
  hash: Buffer;
  sealed_at: Date;
}

const toEntry = (row: EntryRow): ChainEntry => ({
  seq: Number(row.seq),
  eventId: BigInt(row.event_id),
  companyId: row.company_id,
  eventHash: row.event_hash,
  hash: row.hash,
  sealedAt: row.sealed_at,
});

// jsonb prints keys in one order and numbers in full; the time stands in microseconds, in no session's zone.
const canonical = `jsonb_build_array(e.id, to_char(e.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), e.company_id,
  e.action, e.actor, e.target_kind, e.target_id, e.details, e.code, e.ip, e.agent, e.request_id)::text`;

const lockKey = 7_304_814;

/** Where events are settled: no event with this id or a lower one can come any more once these transactions have ended. */
export interface Settling {
  bound: bigint;
  /** Virtual ids of the transactions that may still hold an id. */
  writers: string[];
}

const writersOf = `
  select l.virtualtransaction from pg_locks l
  where l.locktype = 'relation' and l.relation = 'audit_events'::regclass and l.mode = 'RowExclusiveLock' and l.granted
    and l.database = (select oid from pg_database where datname = current_database())`;

export function chainRepository(db: Database) {
  return {
    /** One sealer at a time, among all nodes; ends with the transaction. */
    async tryLock(): Promise<boolean> {
      const { rows }: { rows: { taken: boolean }[] } = await db.raw('select pg_try_advisory_xact_lock(?) as taken', [
        lockKey,
      ]);
      return rows[0]?.taken === true;
    },

    async findHead(): Promise<ChainEntry | null> {
      const row = await db<EntryRow>('audit_chain').orderBy('seq', 'desc').first();
      return row ? toEntry(row) : null;
    },

    /**
     * Ids are given out before commit, so one that is lower than those we see may still come. Whoever writes an event holds a lock
     * on the table from before the id is given out to the end of the transaction; the highest id is read before the locks are.
     */
    async findSettling(): Promise<Settling | null> {
      const { rows }: { rows: { bound: string | null; writers: string[] }[] } = await db.raw(`
        select (select least(max(e.id), (select last_value from audit_events_id_seq)) from audit_events e) as bound,
          array(${writersOf}) as writers`);
      const row = rows[0];
      return row?.bound ? { bound: BigInt(row.bound), writers: row.writers } : null;
    },

    async areWriting(writers: string[]): Promise<boolean> {
      const { rows }: { rows: unknown[] } = await db.raw(`${writersOf} and l.virtualtransaction = any(?) limit 1`, [
        writers,
      ]);
      return rows.length > 0;
    },

    /** The next events after an id, by id. */
    async readEvents(
      after: bigint | null,
      upTo: bigint,
      limit: number,
      companyId: string | null = null,
    ): Promise<SealableEvent[]> {
      const rows: { id: string; at: Date; company_id: string | null; action: string; canonical: string }[] = await db(
        'audit_events as e',
      )
        .where('e.id', '<=', String(upTo))
        .where((query) => {
          if (after !== null) query.where('e.id', '>', String(after));
          if (companyId !== null) query.where('e.company_id', companyId);
        })
        .orderBy('e.id')
        .limit(limit)
        .select('e.id', 'e.at', 'e.company_id', 'e.action', db.raw(`${canonical} as canonical`));
      return rows.map(({ id, company_id, ...row }) => ({ ...row, id: BigInt(id), companyId: company_id }));
    },

    async append(entries: ChainEntry[]): Promise<void> {
      await db.raw(
        `insert into audit_chain (seq, event_id, company_id, event_hash, hash, sealed_at)
         select s, e, nullif(c, '')::uuid, decode(h, 'hex'), decode(l, 'hex'), ?::timestamptz
         from unnest(?::bigint[], ?::bigint[], ?::text[], ?::text[], ?::text[]) as t (s, e, c, h, l)`,
        [
          entries[0]?.sealedAt ?? null,
          entries.map(({ seq }) => seq),
          entries.map(({ eventId }) => String(eventId)),
          entries.map(({ companyId }) => companyId ?? ''),
          entries.map(({ eventHash }) => eventHash.toString('hex')),
          entries.map(({ hash }) => hash.toString('hex')),
        ],
      );
    },

    async readEntries(after: number, upTo: number, limit: number): Promise<ChainEntry[]> {
      const rows = await db<EntryRow>('audit_chain')
        .where('seq', '>', after)
        .where('seq', '<=', upTo)
        .orderBy('seq')
        .limit(limit);
      return rows.map(toEntry);
    },

    async findByEvent(eventId: string): Promise<ChainEntry | null> {
      const row = await db<EntryRow>('audit_chain').where({ event_id: eventId }).first();
      return row ? toEntry(row) : null;
    },

    /** Events after the head: how many, since when, and whether one has an id that was never given out. */
    async findWaiting(after: bigint | null): Promise<{ count: number; since: Date | null; forged: bigint | null }> {
      const { rows }: { rows: { count: string; since: Date | null; forged: string | null }[] } = await db.raw(
        `select count(*) as count, min(at) as since,
           min(id) filter (where id > (select last_value from audit_events_id_seq)) as forged
         from audit_events where ?::bigint is null or id > ?::bigint`,
        [after === null ? null : String(after), after === null ? null : String(after)],
      );
      const row = rows[0];
      return {
        count: Number(row?.count ?? 0),
        since: row?.since ?? null,
        forged: row?.forged ? BigInt(row.forged) : null,
      };
    },
  };
}
