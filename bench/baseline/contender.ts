// Prepares and starts the baseline: its table, its users, its key.

import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import argon2 from 'argon2';
import pg from 'pg';
import { type Contender, freePort, type Person, startServer } from '../contender.ts';
import { schema } from './adapter.ts';
import { first, offline, second, service } from './settings.ts';

const password = 'a quiet afternoon in the archive';

/** The parameters of the product, so that a full sign-in costs both the same hash. */
export const hashOptions = { type: argon2.argon2id, memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;

/** @param inMemory keeps records and people in the process instead: the engine alone. */
export function baseline(folder: string, { name = 'baseline', inMemory = false } = {}): Contender {
  const jwks = JSON.stringify({ keys: [signingKey()] });
  return {
    name,
    async prepare(databaseUrl, count) {
      const people = Array.from({ length: count }, (_, n): Person => ({ username: `person-${n}`, password }));
      await fill(databaseUrl, people);
      return { service, first, second, offline, people };
    },
    async start(databaseUrl) {
      const port = await freePort();
      const env = { PATH: process.env.PATH, NODE_ENV: 'production', PORT: `${port}`, DATABASE_URL: databaseUrl };
      return startServer({
        command: process.execPath,
        args: [fileURLToPath(new URL('server.ts', import.meta.url))],
        env: { ...env, JWKS: jwks, ...(inMemory ? { IN_MEMORY: 'yes' } : {}) },
        issuer: `http://127.0.0.1:${port}`,
        logFile: join(folder, `${name}.log`),
      });
    },
  };
}

function signingKey(): object {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return { ...privateKey.export({ format: 'jwk' }), kid: randomUUID(), alg: 'RS256', use: 'sig' };
}

/** One hash serves all: verifying it costs the same for everybody, and making hundreds would only cost time. */
async function fill(databaseUrl: string, people: Person[]): Promise<void> {
  const hash = await argon2.hash(password, hashOptions);
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    await client.query(`${schema} create table users (id uuid primary key default gen_random_uuid(),
      username text not null unique, password_hash text not null, name text not null, email text not null)`);
    await client.query(
      `insert into users (username, password_hash, name, email)
       select n, $2, 'Person ' || n, n || '@example.com' from unnest($1::text[]) n`,
      [people.map((person) => person.username), hash],
    );
    await client.query('analyze');
  } finally {
    await client.end();
  }
}
