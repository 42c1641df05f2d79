// The demo's programs as child processes: started, waited for, and ended together.
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export interface Processes {
  start(name: string, script: string, environment: Record<string, string>): void;
  /** Waits until an address answers 200. */
  answers(name: string, address: string): Promise<void>;
  /** Runs an operator command and gives its JSON answer. @throws Error with the command's own words */
  command(args: string[], input?: string): Promise<Record<string, unknown>>;
  /** What a program has said so far. */
  wordsOf(name: string): string;
  onDeath(tell: (name: string, words: string) => void): void;
  stop(): Promise<void>;
}

const root = fileURLToPath(new URL('../..', import.meta.url));
/** As `npm start` runs a program. */
const cached = ['--import', './src/compile-cache.js'];
const patience = 60_000;
const lastWords = 4000;

export function createProcesses(environment: Record<string, string | undefined>): Processes {
  const children = new Map<string, { child: ChildProcess; words: string }>();
  let tellDeath: (name: string, words: string) => void = () => {};
  let isStopping = false;

  return {
    start(name, script, extra) {
      // A group of its own: Ctrl-C reaches us alone, and we end the others in order.
      const child = spawn(process.execPath, [...cached, script], {
        cwd: root,
        env: { ...environment, ...extra },
        stdio: ['ignore', 'pipe', 'pipe'],
        detached: true,
      });
      const entry = { child, words: '' };
      const listen = (chunk: Buffer) => {
        entry.words = (entry.words + chunk.toString()).slice(-lastWords);
      };
      child.stdout.on('data', listen);
      child.stderr.on('data', listen);
      child.on('exit', () => {
        children.delete(name);
        if (!isStopping) tellDeath(name, entry.words);
      });
      children.set(name, entry);
    },

    async answers(name, address) {
      const end = Date.now() + patience;
      while (Date.now() < end) {
        if (!children.has(name)) throw new Error(`${name} did not start.`);
        const isReady = await fetch(address).then(
          (answer) => answer.ok,
          () => false,
        );
        if (isReady) return;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      throw new Error(`${name} does not answer at ${address}.`);
    },

    command(args, input = '') {
      return new Promise((resolve, reject) => {
        const child = spawn(process.execPath, [...cached, 'src/cli.ts', ...args, '--json'], {
          cwd: root,
          env: environment,
        });
        let said = '';
        let complained = '';
        child.stdout.on('data', (chunk: Buffer) => {
          said += chunk.toString();
        });
        child.stderr.on('data', (chunk: Buffer) => {
          complained += chunk.toString();
        });
        child.on('error', reject);
        child.on('close', (code) =>
          code === 0 ? resolve(JSON.parse(said)) : reject(new Error(`${args[0]}: ${complained || said}`)),
        );
        child.stdin.end(input);
      });
    },

    wordsOf: (name) => children.get(name)?.words ?? '',

    onDeath(tell) {
      tellDeath = tell;
    },

    async stop() {
      isStopping = true;
      await Promise.all([...children.values()].map(({ child }) => end(child)));
    },
  };
}

function end(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.once('exit', () => resolve());
    child.kill('SIGTERM');
    setTimeout(() => child.kill('SIGKILL'), 15_000).unref();
  });
}
