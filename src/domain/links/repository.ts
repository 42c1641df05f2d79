import type { Database } from '../../db/knex.ts';
import type { CompanyId, UserId } from '../../lib/ids.ts';
import type { Link, LinkKind } from './link.ts';

interface Row {
  id: string;
  company_id: CompanyId | null;
  user_id: UserId | null;
  kind: LinkKind;
  token_hash: string;
  sent_to: string | null;
  created_at: Date;
  expires_at: Date;
  used_at: Date | null;
  voided_at: Date | null;
}

const toLink = (row: Row): Link => ({
  id: row.id,
  companyId: row.company_id,
  userId: row.user_id,
  kind: row.kind,
  sentTo: row.sent_to,
  createdAt: row.created_at,
  expiresAt: row.expires_at,
  usedAt: row.used_at,
  voidedAt: row.voided_at,
});

/** Links are found by the hash of their token alone, so this repository belongs to no company. */
export function linkRepository(db: Database) {
  const open = () => db<Row>('links').whereNull('used_at').whereNull('voided_at');

  return {
    async findByHash(tokenHash: string): Promise<Link | null> {
      const row = await db<Row>('links').where({ token_hash: tokenHash }).first();
      return row ? toLink(row) : null;
    },

    /** The one link of a kind that was neither used nor voided; it may have run out. */
    async findOpen(companyId: CompanyId, userId: UserId, kind: LinkKind): Promise<Link | null> {
      const row = await open().where({ company_id: companyId, user_id: userId, kind }).first();
      return row ? toLink(row) : null;
    },

    async insert(links: (Link & { tokenHash: string })[]): Promise<void> {
      await db('links').insert(
        links.map((link) => ({
          id: link.id,
          company_id: link.companyId,
          user_id: link.userId,
          kind: link.kind,
          token_hash: link.tokenHash,
          sent_to: link.sentTo,
          created_at: link.createdAt,
          expires_at: link.expiresAt,
        })),
      );
    },

    /** Spends a live link in one statement; null when it was used, voided or too old (AUT-13, parallel). */
    async take(tokenHash: string, kind: LinkKind, now: Date): Promise<Link | null> {
      const rows: Row[] = await open()
        .where({ token_hash: tokenHash, kind })
        .where('expires_at', '>', now)
        .update({ used_at: now })
        .returning('*');
      return rows[0] ? toLink(rows[0]) : null;
    },

    async voidOpen(companyId: CompanyId, of: UserId | UserId[], kinds: LinkKind[], now: Date): Promise<void> {
      await open()
        .where({ company_id: companyId })
        .whereIn('user_id', [of].flat())
        .whereIn('kind', kinds)
        .update({ voided_at: now });
    },

    async voidInstallation(now: Date): Promise<void> {
      await open().where({ kind: 'installation' }).update({ voided_at: now });
    },
  };
}
