import type { Database } from '../../db/knex.ts';
import type { CompanyId, UserId } from '../../lib/ids.ts';
import type { Resealing } from '../../lib/secrets.ts';
import type { MailKind, MailState, StoredMail } from './mail.ts';

interface Row {
  id: string;
  company_id: CompanyId | null;
  user_id: UserId | null;
  kind: MailKind;
  recipient: string;
  sealed_data: string | null;
  state: MailState;
  answer: string | null;
  error: string | null;
  attempts: number;
  next_try_at: Date | null;
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
  answer: row.answer,
  error: row.error,
  attempts: row.attempts,
  nextTryAt: row.next_try_at,
  createdAt: row.created_at,
  sentAt: row.sent_at,
});

export const addressKey = (address: string) => address.trim().toLowerCase();

/** An address that gets no more mail (A3.9). */
export interface Suppression {
  reason: string;
  since: Date;
  lastRefusedAt: Date;
}

export function mailRepository(db: Database) {
  return {
    async insert(
      mails: Pick<
        StoredMail,
        'id' | 'companyId' | 'userId' | 'kind' | 'recipient' | 'sealedData' | 'state' | 'createdAt'
      >[],
    ): Promise<void> {
      await db('mails').insert(
        mails.map((mail) => ({
          id: mail.id,
          company_id: mail.companyId,
          user_id: mail.userId,
          kind: mail.kind,
          recipient: mail.recipient,
          sealed_data: mail.sealedData,
          state: mail.state,
          created_at: mail.createdAt,
        })),
      );
    },

    async findById(id: string): Promise<StoredMail | null> {
      const row = await db<Row>('mails').where({ id }).first();
      return row ? toMail(row) : null;
    },

    async listRecent(limit: number): Promise<StoredMail[]> {
      return (await db<Row>('mails').orderBy('created_at', 'desc').limit(limit)).map(toMail);
    },

    /** What has become of a mail. Its values go with its end: they hold links (API-15). */
    async settle(
      id: string,
      state: 'sent' | 'bounced' | 'failed' | 'suppressed',
      { answer = null, error = null, sentAt = null }: Partial<Pick<StoredMail, 'answer' | 'error' | 'sentAt'>>,
    ): Promise<void> {
      await db('mails')
        .where({ id })
        .update({
          state,
          answer,
          error,
          sent_at: sentAt,
          attempts: db.raw('attempts + 1'),
          next_try_at: null,
          sealed_data: null,
        });
    },

    async defer(id: string, error: string, nextTryAt: Date): Promise<void> {
      await db('mails')
        .where({ id })
        .update({ state: 'deferred', error, attempts: db.raw('attempts + 1'), next_try_at: nextTryAt });
    },

    async keep(id: string): Promise<void> {
      await db('mails').where({ id }).update({ state: 'kept' });
    },

    /** Values of mails that nobody sends are not kept for ever. */
    async erase(createdBefore: Date, limit: number): Promise<number> {
      const old = db('mails').whereNotNull('sealed_data').where('created_at', '<', createdBefore).limit(limit);
      return db('mails').whereIn('id', old.select('id')).update({ sealed_data: null });
    },

    async purge(createdBefore: Date, limit: number): Promise<number> {
      const old = db('mails').where('created_at', '<', createdBefore).limit(limit);
      return db('mails').whereIn('id', old.select('id')).delete();
    },

    /** Whether the server took a mail of this kind to this address, sent by this company, since then. */
    async wasSent(companyId: CompanyId, recipient: string, kind: MailKind, since: Date): Promise<boolean> {
      const found = await db('mails')
        .whereRaw('lower(recipient) = ?', [addressKey(recipient)])
        .where({ company_id: companyId, kind, state: 'sent' })
        .where('created_at', '>', since)
        .first('id');
      return found !== undefined;
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

    /** For each address, whether mail to it is blocked. */
    async listSuppressed(addresses: string[]): Promise<boolean[]> {
      const keys = addresses.map(addressKey);
      const rows: { address_key: string }[] = await db('mail_suppressions')
        .whereIn('address_key', keys)
        .select('address_key');
      const found = new Set(rows.map(({ address_key }) => address_key));
      return keys.map((key) => found.has(key));
    },

    async isSuppressed(address: string): Promise<boolean> {
      return (
        (await db('mail_suppressions')
          .where({ address_key: addressKey(address) })
          .first('address_key')) !== undefined
      );
    },

    /** `since` stays what it was when the address is blocked already: only the last refusal is newer. */
    async suppress(address: string, reason: string, now: Date): Promise<void> {
      await db('mail_suppressions')
        .insert({ address_key: addressKey(address), reason, created_at: now, last_refused_at: now })
        .onConflict('address_key')
        .merge(['reason', 'last_refused_at']);
    },

    /** With its row held, so that nobody lifts it twice. */
    async lockSuppression(address: string): Promise<Suppression | null> {
      const row: { reason: string; created_at: Date; last_refused_at: Date } | undefined = await db('mail_suppressions')
        .where({ address_key: addressKey(address) })
        .forUpdate()
        .first();
      return row ? { reason: row.reason, since: row.created_at, lastRefusedAt: row.last_refused_at } : null;
    },

    async lift(address: string): Promise<void> {
      await db('mail_suppressions')
        .where({ address_key: addressKey(address) })
        .delete();
    },
  };
}
