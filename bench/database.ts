// Every contender has a PostgreSQL server of its own, so that its CPU time can be told apart.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { removeEmbedded, startEmbedded } from '../src/db/embedded.ts';
import { parentOf } from './measure.ts';

export interface Database {
  url: string;
  version: string;
  /** The server's main process; all its others are children of it. Absent where it cannot be seen. */
  pid: number | undefined;
  stop(): Promise<void>;
}

export async function startDatabase(folder: string, name: string): Promise<Database> {
  const dataDir = join(folder, name);
  mkdirSync(dataDir, { recursive: true });
  const embedded = await startEmbedded({ dataDir, role: 'server', log: say });
  const client = new pg.Client({ connectionString: embedded.url });
  await client.connect();
  try {
    const { rows } = await client.query<{ pid: number; version: string }>(
      `select pg_backend_pid() as pid, current_setting('server_version') as version`,
    );
    const parent = parentOf(rows[0]?.pid ?? 0);
    return {
      url: embedded.url,
      version: rows[0]?.version ?? '',
      pid: parent?.command.includes('postgres') ? parent.pid : undefined,
      async stop() {
        await embedded.stop();
        // It may live elsewhere: as root, PostgreSQL runs as a user who cannot enter every folder.
        await removeEmbedded(dataDir);
      },
    };
  } finally {
    await client.end();
  }
}

function say(message: string): void {
  process.stderr.write(`${message}\n`);
}
