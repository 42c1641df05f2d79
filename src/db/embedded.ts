// The database for whoever has none: a real PostgreSQL of our own, in the data folder, on loopback, recovered by itself.
// Owns: who runs it, keeping it alive, stopping it.
// Does not own: its files (embedded-cluster), its place (embedded-place), its programs (embedded-server, embedded-binaries).

import { realpath } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { prepareBinaries } from './embedded-binaries.ts';
import { DATABASE, prepareCluster, readPassword } from './embedded-cluster.ts';
import { explained, explainFileError, hasCode } from './embedded-errors.ts';
import { Keeper } from './embedded-keeper.ts';
import { type Claim, claim, findOwner, type Owner, type OwnerRole } from './embedded-owner.ts';
import {
  DEFAULT_BASE,
  explainPlace,
  findOrMakePlace,
  findPlace,
  makeDataDir,
  type Place,
  refuseInUse,
  removeIdleMarker,
  removePlace,
} from './embedded-place.ts';
import { type Cluster, type Log, launch, stopLeftover } from './embedded-server.ts';

export interface EmbeddedDatabase {
  /** postgres://user:password@127.0.0.1:port/unified_login */
  url: string;
  /** One line worth printing at start: where the data went, and why. */
  notice?: string;
  /** False when another process runs the server; then stop() does nothing. */
  startedHere: boolean;
  stop(): Promise<void>;
}

export interface EmbeddedOptions {
  dataDir: string;
  /** 'server': the main process, which owns the data folder; 'guest': a command, which uses a running server or starts one for its own life time. */
  role: 'server' | 'guest';
  log: Log;
  /** For tests: PostgreSQL settings, such as fsync=off. */
  settings?: Record<string, string>;
  /** For tests, which make a database each. */
  mayCreateDatabases?: boolean;
  /** For tests: where databases go that cannot stay in their data folder. */
  base?: string;
}

/** Commands end soon, so a start waits for them a while; a server stays. */
const PATIENCE_MILLISECONDS = { server: 15_000, guest: 60_000, removal: 15_000 };

export async function startEmbedded(options: EmbeddedOptions): Promise<EmbeddedDatabase> {
  const dataDir = await makeDataDir(resolve(options.dataDir));
  const base = options.base ?? DEFAULT_BASE;
  const until = Date.now() + PATIENCE_MILLISECONDS[options.role];
  for (;;) {
    const place = await findOrMakePlace(dataDir, base, options.log);
    const result = await claimPlace(place, options.role);
    if ('claim' in result) return own(place, result.claim, { ...options, base });
    if (options.role === 'guest' && result.owner.role === 'server') {
      const running = await useRunning(place, until);
      if (running) return running;
    } else if (result.owner.role === 'server' || Date.now() > until) {
      refuseInUse(dataDir, result.owner);
    }
    await sleep(50);
  }
}

/** Stops what a dead owner left running and removes the database, and nothing else of the folder. Refuses while somebody uses it. */
export async function removeEmbedded(dataDir: string, options: { base?: string; log?: Log } = {}): Promise<void> {
  const folder = await realpath(resolve(dataDir)).catch((error: unknown) => {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw explainFileError(`The data folder ${dataDir} cannot be read`, error);
  });
  if (folder === undefined) return;
  const base = options.base ?? DEFAULT_BASE;
  await removeIdleMarker(folder, base);
  const place = await findPlace(folder, base);
  if (!place) return;
  const until = Date.now() + PATIENCE_MILLISECONDS.removal;
  for (;;) {
    const result = await claimPlace(place, 'removal');
    if ('claim' in result) break;
    if (result.owner.role === 'server' || Date.now() > until) refuseInUse(folder, result.owner);
    await sleep(50);
  }
  await stopLeftover(place.data, options.log ?? (() => undefined));
  await removePlace(place);
}

async function claimPlace(place: Place, role: OwnerRole): Promise<{ claim: Claim } | { owner: Owner }> {
  try {
    return await claim(place.home, role, place.fileOwner);
  } catch (error) {
    throw explainFileError(`The embedded database's folder ${place.home} cannot be used`, error);
  }
}

async function own(place: Place, held: Claim, options: EmbeddedOptions & { base: string }): Promise<EmbeddedDatabase> {
  try {
    const machine = { platform: process.platform, arch: process.arch };
    const binaries = await prepareBinaries(machine, options.base, place.runAs);
    const password = await prepareCluster(place, binaries, options);
    const { settings, log } = options;
    const first = await launch(place, binaries, { settings, log });
    await held.publishPort(first.port);
    const keeper = new Keeper({
      first,
      log,
      isPersistent: options.role === 'server',
      relaunch: (signal) => launch(place, binaries, { settings, log, port: first.port, signal }),
    });
    const notice = explainPlace(place, binaries.isCopy ? binaries.folder : undefined);
    const stop = once(async () => {
      await keeper.stop();
      await held.release();
    });
    return { url: makeUrl(password, first.port), ...(notice ? { notice } : {}), startedHere: true, stop };
  } catch (error) {
    await held.release();
    throw error;
  }
}

/** The server of another process, once it takes connections; undefined when that process went away meanwhile. */
async function useRunning(place: Cluster, until: number): Promise<EmbeddedDatabase | undefined> {
  for (;;) {
    const owner = await findOwner(place.home);
    if (owner?.role !== 'server') return undefined;
    const password = owner.port === undefined ? undefined : await readPassword(place);
    if (owner.port !== undefined && password !== undefined) {
      const url = makeUrl(password, owner.port);
      if (await takesConnections(url)) return { url, startedHere: false, stop: async () => undefined };
    }
    if (Date.now() > until) {
      throw explained(
        `The embedded database of the running Unified Login (process ${owner.pid}) takes no connections.`,
        `Look into ${join(place.home, 'server.log')}`,
      );
    }
    await sleep(50);
  }
}

async function takesConnections(url: string): Promise<boolean> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  // An idle connection that breaks would else end the process.
  client.on('error', () => undefined);
  try {
    await client.connect();
    return true;
  } catch (error) {
    // 28P01: the server is not the one that the password belongs to; waiting does not help.
    if (hasCode(error, '28P01'))
      throw explained('The embedded database refuses its own password.', 'Restart Unified Login', error);
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}

function makeUrl(password: string, port: number): string {
  return `postgres://${DATABASE}:${password}@127.0.0.1:${port}/${DATABASE}`;
}

function once(act: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined;
  return () => {
    done ??= act();
    return done;
  };
}
