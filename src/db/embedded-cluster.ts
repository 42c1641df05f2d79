// Makes the files of a new database, whole or not at all, with its one user, its password and its one database.

import { randomBytes } from 'node:crypto';
import { chmod, chown, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Binaries } from './embedded-binaries.ts';
import { explained, explainFileError, hasCode } from './embedded-errors.ts';
import { type Cluster, type Log, runProgram, stopLeftover } from './embedded-server.ts';

export const DATABASE = 'unified_login';

export interface ClusterOptions {
  log: Log;
  settings?: Record<string, string> | undefined;
  mayCreateDatabases?: boolean | undefined;
}

/** Makes what is missing; answers the password. */
export async function prepareCluster(cluster: Cluster, binaries: Binaries, options: ClusterOptions): Promise<string> {
  try {
    if (!(await exists(cluster.data))) return await createCluster(cluster, binaries, options);
    await refuseOtherVersion(cluster, binaries);
    return (await readPassword(cluster)) ?? (await replacePassword(cluster, binaries, options));
  } catch (error) {
    if (error instanceof Error && !('code' in error)) throw error;
    throw explainFileError(`The embedded database's folder ${cluster.home} cannot be used`, error);
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    (error: unknown) => {
      if (hasCode(error, 'ENOENT')) return false;
      throw error;
    },
  );
}

async function createCluster(cluster: Cluster, binaries: Binaries, options: ClusterOptions): Promise<string> {
  await removeDrafts(cluster);
  const draft = { ...cluster, data: join(cluster.home, `data.${randomBytes(6).toString('hex')}.draft`) };
  await mkdir(draft.data, { mode: 0o700 });
  await chmod(draft.data, 0o700);
  if (cluster.runAs) await chown(draft.data, cluster.runAs.uid, cluster.runAs.gid);
  try {
    const password = makePassword();
    await runProgram(draft, join(binaries.folder, 'initdb'), {
      parameters: initialParameters(draft.data, options.settings?.fsync === 'off'),
      purpose: `The embedded database cannot be made in ${cluster.home}`,
    });
    const rights = options.mayCreateDatabases ? 'LOGIN CREATEDB' : 'LOGIN';
    // The owner of the database is no superuser: a hole in our SQL must not become a hole in the machine.
    await runStatements(draft, binaries, [
      `CREATE ROLE ${DATABASE} ${rights} PASSWORD '${password}'`,
      `CREATE DATABASE ${DATABASE} OWNER ${DATABASE}`,
    ]);
    await writePassword(cluster, password);
    await rename(draft.data, cluster.data);
    return password;
  } catch (error) {
    await rm(draft.data, { recursive: true, force: true });
    throw error;
  }
}

/** The built-in locale sorts and folds Unicode the same on every machine and after every upgrade of the C library. */
function initialParameters(data: string, isThrowaway: boolean): string[] {
  const locale = ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'];
  // The superuser gets no password, so that over TCP nobody can be him; sockets are off.
  const access = ['--username=postgres', '--auth-host=scram-sha-256', '--auth-local=reject'];
  return [`--pgdata=${data}`, ...locale, ...access, '--no-instructions', ...(isThrowaway ? ['--no-sync'] : [])];
}

/** Single-user mode works on the files alone, with no server and no password. */
async function runStatements(cluster: Cluster, binaries: Binaries, statements: string[]): Promise<void> {
  await runProgram(cluster, join(binaries.folder, 'postgres'), {
    parameters: [
      '--single',
      '-j',
      '-D',
      cluster.data,
      '-c',
      'exit_on_error=on',
      '-c',
      'log_checkpoints=off',
      'template1',
    ],
    input: statements.map((statement) => `${statement};\n\n`).join(''),
    purpose: `The embedded database in ${cluster.home} cannot be prepared`,
  });
}

/** What a killed first start left. Its initdb may still be writing, so this may fail; a later start tries again. */
async function removeDrafts(cluster: Cluster): Promise<void> {
  for (const name of await readdir(cluster.home)) {
    if (!/^data\.[0-9a-f]+\.draft$/.test(name)) continue;
    await rm(join(cluster.home, name), { recursive: true, force: true, maxRetries: 3 }).catch(() => undefined);
  }
}

async function refuseOtherVersion(cluster: Cluster, binaries: Binaries): Promise<void> {
  const written = (await readFile(join(cluster.data, 'PG_VERSION'), 'utf8')).trim();
  const ours = binaries.version.split('.')[0] ?? '';
  if (written === ours) return;
  throw explained(
    `The database in ${cluster.data} was written by PostgreSQL ${written}, and this release brings ${ours}.`,
    'Start the earlier release and move the data with pg_dump',
  );
}

function passwordFile(cluster: Cluster): string {
  return join(cluster.home, 'password');
}

/** Letters and digits only, so it stands in SQL and in a URL as it is; 192 bits. */
function makePassword(): string {
  return randomBytes(24).toString('hex');
}

export async function readPassword(cluster: Cluster): Promise<string | undefined> {
  const text = await readFile(passwordFile(cluster), 'utf8').catch((error: unknown) => {
    if (hasCode(error, 'ENOENT')) return '';
    throw explainFileError(`The embedded database's password cannot be read (${passwordFile(cluster)})`, error);
  });
  return /^[0-9a-f]{48}$/.test(text.trim()) ? text.trim() : undefined;
}

async function replacePassword(cluster: Cluster, binaries: Binaries, options: ClusterOptions): Promise<string> {
  options.log('the password of the embedded database is missing, setting a new one');
  await stopLeftover(cluster.data, options.log);
  const password = makePassword();
  await runStatements(cluster, binaries, [`ALTER ROLE ${DATABASE} PASSWORD '${password}'`]);
  await writePassword(cluster, password);
  return password;
}

async function writePassword(cluster: Cluster, password: string): Promise<void> {
  const draft = `${passwordFile(cluster)}.draft`;
  await rm(draft, { force: true });
  const file = await open(draft, 'wx', 0o600);
  try {
    await file.writeFile(`${password}\n`);
    if (cluster.fileOwner) await file.chown(cluster.fileOwner.uid, cluster.fileOwner.gid);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(draft, passwordFile(cluster));
}
