// What is measured: a server program, the data it needs, and how to start it.
// Everything that differs between the product and the baseline stands behind `Contender`.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { createHttp } from './http.ts';

export interface Client {
  id: string;
  secret: string;
  redirectUri: string;
}

export interface Person {
  username: string;
  password: string;
  company?: string;
  /** Base32, as an authenticator app would be given it. */
  totpSecret?: string;
}

export interface Estate {
  /** May use client_credentials. */
  service: Client;
  /** Where a person signs in first. */
  first: Client;
  /** Where the live session carries a person silently. */
  second: Client;
  /** Gets refresh tokens, and introspects its own tokens. */
  offline: Client;
  people: Person[];
}

export interface Server {
  issuer: string;
  pid: number;
  /** From the start of the process to the first 200 of discovery. */
  coldStartMs: number;
  stop(): Promise<void>;
}

export interface Contender {
  name: string;
  /** Fills an empty database, once. */
  prepare(databaseUrl: string, people: number): Promise<Estate>;
  start(databaseUrl: string): Promise<Server>;
}

export interface Program {
  command: string;
  args: string[];
  env: Record<string, string | undefined>;
  issuer: string;
  logFile: string;
}

const startLimitMs = 60_000;
const stopLimitMs = 10_000;

/** Starts a server program and waits until it answers discovery. */
export async function startServer(program: Program): Promise<Server> {
  const log = openSync(program.logFile, 'a');
  const startedAt = performance.now();
  const child = spawn(program.command, program.args, { env: program.env, stdio: ['ignore', log, log] });
  const abandon = (): void => void child.kill('SIGKILL');
  process.once('exit', abandon);
  child.once('exit', () => process.off('exit', abandon));
  closeSync(log);
  try {
    await once(child, 'spawn');
    await answersDiscovery(program, child, startedAt);
  } catch (error) {
    await end(child);
    throw error;
  }
  const coldStartMs = performance.now() - startedAt;
  return { issuer: program.issuer, pid: child.pid ?? 0, coldStartMs, stop: () => end(child) };
}

async function answersDiscovery(program: Program, child: ChildProcess, startedAt: number): Promise<void> {
  const http = createHttp();
  try {
    while (performance.now() - startedAt < startLimitMs) {
      if (child.exitCode !== null) break;
      const answer = await http.send(`${program.issuer}/.well-known/openid-configuration`).catch(() => undefined);
      if (answer?.status === 200) return;
      await sleep(3);
    }
    throw new Error(`${program.args.join(' ')} did not come up; its output is in ${program.logFile}`);
  } finally {
    http.close();
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const impatience = setTimeout(() => child.kill('SIGKILL'), stopLimitMs);
  await ended;
  clearTimeout(impatience);
}

export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}
