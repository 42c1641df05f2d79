import type { Database } from '../../db/knex.ts';
import type { CompanyId } from '../../lib/ids.ts';
import { type MailSettings, type MailText, noSettings, type TextKind, textKinds } from './text.ts';

interface TextRow extends MailText {
  company_id: CompanyId;
  kind: TextKind;
  updated_at: Date;
}

export interface StoredText {
  kind: TextKind;
  text: MailText;
  updatedAt: Date;
}

const toText = ({ kind, subject, heading, intro, outro, updated_at }: TextRow): StoredText => ({
  kind,
  text: { subject, heading, intro, outro },
  updatedAt: updated_at,
});

/** What a company has changed of its mails. */
export function mailTextRepository(db: Database, companyId: CompanyId) {
  return {
    async list(): Promise<StoredText[]> {
      const rows = await db<TextRow>('mail_texts').where({ company_id: companyId }).whereIn('kind', textKinds);
      return rows.map(toText);
    },

    async find(kind: string): Promise<StoredText | null> {
      const row = await db<TextRow>('mail_texts').where('company_id', companyId).where('kind', kind).first();
      return row ? toText(row) : null;
    },

    async save(kind: TextKind, text: MailText, now: Date): Promise<void> {
      await db('mail_texts')
        .insert({ company_id: companyId, kind, ...text, updated_at: now })
        .onConflict(['company_id', 'kind'])
        .merge();
    },

    async remove(kind: TextKind): Promise<void> {
      await db('mail_texts').where({ company_id: companyId, kind }).delete();
    },

    async findSettings(): Promise<MailSettings> {
      const row: { sender_name: string | null; reply_to: string | null; from_address: string | null } | undefined =
        await db('mail_settings').where({ company_id: companyId }).first();
      if (!row) return noSettings;
      return { senderName: row.sender_name, replyTo: row.reply_to, fromAddress: row.from_address };
    },

    async saveSettings({ senderName, replyTo, fromAddress }: MailSettings, now: Date): Promise<void> {
      await db('mail_settings')
        .insert({
          company_id: companyId,
          sender_name: senderName,
          reply_to: replyTo,
          from_address: fromAddress,
          updated_at: now,
        })
        .onConflict('company_id')
        .merge();
    },
  };
}
