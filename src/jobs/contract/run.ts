// Runs a contract test; what is known so far is kept after each case, so that whoever looks sees how far it is.
import { z } from 'zod';
import { type CaseResult, type ContractRun, contractQueue, isOver } from '../../domain/integrations/contract.ts';
import { finishContractRun } from '../../domain/integrations/contract-commands.ts';
import { findTested, findTestService, type TestedInstance } from '../../domain/integrations/contract-queries.ts';
import { takeSilentRuns } from '../../domain/integrations/contract-repository.ts';
import { scimTokenPurpose } from '../../domain/modules/module.ts';
import type { CompanyId } from '../../lib/ids.ts';
import type { Outgoing } from '../../lib/outgoing.ts';
import { after, minutes, seconds } from '../../lib/time.ts';
import { transaction, type Work } from '../../work.ts';
import type { JobDefinition } from '../queue.ts';
import { type BenchParts, createBench, fakePlace, type Place, runCases, sweep } from './bench.ts';
import type { Bench } from './expectation.ts';

export interface ContractParts extends BenchParts {
  outgoing: Outgoing;
  /** Told of each case as it ends. */
  onCase?: (result: CaseResult) => void;
}

const payload = z.object({ runId: z.string(), companyId: z.string() });

export function contractJob(parts: ContractParts): JobDefinition<z.infer<typeof payload>> {
  return {
    name: contractQueue,
    payload,
    retryLimit: 2,
    retryDelay: 5,
    concurrency: 2,
    async handle(work, { runId, companyId }) {
      // The queue's payload is what startContractRun wrote.
      await runContract(work, companyId as CompanyId, runId, parts);
    },
  };
}

const beatMs = seconds(10);
const silence = minutes(1);

/** @returns the run as it ended; null when there is none any more */
export async function runContract(
  work: Work,
  companyId: CompanyId,
  runId: string,
  parts: ContractParts,
): Promise<ContractRun | null> {
  const { contracts } = work.store.of(companyId);
  const run = await contracts.findById(runId);
  if (!run || isOver(run)) return run;
  const end = async (results: CaseResult[], problem: string | null) => {
    await finishContractRun({ ...work, actor: run.actor, now: parts.clock() }, run, results, problem);
    return contracts.findById(runId);
  };
  const instance = await findTested(work, companyId, run.instanceId);
  if (!instance) return end(run.results, 'It is not connected any more.');
  const bench = await benchOf(work, run, instance, parts);
  if (!bench) return end(run.results, 'It has no address for accounts any more.');
  if (run.state === 'running') {
    // Whoever ran it was killed: how far a case had come is not known, so what it left behind goes, and it is run anew by hand.
    await sweep(bench);
    return end(run.results, 'The server was stopped in the middle of it. What it had made is gone; run it again.');
  }
  const results = await runAll(work, run, bench, parts);
  return results ? end(results, null) : contracts.findById(runId);
}

async function runAll(
  work: Work,
  run: ContractRun,
  bench: Bench,
  { clock, onCase }: ContractParts,
): Promise<CaseResult[] | null> {
  const { contracts } = work.store.of(run.companyId);
  let known: CaseResult[] = [];
  const save = () => contracts.save(run.id, known, clock());
  const beat = setInterval(() => void contracts.beat(run.id, clock()).catch(() => {}), beatMs);
  try {
    if (!(await save())) return null;
    const results = await runCases(bench, work.log, (results) => {
      known = results;
      const last = results.at(-1);
      if (last) onCase?.(last);
      return save();
    });
    // The last one may have been judged anew by what was left behind.
    return results && (await save()) ? results : null;
  } finally {
    clearInterval(beat);
  }
}

async function benchOf(
  work: Work,
  run: ContractRun,
  { profile }: TestedInstance,
  parts: ContractParts,
): Promise<Bench | null> {
  const place = run.target === 'fake' ? fakePlace(profile) : await modulePlace(work, run, parts);
  return place && createBench(place, profile, `unified-login-test-${run.id.replaceAll('-', '').slice(-10)}`, parts);
}

async function modulePlace(
  work: Work,
  { companyId, instanceId }: ContractRun,
  { outgoing }: ContractParts,
): Promise<Place | null> {
  const found = await findTestService(work, companyId, instanceId);
  if (!found) return null;
  const token = work.keyring.open(scimTokenPurpose, found.sealedToken);
  return { send: outgoing, service: { url: found.url, token } };
}

/** By the clock: runs whose runner was killed are handed on. */
export async function reviveContracts(work: Work): Promise<void> {
  await transaction(work, async (work) => {
    for (const { id, companyId } of await takeSilentRuns(work.store.db, work.now, after(work.now, -silence)))
      await work.jobs.enqueue(work, contractQueue, { runId: id, companyId });
  });
}
