// The operator's commands: npm run --silent cli -- <command> [options] [--json]
import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { ConfigError, loadConfig } from '../config/load.ts';
import { startProblem } from '../config/start-problem.ts';
import { openDatabase } from '../db/open.ts';
import { AppError } from '../lib/errors.ts';
import { createLog } from '../lib/log.ts';
import { createRuntime } from '../runtime.ts';
import { type Command, commands, findCommand } from './commands.ts';
import { parseOptions, Unconfirmed } from './options.ts';

const say = (line: string) => process.stdout.write(`${line}\n`);

function help(): void {
  say('Usage: npm run --silent cli -- <command> [options] [--json]\n');
  for (const { name, summary, options } of commands) {
    say(`  ${name.padEnd(16)} ${summary}`);
    for (const [option, { about, required }] of Object.entries(options))
      say(`      --${option.padEnd(28)} ${about}${required ? ' (required)' : ''}`);
  }
}

async function readStandardInput(): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString('utf8');
}

async function run(command: Command, args: string[], asJson: boolean): Promise<void> {
  const config = loadConfig(process.env);
  if (command.runWithoutDatabase) {
    const result = await command.runWithoutDatabase(config, parseOptions(command.options, args));
    say(asJson ? JSON.stringify(result.json) : result.text);
    return;
  }
  // Standard output belongs to the answer.
  const log = createLog('silent');
  const database = await openDatabase(config, 'guest', () => {});
  try {
    const runtime = await createRuntime({
      config,
      databaseUrl: database.url,
      encryptionKeys: database.encryptionKeys,
      log,
      isTool: true,
    }).catch((error: unknown) => {
      throw error instanceof TypeError ? error : new Error(startProblem(error, config), { cause: error });
    });
    try {
      const result = await command.run({
        runtime,
        work: runtime.work(
          { kind: 'operator', name: process.env.USER ?? 'operator' },
          { requestId: 'cli', ip: '', agent: 'operator command' },
        ),
        options: parseOptions(command.options, args),
        readStandardInput,
        readFile: (path) => readFile(path),
      });
      say(asJson ? JSON.stringify(result.json) : result.text);
      if (result.failed) process.exitCode = 1;
    } finally {
      await runtime.stop();
    }
  } finally {
    await database.stop();
  }
}

function explain(error: unknown, asJson: boolean): void {
  const message = error instanceof Error ? error.message : String(error);
  const fields = error instanceof AppError ? error.fields : {};
  process.stderr.write(asJson ? `${JSON.stringify({ error: message, fields })}\n` : `${message}\n`);
  // A bug is shown with its trace; a refusal is a sentence.
  if (
    !asJson &&
    !(error instanceof AppError) &&
    !(error instanceof ConfigError) &&
    error instanceof TypeError &&
    error.stack
  )
    process.stderr.write(`${error.stack}\n`);
  process.exitCode = error instanceof Unconfirmed ? 2 : 1;
}

const [name = 'help', ...rest] = process.argv.slice(2);
const asJson = rest.includes('--json');
const args = rest.filter((arg) => arg !== '--json');
const command = findCommand(name);
if (name === 'help' || name === '--help' || parseArgs({ args: rest, strict: false }).values.help) help();
else if (!command) explain(new Error(`There is no command "${name}". See: npm run --silent cli -- help`), asJson);
else await run(command, args, asJson).catch((error) => explain(error, asJson));
