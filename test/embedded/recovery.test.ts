import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { removeEmbedded } from '../../src/db/embedded.ts';
import { findStartTime } from '../../src/db/embedded-process.ts';
import { endAllHolders, hold, query, readServerPid } from './hold.ts';

let dataDir = '';
let home = '';
/** What this test has the database keep. */
let word = '';

async function makeFolder(): Promise<void> {
  dataDir = await mkdtemp(join(tmpdir(), 'embedded-recovery-'));
  await chmod(dataDir, 0o711);
  home = join(dataDir, 'postgres');
}

async function removeFolder(): Promise<void> {
  await endAllHolders();
  await removeEmbedded(dataDir);
  await rm(dataDir, { recursive: true, force: true });
}

describe('the embedded database', () => {
  beforeEach(makeFolder);
  afterEach(removeFolder);

  it('listens on loopback alone, for a random password, as no superuser, and keeps what it acknowledges', async () => {
    const { url, startedHere } = await hold(dataDir).started();
    expect(startedHere).toBe(true);
    expect(url).toMatch(/^postgres:\/\/unified_login:[0-9a-f]{48}@127\.0\.0\.1:\d+\/unified_login$/);
    expect((await stat(join(home, 'password'))).mode & 0o777).toBe(0o600);
    const settings = await query<{ name: string; setting: string }>(
      url,
      `select name, setting from pg_settings where name in
       ('listen_addresses', 'fsync', 'synchronous_commit', 'full_page_writes', 'server_encoding', 'data_checksums')`,
    );
    expect(Object.fromEntries(settings.map(({ name, setting }) => [name, setting]))).toEqual({
      listen_addresses: '127.0.0.1',
      fsync: 'on',
      synchronous_commit: 'on',
      full_page_writes: 'on',
      server_encoding: 'UTF8',
      data_checksums: 'on',
    });
    expect(
      await query(url, 'select rolsuper, rolcreatedb, rolcreaterole from pg_roles where rolname = current_user'),
    ).toEqual([{ rolsuper: false, rolcreatedb: false, rolcreaterole: false }]);
    // Names of people fold and sort the same on every machine.
    expect(
      await query(
        url,
        `select lower('ÅSA ÉMILE') as folded, datlocprovider as p from pg_database where datname = current_database()`,
      ),
    ).toEqual([{ folded: 'åsa émile', p: 'b' }]);
    const wrong = new URL(url);
    wrong.password = 'guessed';
    await expect(query(wrong.href, 'select 1')).rejects.toMatchObject({ code: '28P01' });
    const superuser = new URL(url);
    superuser.username = 'postgres';
    await expect(query(superuser.href, 'select 1')).rejects.toMatchObject({ code: '28P01' });
    await expectOnlyLoopback(Number(wrong.port));
  });

  it('says which process already uses the folder', async () => {
    const first = hold(dataDir);
    await first.started();
    const error = await hold(dataDir).refused();
    expect(error).toBe(
      `Another Unified Login (process ${first.pid}) already uses the data folder ${dataDir}. Stop that one first, give this one a folder of its own (DATA_DIR), or set DATABASE_URL to a PostgreSQL server of your own.`,
    );
    await expect(removeEmbedded(dataDir)).rejects.toThrow(`process ${first.pid}`);
  });

  it('serves a command beside the server, and goes on when the command has ended', async () => {
    const server = hold(dataDir);
    const { url } = await server.started();
    const guest = hold(dataDir, { role: 'guest' });
    expect(await guest.started()).toMatchObject({ url, startedHere: false });
    await guest.end();
    expect(await query(url, 'select 1 as one')).toEqual([{ one: 1 }]);
  });

  it('serves a command alone for its own life time; a server that starts meanwhile waits for it', async () => {
    const command = hold(dataDir, { role: 'guest' });
    expect(await command.started()).toMatchObject({ startedHere: true });
    const pid = await readServerPid(home);
    const server = hold(dataDir);
    const second = hold(dataDir, { role: 'guest' });
    await sleep(300);
    await command.end();
    expect(await findStartTime(pid)).toBeUndefined();
    // Whichever of the two came next, both are served: the server waits for this command, too.
    const ended = second.started().then(() => second.end());
    const { url } = await server.started();
    await ended;
    expect(await query(url, 'select 1 as one')).toEqual([{ one: 1 }]);
  });
});

describe('what was acknowledged is there again', () => {
  beforeAll(async () => {
    await makeFolder();
    const holder = hold(dataDir);
    const { url } = await holder.started();
    await query(url, 'create table kept (word text)');
    await holder.end();
  });
  beforeEach(() => {
    word = randomUUID();
  });
  afterEach(endAllHolders);
  afterAll(removeFolder);

  it('after kill -9 of our process, whose server is still running', async () => {
    const first = hold(dataDir);
    const { url } = await first.started();
    await remember(url);
    const left = await readServerPid(home);
    await first.kill();
    expect(await findStartTime(left)).toBeDefined();
    const again = await hold(dataDir).started();
    expect(await recall(again.url)).toBe(word);
    expect(await findStartTime(left)).toBeUndefined();
  });

  it('after kill -9 of our process and of the server', async () => {
    const first = hold(dataDir);
    const { url } = await first.started();
    await remember(url);
    const left = await readServerPid(home);
    await first.kill();
    process.kill(left, 'SIGKILL');
    expect(await recall((await hold(dataDir).started()).url)).toBe(word);
  });

  it('after kill -9 of the server alone: it comes back by itself, on the same port', async () => {
    const holder = hold(dataDir);
    const { url } = await holder.started();
    await remember(url);
    process.kill(await readServerPid(home), 'SIGKILL');
    await holder.line(({ log }) => log === 'embedded database ended unexpectedly');
    await holder.line(({ log }) => log === 'embedded database is running again');
    expect(await recall(url)).toBe(word);
    await holder.end();
    expect(await holder.line(({ stopped }) => stopped === true)).toBeDefined();
  });

  it('after kill -9 of the server while a session of it is still at work on the files', async () => {
    const holder = hold(dataDir);
    const { url } = await holder.started();
    await remember(url);
    const busy = query(url, 'select count(*) from generate_series(1, 12000000)').catch(() => undefined);
    await sleep(200);
    process.kill(await readServerPid(home), 'SIGKILL');
    await holder.line(({ log }) => log === 'embedded database is running again');
    await busy;
    expect(await recall(url)).toBe(word);
  });

  it('after a bug ended our process, which takes the server with it', async () => {
    const holder = hold(dataDir, { errors: 'ignore' });
    await remember((await holder.started()).url);
    const pid = await readServerPid(home);
    holder.process.kill('SIGUSR2');
    await expect.poll(() => findStartTime(pid), { timeout: 5_000 }).toBeUndefined();
    expect(await recall((await hold(dataDir).started()).url)).toBe(word);
  });

  it.each([0, 105, 125, 145])(
    'and nothing stays behind when we are stopped %i ms after the server died',
    async (milliseconds) => {
      const holder = hold(dataDir);
      await holder.started();
      process.kill(await readServerPid(home), 'SIGKILL');
      await holder.line(({ log }) => log === 'embedded database ended unexpectedly');
      await sleep(milliseconds);
      await holder.end();
      const left = await readServerPid(home).catch(() => undefined);
      expect(left === undefined ? undefined : await findStartTime(left)).toBeUndefined();
    },
  );

  it('after a reboot that gave the number of the server to another program', async () => {
    const first = hold(dataDir);
    await remember((await first.started()).url);
    const pidFile = await readFile(join(home, 'data', 'postmaster.pid'), 'utf8');
    await first.end();
    // The same user's, since PostgreSQL by itself forgives only what belongs to others.
    const { uid, gid } = await stat(join(home, 'data'));
    const other = spawn('sleep', ['60'], { stdio: 'ignore', uid, gid });
    try {
      await writeFile(join(home, 'data', 'postmaster.pid'), pidFile.replace(/^\d+/, String(other.pid)));
      expect(await recall((await hold(dataDir).started()).url)).toBe(word);
      expect(other.exitCode).toBeNull();
    } finally {
      other.kill();
    }
  });

  it('after the password file was lost', async () => {
    const first = hold(dataDir);
    const before = await first.started();
    await remember(before.url);
    await first.end();
    await rm(join(home, 'password'));
    const after = await hold(dataDir).started();
    expect(await recall(after.url)).toBe(word);
    expect(new URL(after.url).password).not.toBe(new URL(before.url).password);
  });
});

describe('start and stop', () => {
  beforeEach(makeFolder);
  afterEach(removeFolder);

  it.each([200, 450])('a first start killed after %i ms is made good by the next', async (milliseconds) => {
    const first = hold(dataDir);
    await sleep(milliseconds);
    await first.kill();
    expect(await query((await hold(dataDir).started()).url, 'select 1 as one')).toEqual([{ one: 1 }]);
  });

  it('Ctrl-C reaches us and not the database, which ends when we have drained', async () => {
    const holder = hold(dataDir);
    const { url } = await holder.started();
    const client = new Client({ connectionString: url });
    await client.connect();
    const pid = await readServerPid(home);
    process.kill(-holder.pid, 'SIGINT');
    await holder.line(({ log }) => log === 'Ctrl-C');
    await sleep(100);
    expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    await client.end();
    await holder.end();
    expect(await findStartTime(pid)).toBeUndefined();
  });

  it('removal stops a server that was left running, and the next database is new', async () => {
    const first = hold(dataDir);
    await query((await first.started()).url, 'create table kept (word text)');
    const left = await readServerPid(home);
    await first.kill();
    await removeEmbedded(dataDir);
    expect(await findStartTime(left)).toBeUndefined();
    const { url } = await hold(dataDir).started();
    expect(await query(url, `select to_regclass('kept') as kept`)).toEqual([{ kept: null }]);
  });

  it('a file in place of the data folder is an explained error', async () => {
    const path = join(dataDir, 'file');
    await writeFile(path, '');
    const error = await hold(path).refused();
    expect(error).toContain('a file stands where a folder must be');
  });

  it('data of another PostgreSQL is an explained error', async () => {
    const first = hold(dataDir);
    await first.started();
    await first.end();
    await writeFile(join(home, 'data', 'PG_VERSION'), '17\n');
    expect(await hold(dataDir).refused()).toMatch(/written by PostgreSQL 17, and this release brings 18/);
  });
});

async function remember(url: string): Promise<void> {
  await query(url, `insert into kept values ('${word}')`);
}

async function recall(url: string): Promise<string | undefined> {
  return (await query<{ word: string }>(url, `select word from kept where word = '${word}'`))[0]?.word;
}

async function expectOnlyLoopback(port: number): Promise<void> {
  const outer = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ internal, family }) => !internal && family === 'IPv4');
  for (const { address } of outer) {
    const refused = await new Promise<boolean>((resolve) => {
      const socket = connect(port, address);
      socket.once('connect', () => resolve(false)).once('error', () => resolve(true));
    });
    expect(refused, `reachable on ${address}`).toBe(true);
  }
}
