import { randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { type Account, namesOf, sameText } from './account.ts';
import type { SeedUser } from './config.ts';
import { hashPassword } from './passwords.ts';

/** Files of earlier versions have one `role`, one name, and nothing of what came later. */
const storedAccounts = z.array(
  z
    .object({
      id: z.string(),
      email: z.string(),
      userName: z.string().optional(),
      name: z.string(),
      givenName: z.string().optional(),
      familyName: z.string().optional(),
      role: z.string().optional(),
      permissions: z.array(z.string()).optional(),
      status: z.enum(['active', 'suspended']),
      suspendedBy: z.enum(['provider', 'module']).nullable().optional(),
      timeZone: z.string(),
      passwordHash: z.string().nullable(),
      link: z.object({ issuer: z.string(), subject: z.string(), linkedAt: z.string() }).nullable(),
      externalId: z.string().nullable().default(null),
      values: z.record(z.string(), z.string()).default({}),
      eventSeq: z.number().default(0),
      sessionsEndedAt: z.number().default(0),
    })
    .transform(({ role, ...stored }): Account => {
      const { givenName, familyName } = namesOf(stored.name);
      return {
        ...stored,
        userName: stored.userName ?? stored.email,
        givenName: stored.givenName ?? givenName,
        familyName: stored.familyName ?? familyName,
        permissions: stored.permissions ?? (role === undefined ? [] : [role]),
        suspendedBy: stored.suspendedBy ?? (stored.status === 'suspended' ? 'module' : null),
      };
    }),
);

export interface AccountTable {
  all(): readonly Account[];
  find(id: string): Account | undefined;
  /** By address or user name, whatever its case. */
  findByName(name: string): readonly Account[];
  /** Kept on disk when it resolves, like the two below. */
  add(account: Account): Promise<void>;
  /** Changes the account as it is at that moment; undefined when it is gone, or when `change` gives nothing. */
  change(id: string, change: (account: Account) => Partial<Account> | undefined): Promise<Account | undefined>;
  remove(id: string): Promise<void>;
}

/** Opens the table in this file, or makes it from the seed when there is none yet. */
export async function openAccountTable(file: string, seed: readonly SeedUser[]): Promise<AccountTable> {
  const stored = await readAccounts(file);
  let accounts: readonly Account[] = stored ?? (await Promise.all(seed.map(toAccount)));
  const save = createSaving(() => writeWhole(file, JSON.stringify(accounts, null, 2)));

  if (stored === null) await save();
  return {
    all: () => accounts,
    find: (id) => accounts.find((account) => account.id === id),
    findByName: (name) => accounts.filter(({ email, userName }) => sameText(email, name) || sameText(userName, name)),
    add(account) {
      accounts = [...accounts, account];
      return save();
    },
    async change(id, change) {
      const account = accounts.find((candidate) => candidate.id === id);
      const changes = account && change(account);
      if (!account || !changes) return undefined;
      const changed = { ...account, ...changes };
      accounts = accounts.map((candidate) => (candidate === account ? changed : candidate));
      await save();
      return changed;
    },
    remove(id) {
      accounts = accounts.filter((account) => account.id !== id);
      return save();
    },
  };
}

/** One after the other, so that an older state never overwrites a newer one; who comes during one shares the next. */
function createSaving(write: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  let next: Promise<void> | undefined;
  return () => {
    if (next) return next;
    next = (running ?? Promise.resolve())
      .catch(() => undefined)
      .then(() => {
        running = next;
        next = undefined;
        return write();
      });
    return next;
  };
}

async function toAccount({ password, role, ...rest }: SeedUser): Promise<Account> {
  const passwordHash = password === undefined ? null : await hashPassword(password);
  return newAccount({
    ...rest,
    permissions: [role],
    suspendedBy: rest.status === 'suspended' ? 'module' : null,
    passwordHash,
  });
}

/** An account with all that is not said. */
export function newAccount(given: Partial<Account> & Pick<Account, 'email' | 'name'>): Account {
  return {
    id: randomUUID(),
    userName: given.email,
    ...namesOf(given.name),
    permissions: [],
    status: 'active',
    suspendedBy: null,
    timeZone: 'UTC',
    passwordHash: null,
    link: null,
    externalId: null,
    values: {},
    eventSeq: 0,
    sessionsEndedAt: 0,
    ...given,
  };
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
