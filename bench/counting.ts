// The counting pass: one user, one operation after another, with a listener between the server and PostgreSQL.

import { type Contestant, halt, type OnStop, run } from './contestant.ts';
import { median } from './measure.ts';
import type { Scenario } from './scenarios/scenario.ts';
import { listenBefore, type Wire } from './wire.ts';

export interface Count {
  /** The usual number, which a job that happens to run in the background does not move. */
  median: number;
  /** Shows what is not done in every operation, such as writing in batches. */
  mean: number;
  /** The texts of the last operation, each with how often it was sent. */
  texts: [string, number][];
}

const warmUps = 5;
const operations = 21;

export async function countStatements(
  contestant: Contestant,
  scenarios: Scenario[],
  onStop: OnStop,
): Promise<Map<string, Count>> {
  const wire = await listenBefore(contestant.database.url);
  onStop(() => wire.close());
  const running = await run(contestant, wire.url, onStop);
  const counts = new Map<string, Count>();
  for (const scenario of scenarios.filter((one) => !one.prepareBackground)) {
    const [operation] = await scenario.prepare(running.target, 1);
    if (operation) counts.set(scenario.name, await count(wire, operation));
  }
  await halt(running);
  await wire.close();
  return counts;
}

async function count(wire: Wire, operation: () => Promise<unknown>): Promise<Count> {
  for (let time = 0; time < warmUps; time++) await operation();
  const counted: number[] = [];
  let texts: [string, number][] = [];
  await wire.quiet();
  for (let time = 0; time < operations; time++) {
    const before = wire.statements();
    wire.takeTexts();
    await operation();
    await wire.quiet();
    counted.push(wire.statements() - before);
    texts = [...wire.takeTexts()];
  }
  return { median: median(counted), mean: counted.reduce((sum, one) => sum + one, 0) / counted.length, texts };
}
