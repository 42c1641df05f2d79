// Adding, proving and removing e-mail domains; and the daily look whether the proof still stands.
import { conflict, invalid, notFound } from '../../lib/errors.ts';
import type { CompanyId } from '../../lib/ids.ts';
import { randomToken } from '../../lib/secrets.ts';
import { after, days } from '../../lib/time.ts';
import type { TxtRecords, TxtResolver } from '../../lib/txt-records.ts';
import { transaction, type Work } from '../../work.ts';
import { record } from '../audit/commands.ts';
import { authorise } from '../roles/authority.ts';
import { tellAdministrators } from '../users/administrators.ts';
import { domainSchema, type EmailDomain, isPublicMail, proofHost, proofRecord, proves } from './email-domain.ts';
import { listDueDomains } from './email-domain-repository.ts';

/** A company has a few; this only bounds the daily look. */
const mostDomains = 100;

export async function listEmailDomains(work: Work, companyId: CompanyId): Promise<EmailDomain[]> {
  await authorise(work, companyId, 'security.manage');
  return work.store.of(companyId).emailDomains.list();
}

/** Claims may stand beside each other: who proves it has it. @throws AppError 422, 409 */
export async function addEmailDomain(work: Work, companyId: CompanyId, input: string): Promise<EmailDomain> {
  await authorise(work, companyId, 'security.manage');
  const parsed = domainSchema.safeParse(input);
  const refuse = (problem: string) => invalid(problem, { domain: problem });
  if (!parsed.success) throw refuse(parsed.error.issues[0]?.message ?? 'Enter a domain such as example.com.');
  const domain = parsed.data;
  if (isPublicMail(domain)) throw refuse(`Anybody can have an address at ${domain}: it belongs to no company.`);
  const added: EmailDomain = {
    domain,
    proof: randomToken(24),
    verifiedAt: null,
    checkedAt: null,
    missingSince: null,
    createdAt: work.now,
  };
  await transaction(work, async (work) => {
    const { emailDomains } = work.store.of(companyId);
    if ((await emailDomains.list()).length >= mostDomains)
      throw refuse(`There are ${mostDomains} domains already: remove some first.`);
    await emailDomains.insert(added);
    await tell(work, companyId, domain, 'added');
  });
  return added;
}

export type Verification =
  | { outcome: 'verified' }
  /** DNS has no such record, or another one; `found` is what stood there, for the administrator to compare. */
  | { outcome: 'missing'; host: string; record: string; found: string[] }
  | { outcome: 'unknown'; problem: string };

/** Looks for the proof. No transaction is open while DNS is asked. @throws AppError 404, 409 when another company has proved it */
export async function verifyEmailDomain(
  work: Work,
  companyId: CompanyId,
  domain: string,
  resolve: TxtResolver,
): Promise<Verification> {
  await authorise(work, companyId, 'security.manage');
  const claimed = await work.store.of(companyId).emailDomains.find(domain);
  if (!claimed) throw notFound('domain');
  const answers = await lookUp(domain, resolve);
  if (!proves(answers, claimed.proof)) return explain(claimed, answers);
  return transaction(work, async (work) => {
    const { emailDomains } = work.store.of(companyId);
    const now = await emailDomains.hold(domain);
    if (now?.proof !== claimed.proof) throw conflict('The domain was removed meanwhile.');
    const verifiedAt = now.verifiedAt ?? work.now;
    await emailDomains.update(domain, { verifiedAt, checkedAt: work.now, missingSince: null });
    if (now.verifiedAt === null) await tell(work, companyId, domain, 'verified');
    return { outcome: 'verified' };
  });
}

const lookUp = (domain: string, resolve: TxtResolver): Promise<TxtRecords[]> =>
  Promise.all([resolve(proofHost(domain)), resolve(domain)]);

function explain({ domain, proof }: EmailDomain, answers: readonly TxtRecords[]): Verification {
  const [own] = answers;
  if (own?.outcome === 'unknown') return own;
  const found = own?.outcome === 'found' ? own.records.map((pieces) => pieces.join('').slice(0, 200)).slice(0, 10) : [];
  return { outcome: 'missing', host: proofHost(domain), record: proofRecord(proof), found };
}

/** People of the domain are led to their company by its name from then on, as before. @throws AppError 404 */
export async function removeEmailDomain(work: Work, companyId: CompanyId, domain: string): Promise<void> {
  await authorise(work, companyId, 'security.manage');
  await transaction(work, async (work) => {
    const { emailDomains } = work.store.of(companyId);
    if (!(await emailDomains.hold(domain))) throw notFound('domain');
    await emailDomains.delete(domain);
    await tell(work, companyId, domain, 'removed');
  });
}

const tell = (work: Work, companyId: CompanyId, domain: string, change: string) =>
  record(work, {
    action: 'sso.config',
    companyId,
    target: { kind: 'company', id: companyId },
    details: { of: 'domain', change, name: domain },
  });

/** A slip at the DNS provider must not send a company's people astray. */
const patience = days(7);

const atOnce = 50;

/** At every turn of the housekeeping; each domain once a day. What DNS does not say counts for nothing. */
export async function checkDomainsAgain(work: Work, resolve: TxtResolver): Promise<void> {
  for (const { companyId, domain } of await listDueDomains(work.store.db, after(work.now, -days(1)), atOnce)) {
    const claimed = await work.store.of(companyId).emailDomains.find(domain);
    if (!claimed) continue;
    const answers = await lookUp(domain, resolve);
    await transaction(work, (work) => noteCheck(work, companyId, claimed, answers));
  }
}

async function noteCheck(work: Work, companyId: CompanyId, claimed: EmailDomain, answers: TxtRecords[]): Promise<void> {
  const { emailDomains } = work.store.of(companyId);
  const { domain, proof } = claimed;
  const now = await emailDomains.hold(domain);
  // Of two nodes the second one finds that it was looked at.
  if (now?.proof !== proof || !now.verifiedAt || now.checkedAt?.getTime() !== claimed.checkedAt?.getTime()) return;
  const { verifiedAt } = now;
  if (proves(answers, proof))
    return emailDomains.update(domain, { verifiedAt, checkedAt: work.now, missingSince: null });
  const isUnknown = answers.some(({ outcome }) => outcome === 'unknown');
  const missingSince = isUnknown ? now.missingSince : (now.missingSince ?? work.now);
  const isLost = !isUnknown && missingSince !== null && missingSince <= after(work.now, -patience);
  const isFirst = !isUnknown && now.missingSince === null;
  await emailDomains.update(domain, { verifiedAt: isLost ? null : verifiedAt, checkedAt: work.now, missingSince });
  if (isLost) await tell(work, companyId, domain, 'lost');
  if (isLost || isFirst)
    await tellAdministrators(work, companyId, 'domainLost', {
      domain,
      isLost,
      until: after(missingSince ?? work.now, patience).toISOString(),
      href: '/admin/sso/domains',
    });
}
