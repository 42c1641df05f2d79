// Prints the results: the numbers of both, the ratios with the goals beside them, and what stands for itself.

import * as goalsOf from './goals.ts';
import { goals } from './goals.ts';
import type { Figures, Results, ScenarioResult } from './results.ts';

export function report(results: Results): string {
  const { machine, subject } = results;
  const parts = [
    Object.entries(machine)
      .map(([name, value]) => `${name}: ${value}`)
      .join('\n'),
    table(
      figureHead,
      results.scenarios.flatMap((scenario) => figureRows(scenario, subject)),
    ),
    `${subject} / baseline, medians of the rounds (lowest to highest), each with its goal`,
    table(ratioHead, results.scenarios.map(ratioRow)),
    table(['', subject, 'baseline', 'goal'], standalone(results)),
  ];
  return `${parts.join('\n\n')}\n`;
}

const figureHead = ['', '', 'ops/s', 'p50 ms', 'p95 ms', 'p99 ms', '1 user p50', 'CPU ms', 'SQL', 'peak MB', 'failed'];

function figureRows({ title, subject, baseline }: ScenarioResult, name: string): string[][] {
  return [
    [title, name, ...figureCells(subject)],
    ['', 'baseline', ...figureCells(baseline)],
  ];
}

function figureCells(figures: Figures): string[] {
  const times = [figures.p50Ms, figures.p95Ms, figures.p99Ms, figures.aloneP50Ms];
  return [
    digits(figures.perSecond, figures.perSecond < 100 ? 1 : 0),
    ...times.map((time) => digits(time, 2)),
    digits(figures.cpuMs, 3),
    statements(figures),
    digits(figures.peakMemoryMb, 0),
    figures.failures === 0 ? '' : `${figures.failures}`,
  ];
}

function statements({ statements }: Figures): string {
  if (!statements) return '-';
  const { median, mean } = statements;
  return Math.abs(mean - median) > 0.2 ? `${median} (mean ${digits(mean, 1)})` : `${median}`;
}

const ratioHead = ['', 'throughput', '', 'goal', 'CPU', 'goal', 'p99', 'goal', '1 user p50', 'goal', 'SQL', 'goal'];

function ratioRow({ name, title, subject, ratios }: ScenarioResult): string[] {
  const goal = goals[name] ?? {};
  const rounds = ratios.throughputOfRounds;
  return [
    title,
    digits(ratios.throughput, 2),
    `(${digits(Math.min(...rounds), 2)} to ${digits(Math.max(...rounds), 2)})`,
    atLeast(goal.throughput),
    digits(ratios.cpu, 2),
    atMost(goal.cpu),
    digits(ratios.p99, 2),
    atMost(goal.p99),
    digits(ratios.alone, 2),
    atMost(goal.alone),
    statements(subject),
    atMost(goal.statements),
  ];
}

/** What is not a ratio, or not of one scenario. */
function standalone({ startUp, scenarios, hashMs }: Results): string[][] {
  const row = (title: string, value: (side: 'subject' | 'baseline') => number | undefined, goal: number): string[] => {
    return [title, digits(value('subject'), 0), digits(value('baseline'), 0), atMost(goal)];
  };
  const rows = [
    row('cold start to the first 200, ms', (side) => startUp[side].coldStartMs, goalsOf.coldStartGoalMs),
    row('memory at rest, MB', (side) => startUp[side].idleMemoryMb, goalsOf.idleMemoryGoalMb),
  ];
  const calm = scenarios.filter(({ name }) => !name.includes('login'));
  if (calm.length > 0) {
    const peak = (side: 'subject' | 'baseline'): number =>
      Math.max(...calm.map((one) => one[side].peakMemoryMb ?? Number.NaN));
    rows.push(row('highest memory under load but login, MB', peak, goalsOf.peakMemoryGoalMb));
  }
  const login = scenarios.find(({ name }) => name === 'login');
  if (login) {
    rows.push(['one password hash, ms', digits(hashMs, 1), digits(hashMs, 1), '']);
    const beside = (side: 'subject' | 'baseline'): string => digits(login[side].aloneP50Ms - hashMs, 1);
    const title = 'login of 1 user, p50 minus the hash, ms';
    rows.push([title, beside('subject'), beside('baseline'), atMost(goalsOf.loginBesideHashGoalMs)]);
  }
  const beside = scenarios.find(({ name }) => name === 'userinfo-while-login');
  if (beside) {
    rows.push(
      row('userinfo p99 while 4 sign in, ms', (side) => beside[side].p99Ms, goalsOf.userinfoWhileLoginP99GoalMs),
    );
  }
  return rows;
}

/** The SQL of one operation, for whoever wants to make it less. */
export function reportStatements(results: Results): string {
  const blocks = results.scenarios.map(({ title, subject }) => {
    const lines = (subject.statements?.texts ?? []).map(([text, times]) => {
      return `  ${times} x ${text.replace(/\s+/g, ' ').trim().slice(0, 200)}`;
    });
    return [`${title}, ${results.subject}`, ...lines].join('\n');
  });
  return `${blocks.join('\n')}\n`;
}

function digits(value: number | undefined, count: number): string {
  return value === undefined || !Number.isFinite(value) ? 'n/a' : value.toFixed(count);
}

const atLeast = (goal: number | undefined): string => (goal === undefined ? '' : `>= ${goal}`);
const atMost = (goal: number | undefined): string => (goal === undefined ? '' : `<= ${goal}`);

function table(head: string[], rows: string[][]): string {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  const isText = (column: number): boolean => column === 0 || (head[column] === '' && column < 3);
  const line = (row: string[]): string =>
    row.map((cell, n) => (isText(n) ? cell.padEnd(widths[n] ?? 0) : cell.padStart(widths[n] ?? 0))).join('  ');
  return all.map((row) => line(row).trimEnd()).join('\n');
}
