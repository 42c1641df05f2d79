// The product as an operator runs it: as `npm start`, in a process of its own, on loopback, for a bounded time.
import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './app.ts';
import { root } from './sources.ts';
import { Visitor } from './visitor.ts';

export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
}

export interface Server {
  url: string;
  port: number;
  pid: number;
  /** All that it has said so far, on both streams. */
  output(): string;
  /** Lines of its log that are JSON, as objects. */
  log(): Record<string, unknown>[];
  visitor(): Visitor;
  signal(name: NodeJS.Signals): void;
  ended: Promise<Ended>;
  /** Ends it in order. */
  stop(): Promise<Ended>;
}

const running = new Set<ChildProcess>();
// A test that fails halfway leaves nothing running.
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

function launch(environment: Record<string, string>) {
  const child = spawn(process.execPath, ['--import', './src/compile-cache.js', 'src/main.ts'], {
    cwd: root,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, LOG_LEVEL: 'info', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  const chunks: string[] = [];
  const errors: string[] = [];
  child.stdout.setEncoding('utf8').on('data', (text: string) => chunks.push(text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => errors.push(text));
  const ended = new Promise<Ended>((resolve) => {
    // `close`, not `exit`: then all that it said has arrived.
    child.once('close', (code, signal) => {
      running.delete(child);
      resolve({ code, signal });
    });
  });
  return { child, ended, output: () => chunks.join('') + errors.join(''), errors: () => errors.join('') };
}

/** @param environment without PORT: a free one is found. @throws when it ends or says nothing within 30 seconds */
export async function startServer(environment: Record<string, string>): Promise<Server> {
  const port = environment.PORT === undefined ? await freePort() : Number(environment.PORT);
  const url = environment.PUBLIC_URL ?? `http://localhost:${port}`;
  const { child, ended, output } = launch({ PORT: String(port), ...environment });
  let isOver = false;
  void ended.then(() => {
    isOver = true;
  });
  for (const until = Date.now() + 30_000; !output().includes('is ready at'); await sleep(20)) {
    if (!isOver && Date.now() < until) continue;
    child.kill('SIGKILL');
    throw new Error(`the server did not start:\n${output()}`);
  }
  return {
    url,
    port,
    pid: child.pid ?? 0,
    output,
    log: () =>
      output()
        .split('\n')
        .filter((line) => line.startsWith('{'))
        .map((line): Record<string, unknown> => JSON.parse(line)),
    visitor: () => new Visitor(url, port),
    signal: (name) => void child.kill(name),
    ended,
    async stop() {
      child.kill('SIGTERM');
      return ended;
    },
  };
}

/** A start that is expected to fail: how it ended, and what it told the operator. */
export async function startInVain(
  environment: Record<string, string>,
): Promise<Ended & { said: string; errors: string }> {
  const { child, ended, output, errors } = launch({ PORT: '0', ...environment });
  const timer = setTimeout(() => child.kill('SIGKILL'), 20_000);
  const result = await ended;
  clearTimeout(timer);
  return { ...result, said: output(), errors: errors() };
}
