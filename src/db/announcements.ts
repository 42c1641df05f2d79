// Hears what other nodes announce (LISTEN/NOTIFY), on a connection of its own that comes back by itself.
import pg from 'pg';
import type { Log } from '../lib/log.ts';

export interface Listener {
  stop(): Promise<void>;
}

/**
 * @param onLost called when announcements may be missed from now on: copies must be thrown away.
 * @param onConnected called whenever announcements arrive (again): anything may have changed until now.
 */
export function listen(
  url: string,
  channel: string,
  options: { log: Log; onAnnouncement: (payload: string) => void; onLost: () => void; onConnected: () => void },
): Listener {
  let client: pg.Client | null = null;
  let timer: NodeJS.Timeout | null = null;
  let isStopped = false;
  let wait = 100;

  async function connect(): Promise<void> {
    const fresh = new pg.Client({
      connectionString: url,
      application_name: 'unified-login listener',
      connectionTimeoutMillis: 5000,
      keepAlive: true,
    });
    fresh.on('notification', ({ payload }) => options.onAnnouncement(payload ?? ''));
    fresh.on('error', () => {});
    fresh.on('end', () => again());
    try {
      await fresh.connect();
      await fresh.query(`listen ${pg.escapeIdentifier(channel)}`);
      client = fresh;
      wait = 100;
      options.onConnected();
    } catch (error) {
      options.log.debug({ err: error }, 'cannot listen for announcements yet');
      again();
    }
  }

  function again(): void {
    client = null;
    if (isStopped || timer) return;
    options.onLost();
    timer = setTimeout(() => {
      timer = null;
      void connect();
    }, wait);
    timer.unref();
    wait = Math.min(wait * 2, 5000);
  }

  void connect();
  return {
    async stop() {
      isStopped = true;
      if (timer) clearTimeout(timer);
      await client?.end().catch(() => {});
    },
  };
}
