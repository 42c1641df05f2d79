// npm run bench: measures the product beside the baseline, in turn, on this machine. See README.md in this folder.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import argon2 from 'argon2';
import { baseline, hashOptions } from './baseline/contender.ts';
import { type Contestant, enter, halt, measureStartUps, type OnStop, run } from './contestant.ts';
import { countStatements } from './counting.ts';
import { measureDeprovisioning, reportDeprovisioning } from './deprovisioning.ts';
import { median } from './measure.ts';
import { type Options, readOptions } from './options.ts';
import { product } from './product.ts';
import { report, reportStatements } from './report.ts';
import { type Results, type ScenarioResult, summarise } from './results.ts';
import { playRounds, type Rounds } from './rounds.ts';
import { measureScale, reportScale } from './scale.ts';

const startUps = 3;
const hashSamples = 15;

const options = readOptions(process.argv.slice(2));
if (typeof options === 'string') {
  process.stderr.write(`${options}\n`);
  process.exit(2);
}

const folder = mkdtempSync(join(tmpdir(), 'unified-login-bench-'));
const stops: (() => Promise<void>)[] = [];
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    void cleanUp().finally(() => {
      rmSync(folder, { recursive: true, force: true });
      process.exit(1);
    });
  });
}
try {
  const onStop: OnStop = (stop) => stops.push(stop);
  if (options.deprovisioning)
    process.stdout.write(`\n${reportDeprovisioning(await measureDeprovisioning(folder, onStop, say))}`);
  else if (options.scale !== 'only') {
    const results = await benchmark(options, onStop);
    process.stdout.write(`\n${report(results)}`);
    if (options.statements) process.stdout.write(`\n${reportStatements(results)}`);
    if (options.json) writeFileSync(options.json, `${JSON.stringify(results, null, 2)}\n`);
  }
  if (options.scale !== 'no' && !options.deprovisioning)
    process.stdout.write(`\n${reportScale(await measureScale(folder, onStop, say))}`);
  await cleanUp();
  rmSync(folder, { recursive: true, force: true });
} catch (error) {
  await cleanUp();
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\nLogs are kept in ${folder}\n`);
  process.exitCode = 1;
}

async function cleanUp(): Promise<void> {
  for (const stop of stops.splice(0).reverse()) await stop();
}

async function benchmark(options: Options, onStop: OnStop): Promise<Results> {
  const contender =
    options.subject === 'product'
      ? product(folder, options.idToken)
      : baseline(folder, { name: `${options.subject}-again`, inMemory: options.subject === 'engine' });
  say(`preparing ${options.people} people for each`);
  const one = await enter(contender, folder, options.people, onStop);
  const two = await enter(baseline(folder), folder, options.people, onStop);
  const hashMs = await measureHash();
  say('starting up');
  const [first, second] = await measureStartUps([one, two], startUps, onStop);
  if (!first || !second) throw new Error('nothing was started');
  say('counting statements');
  const counts = {
    subject: await countStatements(one, options.scenarios, onStop),
    baseline: await countStatements(two, options.scenarios, onStop),
  };
  const rounds = await playAll(one, two, options, onStop);
  return {
    machine: describe(options, two),
    subject: contender.name,
    hashMs,
    startUp: { subject: first, baseline: second },
    scenarios: options.scenarios.flatMap((scenario): ScenarioResult[] => {
      const played = rounds.get(scenario.name);
      return played ? [summarise(scenario, played, counts)] : [];
    }),
  };
}

async function playAll(
  one: Contestant,
  two: Contestant,
  options: Options,
  onStop: OnStop,
): Promise<Map<string, Rounds>> {
  const subject = await run(one, one.database.url, onStop);
  const against = await run(two, two.database.url, onStop);
  const played = new Map<string, Rounds>();
  for (const scenario of options.scenarios) {
    say(scenario.title);
    played.set(scenario.name, await playRounds(scenario, subject, against, options));
  }
  await halt(subject);
  await halt(against);
  return played;
}

/** How long one password check takes here with nothing else going on. */
async function measureHash(): Promise<number> {
  const hash = await argon2.hash('a password', hashOptions);
  const times: number[] = [];
  for (let sample = 0; sample < hashSamples; sample++) {
    const startedAt = performance.now();
    await argon2.verify(hash, 'a password');
    times.push(performance.now() - startedAt);
  }
  return median(times);
}

function describe(
  { rounds, seconds, concurrency }: Options,
  { database }: Contestant,
): Record<string, string | number> {
  return {
    when: new Date().toISOString(),
    machine: `${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}, ${process.platform} ${process.arch}`,
    Node: process.version,
    PostgreSQL: database.version,
    load: `${rounds} rounds of ${seconds} s, ${concurrency} users; driver, server and PostgreSQL on this machine`,
  };
}

function say(what: string): void {
  process.stderr.write(`${what} ...\n`);
}
