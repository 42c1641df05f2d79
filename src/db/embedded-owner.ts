// Who may run the database of a folder: one owner at a time, named by process number and start time.
//
// Every candidate announces itself in a file of its own and then looks for living others.
// Of two candidates the later one always sees the earlier, so two can never both own the folder,
// and the file of a dead owner can be removed without taking away that of a living one.

import { randomBytes } from 'node:crypto';
import { chown, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hasCode } from './embedded-errors.ts';
import { findStartTime, isSameProcess } from './embedded-process.ts';

/** A server keeps the database for long; a guest (a command) and a removal let go soon. */
export type OwnerRole = 'server' | 'guest' | 'removal';

export interface Owner {
  pid: number;
  startedAt: string;
  role: OwnerRole;
  /** Claiming: has announced itself and may still step back. */
  phase: 'claiming' | 'owning';
  /** The port of the running server, once it accepts connections. */
  port?: number;
}

export interface Claim {
  publishPort(port: number): Promise<void>;
  release(): Promise<void>;
}

export interface FileOwner {
  uid: number;
  gid: number;
}

const FOLDER = 'owners';

export async function claim(
  home: string,
  role: OwnerRole,
  fileOwner?: FileOwner,
): Promise<{ claim: Claim } | { owner: Owner }> {
  const folder = join(home, FOLDER);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  if (fileOwner) await chown(folder, fileOwner.uid, fileOwner.gid);
  const own = `${process.pid}-${randomBytes(6).toString('hex')}.json`;
  const self: Owner = {
    pid: process.pid,
    startedAt: (await findStartTime(process.pid)) ?? '',
    role,
    phase: 'claiming',
  };
  const announce = (owner: Owner) => writeWhole(folder, own, owner, fileOwner);
  for (let attempt = 1; ; attempt++) {
    await announce(self);
    const others = await livingOwners(folder, own);
    if (others.length === 0) return { claim: await hold(folder, own, self, announce) };
    await rm(join(folder, own), { force: true });
    const other = others.find((owner) => owner.phase === 'owning') ?? (attempt >= 20 ? others[0] : undefined);
    if (other) return { owner: other };
    // Two candidates that saw each other both step back; a random pause parts them.
    await new Promise((resolve) => setTimeout(resolve, 5 + Math.random() * 40));
  }
}

async function hold(
  folder: string,
  own: string,
  self: Owner,
  announce: (owner: Owner) => Promise<void>,
): Promise<Claim> {
  const owner: Owner = { ...self, phase: 'owning' };
  await announce(owner);
  return {
    publishPort: (port) => announce({ ...owner, port }),
    release: () => rm(join(folder, own), { force: true }),
  };
}

/** The one who owns the folder now, or is about to. */
export async function findOwner(home: string): Promise<Owner | undefined> {
  const owners = await livingOwners(join(home, FOLDER));
  return owners.find((owner) => owner.phase === 'owning') ?? owners[0];
}

async function livingOwners(folder: string, except?: string): Promise<Owner[]> {
  const names = await readdir(folder).catch((error: unknown) => {
    if (hasCode(error, 'ENOENT')) return [];
    throw error;
  });
  const living: Owner[] = [];
  for (const name of names) {
    if (name === except || !name.endsWith('.json')) continue;
    const owner = parseOwner(await readFile(join(folder, name), 'utf8').catch(nothingIfGone));
    if (owner && (await isSameProcess(owner.pid, owner.startedAt))) living.push(owner);
    else await rm(join(folder, name), { force: true });
  }
  return living;
}

function nothingIfGone(error: unknown): undefined {
  if (!hasCode(error, 'ENOENT')) throw error;
}

/** A file that a power cut emptied names nobody who still lives. */
function parseOwner(text: string | undefined): Owner | undefined {
  try {
    const value: Partial<Owner> | null = JSON.parse(text ?? 'null');
    if (!value || typeof value.pid !== 'number' || typeof value.startedAt !== 'string') return undefined;
    const { pid, startedAt, role = 'server', phase = 'owning', port } = value;
    return { pid, startedAt, role, phase, ...(port === undefined ? {} : { port }) };
  } catch {
    return undefined;
  }
}

/** Readers see the old file or the new one, never a half. */
async function writeWhole(folder: string, name: string, owner: Owner, fileOwner?: FileOwner): Promise<void> {
  const draft = join(folder, `${name}.draft`);
  await writeFile(draft, JSON.stringify(owner), { mode: 0o600 });
  if (fileOwner) await chown(draft, fileOwner.uid, fileOwner.gid);
  await rename(draft, join(folder, name));
}
