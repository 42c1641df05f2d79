import { violatedConstraint } from '../../db/errors.ts';
import type { Database } from '../../db/knex.ts';
import { conflict } from '../../lib/errors.ts';
import type { CompanyId, UserId } from '../../lib/ids.ts';
import { type Company, companyKey, parsePolicy } from './company.ts';

interface Row {
  id: CompanyId;
  name: string;
  name_key: string;
  login_slug: string;
  identifier: string;
  root_user_id: UserId | null;
  policy: unknown;
  created_at: Date;
}

const toCompany = (row: Row): Company => ({
  id: row.id,
  name: row.name,
  loginSlug: row.login_slug,
  identifier: row.identifier,
  rootUserId: row.root_user_id,
  policy: parsePolicy(row.policy),
  createdAt: row.created_at,
});

export function companyRepository(db: Database) {
  const one = async (where: Partial<Row>) => {
    const row = await db<Row>('companies').where(where).first();
    return row ? toCompany(row) : null;
  };

  return {
    findById: (id: CompanyId) => one({ id }),
    /** For a change of the policy or the list; people can be added meanwhile, since their company does not change its key. */
    async lockById(id: CompanyId): Promise<Company | null> {
      const row = await db<Row>('companies').where({ id }).forNoKeyUpdate().first();
      return row ? toCompany(row) : null;
    },

    findByName: (name: string) => one({ name_key: companyKey(name) }),
    findBySlug: (slug: string) => one({ login_slug: slug.toLowerCase() }),

    /** The company of a server that holds exactly one; else null. Reads two rows at most. */
    async findOnly(): Promise<Company | null> {
      const rows = await db<Row>('companies').orderBy('created_at').limit(2);
      return rows.length === 1 ? toCompany(rows[0] as Row) : null;
    },

    async isEmpty(): Promise<boolean> {
      return (await db('companies').first('id')) === undefined;
    },

    async insert(company: Company): Promise<void> {
      try {
        await db('companies').insert({
          id: company.id,
          name: company.name,
          name_key: companyKey(company.name),
          login_slug: company.loginSlug,
          identifier: company.identifier,
          policy: JSON.stringify(company.policy),
          created_at: company.createdAt,
        });
      } catch (error) {
        if (violatedConstraint(error) === 'companies_name_key_unique') {
          throw conflict('There is a company of this name already.', {
            company: 'There is a company of this name already.',
          });
        }
        throw error;
      }
    },

    async isSlugTaken(slug: string): Promise<boolean> {
      return (await db('companies').where({ login_slug: slug }).first('id')) !== undefined;
    },

    async setRoot(id: CompanyId, rootUserId: UserId): Promise<void> {
      await db('companies').where({ id }).update({ root_user_id: rootUserId });
    },

    async setPolicy(id: CompanyId, policy: Company['policy']): Promise<void> {
      await db('companies')
        .where({ id })
        .update({ policy: JSON.stringify(policy) });
    },
  };
}
