// Watches the server that this process started, brings it back when it dies, and ends it with us.

import { setTimeout as sleep } from 'node:timers/promises';
import { type Log, type Running, stopServer } from './embedded-server.ts';

export interface KeeperOptions {
  first: Running;
  log: Log;
  /** A command that lost its database fails; only a server waits for it to come back. */
  isPersistent: boolean;
  /** Starts it again on the same port, so that connection pools find it by themselves. */
  relaunch(signal: AbortSignal): Promise<Running>;
}

const FIRST_PAUSE = 100;
const LONGEST_PAUSE = 30_000;
const STEADY_AFTER = 60_000;

export function keepRunning({ first, log, isPersistent, relaunch }: KeeperOptions): { stop(): Promise<void> } {
  const ending = new AbortController();
  let current: Running | undefined = first;
  // When we end without stop(), as after an uncaught exception, the server must not stay behind.
  const endWithUs = () => {
    if (current) interrupt(current.pid);
  };
  process.once('exit', endWithUs);

  const watch = async () => {
    let pause = FIRST_PAUSE;
    while (current) {
      const startedAt = Date.now();
      const end = await current.exited;
      current = undefined;
      if (ending.signal.aborted) return;
      log('embedded database ended unexpectedly', end);
      if (!isPersistent) return;
      if (Date.now() - startedAt > STEADY_AFTER) pause = FIRST_PAUSE;
      while (!current && !ending.signal.aborted) {
        await sleep(pause, undefined, { signal: ending.signal, ref: false }).catch(() => undefined);
        pause = Math.min(pause * 2, LONGEST_PAUSE);
        if (!ending.signal.aborted) current = await relaunchOrLog();
      }
      if (!current) return;
      log('embedded database is running again', { pid: current.pid });
      // stop() saw no server to end while this one was on its way.
      if (ending.signal.aborted) await stopServer(current.pid);
    }
  };
  const relaunchOrLog = () =>
    relaunch(ending.signal).catch((error: unknown) => {
      log('embedded database cannot be started again', { error });
      return undefined;
    });
  const watching = watch();

  return {
    async stop() {
      // The server is no reason for this process to live on, but its end is.
      const untilStopped = setInterval(() => undefined, 60_000);
      try {
        ending.abort();
        if (current) await stopServer(current.pid);
        await watching;
      } finally {
        clearInterval(untilStopped);
        process.removeListener('exit', endWithUs);
      }
    },
  };
}

function interrupt(pid: number): void {
  try {
    process.kill(pid, 'SIGINT');
  } catch {
    // Gone already.
  }
}
