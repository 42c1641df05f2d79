// Starts the holder program and talks with it, so that a test can kill it as a crash would.

import { type ChildProcess, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Client, type QueryResultRow } from 'pg';

export interface Line {
  url?: string;
  notice?: string;
  startedHere?: boolean;
  error?: string;
  log?: string;
  stopped?: boolean;
}

export interface Holder {
  pid: number;
  process: ChildProcess;
  /** Resolves with the first line that fits, also one that has come already. */
  line(fits: (line: Line) => boolean): Promise<Line>;
  /** The line that says where the database is. */
  started(): Promise<Line & { url: string }>;
  /** What a start that must fail said. */
  refused(): Promise<string>;
  /** SIGTERM, and waits for the end. */
  end(): Promise<void>;
  /** As the kernel's out-of-memory killer would. */
  kill(): Promise<void>;
}

const PROGRAM = join(import.meta.dirname, 'holder.ts');
const holders = new Set<Holder>();

export function hold(
  dataDir: string,
  options: { role?: 'server' | 'guest'; base?: string; uid?: number; errors?: 'ignore' } = {},
): Holder {
  const child: ChildProcess = spawn(
    process.execPath,
    [PROGRAM, dataDir, options.role ?? 'server', options.base ?? ''],
    {
      // A group of its own, as a terminal gives to a program in the foreground.
      detached: true,
      cwd: '/',
      stdio: ['ignore', 'pipe', options.errors ?? 'inherit'],
      ...(options.uid === undefined ? {} : { uid: options.uid, gid: options.uid }),
    },
  );
  const lines: Line[] = [];
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  if (!child.stdout) throw new Error('a pipe was asked for');
  const reader = createInterface({ input: child.stdout });
  const waiting = new Set<() => void>();
  reader.on('line', (text) => {
    lines.push(JSON.parse(text));
    for (const check of waiting) check();
  });
  const line = (fits: (line: Line) => boolean) =>
    new Promise<Line>((resolve, reject) => {
      const check = () => {
        const found = lines.find(fits);
        if (!found) return;
        waiting.delete(check);
        resolve(found);
      };
      waiting.add(check);
      reader.once('close', () => reject(new Error(`the holder ended and had said: ${JSON.stringify(lines)}`)));
      check();
    });
  const holder: Holder = {
    pid: child.pid ?? 0,
    process: child,
    line,
    async started() {
      const outcome = await line(hasOutcome);
      if (outcome.url === undefined) throw new Error(outcome.error);
      return { ...outcome, url: outcome.url };
    },
    async refused() {
      const { error } = await line(hasOutcome);
      if (error === undefined) throw new Error('it started');
      return error;
    },
    async end() {
      child.kill('SIGTERM');
      await exited;
      holders.delete(holder);
    },
    async kill() {
      child.kill('SIGKILL');
      await exited;
      holders.delete(holder);
    },
  };
  holders.add(holder);
  return holder;
}

function hasOutcome({ url, error }: Line): boolean {
  return url !== undefined || error !== undefined;
}

export async function endAllHolders(): Promise<void> {
  for (const holder of [...holders]) await holder.end();
}

export async function query<Row extends QueryResultRow>(url: string, sql: string): Promise<Row[]> {
  const client = new Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query<Row>(sql)).rows;
  } finally {
    await client.end();
  }
}

export async function readServerPid(home: string): Promise<number> {
  return Number((await readFile(join(home, 'data', 'postmaster.pid'), 'utf8')).split('\n')[0]);
}
