// Starts the server: read settings, open the database, listen, drain on SIGTERM.
import cluster from 'node:cluster';
import { type Config, ConfigError, loadConfig } from './config/load.ts';
import { startProblem } from './config/start-problem.ts';
import { keepHeapSmall, settleHeap } from './lib/heap.ts';
import { createLog, type Log } from './lib/log.ts';
import { passQuestionsOn } from './lib/siblings.ts';
import type { Work } from './work.ts';

const drainTime = 10_000;

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function fail(error: unknown, config: Config, log: Log): never {
  process.stderr.write(`Unified Login could not start: ${startProblem(error, config)}\n`);
  log.debug({ err: error }, 'start failed');
  process.exit(1);
}

async function serve(config: Config, log: Log): Promise<void> {
  // Loaded here and not above: the primary of several processes serves nobody, and needs none of it.
  const { openDatabase } = await import('./db/open.ts');
  const { createRuntime } = await import('./runtime.ts');
  const { listenOn } = await import('./server.ts');
  const database = await openDatabase(config, 'server', (message, data) => log.info({ ...data }, message));
  if (database.notice) say(`Note: ${database.notice}`);
  const runtime = await createRuntime({
    config,
    databaseUrl: database.url,
    encryptionKeys: database.encryptionKeys,
    log,
  }).catch(async (error) => {
    await database.stop();
    throw error;
  });
  const server = await listenOn(runtime, config.host, config.port).catch(async (error) => {
    await runtime.stop();
    await database.stop();
    throw error;
  });
  await runtime.start();
  settleHeap();

  let isStopping = false;
  const stop = async (signal: string) => {
    if (isStopping) return;
    isStopping = true;
    log.info({ signal }, 'draining');
    await server.drain(drainTime);
    await runtime.stop();
    await database.stop();
    process.exit(0);
  };
  process.on('SIGTERM', () => void stop('SIGTERM'));
  process.on('SIGINT', () => void stop('SIGINT'));

  if (!cluster.isWorker || cluster.worker?.id === 1)
    await greet(config, runtime.work({ kind: 'system', name: 'start' }));
}

async function greet(config: Config, work: Work): Promise<void> {
  const { offerInstallation } = await import('./domain/users/company-commands.ts');
  say(`${config.brandName} is ready at ${config.publicUrl}`);
  const link = await offerInstallation(work);
  if (link) say(`There is no company yet. Set up the first one within 24 hours, with this link, once:\n  ${link}`);
  if (!config.smtpUrl && !config.isDemo) say('SMTP_URL is not set: mails are kept in the database and not sent.');
}

/** Several processes on one port: the primary only keeps them alive. */
function supervise(config: Config, log: Log): void {
  let isStopping = false;
  passQuestionsOn();
  for (let i = 0; i < config.workers; i += 1) cluster.fork();
  cluster.on('exit', (worker, code) => {
    if (!isStopping && code !== 0) {
      log.error({ pid: worker.process.pid, code }, 'a worker died; starting another');
      setTimeout(() => cluster.fork(), 1000);
    }
    if (Object.keys(cluster.workers ?? {}).length === 0) process.exit(isStopping ? 0 : 1);
  });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      isStopping = true;
      for (const worker of Object.values(cluster.workers ?? {})) worker?.process.kill('SIGTERM');
    });
  }
}

keepHeapSmall();
try {
  const config = loadConfig(process.env);
  const log = createLog(config.logLevel, config.workers > 1 ? { pid: process.pid } : {});
  if (config.workers > 1 && cluster.isPrimary) supervise(config, log);
  else await serve(config, log).catch((error) => fail(error, config, log));
} catch (error) {
  process.stderr.write(
    error instanceof ConfigError ? `${error.message}\n` : `Unified Login could not start: ${error}\n`,
  );
  process.exit(1);
}
