// Who runs PostgreSQL, and where: what root must do differently shows only when root runs the tests.

import { chmod, chown, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { removeEmbedded } from '../../src/db/embedded.ts';
import { findStartTime } from '../../src/db/embedded-process.ts';
import { isReachable } from '../../src/db/embedded-user.ts';
import { endAllHolders, hold, query, readServerPid } from './hold.ts';

const isRoot = process.getuid?.() === 0;
/** A user who is on every system. */
const nobody = { uid: 65534, gid: 65534, name: 'nobody' };
/** This checkout may itself lie in a folder that only root enters. */
const nobodyCanRunUs =
  isRoot && (await isReachable(process.execPath, nobody)) && (await isReachable(import.meta.filename, nobody));

let folder = '';
let base = '';
let dataDir = '';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'embedded-place-'));
  await chmod(folder, 0o755);
  base = join(folder, 'base');
  dataDir = join(folder, 'closed', 'data');
  await mkdir(dirname(dataDir), { mode: 0o700 });
});

afterEach(async () => {
  await endAllHolders();
  await removeEmbedded(dataDir, { base }).catch(() => undefined);
  await rm(folder, { recursive: true, force: true });
});

async function home(): Promise<string> {
  const marker: { home: string } = JSON.parse(await readFile(join(dataDir, 'postgres-location.json'), 'utf8'));
  return marker.home;
}

describe.runIf(isRoot)('root, with data in a folder that only root may enter', () => {
  it('keeps the database elsewhere, says so in a line, and finds it again', async () => {
    const first = hold(dataDir, { base });
    const { url, notice } = await first.started();
    expect(notice).toContain(await home());
    expect(notice).not.toContain('\n');
    expect((await home()).startsWith(base)).toBe(true);
    await query(url, 'create table kept ()');
    const pid = await readServerPid(await home());
    // PostgreSQL runs only as the owner of its files.
    expect((await stat(join(await home(), 'data'))).uid).not.toBe(0);
    await first.kill();
    const again = await hold(dataDir, { base }).started();
    expect(again.notice).toBe(notice);
    expect(await query(again.url, `select to_regclass('kept') is not null as kept`)).toEqual([{ kept: true }]);
    expect(await findStartTime(pid)).toBeUndefined();
  });

  it('begins anew when the data folder was deleted, and stops what still ran for it', async () => {
    const first = hold(dataDir, { base });
    await query((await first.started()).url, 'create table kept ()');
    const before = await home();
    const pid = await readServerPid(before);
    await rm(dataDir, { recursive: true });
    expect(await hold(dataDir, { base }).refused()).toContain(`process ${first.pid}`);
    await first.kill();
    const { url } = await hold(dataDir, { base }).started();
    expect(await home()).not.toBe(before);
    expect(await findStartTime(pid)).toBeUndefined();
    expect(await query(url, `select to_regclass('kept') as kept`)).toEqual([{ kept: null }]);
  });

  it('refuses a marker that names a folder outside, or one that is gone', async () => {
    await mkdir(dataDir);
    await writeFile(join(dataDir, 'postgres-location.json'), JSON.stringify({ home: '/etc' }));
    expect(await hold(dataDir, { base }).refused()).toContain('is damaged');
    await expect(removeEmbedded(dataDir, { base })).rejects.toThrow('is damaged');
    const gone = join(base, '0123456789abcdef', '0123456789ab');
    await writeFile(join(dataDir, 'postgres-location.json'), JSON.stringify({ home: gone }));
    expect(await hold(dataDir, { base }).refused()).toContain(`${gone}, which is gone`);
    await removeEmbedded(dataDir, { base });
    expect(await readdir(dataDir)).toEqual([]);
  });

  it('removal leaves nothing behind', async () => {
    const first = hold(dataDir, { base });
    await first.started();
    await first.kill();
    await removeEmbedded(dataDir, { base });
    expect(await readdir(dataDir)).toEqual([]);
    expect((await readdir(base)).filter((name) => name !== 'binaries')).toEqual([]);
  });
});

describe.runIf(isRoot)('root, with data in a folder that all may enter', () => {
  it('keeps the database in the data folder, and runs it as another user', async () => {
    await chmod(dirname(dataDir), 0o755);
    const { url } = await hold(dataDir, { base }).started();
    expect(await query(url, 'select 1 as one')).toEqual([{ one: 1 }]);
    // PostgreSQL runs only as the owner of its files.
    expect((await stat(join(dataDir, 'postgres', 'data'))).uid).not.toBe(0);
  });

  it('says what to do when the way to the database was closed since', async () => {
    await chmod(dirname(dataDir), 0o755);
    const first = hold(dataDir, { base });
    await first.started();
    await first.end();
    await chmod(dirname(dataDir), 0o700);
    expect(await hold(dataDir, { base }).refused()).toMatch(
      /can no longer enter that folder. Make every folder on the way enterable/,
    );
    await chmod(dirname(dataDir), 0o755);
  });
});

describe.runIf(nobodyCanRunUs)('an ordinary user', () => {
  beforeEach(async () => {
    await chown(dirname(dataDir), nobody.uid, nobody.gid);
  });

  it('has the database in his own closed folder; root may start it once and he again', async () => {
    const first = hold(dataDir, { base, uid: nobody.uid });
    const { url, notice } = await first.started();
    expect(notice).toBeUndefined();
    await query(url, 'create table kept ()');
    const command = hold(dataDir, { base, role: 'guest' });
    expect(await command.started()).toMatchObject({ url, startedHere: false });
    await command.end();
    await first.end();
    const asRoot = hold(dataDir, { base });
    await asRoot.started();
    const guest = hold(dataDir, { base, role: 'guest', uid: nobody.uid });
    expect(await guest.started()).toMatchObject({ startedHere: false });
    await guest.end();
    await asRoot.kill();
    const again = await hold(dataDir, { base, uid: nobody.uid }).started();
    expect(await query(again.url, `select to_regclass('kept') is not null as kept`)).toEqual([{ kept: true }]);
  });

  it('is told what to do when he may not use the data folder', async () => {
    const foreign = join(folder, 'foreign');
    await mkdir(foreign, { mode: 0o755 });
    expect(await hold(foreign, { base, uid: nobody.uid }).refused()).toMatch(
      /permission denied\. Give the user .* DATABASE_URL/,
    );
    expect(await hold(join(foreign, 'new'), { base, uid: nobody.uid }).refused()).toMatch(/permission denied/);
    const hidden = join(folder, 'hidden');
    await mkdir(join(hidden, 'data'), { recursive: true });
    await chmod(hidden, 0o700);
    expect(await hold(join(hidden, 'data'), { base, uid: nobody.uid }).refused()).toMatch(/permission denied/);
  });

  it("is told where root's database lies", async () => {
    await chown(dirname(dataDir), 0, 0);
    const first = hold(dataDir, { base });
    await first.started();
    await first.end();
    await chmod(dirname(dataDir), 0o755);
    const refused = await hold(dataDir, { base, uid: nobody.uid }).refused();
    expect(refused).toContain(`was made by root and lies in ${await home()}`);
  });
});
