// The table of operator commands.
import type { Config } from '../config/load.ts';
import type { Runtime } from '../runtime.ts';
import type { Work } from '../work.ts';
import { auditCommands } from './audit-commands.ts';
import { companyCommands } from './company-commands.ts';
import { contractCommands } from './contract-commands.ts';
import { instanceCommands } from './instance-commands.ts';
import { maintenanceCommands } from './maintenance-commands.ts';
import { moduleCommands } from './module-commands.ts';
import type { OptionSpecs, Options } from './options.ts';
import { userCommands } from './user-commands.ts';

export interface CommandInput {
  runtime: Runtime;
  work: Work;
  options: Options;
  readStandardInput(): Promise<string>;
  readFile(path: string): Promise<Buffer>;
}

export interface CommandResult {
  json: unknown;
  /** The same for people. */
  text: string;
  failed?: boolean;
}

export interface Command {
  name: string;
  summary: string;
  options: OptionSpecs;
  run(input: CommandInput): Promise<CommandResult>;
  /** In place of `run`, for what must happen while no database is open. */
  runWithoutDatabase?(config: Config, options: Options): Promise<CommandResult>;
}

export const commands: Command[] = [
  ...companyCommands,
  ...moduleCommands,
  ...instanceCommands,
  ...userCommands,
  ...maintenanceCommands,
  ...auditCommands,
  ...contractCommands,
];

export function findCommand(name: string): Command | undefined {
  return commands.find((command) => command.name === name);
}
