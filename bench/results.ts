// Turns what was measured into the numbers that are shown: medians over rounds, ratios within a round.

import type { StartUp } from './contestant.ts';
import type { Count } from './counting.ts';
import { median, percentile } from './measure.ts';
import type { Rounds, Slice, Turn } from './rounds.ts';
import type { Scenario } from './scenarios/scenario.ts';

export interface Figures {
  perSecond: number;
  p50Ms: number;
  p95Ms: number;
  p99Ms: number;
  aloneP50Ms: number;
  cpuMs: number | undefined;
  peakMemoryMb: number | undefined;
  statements: Count | undefined;
  failures: number;
}

export interface Ratios {
  throughput: number;
  throughputOfRounds: number[];
  cpu: number | undefined;
  p99: number;
  alone: number;
}

export interface ScenarioResult {
  name: string;
  title: string;
  subject: Figures;
  baseline: Figures;
  ratios: Ratios;
}

export interface Results {
  machine: Record<string, string | number>;
  subject: string;
  hashMs: number;
  startUp: { subject: StartUp; baseline: StartUp };
  scenarios: ScenarioResult[];
}

interface Counts {
  subject: Map<string, Count>;
  baseline: Map<string, Count>;
}

export function summarise({ name, title }: Scenario, rounds: Rounds, counts: Counts): ScenarioResult {
  const subject = figures(rounds.subject, counts.subject.get(name));
  const baseline = figures(rounds.baseline, counts.baseline.get(name));
  const inEachRound = (value: (turn: Turn) => number | undefined): number[] =>
    rounds.subject.map((turn, round) => {
      const other = rounds.baseline[round];
      return (value(turn) ?? Number.NaN) / ((other && value(other)) ?? Number.NaN);
    });
  const throughputOfRounds = inEachRound(({ loaded }) => loaded.perSecond);
  return {
    name,
    title,
    subject,
    baseline,
    ratios: {
      throughput: median(throughputOfRounds),
      throughputOfRounds,
      cpu: known(median(inEachRound(({ loaded }) => loaded.cpuMsPerOperation))),
      p99: subject.p99Ms / baseline.p99Ms,
      alone: subject.aloneP50Ms / baseline.aloneP50Ms,
    },
  };
}

function figures(turns: Turn[], statements: Count | undefined): Figures {
  const loaded = turns.map((turn) => turn.loaded);
  const latencies = loaded.flatMap((slice) => slice.latenciesMs);
  const middle = (value: (slice: Slice) => number | undefined): number =>
    median(loaded.map((one) => value(one) ?? NaN));
  return {
    perSecond: middle((slice) => slice.perSecond),
    p50Ms: percentile(latencies, 0.5),
    p95Ms: percentile(latencies, 0.95),
    p99Ms: percentile(latencies, 0.99),
    aloneP50Ms: percentile(
      turns.flatMap((turn) => turn.alone.latenciesMs),
      0.5,
    ),
    cpuMs: known(middle((slice) => slice.cpuMsPerOperation)),
    peakMemoryMb: known(Math.max(...loaded.map((slice) => slice.peakMemoryMb ?? NaN))),
    statements,
    failures: turns.reduce((sum, { loaded, alone }) => sum + loaded.failures + alone.failures, 0),
  };
}

function known(value: number): number | undefined {
  return Number.isFinite(value) ? value : undefined;
}
