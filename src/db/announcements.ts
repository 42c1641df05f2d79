// Hears what other nodes announce (LISTEN/NOTIFY), on a connection of its own that comes back by itself.

import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { Log } from '../lib/log.ts';
import { watchForSilence } from './silence.ts';

export interface Listener {
  stop(): Promise<void>;
}

export interface Heartbeat {
  everyMs: number;
  /** How long the answer may take. */
  patienceMs: number;
}

/** How long, at worst, copies are believed that nobody can announce changes of any more; TCP alone would take minutes to hours. */
const steady: Heartbeat = { everyMs: 30_000, patienceMs: 10_000 };

/** Nobody's farewell takes longer. */
const farewellMs = 1000;

interface Hearing {
  log: Log;
  onAnnouncement: (payload: string) => void;
  onLost: () => void;
  onConnected: () => void;
  heartbeat?: Heartbeat;
}

/**
 * @param onLost called when announcements may be missed from now on: copies must be thrown away.
 * @param onConnected called whenever announcements arrive (again): anything may have changed until now.
 */
export function listen(url: string, channel: string, options: Hearing): Listener {
  const { everyMs, patienceMs } = options.heartbeat ?? steady;
  const watch = watchForSilence(patienceMs);
  let current: pg.Client | null = null;
  let timer: NodeJS.Timeout | null = null;
  let pulse: NodeJS.Timeout | null = null;
  let isStopped = false;
  let wait = 100;

  async function connect(): Promise<void> {
    const fresh = new pg.Client({
      connectionString: url,
      application_name: 'unified-login listener',
      connectionTimeoutMillis: 5000,
      keepAlive: true,
    });
    current = fresh;
    fresh.on('notification', ({ payload }) => options.onAnnouncement(payload ?? ''));
    fresh.on('error', () => {});
    fresh.on('end', () => again(fresh));
    try {
      await fresh.connect();
      watch(fresh);
      await fresh.query(`listen ${pg.escapeIdentifier(channel)}`);
      if (fresh !== current) return;
      wait = 100;
      beat(fresh);
      options.onConnected();
    } catch (error) {
      options.log.debug({ err: error }, 'cannot listen for announcements yet');
      again(fresh);
      void fresh.end().catch(() => {});
    }
  }

  function beat(client: pg.Client): void {
    pulse = setTimeout(async () => {
      try {
        await client.query('select');
        if (client === current) beat(client);
      } catch {
        // Whatever is wrong ends the connection, and that is heard of above.
      }
    }, everyMs);
    pulse.unref();
  }

  function again(lost: pg.Client): void {
    if (lost !== current) return;
    current = null;
    if (pulse) clearTimeout(pulse);
    if (isStopped) return;
    options.onLost();
    timer = setTimeout(() => void connect(), wait);
    timer.unref();
    wait = Math.min(wait * 2, 5000);
  }

  void connect();
  return {
    async stop() {
      isStopped = true;
      if (timer) clearTimeout(timer);
      if (pulse) clearTimeout(pulse);
      const said = current?.end().catch(() => {});
      await Promise.race([said, sleep(farewellMs, undefined, { ref: false })]);
    },
  };
}
