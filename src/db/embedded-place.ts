// Where the database of a data folder lives: inside it, or, when the user who must run PostgreSQL cannot enter it, elsewhere.

import { createHash, randomBytes } from 'node:crypto';
import {
  access,
  chmod,
  constants,
  link,
  mkdir,
  readdir,
  readFile,
  realpath,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { explained, explainFileError, hasCode } from './embedded-errors.ts';
import { findOwner, type Owner } from './embedded-owner.ts';
import { type Cluster, type Log, stopLeftover } from './embedded-server.ts';
import { chooseRunAs, isReachable } from './embedded-user.ts';

/** Only root comes here, so a folder of the system is at hand. */
export const DEFAULT_BASE = '/var/lib/unified-login';

/** Stands in the data folder and names the place elsewhere; without it the data folder is new, and so is its database. */
const MARKER = 'postgres-location.json';

export interface Place extends Cluster {
  dataDir: string;
  isElsewhere: boolean;
}

export async function makeDataDir(dataDir: string): Promise<string> {
  try {
    const made = await mkdir(dataDir, { recursive: true });
    // Root's database runs as another user, who must pass through; what lies inside has its own, closed modes.
    if (made !== undefined) await chmod(dataDir, process.getuid?.() === 0 ? 0o711 : 0o700);
    return await realpath(dataDir);
  } catch (error) {
    throw explainFileError(`The data folder ${dataDir} cannot be made`, await findTrueReason(dataDir, error));
  }
}

/** On a read-only file system a recursive mkdir says only that the folder does not exist. */
async function findTrueReason(path: string, error: unknown): Promise<unknown> {
  if (!hasCode(error, 'ENOENT')) return error;
  const parent = dirname(path);
  return access(parent, constants.W_OK).then(
    () => error,
    (reason: unknown) => (parent === path ? error : findTrueReason(parent, reason)),
  );
}

/** The place that this folder already has. `dataDir` is a real path, as from makeDataDir. */
export async function findPlace(dataDir: string, base: string): Promise<Place | undefined> {
  const local = join(dataDir, 'postgres');
  if (await exists(join(local, 'data'))) return openLocal(dataDir, local);
  const home = await readMarker(dataDir, base);
  if (home === undefined) return undefined;
  const marker = join(dataDir, MARKER);
  if (process.getuid?.() !== 0) {
    throw explained(
      `The database of ${dataDir} was made by root and lies in ${home}.`,
      `Start as root, remove ${marker} to begin with a new and empty database`,
    );
  }
  if (!(await exists(home))) {
    throw explained(
      `The database of ${dataDir} lay in ${home}, which is gone.`,
      `Restore that folder, remove ${marker} to begin with a new and empty database`,
    );
  }
  return describe(dataDir, home, true);
}

/** The place it has, or a new one. */
export async function findOrMakePlace(dataDir: string, base: string, log: Log): Promise<Place> {
  const existing = await findPlace(dataDir, base);
  if (existing) return existing;
  const local = join(dataDir, 'postgres');
  const runAs = await chooseRunAs(join(local, 'data'));
  if (!runAs) return makeHome(dataDir, local, 0o700);
  if (await isReachable(dataDir, runAs)) return makeHome(dataDir, local, 0o711);
  return makeElsewhere(dataDir, base, log);
}

async function openLocal(dataDir: string, local: string): Promise<Place> {
  const place = await describe(dataDir, local, false);
  if (place.runAs && !(await isReachable(place.data, place.runAs))) {
    throw explained(
      `The database in ${local} belongs to the user ${place.runAs.name}, who can no longer enter that folder.`,
      'Make every folder on the way enterable again (chmod o+x)',
    );
  }
  return place;
}

async function makeHome(dataDir: string, home: string, mode: number): Promise<Place> {
  try {
    const made = await mkdir(home, { recursive: true });
    if (made !== undefined) await chmod(home, mode);
  } catch (error) {
    throw explainFileError(`The database's folder ${home} cannot be made`, error);
  }
  return describe(dataDir, home, home !== join(dataDir, 'postgres'));
}

async function describe(dataDir: string, home: string, isElsewhere: boolean): Promise<Place> {
  const data = join(home, 'data');
  const runAs = await chooseRunAs(data);
  const files = await stat(home);
  const fileOwner = runAs && files.uid !== 0 ? { uid: files.uid, gid: files.gid } : undefined;
  return { dataDir, home, data, runAs, fileOwner, isElsewhere };
}

async function makeElsewhere(dataDir: string, base: string, log: Log): Promise<Place> {
  const parent = join(base, createHash('sha256').update(dataDir).digest('hex').slice(0, 16));
  const home = join(parent, randomBytes(6).toString('hex'));
  const living = await tidyForgotten(parent, log);
  if (living) return (await findPlace(dataDir, base)) ?? refuseInUse(dataDir, living);
  for (const folder of [base, parent]) await makeHome(dataDir, folder, 0o755);
  const place = await makeHome(dataDir, home, 0o711);
  if (await writeMarker(dataDir, home)) return place;
  // Another start came first; its place counts.
  await rm(home, { recursive: true, force: true });
  return findOrMakePlace(dataDir, base, log);
}

export function refuseInUse(dataDir: string, owner: Owner): never {
  throw explained(
    `Another Unified Login (process ${owner.pid}) already uses the data folder ${dataDir}.`,
    'Stop that one first, give this one a folder of its own (DATA_DIR)',
  );
}

/**
 * Databases whose marker went away with the data folder: their servers are stopped and the latest is kept,
 * since the folder may only be missing for a while, such as a volume that is not mounted.
 */
async function tidyForgotten(parent: string, log: Log): Promise<Owner | undefined> {
  const homes = (await readdir(parent).catch(() => [])).map((name) => join(parent, name));
  const dated: { home: string; at: number }[] = [];
  for (const home of homes) {
    const owner = await findOwner(home);
    if (owner) return owner;
    await stopLeftover(join(home, 'data'), log);
    dated.push({ home, at: (await stat(home)).mtimeMs });
  }
  dated.sort((a, b) => b.at - a.at);
  if (dated[0]) log('the data folder is new, an earlier database of it is kept', { folder: dated[0].home });
  for (const { home } of dated.slice(1)) await rm(home, { recursive: true, force: true });
  return undefined;
}

/** False when the folder has a marker already. Linked into place, so that it appears whole and only once. */
async function writeMarker(dataDir: string, home: string): Promise<boolean> {
  const draft = join(dataDir, `${MARKER}.${process.pid}.draft`);
  await writeFile(draft, `${JSON.stringify({ home })}\n`, { mode: 0o644 });
  try {
    await link(draft, join(dataDir, MARKER));
    return true;
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false;
    throw explainFileError(`The data folder ${dataDir} cannot be written`, error);
  } finally {
    await rm(draft, { force: true });
  }
}

/** Root acts on what this file says, so it may name nothing but a home below the base. */
async function readMarker(dataDir: string, base: string): Promise<string | undefined> {
  const path = join(dataDir, MARKER);
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw explainFileError(`The data folder ${dataDir} cannot be read`, error);
  });
  if (text === undefined) return undefined;
  const home = parseMarker(text);
  if (home !== undefined && /^[0-9a-f]{16}\/[0-9a-f]{12}$/.test(relative(base, home))) return home;
  throw explained(
    `${path} is damaged: it names no folder below ${base}.`,
    'Restore it, remove it to begin with a new and empty database',
  );
}

function parseMarker(text: string): string | undefined {
  try {
    const { home }: { home?: unknown } = JSON.parse(text);
    return typeof home === 'string' ? home : undefined;
  } catch {
    return undefined;
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    (error: unknown) => {
      if (hasCode(error, 'ENOENT', 'ENOTDIR')) return false;
      throw explainFileError(`The embedded database's folder ${dirname(path)} cannot be read`, error);
    },
  );
}

/** One line for the start, when things are not where one would look for them. */
export function explainPlace(place: Place, binariesFolder: string | undefined): string | undefined {
  const user = place.runAs?.name ?? '';
  if (place.isElsewhere) {
    return `PostgreSQL does not run as root, and its user ${user} cannot enter ${place.dataDir}: the database lives in ${place.home}.`;
  }
  if (binariesFolder === undefined) return undefined;
  return `PostgreSQL does not run as root, and its user ${user} cannot enter node_modules: its programs run from ${binariesFolder}.`;
}

/** A marker whose database is gone is all that is left to remove. */
export async function removeIdleMarker(dataDir: string, base: string): Promise<void> {
  const home = await readMarker(dataDir, base);
  if (home !== undefined && !(await exists(home))) await rm(join(dataDir, MARKER), { force: true });
}

/** Removes the files of the database, and what names them; the caller owns them. */
export async function removePlace(place: Place): Promise<void> {
  if (place.isElsewhere) {
    await rm(join(place.dataDir, MARKER), { force: true });
    await rm(dirname(place.home), { recursive: true, force: true });
  } else {
    await rm(place.home, { recursive: true, force: true });
  }
}
