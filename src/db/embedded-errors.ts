// Every way in which the embedded database can fail says what happened and what to do about it.

const OWN_SERVER = 'or set DATABASE_URL to a PostgreSQL server of your own';

/** Built so that a person who knows nothing of PostgreSQL can act on it: what, why, and what to do. */
export function explained(problem: string, remedy: string, cause?: unknown): Error {
  return new Error(`${problem} ${remedy}, ${OWN_SERVER}.`, cause === undefined ? {} : { cause });
}

function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

export function hasCode(error: unknown, ...codes: string[]): boolean {
  const code = codeOf(error);
  return code !== undefined && codes.includes(code);
}

/** For failures of our own file work: `what` is the sentence's begin, such as "The data folder /x cannot be made". */
export function explainFileError(what: string, error: unknown): Error {
  switch (codeOf(error)) {
    case 'ENOSPC':
    case 'EDQUOT':
      return explained(`${what}: no space is left on the disk.`, 'Free some space', error);
    case 'EACCES':
    case 'EPERM':
      return explained(
        `${what}: permission denied.`,
        'Give the user who runs Unified Login that folder (chown), choose another folder (DATA_DIR)',
        error,
      );
    case 'EROFS':
      return explained(`${what}: the file system is read-only.`, 'Choose another folder (DATA_DIR)', error);
    case 'ENOTDIR':
    case 'EEXIST':
      return explained(`${what}: a file stands where a folder must be.`, 'Choose another folder (DATA_DIR)', error);
    default: {
      const reason = error instanceof Error ? error.message : String(error);
      return explained(`${what}: ${reason}.`, 'Mend that', error);
    }
  }
}

const PROGRAM_FAILURES: { sign: RegExp; reason: string; remedy: string }[] = [
  {
    sign: /semaphores|shared memory segment.*No space left/i,
    reason: "the system's limits for shared memory or semaphores are too low",
    remedy: 'Raise them (in a container: a larger /dev/shm)',
  },
  {
    sign: /No space left on device|Disk quota exceeded/i,
    reason: 'no space is left on the disk',
    remedy: 'Free some space',
  },
  {
    sign: /error while loading shared libraries|version `GLIBC|Library not loaded/i,
    reason: 'a system library that PostgreSQL needs is missing',
    remedy: 'Install it (on a slim Debian: libstdc++6), run `npm ci` again if node_modules is incomplete',
  },
  {
    sign: /effective user ID .*user does not exist/i,
    reason: 'the user that runs Unified Login has no entry in /etc/passwd',
    remedy: 'Add one, run as another user',
  },
  {
    sign: /wrong ownership|invalid permissions/i,
    reason: 'the database files belong to another user or are open to others',
    remedy: 'Give them back with chown -R and chmod -R go-rwx',
  },
  {
    sign: /Permission denied|Operation not permitted/i,
    reason: 'permission denied',
    remedy: 'Give the user access to the data folder',
  },
];

/** For a PostgreSQL program that ended: its own last words are kept, since they say most. */
export function explainProgramFailure(what: string, output: string): Error {
  const words = lastWords(output);
  const known = PROGRAM_FAILURES.find(({ sign }) => sign.test(output));
  if (known) return explained(`${what}: ${known.reason}.${words}`, known.remedy);
  return explained(`${what}.${words}`, 'Mend that');
}

function lastWords(output: string): string {
  const lines = output.split('\n').map((line) => line.trim());
  const telling = lines.filter((line) => /error|fatal|panic|hint|detail|could not|cannot/i.test(line));
  const kept = (telling.length > 0 ? telling : lines.filter(Boolean)).slice(-4);
  return kept.length > 0 ? ` PostgreSQL says: ${kept.join(' / ')}.` : '';
}

/** A program that could not even be started. */
export function explainSpawnError(program: string, error: unknown): Error {
  if (hasCode(error, 'ENOENT')) {
    return explained(
      `PostgreSQL's program ${program} cannot be run: it or the C library it was built for (glibc) is missing, as on Alpine Linux.`,
      'Run `npm ci` again, use a system with glibc',
      error,
    );
  }
  return explainFileError(`PostgreSQL's program ${program} cannot be run`, error);
}
