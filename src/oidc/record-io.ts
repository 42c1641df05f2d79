// Reading and writing engine records in batches: all that is asked in one event-loop turn is one statement.
import type { RecordRepository, RecordRow, WriteBatch } from '../domain/sessions/record-repository.ts';
import { createBatcher } from '../lib/batcher.ts';

export interface RecordIo {
  read(id: string): Promise<RecordRow | undefined>;
  /** False when what the batch uses was used before: then nothing of it was written. */
  write(batch: WriteBatch): Promise<boolean>;
  /** False when it was consumed before. */
  consume(id: string): Promise<boolean>;
  claim(id: string, kind: string): Promise<boolean>;
}

export function createRecordIo(records: RecordRepository): RecordIo {
  const read = createBatcher<string, RecordRow | undefined>(async (ids) => {
    const rows = new Map((await records.read([...new Set(ids)])).map((row) => [row.id, row]));
    // The engine changes what it is given, so two tabs that ask for the same session at once get one each.
    const taken = new Set<string>();
    return ids.map((id) => {
      if (taken.has(id)) return structuredClone(rows.get(id));
      taken.add(id);
      return rows.get(id);
    });
  });

  const write = createBatcher<WriteBatch, boolean>(
    async (batches) => {
      const used = new Set(await records.write(batches));
      return batches.map((batch) => batch.used.every((id) => used.has(id)));
    },
    // One statement may touch a row once: a second write of the same record or session waits for the next statement.
    (batch, others) => others.some((other) => overlaps(batch, other)),
  );

  const consume = createBatcher<string, boolean>(
    async (ids) => {
      const consumed = new Set(await records.consume(ids));
      return ids.map((id) => consumed.has(id));
    },
    // Of two parallel redemptions only the first may win, so they never share a batch (F1).
    (id, others) => others.includes(id),
  );

  return { read, write, consume, claim: (id, kind) => records.claim(id, kind) };
}

function overlaps(a: WriteBatch, b: WriteBatch): boolean {
  const touched = (batch: WriteBatch) => [
    ...batch.upserts.map(({ id }) => id),
    ...batch.destroyed,
    ...batch.used,
    ...batch.revokedGrants.map((id) => `grant ${id}`),
    ...batch.sessions.map(({ uid }) => `session ${uid}`),
  ];
  const mine = new Set(touched(a));
  if (touched(b).some((id) => mine.has(id))) return true;
  // A revocation deletes by grant: a token of that grant must not be written in the same statement.
  const grants = (batch: WriteBatch) => batch.upserts.map(({ grantId, id, kind }) => (kind === 'Grant' ? id : grantId));
  return b.revokedGrants.some((id) => grants(a).includes(id)) || a.revokedGrants.some((id) => grants(b).includes(id));
}
