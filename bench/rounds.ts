// Runs one scenario: the subject and the baseline in turn, so that a slow minute of the machine falls on both.

import type { Running } from './contestant.ts';
import { drive, type Load, type Operation } from './driver.ts';
import { cpuMs, memoryMb, resetPeakMemory } from './measure.ts';
import type { Scenario } from './scenarios/scenario.ts';

export interface Slice {
  perSecond: number;
  latenciesMs: number[];
  cpuMsPerOperation: number | undefined;
  peakMemoryMb: number | undefined;
  failures: number;
}

/** One contender in one round: under load, and then one user alone. */
export interface Turn {
  loaded: Slice;
  alone: Slice;
}

export interface Rounds {
  subject: Turn[];
  baseline: Turn[];
}

export interface Plan {
  rounds: number;
  seconds: number;
  concurrency: number;
}

export async function playRounds(scenario: Scenario, subject: Running, baseline: Running, plan: Plan): Promise<Rounds> {
  const sides = [
    { running: subject, ready: await prepare(scenario, subject, plan), turns: [] as Turn[] },
    { running: baseline, ready: await prepare(scenario, baseline, plan), turns: [] as Turn[] },
  ] as const;
  for (let round = 0; round < plan.rounds; round++) {
    for (const { running, ready, turns } of sides) {
      const loaded = await measure(running, ready.load, plan.seconds);
      const alone = await measure(running, { ...ready.load, measured: [ready.alone] }, plan.seconds / 2);
      turns.push({ loaded, alone });
    }
  }
  return { subject: sides[0].turns, baseline: sides[1].turns };
}

interface Ready {
  load: Load;
  alone: Operation;
}

async function prepare(scenario: Scenario, { target }: Running, plan: Plan): Promise<Ready> {
  const measured = await scenario.prepare(target, plan.concurrency);
  const background = (await scenario.prepareBackground?.(target)) ?? [];
  const alone = measured[0];
  if (!alone) throw new Error(`${scenario.name} prepared no users`);
  // The first calls compile code and fill caches; what counts is how it runs afterwards. V8 has settled after two to three seconds of load.
  await drive({ measured, background }, Math.min(3, plan.seconds));
  return { load: { measured, background }, alone };
}

async function measure(running: Running, load: Load, seconds: number): Promise<Slice> {
  globalThis.gc?.();
  resetPeakMemory(running.server.pid);
  const before = cpuMs(running.processes);
  const run = await drive(load, seconds);
  const after = cpuMs(running.processes);
  const operations = run.latenciesMs.length;
  const cpuKnown = before !== undefined && after !== undefined && running.processes.length > 0;
  return {
    perSecond: operations / run.seconds,
    latenciesMs: run.latenciesMs,
    // With something else going on beside, the time cannot be shared out.
    cpuMsPerOperation: cpuKnown && load.background.length === 0 ? (after - before) / operations : undefined,
    peakMemoryMb: memoryMb(running.server.pid, 'VmHWM'),
    failures: run.failures.length,
  };
}
