// The database that the settings ask for, and the keys that fit it.

import { readOrCreateKeys } from '../config/keys.ts';
import type { Config } from '../config/load.ts';

export interface OpenDatabase {
  url: string;
  encryptionKeys: Buffer[];
  /** One line worth telling at start. */
  notice: string | undefined;
  stop(): Promise<void>;
}

/** @param role a `guest` (a command) uses a running embedded server; a `server` owns it. */
export async function openDatabase(
  config: Config,
  role: 'server' | 'guest',
  log: (message: string, data?: object) => void,
): Promise<OpenDatabase> {
  if (config.databaseUrl) {
    return {
      url: config.databaseUrl,
      encryptionKeys: config.encryptionKeys ?? [],
      notice: undefined,
      stop: async () => {},
    };
  }
  const { startEmbedded } = await import('./embedded.ts');
  const embedded = await startEmbedded({ dataDir: config.dataDir, role, log });
  const encryptionKeys = config.encryptionKeys ?? (await readOrCreateKeys(config.dataDir));
  return { url: embedded.url, encryptionKeys, notice: embedded.notice, stop: () => embedded.stop() };
}
