// PostgreSQL refuses to run as root; this says as whom it runs instead, and where that user may go.

import { execFile } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface RunAs {
  uid: number;
  gid: number;
  /** For messages. */
  name: string;
}

const SYSTEM_USER = 'postgres';

/** Traditional numbers of the user without rights; spawning needs no entry in /etc/passwd. */
const NOBODY: RunAs = { uid: 65534, gid: 65534, name: 'nobody' };

/** Files that a database already has decide; undefined means: as ourselves, since we are not root. */
export async function chooseRunAs(existingData: string): Promise<RunAs | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const files = await stat(existingData).catch(() => undefined);
  if (files && files.uid !== 0) return { uid: files.uid, gid: files.gid, name: await nameOf(files.uid) };
  return (await findUser(SYSTEM_USER)) ?? (await createUser()) ?? (await findUser(NOBODY.name)) ?? NOBODY;
}

async function findUser(name: string): Promise<RunAs | undefined> {
  try {
    const [uid, gid] = await Promise.all([system('id', ['-u', name]), system('id', ['-g', name])]);
    return { uid: Number(uid), gid: Number(gid), name };
  } catch {
    return undefined;
  }
}

async function nameOf(uid: number): Promise<string> {
  return system('id', ['-un', String(uid)]).catch(() => `number ${uid}`);
}

async function createUser(): Promise<RunAs | undefined> {
  try {
    // The group may be there already; if it truly cannot be made, useradd says so.
    await system('groupadd', ['--system', SYSTEM_USER]).catch(() => undefined);
    const home = ['--no-create-home', '--home-dir', '/nonexistent', '--shell', '/usr/sbin/nologin'];
    await system('useradd', ['--system', '--gid', SYSTEM_USER, ...home, SYSTEM_USER]);
    return await findUser(SYSTEM_USER);
  } catch {
    return undefined;
  }
}

async function system(program: string, parameters: string[]): Promise<string> {
  const { stdout } = await run(program, parameters, { env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' } });
  return stdout.trim();
}

interface Permissions {
  mode: number;
  uid: number;
  gid: number;
}

/** POSIX: the first class that fits decides, also when a later one would give more. */
export function hasPermission(
  wanted: 'read' | 'enter',
  file: Permissions,
  user: { uid: number; gid: number },
): boolean {
  const bit = wanted === 'read' ? 0o4 : 0o1;
  const shift = file.uid === user.uid ? 6 : file.gid === user.gid ? 3 : 0;
  return (file.mode & (bit << shift)) !== 0;
}

/** Whether the user can enter the folder, or read the file, at the end of this path. */
export async function isReachable(path: string, user: RunAs): Promise<boolean> {
  const end = await stat(path).catch(() => undefined);
  if (!end || !hasPermission(end.isDirectory() ? 'enter' : 'read', end, user)) return false;
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    if (!hasPermission('enter', await stat(folder), user)) return false;
    if (folder === dirname(folder)) return true;
  }
}
