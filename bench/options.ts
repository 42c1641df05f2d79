// The command line of the benchmark.

import { parseArgs } from 'node:util';
import type { IdTokenAlgorithm } from './product.ts';
import { scenarios } from './scenarios/catalogue.ts';
import type { Scenario } from './scenarios/scenario.ts';

export type Subject = 'product' | 'baseline' | 'engine';
const subjects: Subject[] = ['product', 'baseline', 'engine'];

export interface Options {
  scenarios: Scenario[];
  rounds: number;
  /** How long one scenario runs on one contender in one round. */
  seconds: number;
  concurrency: number;
  people: number;
  subject: Subject;
  /** How the product signs ID tokens; the baseline always takes RS256. */
  idToken: IdTokenAlgorithm;
  json: string | undefined;
  statements: boolean;
  /** The console's pages for companies of two sizes: alone, after the scenarios, or not. */
  scale: 'only' | 'too' | 'no';
  /** Only 10,000 people who lose everything at once. */
  deprovisioning: boolean;
}

const algorithms: IdTokenAlgorithm[] = ['RS256', 'ES256', 'EdDSA'];

export const usage = `npm run bench -- [options]
  --scenarios a,b     only these: ${scenarios.map(({ name }) => name).join(', ')}
  --rounds N          rounds of product and baseline in turn (3)
  --seconds N         time per scenario, contender and round (4)
  --concurrency N     virtual users (8)
  --people N          people who can sign in (200, and 100 for each of --seconds)
  --subject baseline  measures the baseline against itself: the noise of this machine
  --subject engine    measures the bare engine without a database: what no storage can beat on this machine
  --id-token ES256    how the product signs ID tokens: RS256 (its default, and the baseline's), ES256 or EdDSA
  --statements        prints the SQL statements of one operation
  --json FILE         writes the numbers to a file as well
  --scale             only the console's pages, for companies of 1,000 and of 200,000 people
  --deprovisioning    only this: 10,000 people are deactivated at once, and suspended at a module of 20 ms an answer
  --quick             one round of one second: does it run at all?`;

/** Gives the options, or what is wrong with them. */
export function readOptions(args: string[]): Options | string {
  try {
    const { values } = parseArgs({
      args,
      options: {
        scenarios: { type: 'string' },
        rounds: { type: 'string' },
        seconds: { type: 'string' },
        concurrency: { type: 'string' },
        people: { type: 'string' },
        subject: { type: 'string', default: 'product' },
        'id-token': { type: 'string', default: 'RS256' },
        statements: { type: 'boolean', default: false },
        json: { type: 'string' },
        scale: { type: 'boolean', default: false },
        deprovisioning: { type: 'boolean', default: false },
        quick: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
    if (values.help) return usage;
    const { quick } = values;
    const subject = subjects.find((one) => one === values.subject);
    if (!subject) throw new Error(`--subject is one of ${subjects.join(', ')}`);
    const idToken = algorithms.find((one) => one === values['id-token']);
    if (!idToken) throw new Error(`--id-token is one of ${algorithms.join(', ')}`);
    const seconds = positive('seconds', values.seconds) ?? (quick ? 1 : 4);
    return {
      scenarios: chosen(values.scenarios),
      rounds: Math.ceil(positive('rounds', values.rounds) ?? (quick ? 1 : 3)),
      seconds,
      concurrency: Math.ceil(positive('concurrency', values.concurrency) ?? 8),
      people: Math.ceil(positive('people', values.people) ?? 200 + 100 * seconds),
      subject,
      idToken,
      json: values.json,
      statements: values.statements,
      deprovisioning: values.deprovisioning,
      scale: values.scale ? 'only' : values.scenarios === undefined && !quick && subject === 'product' ? 'too' : 'no',
    };
  } catch (error) {
    return `${error instanceof Error ? error.message : String(error)}\n\n${usage}`;
  }
}

function positive(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const number = Number(text);
  if (!(number > 0 && number <= 10_000)) throw new Error(`--${name} wants a number above 0, not ${text}`);
  return number;
}

function chosen(text: string | undefined): Scenario[] {
  if (text === undefined) return scenarios;
  return text.split(',').map((name) => {
    const scenario = scenarios.find((one) => one.name === name.trim());
    if (!scenario) throw new Error(`there is no scenario ${name}`);
    return scenario;
  });
}
