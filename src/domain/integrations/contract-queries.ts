import { notFound } from '../../lib/errors.ts';
import type { CompanyId, InstanceId } from '../../lib/ids.ts';
import { after, days } from '../../lib/time.ts';
import type { Work } from '../../work.ts';
import type { Profile } from '../modules/profile.ts';
import { profileSchema } from '../modules/profile.ts';
import { authorise } from '../roles/authority.ts';
import { type ContractRun, type ContractStanding, contractGoodFor, profileHashOf } from './contract.ts';

/** An instance as the contract test sees it. */
export interface TestedInstance {
  id: InstanceId;
  name: string;
  module: string;
  moduleId: ContractRun['moduleId'];
  isTest: boolean;
  /** There is an address for accounts. */
  hasScim: boolean;
  profile: Profile;
}

interface Row extends Omit<TestedInstance, 'profile'> {
  profile: unknown;
}

/** Asks for no permission: for rules and commands that have. */
export async function findTested(
  work: Work,
  companyId: CompanyId,
  instanceId: InstanceId,
): Promise<TestedInstance | null> {
  const { rows }: { rows: Row[] } = await work.store.db.raw(
    `select i.id, i.name, m.name as module, m.id as "moduleId", i.is_test as "isTest",
       i.scim_url is not null and i.sealed_scim_token is not null as "hasScim", m.profile
     from module_instances i join modules m on m.id = i.module_id where i.company_id = ? and i.id = ?`,
    [companyId, instanceId],
  );
  return rows[0] ? { ...rows[0], profile: profileSchema.parse(rows[0].profile) } : null;
}

/** Instances that an operator means by an id or a name; more than one is told apart by the id. */
export async function findInstances(work: Work, companyId: CompanyId, name: string): Promise<InstanceId[]> {
  await authorise(work, companyId, 'modules.manage');
  const rows: { id: InstanceId }[] = await work.store
    .db('module_instances')
    .where('company_id', companyId)
    .whereRaw('(lower(name) = lower(:name) or id::text = lower(:name))', { name })
    .orderBy('id')
    .limit(2)
    .select('id');
  return rows.map(({ id }) => id);
}

/** Where the accounts are, with the sealed token; also while Log In with KaseyaOne is not enabled yet. For the test itself. */
export async function findTestService(
  work: Work,
  companyId: CompanyId,
  instanceId: InstanceId,
): Promise<{ url: string; sealedToken: string } | null> {
  const { rows }: { rows: { url: string | null; sealedToken: string | null }[] } = await work.store.db.raw(
    'select scim_url as url, sealed_scim_token as "sealedToken" from module_instances where company_id = ? and id = ?',
    [companyId, instanceId],
  );
  const [{ url = null, sealedToken = null } = {}] = rows;
  return url !== null && sealedToken !== null ? { url, sealedToken } : null;
}

/**
 * Whether automatic provisioning may be turned on without an override: this product was tested within 90 days as it is now, here or in
 * the company's test tenant, and passed. Asks for no permission: a rule for commands that have.
 */
export async function contractStanding(
  work: Work,
  companyId: CompanyId,
  instanceId: InstanceId,
): Promise<ContractStanding> {
  const instance = await findTested(work, companyId, instanceId);
  if (!instance) throw notFound('module');
  const run = await work.store
    .of(companyId)
    .contracts.findPassed(instance.moduleId, profileHashOf(instance.profile), after(work.now, -contractGoodFor));
  if (run?.finishedAt) {
    const ago = Math.floor((work.now.getTime() - run.finishedAt.getTime()) / days(1));
    const words = ago < 1 ? 'today' : ago === 1 ? 'yesterday' : `${ago} days ago`;
    return { passed: true, at: run.finishedAt, because: `The contract test was passed ${words}.` };
  }
  return { passed: false, at: null, because: missingWords(instance) };
}

/** How often provisioning was turned on without a passed test. Asks for no permission: for commands that have. */
export async function countOverrides(
  work: Work,
  companyId: CompanyId,
  instanceId: InstanceId,
  since: Date,
): Promise<number> {
  const { rows }: { rows: { count: number }[] } = await work.store.db.raw(
    `select count(*)::int as count from audit_events
     where company_id = ? and action = 'module.settings' and target_id = ? and at > ? and details ->> 'override' is not null`,
    [companyId, instanceId, since],
  );
  return rows[0]?.count ?? 0;
}

const missingWords = ({ hasScim, module }: TestedInstance): string =>
  hasScim
    ? `${module} has not passed the contract test in the last 90 days as it is set up now. Run it first.`
    : `${module} has no address for accounts here, so it cannot be tested.`;

export interface ContractPage {
  instance: TestedInstance;
  standing: ContractStanding;
  /** The newest first. */
  runs: Omit<ContractRun, 'results'>[];
  /** The one that was asked for, or the newest. */
  run: ContractRun | null;
}

/** @param runId the run to show in full; null: the newest */
export async function readContract(
  work: Work,
  companyId: CompanyId,
  instanceId: InstanceId,
  runId: string | null,
): Promise<ContractPage> {
  await authorise(work, companyId, 'modules.manage');
  const instance = await findTested(work, companyId, instanceId);
  if (!instance) throw notFound('module');
  const { contracts } = work.store.of(companyId);
  const [standing, runs] = await Promise.all([
    contractStanding(work, companyId, instanceId),
    contracts.list(instanceId),
  ]);
  const shown = runs.find(({ id }) => id === runId) ?? runs[0];
  return { instance, standing, runs, run: shown ? await contracts.findById(shown.id) : null };
}
