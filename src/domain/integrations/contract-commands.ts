import { conflict, invalid, notFound } from '../../lib/errors.ts';
import { type CompanyId, type InstanceId, newId } from '../../lib/ids.ts';
import { transaction, type Work } from '../../work.ts';
import { record } from '../audit/commands.ts';
import { authorise } from '../roles/authority.ts';
import { type CaseResult, type ContractRun, type ContractTarget, contractQueue, profileHashOf } from './contract.ts';
import { findTested, type TestedInstance } from './contract-queries.ts';

export interface ContractRequest {
  target: ContractTarget;
  /** The module is not a test tenant, and somebody has said that accounts may be made there all the same. */
  hasConsent: boolean;
  /** The caller runs it by itself, and at once. */
  isDirect?: boolean;
}

/** Begins a contract test; a job runs it, unless the caller does. */
export async function startContractRun(
  work: Work,
  companyId: CompanyId,
  instanceId: InstanceId,
  request: ContractRequest,
): Promise<ContractRun> {
  await authorise(work, companyId, 'modules.manage');
  return transaction(work, async (work) => {
    const instance = await findTested(work, companyId, instanceId);
    if (!instance) throw notFound('module');
    refuseUntestable(instance, request);
    const run: ContractRun = {
      id: newId(),
      companyId,
      instanceId,
      moduleId: instance.moduleId,
      target: request.target,
      profileHash: profileHashOf(instance.profile),
      state: 'waiting',
      results: [],
      problem: null,
      actor: work.actor,
      createdAt: work.now,
      finishedAt: null,
    };
    if (!(await work.store.of(companyId).contracts.insert(run)))
      throw conflict(`A contract test of ${instance.name} is running already.`);
    await record(work, {
      action: 'module.test.start',
      companyId,
      target: { kind: 'module', id: instanceId },
      details: { name: instance.name, run: run.id, target: run.target, consent: request.hasConsent },
    });
    if (request.isDirect !== true) await work.jobs.enqueue(work, contractQueue, { runId: run.id, companyId });
    return run;
  });
}

function refuseUntestable(instance: TestedInstance, { target, hasConsent }: ContractRequest): void {
  if (target === 'fake') return;
  if (!instance.hasScim)
    throw invalid(
      `${instance.module} has no address for accounts here. Connect it anew, or test against the built-in fake.`,
    );
  if (!instance.isTest && !hasConsent)
    throw invalid(
      `${instance.name} is not a test tenant. Say that test accounts may be made and removed there, or test against the built-in fake.`,
      { consent: 'Accept this to go on.' },
    );
}

/** Ends a run, once. `problem`: it could not be brought to its end. */
export async function finishContractRun(
  work: Work,
  run: Pick<ContractRun, 'id' | 'companyId' | 'instanceId' | 'target'>,
  results: CaseResult[],
  problem: string | null,
): Promise<void> {
  const failed = results.filter(({ outcome }) => outcome === 'failed').map(({ name }) => name);
  const state = problem !== null ? 'stopped' : failed.length > 0 ? 'failed' : 'passed';
  await transaction(work, async (work) => {
    const { contracts } = work.store.of(run.companyId);
    if (!(await contracts.finish(run.id, { state, problem }, work.now))) return;
    const instance = await findTested(work, run.companyId, run.instanceId);
    await record(work, {
      action: 'module.test.done',
      companyId: run.companyId,
      target: { kind: 'module', id: run.instanceId },
      details: { name: instance?.name, run: run.id, target: run.target, state, cases: results.length, failed, problem },
    });
    await contracts.dropOld(run.instanceId);
  });
}
