// A company comes with its system groups and its Root Admin, so its birth is told from here, below all that it needs.
import { conflict, expired, invalid } from '../../lib/errors.ts';
import { type CompanyId, newId } from '../../lib/ids.ts';
import { randomToken, tokenHash } from '../../lib/secrets.ts';
import { days } from '../../lib/time.ts';
import { transaction, type Work } from '../../work.ts';
import { record } from '../audit/commands.ts';
import { type Company, companyNameSchema, policySchema, slugOf } from '../companies/company.ts';
import { createSystemGroups } from '../groups/commands.ts';
import { createInstallationLink } from '../links/commands.ts';
import { isLive } from '../links/link.ts';
import { inviteRoot } from './commands.ts';
import type { User } from './user.ts';

export interface NewCompany {
  name: string;
  /** Parts of the policy that differ from the defaults. */
  policy?: unknown;
}

export async function createCompany(work: Work, input: NewCompany): Promise<Company> {
  const name = companyNameSchema.safeParse(input.name);
  if (!name.success)
    throw invalid(name.error.issues[0]?.message ?? '', { company: name.error.issues[0]?.message ?? '' });
  const policy = policySchema.safeParse(input.policy ?? {});
  if (!policy.success) {
    throw invalid(policy.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; '));
  }
  return transaction(work, async (work) => {
    const company: Company = {
      id: newId<CompanyId>(),
      name: name.data,
      loginSlug: await freeSlug(work, slugOf(name.data)),
      identifier: randomToken(),
      rootUserId: null,
      policy: policy.data,
      createdAt: work.now,
    };
    await work.store.companies.insert(company);
    await createSystemGroups(work, company.id);
    await record(work, {
      action: 'company.create',
      companyId: company.id,
      target: { kind: 'company', id: company.id },
      details: { name: company.name },
    });
    await work.store.announce('companies');
    return company;
  });
}

async function freeSlug(work: Work, wanted: string): Promise<string> {
  for (let n = 1; n < 100; n += 1) {
    const slug = n === 1 ? wanted : `${wanted}-${n}`;
    if (!(await work.store.companies.isSlugTaken(slug))) return slug;
  }
  return `${wanted}-${randomToken(4)
    .toLowerCase()
    .replace(/[^a-z0-9]/g, '')}`;
}

/** On an empty database: a one-time link to the first company, for the log of the first start (A1.6). Null when there is a company. */
export async function offerInstallation(work: Work): Promise<string | null> {
  if (!(await work.store.companies.isEmpty())) return null;
  return createInstallationLink(work, days(1));
}

export async function isInstallationOpen(work: Work, token: string): Promise<boolean> {
  const link = await work.store.links.findByHash(tokenHash(token));
  return (
    link !== null && link.kind === 'installation' && isLive(link, work.now) && (await work.store.companies.isEmpty())
  );
}

export interface Installation {
  company: string;
  firstName: string;
  lastName: string;
  email: string;
  username: string;
}

/** @returns the new root's invitation: whoever holds the installation link goes on there at once, mail or no mail. */
export async function install(
  work: Work,
  token: string,
  input: Installation,
): Promise<{ company: Company; user: User; invitation: string }> {
  return transaction(work, async (work) => {
    if (!(await work.store.companies.isEmpty())) throw conflict('This server has its first company already.');
    const company = await createCompany(work, { name: input.company });
    const { user, invitation } = await inviteRoot(work, company, input);
    // Spent last: a mistake in the form above must leave the link usable.
    if (!(await work.store.links.take(tokenHash(token), 'installation', work.now))) {
      throw expired('This set-up link has run out. Restart the server to get a new one.');
    }
    return { company: { ...company, rootUserId: user.id }, user, invitation };
  });
}
