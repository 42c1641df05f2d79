// Tells a living process from a dead one, also when its number has been given to another program since.

import { execFile } from 'node:child_process';
import { readFile, readlink } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Says that a process lives but hides when it began (a /proc that shows each user only his own). */
const HIDDEN = 'hidden';

/** When the process began, as text to compare; undefined when it is gone. A zombie is gone: it holds nothing any more. */
export async function findStartTime(pid: number): Promise<string | undefined> {
  if (!isSignalable(pid)) return undefined;
  return process.platform === 'linux' ? startTimeFromProc(pid) : startTimeFromPs(pid);
}

export async function isSameProcess(pid: number, startedAt: string): Promise<boolean> {
  const current = await findStartTime(pid);
  return current !== undefined && (current === startedAt || current === HIDDEN);
}

function isSignalable(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it lives, as somebody else.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

async function startTimeFromProc(pid: number): Promise<string | undefined> {
  const [stat, boot] = await Promise.all([
    readOrNothing(`/proc/${pid}/stat`),
    readOrNothing('/proc/sys/kernel/random/boot_id'),
  ]);
  if (stat === undefined) return isSignalable(pid) ? HIDDEN : undefined;
  // The name, in brackets, may hold anything; state is the 1st and start time the 20th field after it (proc(5)).
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
  return `${boot?.trim() ?? ''}/${fields[19] ?? ''}`;
}

async function startTimeFromPs(pid: number): Promise<string | undefined> {
  try {
    const { stdout } = await run('ps', ['-o', 'state=,lstart=', '-p', String(pid)], {
      env: { LC_ALL: 'C', PATH: '/bin:/usr/bin' },
    });
    const [state = '', ...started] = stdout.trim().split(/\s+/);
    return state === '' || state.startsWith('Z') ? undefined : started.join(' ');
  } catch {
    return undefined;
  }
}

/** Whether this process is a PostgreSQL server whose data lie in this folder. */
export async function isPostgresOf(pid: number, dataFolder: string): Promise<boolean> {
  if ((await findStartTime(pid)) === undefined) return false;
  if (process.platform === 'linux') {
    // PostgreSQL makes its data folder the current one. Unreadable means another user's process, and that cannot be ours.
    const [name, folder] = await Promise.all([
      readOrNothing(`/proc/${pid}/comm`),
      readlink(`/proc/${pid}/cwd`).catch(() => undefined),
    ]);
    return name?.trim() === 'postgres' && folder === dataFolder;
  }
  try {
    const { stdout } = await run('ps', ['-o', 'command=', '-p', String(pid)], { env: { PATH: '/bin:/usr/bin' } });
    return stdout.includes('postgres') && stdout.includes(dataFolder);
  } catch {
    return false;
  }
}

async function readOrNothing(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch(() => undefined);
}

/** True when the process was gone in time. */
export async function waitUntilGone(pid: number, startedAt: string, milliseconds: number): Promise<boolean> {
  const until = Date.now() + milliseconds;
  while (await isSameProcess(pid, startedAt)) {
    if (Date.now() >= until) return false;
    await new Promise((resolve) => setTimeout(resolve, 15));
  }
  return true;
}
