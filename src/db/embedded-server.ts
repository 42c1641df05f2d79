// Runs PostgreSQL's programs on one cluster of files: make it, start it, stop it, whatever state it was left in.

import { spawn } from 'node:child_process';
import { chown, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Binaries } from './embedded-binaries.ts';
import { explained, explainFileError, explainProgramFailure, explainSpawnError, hasCode } from './embedded-errors.ts';
import type { FileOwner } from './embedded-owner.ts';
import { findStartTime, isPostgresOf, waitUntilGone } from './embedded-process.ts';
import type { RunAs } from './embedded-user.ts';

export type Log = (message: string, data?: object) => void;

export interface Cluster {
  /** Our own files: the password, the log, who owns it. */
  home: string;
  /** PostgreSQL's files. */
  data: string;
  runAs?: RunAs | undefined;
  /** Set when root works on the files of somebody else, who must be able to use them later. */
  fileOwner?: FileOwner | undefined;
}

export interface Running {
  pid: number;
  port: number;
  exited: Promise<{ code: number | null; signal: string | null }>;
}

export interface LaunchOptions {
  /** Unset: any free one. */
  port?: number | undefined;
  settings?: Record<string, string> | undefined;
  log: Log;
  signal?: AbortSignal | undefined;
}

/** For a small server; an acknowledged commit is on the disk. */
const SETTINGS = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  fsync: 'on',
  full_page_writes: 'on',
  synchronous_commit: 'on',
  max_connections: '100',
  shared_buffers: '64MB',
  max_wal_size: '256MB',
  max_parallel_workers_per_gather: '0',
  max_logical_replication_workers: '0',
  // Reads come from memory here, so PostgreSQL 18's own read workers would only cost processes.
  io_method: 'sync',
  jit: 'off',
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_checkpoints: 'off',
  // Refused statements are the product's to report; with their text the file could come to hold secrets.
  log_min_messages: 'log',
  log_min_error_statement: 'panic',
  cluster_name: 'unified_login',
};

/** Nothing of our own environment reaches PostgreSQL: it holds our secrets, and settings such as PGPORT. */
const ENVIRONMENT = { LC_ALL: 'C', PATH: '/usr/bin:/bin' };

const LOG_LIMIT_BYTES = 1_000_000;

export function logFile(cluster: Cluster): string {
  return join(cluster.home, 'server.log');
}

function identity(cluster: Cluster): { uid?: number; gid?: number } {
  return cluster.runAs ? { uid: cluster.runAs.uid, gid: cluster.runAs.gid } : {};
}

/** Runs a program to its end; `input` goes to its standard input. */
export async function runProgram(
  cluster: Cluster,
  program: string,
  options: { parameters: string[]; input?: string; purpose: string },
): Promise<void> {
  const child = spawn(program, options.parameters, {
    cwd: '/',
    env: ENVIRONMENT,
    ...identity(cluster),
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let output = '';
  const collect = (chunk: Buffer) => {
    output += chunk.toString('utf8');
  };
  child.stdout.on('data', collect);
  child.stderr.on('data', collect);
  // A program that ends early closes its input; its exit code tells the story.
  child.stdin.on('error', () => undefined);
  child.stdin.end(options.input ?? '');
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', (error) => reject(explainSpawnError(program, error)));
    child.once('close', resolve);
  });
  if (code !== 0) throw explainProgramFailure(options.purpose, output);
}

/** Starts the server and waits until it takes connections, through crash recovery if need be. */
export async function launch(cluster: Cluster, binaries: Binaries, options: LaunchOptions): Promise<Running> {
  for (let attempt = 1; ; attempt++) {
    await stopLeftover(cluster.data, options.log);
    const port = options.port ?? (await findFreePort());
    const result = await launchOnce(cluster, binaries, { ...options, port });
    if ('pid' in result) return result;
    const mayPass = /pre-existing shared memory block|lock file ".*" already exists/.test(result.output);
    const portTaken = options.port === undefined && /Address already in use/.test(result.output);
    if (attempt > (mayPass ? 80 : 3) || !(mayPass || portTaken)) {
      throw explainProgramFailure(`The embedded database in ${cluster.data} did not start`, result.output);
    }
    // After kill -9 of the server its sessions end within moments of noticing; until then the files are theirs.
    await sleep(250);
  }
}

async function launchOnce(
  cluster: Cluster,
  binaries: Binaries,
  options: LaunchOptions & { port: number },
): Promise<Running | { output: string }> {
  const log = await openLog(cluster);
  const begin = (await log.stat()).size;
  const settings = Object.entries({ ...SETTINGS, ...options.settings, port: String(options.port) });
  const program = join(binaries.folder, 'postgres');
  // A session of its own: Ctrl-C reaches every process of the terminal's group, and the database must outlive the drain.
  const child = spawn(
    program,
    ['-D', cluster.data, ...settings.flatMap(([name, value]) => ['-c', `${name}=${value}`])],
    {
      cwd: '/',
      detached: true,
      env: ENVIRONMENT,
      ...identity(cluster),
      stdio: ['ignore', log.fd, log.fd],
    },
  );
  child.unref();
  const exited = new Promise<{ code: number | null; signal: string | null }>((resolve, reject) => {
    child.once('error', (error) => reject(explainSpawnError(program, error)));
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });
  await log.close();
  const ready = await Promise.race([waitUntilReady(cluster.data, child, options), exited.then(() => false)]);
  if (ready && child.pid !== undefined) return { pid: child.pid, port: options.port, exited };
  return { output: await readFrom(logFile(cluster), begin) };
}

/** PostgreSQL writes its state into the eighth line of its pid file, for pg_ctl. */
async function waitUntilReady(
  data: string,
  child: { pid?: number | undefined; exitCode: number | null; signalCode: string | null },
  options: LaunchOptions,
): Promise<boolean> {
  const began = Date.now();
  let nextNote = 5_000;
  while (child.pid !== undefined && child.exitCode === null && child.signalCode === null) {
    const lines = await readPidFile(data);
    if (Number(lines[0]) === child.pid && lines[7]?.trim() === 'ready') return true;
    if (options.signal?.aborted) await stopServer(child.pid);
    if (Date.now() - began > nextNote) {
      nextNote *= 2;
      options.log('embedded database is still starting', { seconds: Math.round((Date.now() - began) / 1000) });
    }
    await sleep(10);
  }
  // Ended, or never begun: the exit and error events say which.
  return new Promise(() => undefined);
}

async function readPidFile(data: string): Promise<string[]> {
  const text = await readFile(join(data, 'postmaster.pid'), 'utf8').catch((error: unknown) => {
    if (hasCode(error, 'ENOENT')) return '';
    throw explainFileError(`The embedded database's folder ${data} cannot be read`, error);
  });
  return text.split('\n');
}

/** A server whose parent was killed runs on. Only its rightful owner calls this, so nobody is working with it. */
export async function stopLeftover(data: string, log: Log): Promise<void> {
  const pid = Number((await readPidFile(data))[0]);
  if (!Number.isInteger(pid) || pid <= 0) return;
  if (await isPostgresOf(pid, data)) {
    log('stopping an embedded database that was left running', { pid });
    await stopServer(pid);
    return;
  }
  // PostgreSQL itself forgives a dead process, but not that its number belongs to another program now, as after a reboot.
  // What still works on the files is found by their shared memory, without this file.
  if (isTaken(pid)) await rm(join(data, 'postmaster.pid'), { force: true });
}

function isTaken(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return hasCode(error, 'EPERM');
  }
}

/** Fast shutdown: ends the sessions, writes everything, goes. Immediate shutdown as a last resort loses nothing either. */
export async function stopServer(pid: number): Promise<void> {
  const startedAt = await findStartTime(pid);
  if (startedAt === undefined) return;
  for (const [signal, milliseconds] of [
    ['SIGINT', 30_000],
    ['SIGQUIT', 10_000],
  ] as const) {
    try {
      process.kill(pid, signal);
    } catch (error) {
      if (hasCode(error, 'ESRCH')) return;
      throw explained(`The PostgreSQL left running as process ${pid} belongs to another user.`, 'Stop it', error);
    }
    if (await waitUntilGone(pid, startedAt, milliseconds)) return;
  }
  throw explained(`The embedded database (process ${pid}) does not stop.`, 'Look at why, and stop it');
}

async function openLog(cluster: Cluster) {
  const path = logFile(cluster);
  try {
    const size = await stat(path).then(
      (file) => file.size,
      () => 0,
    );
    if (size > LOG_LIMIT_BYTES) await rename(path, `${path}.old`);
    const file = await open(path, 'a', 0o600);
    if (cluster.fileOwner) await chown(path, cluster.fileOwner.uid, cluster.fileOwner.gid);
    return file;
  } catch (error) {
    throw explainFileError(`The embedded database's log ${path} cannot be written`, error);
  }
}

async function readFrom(path: string, begin: number): Promise<string> {
  return (await readFile(path)).subarray(begin).toString('utf8');
}

async function findFreePort(): Promise<number> {
  const probe = createServer();
  return new Promise((resolve, reject) => {
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      const port = typeof address === 'object' && address ? address.port : 0;
      probe.close(() => resolve(port));
    });
  });
}
