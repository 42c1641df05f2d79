import { violatedConstraint } from '../../db/errors.ts';
import type { Database } from '../../db/knex.ts';
import { conflict } from '../../lib/errors.ts';
import type { CompanyId } from '../../lib/ids.ts';
import type { EmailDomain } from './email-domain.ts';

interface Row {
  domain: string;
  proof: string;
  verified_at: Date | null;
  checked_at: Date | null;
  missing_since: Date | null;
  created_at: Date;
}

const toDomain = (row: Row): EmailDomain => ({
  domain: row.domain,
  proof: row.proof,
  verifiedAt: row.verified_at,
  checkedAt: row.checked_at,
  missingSince: row.missing_since,
  createdAt: row.created_at,
});

export function emailDomainRepository(db: Database, companyId: CompanyId) {
  const mine = (domain: string) => db('email_domains').where({ company_id: companyId, domain });
  return {
    async list(): Promise<EmailDomain[]> {
      const rows: Row[] = await db('email_domains').where({ company_id: companyId }).orderBy('domain').limit(500);
      return rows.map(toDomain);
    },

    async find(domain: string): Promise<EmailDomain | null> {
      const row: Row | undefined = await mine(domain).first();
      return row ? toDomain(row) : null;
    },

    /** Held until the transaction ends. */
    async hold(domain: string): Promise<EmailDomain | null> {
      const row: Row | undefined = await mine(domain).forNoKeyUpdate().first();
      return row ? toDomain(row) : null;
    },

    async insert({ domain, proof, createdAt }: Pick<EmailDomain, 'domain' | 'proof' | 'createdAt'>): Promise<void> {
      try {
        await db('email_domains').insert({ company_id: companyId, domain, proof, created_at: createdAt });
      } catch (error) {
        if (violatedConstraint(error) !== 'email_domains_pkey') throw error;
        const problem = 'This domain is on the list already.';
        throw conflict(problem, { domain: problem });
      }
    },

    /** @throws AppError 409 when another company has proved it meanwhile */
    async update(
      domain: string,
      change: Pick<EmailDomain, 'verifiedAt' | 'checkedAt' | 'missingSince'>,
    ): Promise<void> {
      try {
        await mine(domain).update({
          verified_at: change.verifiedAt,
          checked_at: change.checkedAt,
          missing_since: change.missingSince,
        });
      } catch (error) {
        if (violatedConstraint(error) !== 'email_domains_verified_unique') throw error;
        throw conflict('Another company has proved this domain.', {
          domain: 'Another company has proved this domain.',
        });
      }
    },

    async delete(domain: string): Promise<void> {
      await mine(domain).delete();
    },
  };
}

/** Proved ones that nobody has looked at since: for the clock. */
export async function listDueDomains(
  db: Database,
  checkedBefore: Date,
  limit: number,
): Promise<{ companyId: CompanyId; domain: string }[]> {
  return db('email_domains')
    .whereNotNull('verified_at')
    .where('checked_at', '<', checkedBefore)
    .orderBy('checked_at')
    .limit(limit)
    .select({ companyId: 'company_id', domain: 'domain' });
}
