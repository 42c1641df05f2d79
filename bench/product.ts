// Prepares and starts the product; the only file of the benchmark that knows it. Data goes in through the operator CLI.

import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { type Client, type Contender, type Estate, freePort, type Person, startServer } from './contender.ts';

const source = fileURLToPath(new URL('../src/', import.meta.url));
const company = { name: 'Benchmark' };
// Obeys the default policy: all four kinds of characters.
const password = 'A quiet afternoon in the archive, 1974';

export type IdTokenAlgorithm = 'RS256' | 'ES256' | 'EdDSA';

type Environment = Record<string, string | undefined>;

/** A contender that can also make companies with an administrator each, for the console. */
export interface Product extends Contender {
  addCompany(databaseUrl: string, name: string): Promise<Person>;
  /** Another administrator of it. */
  addAdmin(databaseUrl: string, company: string, username: string): Promise<Person>;
  /** A module with accounts that are told to a SCIM service. @returns id of the instance */
  addModule(databaseUrl: string, company: string, scim: { url: string; token: string }): Promise<string>;
}

export function product(folder: string, algorithm: IdTokenAlgorithm): Product {
  const environment: Environment = {
    PATH: process.env.PATH,
    NODE_ENV: 'production',
    LOG_LEVEL: 'warn',
    DATA_DIR: join(folder, 'product-data'),
    ENCRYPTION_KEYS: randomBytes(32).toString('base64'),
    // All the people of the benchmark come from one address.
    ANONYMOUS_REQUESTS_PER_MINUTE: '1000000',
  };
  return {
    name: 'product',
    addCompany: (databaseUrl, name) => addCompany({ ...environment, DATABASE_URL: databaseUrl }, name),
    addAdmin: (databaseUrl, company, username) =>
      addAdmin({ ...environment, DATABASE_URL: databaseUrl }, company, username),
    async addModule(databaseUrl, company, scim) {
      // Its address is of this machine, as the server's own is: only then a module there is reached.
      const own = { ...environment, DATABASE_URL: databaseUrl, PUBLIC_URL: 'http://127.0.0.1:3000' };
      const made = await cli(own, [
        ...['create-module', '--name', 'Workplace', '--product', 'workplace'],
        ...['--redirect-uris', 'https://workplace.example/callback'],
      ]);
      const connect = ['connect-module', '--company', company, '--client-id', field(made, 'client_id')];
      return field(await cli(own, [...connect, '--scim-url', scim.url], scim.token), 'instanceId');
    },
    prepare: (databaseUrl, people) => prepare({ ...environment, DATABASE_URL: databaseUrl }, people, algorithm),
    async start(databaseUrl) {
      const port = await freePort();
      const issuer = `http://127.0.0.1:${port}`;
      return startServer({
        command: process.execPath,
        // As `npm start` does.
        args: ['--import', join(source, 'compile-cache.js'), join(source, 'main.ts')],
        env: { ...environment, DATABASE_URL: databaseUrl, PORT: `${port}`, PUBLIC_URL: issuer },
        issuer,
        logFile: join(folder, 'product.log'),
      });
    },
  };
}

async function prepare(environment: Environment, count: number, algorithm: IdTokenAlgorithm): Promise<Estate> {
  await cli(environment, ['create-company', '--name', company.name]);
  const code = (name: string, grants: string[]): Promise<Client> =>
    createModule(environment, name, [`https://${name}.example/callback`, ...grants], algorithm);
  return {
    service: await createService(environment, 'service'),
    first: await code('first', []),
    second: await code('second', []),
    offline: await code('offline', ['refresh_token']),
    people: await createPeople(environment, count),
  };
}

async function addCompany(environment: Environment, name: string): Promise<Person> {
  await cli(environment, ['create-company', '--name', name]);
  return addAdmin(environment, name, 'admin');
}

async function addAdmin(environment: Environment, company: string, username: string): Promise<Person> {
  const admin: Person = { username, company, password, totpSecret: base32(randomBytes(20)) };
  const { totpSecret } = admin;
  const line = JSON.stringify({ username, email: `${username}@example.com`, role: 'Admin', password, totpSecret });
  await cli(environment, ['create-user', '--company', company, '--bulk-stdin'], line);
  return admin;
}

async function createService(environment: Environment, name: string): Promise<Client> {
  const answer = await cli(environment, ['create-module', '--name', name, '--grant-types', 'client_credentials']);
  return { id: field(answer, 'client_id'), secret: field(answer, 'client_secret'), redirectUri: '' };
}

async function createModule(
  environment: Environment,
  name: string,
  [redirectUri = '', ...grants]: string[],
  algorithm: IdTokenAlgorithm,
): Promise<Client> {
  const answer = await cli(environment, [
    ...['create-module', '--name', name, '--redirect-uris', redirectUri],
    ...['--grant-types', ['authorization_code', ...grants].join(','), '--id-token-signed-response-alg', algorithm],
  ]);
  const id = field(answer, 'client_id');
  await cli(environment, ['connect-module', '--company', company.name, '--client-id', id]);
  return { id, secret: field(answer, 'client_secret'), redirectUri };
}

/** All at once, through the bulk form: one JSON object a line. */
async function createPeople(environment: Environment, count: number): Promise<Person[]> {
  const people = Array.from({ length: count }, (_, n): Person => {
    return { username: `person-${n}`, company: company.name, password, totpSecret: base32(randomBytes(20)) };
  });
  const lines = people.map(({ username, totpSecret }) =>
    JSON.stringify({ username, email: `${username}@example.com`, password, totpSecret }),
  );
  await cli(environment, ['create-user', '--company', company.name, '--bulk-stdin'], lines.join('\n'));
  return people;
}

async function cli(environment: Environment, args: string[], input = ''): Promise<unknown> {
  const child = spawn(process.execPath, [join(source, 'cli.ts'), ...args, '--json'], { env: environment });
  child.stdin.end(input);
  const exit = new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve));
  const [code, output, problem] = await Promise.all([exit, text(child.stdout), text(child.stderr)]);
  if (code !== 0) throw new Error(`${args[0]} failed: ${problem || output}`);
  return JSON.parse(output);
}

function field(answer: unknown, name: string): string {
  const value: unknown = answer instanceof Object ? Reflect.get(answer, name) : undefined;
  if (typeof value !== 'string') throw new Error(`the operator CLI gave no ${name}`);
  return value;
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

function base32(bytes: Buffer): string {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  return (bits.match(/.{1,5}/g) ?? []).map((five) => alphabet[Number.parseInt(five.padEnd(5, '0'), 2)]).join('');
}
