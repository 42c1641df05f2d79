// Numbers about numbers, and about processes where the system has /proc; elsewhere those are absent.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

export function percentile(values: number[], share: number): number {
  if (values.length === 0) return Number.NaN;
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

/** The middle, or the mean of the two middle ones. */
export function median(values: number[]): number {
  if (values.length === 0) return Number.NaN;
  const sorted = Float64Array.from(values).sort();
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

interface ProcessStat {
  pid: number;
  parent: number;
  /** Own time and that of children that have ended and been waited for. */
  cpuMs: number;
}

// proc_pid_stat(5): times are in ticks, and Linux has 100 of them a second on every platform that Node runs on.
const msPerTick = 10;

/** CPU time so far of the given processes with all their descendants, the ended ones included. */
export function cpuMs(roots: number[]): number | undefined {
  const tree = descendants(roots);
  return tree?.reduce((sum, { cpuMs }) => sum + cpuMs, 0);
}

/** Resident memory now, or at its peak since `resetPeakMemory`, of a process with its descendants. */
export function memoryMb(root: number, kind: 'VmRSS' | 'VmHWM'): number | undefined {
  const tree = descendants([root]);
  return tree?.reduce((sum, { pid }) => {
    const kilobytes = new RegExp(`^${kind}:\\s+(\\d+) kB`, 'm').exec(readProc(`${pid}/status`))?.[1];
    return sum + Number(kilobytes ?? 0) / 1024;
  }, 0);
}

export function resetPeakMemory(root: number): void {
  for (const { pid } of descendants([root]) ?? []) {
    try {
      // proc_pid_clear_refs(5): 5 sets the peak back to the present.
      writeFileSync(`/proc/${pid}/clear_refs`, '5');
    } catch {
      // A process that has just ended, or one of another user: its peak then counts from its start.
    }
  }
}

export function parentOf(pid: number): { pid: number; command: string } | undefined {
  const parent = readStat(pid)?.parent;
  return parent ? { pid: parent, command: readProc(`${parent}/cmdline`).replaceAll('\0', ' ') } : undefined;
}

function descendants(roots: number[]): ProcessStat[] | undefined {
  const all = readAll();
  if (!all) return undefined;
  const wanted = new Set(roots);
  let found = 0;
  while (found !== wanted.size) {
    found = wanted.size;
    for (const one of all) if (wanted.has(one.parent)) wanted.add(one.pid);
  }
  return all.filter(({ pid }) => wanted.has(pid));
}

function readAll(): ProcessStat[] | undefined {
  if (process.platform !== 'linux') return undefined;
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.flatMap((pid) => readStat(Number(pid)) ?? []);
}

function readStat(pid: number): ProcessStat | undefined {
  const text = readProc(`${pid}/stat`);
  if (!text) return undefined;
  // The command may hold spaces and brackets, so counting starts behind its last bracket, at field 3.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const field = (number: number): number => Number(fields[number - 3]);
  return { pid, parent: field(4), cpuMs: (field(14) + field(15) + field(16) + field(17)) * msPerTick };
}

function readProc(path: string): string {
  try {
    return readFileSync(`/proc/${path}`, 'utf8');
  } catch {
    return '';
  }
}
