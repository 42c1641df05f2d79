import type { Database } from '../../db/knex.ts';
import type { CompanyId, UserId } from '../../lib/ids.ts';
import type { Resealing } from '../../lib/secrets.ts';
import type { MailKind, StoredMail } from './mail.ts';

interface Row {
  id: string;
  company_id: CompanyId | null;
  user_id: UserId | null;
  kind: MailKind;
  recipient: string;
  sealed_data: string | null;
  state: StoredMail['state'];
  error: string | null;
  created_at: Date;
  sent_at: Date | null;
}

const toMail = (row: Row): StoredMail => ({
  id: row.id,
  companyId: row.company_id,
  userId: row.user_id,
  kind: row.kind,
  recipient: row.recipient,
  sealedData: row.sealed_data,
  state: row.state,
  error: row.error,
  createdAt: row.created_at,
  sentAt: row.sent_at,
});

const addressKey = (address: string) => address.trim().toLowerCase();

export function mailRepository(db: Database) {
  return {
    async insert(mail: StoredMail): Promise<void> {
      await db('mails').insert({
        id: mail.id,
        company_id: mail.companyId,
        user_id: mail.userId,
        kind: mail.kind,
        recipient: mail.recipient,
        sealed_data: mail.sealedData,
        state: mail.state,
        created_at: mail.createdAt,
      });
    },

    async findById(id: string): Promise<StoredMail | null> {
      const row = await db<Row>('mails').where({ id }).first();
      return row ? toMail(row) : null;
    },

    async listRecent(limit: number): Promise<StoredMail[]> {
      return (await db<Row>('mails').orderBy('created_at', 'desc').limit(limit)).map(toMail);
    },

    async setState(
      id: string,
      state: StoredMail['state'],
      details: { error?: string; sentAt?: Date; erase?: boolean } = {},
    ): Promise<void> {
      await db('mails')
        .where({ id })
        .update({
          state,
          error: details.error ?? null,
          ...(details.sentAt ? { sent_at: details.sentAt } : {}),
          ...(details.erase ? { sealed_data: null } : {}),
        });
    },

    /** Holds back whoever asks about the same address, until this transaction ends. */
    async holdRecipient(recipient: string): Promise<void> {
      await db.raw('select pg_advisory_xact_lock(hashtextextended(?, 0))', [`mail ${addressKey(recipient)}`]);
    },

    /** Times of the last mails of some kinds to one address, newest first, since `since`. */
    async timesSince(recipient: string, kinds: MailKind[], since: Date): Promise<Date[]> {
      const rows: { created_at: Date }[] = await db<Row>('mails')
        .whereRaw('lower(recipient) = ?', [addressKey(recipient)])
        .whereIn('kind', kinds)
        .where('created_at', '>', since)
        .orderBy('created_at', 'desc')
        .select('created_at');
      return rows.map((row) => row.created_at);
    },

    /** Some of the mails that another key has sealed, sealed anew (API-15). */
    async reseal({ keyId, limit, reseal }: Resealing): Promise<number> {
      const rows: { id: string; sealed_data: string }[] = await db('mails')
        .whereRaw('left(sealed_data, ?) <> ?', [keyId.length + 1, `${keyId}.`])
        .limit(limit)
        .select('id', 'sealed_data');
      for (const { id, sealed_data } of rows)
        await db('mails')
          .where({ id, sealed_data })
          .update({ sealed_data: reseal(sealed_data) });
      return rows.length;
    },

    async isSuppressed(address: string): Promise<boolean> {
      return (
        (await db('mail_suppressions')
          .where({ address_key: addressKey(address) })
          .first('address_key')) !== undefined
      );
    },

    async suppress(address: string, reason: string, now: Date): Promise<void> {
      await db('mail_suppressions')
        .insert({ address_key: addressKey(address), reason, created_at: now })
        .onConflict()
        .ignore();
    },
  };
}
