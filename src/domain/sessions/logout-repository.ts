// Receipts of back-channel logouts: only of those that take access away, which somebody may have to prove.
import type { Database } from '../../db/knex.ts';
import type { CompanyId, UserId } from '../../lib/ids.ts';

export interface LogoutReceipt {
  id: string;
  clientId: string;
  /** Name of the product; the client id when it is gone. */
  module: string;
  queuedAt: Date;
  sentAt: Date | null;
  attempts: number;
  problem: string | null;
}

interface Row {
  id: string;
  company_id: CompanyId;
  user_id: UserId;
  client_id: string;
  queued_at: Date;
  sent_at: Date | null;
  attempts: number;
  problem: string | null;
}

const toReceipt = (row: Row & { module: string | null }): LogoutReceipt => ({
  id: row.id,
  clientId: row.client_id,
  module: row.module ?? row.client_id,
  queuedAt: row.queued_at,
  sentAt: row.sent_at,
  attempts: row.attempts,
  problem: row.problem,
});

export function logoutRepository(db: Database) {
  const receipts = () => db('logout_receipts as l').leftJoin('modules as m', 'm.client_id', 'l.client_id');

  return {
    async insert(
      companyId: CompanyId,
      receipts: { id: string; userId: string; clientId: string }[],
      now: Date,
    ): Promise<void> {
      await db('logout_receipts').insert(
        receipts.map(({ id, userId, clientId }) => ({
          id,
          company_id: companyId,
          user_id: userId,
          client_id: clientId,
          queued_at: now,
        })),
      );
    },

    /** @param problem null: the module took it */
    async note(id: string, problem: string | null, now: Date): Promise<void> {
      await db('logout_receipts')
        .where({ id })
        .whereNull('sent_at')
        .update({ attempts: db.raw('attempts + 1'), problem, sent_at: problem === null ? now : null });
    },

    /** What one module was told last about one person. */
    async findLast(companyId: CompanyId, userId: UserId, clientId: string): Promise<LogoutReceipt | null> {
      const row: (Row & { module: string | null }) | undefined = await receipts()
        .where({ 'l.company_id': companyId, 'l.user_id': userId, 'l.client_id': clientId })
        .orderBy('l.queued_at', 'desc')
        .first('l.*', 'm.name as module');
      return row ? toReceipt(row) : null;
    },

    /** Of one person since a moment, the oldest first. */
    async listSince(companyId: CompanyId, userId: UserId, since: Date): Promise<LogoutReceipt[]> {
      const rows: (Row & { module: string | null })[] = await receipts()
        .where({ 'l.company_id': companyId, 'l.user_id': userId })
        .where('l.queued_at', '>=', since)
        .orderBy('l.queued_at')
        .limit(500)
        .select('l.*', 'm.name as module');
      return rows.map(toReceipt);
    },
  };
}
