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

export class Keeper {
  private readonly options: KeeperOptions;
  private readonly ending = new AbortController();
  private readonly watching: Promise<void>;
  private current: Running | undefined;

  constructor(options: KeeperOptions) {
    this.options = options;
    this.current = options.first;
    process.once('exit', this.endWithUs);
    this.watching = this.watch();
  }

  async stop(): Promise<void> {
    // The server is no reason for this process to live on, but its end is.
    const untilStopped = setInterval(() => undefined, 60_000);
    try {
      this.ending.abort();
      if (this.current) await stopServer(this.current.pid);
      await this.watching;
    } finally {
      clearInterval(untilStopped);
      process.removeListener('exit', this.endWithUs);
    }
  }

  /** When we end without stop(), as after an uncaught exception, the server must not stay behind. */
  private readonly endWithUs = (): void => {
    if (this.current) interrupt(this.current.pid);
  };

  private async watch(): Promise<void> {
    let pause = FIRST_PAUSE;
    while (this.current) {
      const startedAt = Date.now();
      const end = await this.current.exited;
      this.current = undefined;
      if (this.ending.signal.aborted) return;
      this.options.log('embedded database ended unexpectedly', end);
      if (!this.options.isPersistent) return;
      if (Date.now() - startedAt > STEADY_AFTER) pause = FIRST_PAUSE;
      pause = await this.bringBack(pause);
    }
  }

  /** Answers the pause before the attempt after the next death. */
  private async bringBack(pause: number): Promise<number> {
    const { log, relaunch } = this.options;
    const { signal } = this.ending;
    let next = pause;
    while (!this.current) {
      await sleep(next, undefined, { signal, ref: false }).catch(() => undefined);
      if (signal.aborted) return next;
      next = Math.min(next * 2, LONGEST_PAUSE);
      try {
        this.current = await relaunch(signal);
        log('embedded database is running again', { pid: this.current.pid });
        // stop() saw no server to end while this one was on its way.
        if (signal.aborted) await stopServer(this.current.pid);
      } catch (error) {
        if (!signal.aborted) log('embedded database cannot be started again', { error });
      }
    }
    return next;
  }
}

function interrupt(pid: number): void {
  try {
    process.kill(pid, 'SIGINT');
  } catch {
    // Gone already.
  }
}
