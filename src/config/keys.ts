// Encryption keys for the embedded database: made once, kept beside it in a file that only its owner may read.
import { randomBytes } from 'node:crypto';
import { chmod, link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** @returns keys, newest first; a line each in the file. */
export async function readOrCreateKeys(dataDir: string): Promise<Buffer[]> {
  await mkdir(dataDir, { recursive: true });
  const file = join(dataDir, 'encryption-keys');
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return create(file);
    throw error;
  });
  const keys = text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => Buffer.from(line.trim(), 'base64'));
  if (keys.length === 0 || keys.some((key) => key.length !== 32)) {
    throw new Error(
      `${file} does not hold keys of 32 bytes in base64, one a line. Restore it from a backup: without it the database cannot be opened.`,
    );
  }
  await chmod(file, 0o600);
  return keys;
}

/** Complete or not there at all, also when two processes begin together. */
async function create(file: string): Promise<string> {
  const draft = `${file}.${randomBytes(8).toString('hex')}`;
  await writeFile(draft, `${randomBytes(32).toString('base64')}\n`, { mode: 0o600, flush: true });
  try {
    await link(draft, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    await rm(draft, { force: true });
  }
  return readFile(file, 'utf8');
}
