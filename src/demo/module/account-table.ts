import { randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { type Account, type AccountLink, sameEmail } from './account.ts';
import type { SeedUser } from './config.ts';
import { hashPassword } from './passwords.ts';

const storedAccounts = z.array(
  z.object({
    id: z.string(),
    email: z.string(),
    name: z.string(),
    role: z.string(),
    status: z.enum(['active', 'suspended']),
    timeZone: z.string(),
    passwordHash: z.string().nullable(),
    link: z.object({ issuer: z.string(), subject: z.string(), linkedAt: z.string() }).nullable(),
  }),
);

export interface AccountTable {
  all(): readonly Account[];
  find(id: string): Account | undefined;
  findByEmail(email: string): readonly Account[];
  /** Links an account that has no link yet; false when it has one, or is gone. Kept on disk when it resolves. */
  link(id: string, link: AccountLink): Promise<boolean>;
}

/** Opens the table in this file, or makes it from the seed when there is none yet. */
export async function openAccountTable(file: string, seed: readonly SeedUser[]): Promise<AccountTable> {
  const stored = await readAccounts(file);
  let accounts: readonly Account[] = stored ?? (await Promise.all(seed.map(toAccount)));
  let saving = Promise.resolve();

  function save(): Promise<void> {
    const text = JSON.stringify(accounts, null, 2);
    // One after the other, so that an older state never overwrites a newer one.
    saving = saving.catch(() => undefined).then(() => writeWhole(file, text));
    return saving;
  }

  if (stored === null) await save();
  return {
    all: () => accounts,
    find: (id) => accounts.find((account) => account.id === id),
    findByEmail: (email) => accounts.filter((account) => sameEmail(account.email, email)),
    async link(id, link) {
      const account = accounts.find((candidate) => candidate.id === id);
      if (!account || account.link !== null) return false;
      accounts = accounts.map((candidate) => (candidate === account ? { ...account, link } : candidate));
      await save();
      return true;
    },
  };
}

async function toAccount({ password, ...rest }: SeedUser): Promise<Account> {
  const passwordHash = password === undefined ? null : await hashPassword(password);
  return { id: randomUUID(), ...rest, passwordHash, link: null };
}

async function readAccounts(file: string): Promise<Account[] | null> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  return text === null ? null : storedAccounts.parse(JSON.parse(text));
}

/** The file is the old one or the new one, never half of either, even when the power goes. */
export async function writeWhole(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  const beside = `${file}.${process.pid}.new`;
  const handle = await open(beside, 'w', 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(beside, file);
}
