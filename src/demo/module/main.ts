/**
 * A module as its own program: `node src/demo/module/main.ts`, set up by the environment (see config.ts).
 * It says one line when it listens, logs JSON lines, and ends with 0 on SIGTERM after the last answer.
 */
import { pino } from 'pino';
import { readConfig } from './config.ts';
import { startModule } from './server.ts';

const config = readConfig(process.env);
if ('problems' in config) {
  process.stderr.write(
    `The settings of this module can't work:\n${config.problems.map((line) => `  ${line}\n`).join('')}`,
  );
  process.exit(2);
}

const log = pino({ level: config.logLevel, base: { module: config.name } });
try {
  const running = await startModule(config, log);
  process.stdout.write(`${config.name} listens on ${running.url}\n`);
  let isStopping = false;
  const stop = () => {
    if (isStopping) return;
    isStopping = true;
    running.stop().then(() => process.exit(0));
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
} catch (error) {
  process.stderr.write(`${config.name} can't start: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}
