// The demo's options, and the words of --help.
import { parseArgs } from 'node:util';

export interface DemoOptions {
  json: boolean;
  reset: boolean;
  modulePeople: string;
}

export const demoHelp = `Usage: npm run demo -- [options]

  --reset                 Begin anew; without it, the data of the last start stay
  --json                  Print who you can be as one JSON object
  --module-people NUMBER  With --reset: so many people of each module's own, to import
  --help                  Show this

Settings, from the environment: PORT (3000 otherwise) and DATA_DIR (./data/demo otherwise).
`;

/** @returns null when help was asked for. @throws Error in words for whoever typed it. */
export function readOptions(args: string[]): DemoOptions | null {
  const { values } = parseArgs({
    args,
    options: {
      json: { type: 'boolean', default: false },
      reset: { type: 'boolean', default: false },
      'module-people': { type: 'string', default: '0' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return null;
  const modulePeople = values['module-people'];
  if (!/^\d{1,6}$/.test(modulePeople)) throw new Error('--module-people takes a number, such as 3000.');
  return { json: values.json, reset: values.reset, modulePeople };
}
