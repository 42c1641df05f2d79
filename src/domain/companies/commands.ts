// What administrators decide for their company: its policy and its IP access list (B.3).
import { plainAddress } from '../../lib/addresses.ts';
import { invalid, notFound } from '../../lib/errors.ts';
import { type CompanyId, newId } from '../../lib/ids.ts';
import { transaction, type Work } from '../../work.ts';
import { record } from '../audit/commands.ts';
import { authorise } from '../roles/authority.ts';
import type { Company, CompanyPolicy } from './company.ts';
import { type IpEntry, lockOutProblem, maxEntries, type NewEntry, newEntrySchema } from './ip-entry.ts';
import { contradiction, differences, type PolicyChange, policyChangeSchema, withChange } from './policy-change.ts';

/** Name of the job that brings the ends of live sessions forward; see jobs/shorten-sessions.ts. */
export const shortenSessions = 'shorten-sessions';

function problemsOf(issues: { path: PropertyKey[]; message: string }[]): Record<string, string> {
  const fields: Record<string, string> = {};
  for (const { path, message } of issues) fields[path.join('.')] ??= message;
  return fields;
}

function refuse(fields: Record<string, string>): never {
  throw invalid(Object.values(fields).join(' '), fields);
}

/** The company's row, held: changes of its policy and its list come one after the other. */
async function hold(work: Work, companyId: CompanyId): Promise<Company> {
  const company = await work.store.companies.lockById(companyId);
  if (!company) throw notFound('company');
  return company;
}

/** What a policy would be after a change. @throws AppError 422 with the fields by path, such as `password.minLength` */
export function changed(policy: CompanyPolicy, change: PolicyChange): CompanyPolicy {
  const parsed = policyChangeSchema.safeParse(change);
  if (!parsed.success) refuse(problemsOf(parsed.error.issues));
  const after = withChange(policy, parsed.data);
  const problems = contradiction(after);
  if (problems) refuse(problems);
  return after;
}

/** In force with the commit, on every node: each login and each request reads the policy anew. */
export async function changePolicy(work: Work, companyId: CompanyId, change: PolicyChange): Promise<CompanyPolicy> {
  await authorise(work, companyId, 'security.manage');
  return transaction(work, async (work) => {
    const company = await hold(work, companyId);
    return store(work, company, changed(company.policy, change));
  });
}

async function store(work: Work, { id, policy }: Company, after: CompanyPolicy): Promise<CompanyPolicy> {
  const details = differences(policy, after);
  if (!details) return after;
  await work.store.companies.setPolicy(id, after);
  await record(work, { action: 'policy.change', companyId: id, target: { kind: 'company', id }, details });
  await work.store.announce('companies');
  const { idleMinutes, absoluteMinutes } = policy.session;
  if (after.session.idleMinutes < idleMinutes || after.session.absoluteMinutes < absoluteMinutes)
    await work.jobs.enqueue(work, shortenSessions, { companyId: id });
  return after;
}

const networksOf = (entries: IpEntry[]) => entries.map(({ network }) => network);

/** The operator at the console comes from no address, and the system neither. */
function refuseLockOut(work: Work, networks: string[], act: 'on' | 'remove'): void {
  if (work.actor.kind !== 'user') return;
  const problem = lockOutProblem(networks, plainAddress(work.origin.ip), act);
  if (problem) refuse({ network: problem });
}

/** @returns the entry as it is kept: 203.0.113.7/24 is the network 203.0.113.0/24. */
export async function addIpEntry(work: Work, companyId: CompanyId, input: NewEntry): Promise<IpEntry> {
  const createdBy = await authorise(work, companyId, 'security.manage');
  const parsed = newEntrySchema.safeParse(input);
  if (!parsed.success) refuse(problemsOf(parsed.error.issues));
  const entry: IpEntry = { id: newId(), ...parsed.data, createdAt: work.now };
  return transaction(work, async (work) => {
    await hold(work, companyId);
    const { ipEntries } = work.store.of(companyId);
    if ((await ipEntries.list()).length >= maxEntries)
      refuse({ network: `The list holds ${maxEntries} entries at most. Join neighbours into one network.` });
    await ipEntries.insert(entry, createdBy);
    await recordIpChange(work, companyId, { added: entry.network, note: entry.note });
    return entry;
  });
}

/** While the list is on, nobody removes the entry that lets them in. */
export async function removeIpEntry(work: Work, companyId: CompanyId, id: string): Promise<IpEntry> {
  await authorise(work, companyId, 'security.manage');
  return transaction(work, async (work) => {
    const company = await hold(work, companyId);
    const { ipEntries } = work.store.of(companyId);
    const entries = await ipEntries.list();
    const entry = entries.find((one) => one.id === id);
    if (!entry) throw notFound('entry');
    if (company.policy.ipList.enabled)
      refuseLockOut(work, networksOf(entries.filter((one) => one !== entry)), 'remove');
    await ipEntries.delete(id);
    await recordIpChange(work, companyId, { removed: entry.network, note: entry.note });
    return entry;
  });
}

/** Turns the list on or off. On: only when it covers whoever turns it on. @returns whether that changed anything. */
export async function switchIpList(work: Work, companyId: CompanyId, enabled: boolean): Promise<boolean> {
  await authorise(work, companyId, 'security.manage');
  return transaction(work, async (work) => {
    const company = await hold(work, companyId);
    if (company.policy.ipList.enabled === enabled) return false;
    const networks = networksOf(await work.store.of(companyId).ipEntries.list());
    if (enabled) refuseLockOut(work, networks, 'on');
    // On without an entry would keep out everybody, whoever turns it on.
    if (enabled && networks.length === 0) refuse({ network: 'The list is empty: nobody could log in any more.' });
    await work.store.companies.setPolicy(companyId, { ...company.policy, ipList: { enabled } });
    await recordIpChange(work, companyId, { before: { enabled: !enabled }, after: { enabled }, networks });
    await work.store.announce('companies');
    return true;
  });
}

async function recordIpChange(work: Work, companyId: CompanyId, details: Record<string, unknown>): Promise<void> {
  await record(work, { action: 'ip.change', companyId, target: { kind: 'company', id: companyId }, details });
}
