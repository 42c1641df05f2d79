// Keys that sign: published before use, kept after it, changed while everything runs (OAU-21).
import type { JsonWebKey } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { rotateSigningKeys } from '../../../src/domain/keys/commands.ts';
import { minutes } from '../../../src/lib/time.ts';
import type { TestApp } from '../../support/app.ts';
import { answerOf, authorizeAddress, makeModule, redeem, type TestModule } from '../../support/people.ts';
import type { Visitor } from '../../support/visitor.ts';
import {
  call,
  claimsOf,
  codeFor,
  headerOf,
  isSignedBy,
  keySet,
  startWorld,
  tokensFor,
  type World,
} from './relying-party.ts';

let world: World;
let second: TestApp;
const modules: Record<string, TestModule> = {};
const algorithms = ['RS256', 'ES256', 'EdDSA'] as const;

beforeAll(async () => {
  world = await startWorld({}, { start: true });
  second = await world.app.node();
  // Hours go by between the turns of the keys; the session is to see all of them.
  const policy = { session: { idleMinutes: 1440, absoluteMinutes: 1440 } };
  await world.app.runtime
    .db('companies')
    .where({ id: world.company.id })
    .update({ policy: JSON.stringify(policy) });
  for (const alg of algorithms)
    modules[alg] = await makeModule(world.app, [world.company], { id_token_signed_response_alg: alg });
});
afterAll(() => world.app.stop());

const moduleOf = (alg: string): TestModule => modules[alg] as TestModule;
const kids = (keys: JsonWebKey[]) => keys.map(({ kid }) => String(kid)).sort();

async function idToken(app: TestApp, visitor: Visitor, module: TestModule): Promise<string> {
  const { status, body } = await redeem(app, module, await codeFor(visitor.at(app.port), module));
  expect(status).toBe(200);
  return String(body.id_token);
}

/** Turns the keys as the command does, and waits until both nodes have heard of it. */
async function rotate(): Promise<void> {
  const before = kids(await keySet(world.app));
  // Modules have long seen the next keys by the time that they begin to sign.
  world.app.clock.advance(minutes(60));
  await rotateSigningKeys(world.app.operator());
  await vi.waitFor(
    async () => {
      const [here, there] = [kids(await keySet(world.app)), kids(await keySet(second))];
      expect(here).not.toEqual(before);
      expect(there).toEqual(here);
    },
    { timeout: 5000, interval: 20 },
  );
}

describe('the key set', () => {
  it('OAU-21 holds the public parts alone, each with kid, alg and use, and no kid twice', async () => {
    const keys = await keySet(world.app);
    for (const key of keys) {
      for (const secret of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']) expect(key).not.toHaveProperty(secret);
      expect(key).toMatchObject({ use: 'sig', kid: expect.stringMatching(/^[\w-]{8,}$/) });
      expect(algorithms).toContain(key.alg);
    }
    expect(new Set(kids(keys)).size).toBe(keys.length);
  });

  it('OAU-21 holds the next key of each algorithm besides the present one', async () => {
    const keys = await keySet(world.app);
    for (const alg of algorithms) expect(keys.filter((key) => key.alg === alg).length).toBeGreaterThanOrEqual(2);
    expect(kids(await keySet(second))).toEqual(kids(keys));
  });

  it('API-15 the private parts are not in clear in the database', async () => {
    const { rows } = await world.app.runtime.db.raw('select * from signing_keys');
    for (const row of rows) expect(JSON.stringify(row)).not.toMatch(/"(d|p|q|dp|dq|qi)":/);
  });
});

describe('ID tokens', () => {
  it.each(algorithms)(
    'are signed with %s for a client that registered it, and verify against the key set',
    async (alg) => {
      const { id_token, access_token } = await tokensFor(world.app, world.visitor, moduleOf(alg));
      expect(headerOf(id_token)).toMatchObject({ alg });
      expect(isSignedBy(await keySet(world.app), id_token)).toBe(true);
      const [header, , signature] = id_token.split('.');
      const forged = Buffer.from(JSON.stringify({ ...claimsOf(id_token), sub: 'x' })).toString('base64url');
      expect(isSignedBy(await keySet(world.app), `${header}.${forged}.${signature}`)).toBe(false);
      expect(access_token).not.toContain('.');
    },
  );

  it('are signed with RS256 when nothing was said', async () => {
    const { id_token } = await tokensFor(world.app, world.visitor, world.module);
    expect(headerOf(id_token).alg).toBe('RS256');
  });
});

describe('rotation', () => {
  it('OAU-21 both nodes sign with new keys, which clients with a copy of the old key set can verify', async () => {
    const copy = await keySet(world.app);
    const before = await Promise.all(algorithms.map((alg) => idToken(world.app, world.visitor, moduleOf(alg))));
    await rotate();
    for (const [i, alg] of algorithms.entries()) {
      for (const node of [world.app, second]) {
        const token = await idToken(node, world.visitor, moduleOf(alg));
        expect(headerOf(token).kid).not.toBe(headerOf(before[i] ?? '').kid);
        expect(isSignedBy(copy, token)).toBe(true);
      }
    }
    const now = await keySet(world.app);
    for (const token of before) expect(isSignedBy(now, token)).toBe(true);
  });

  it('OAU-21 while tokens are issued on both nodes without a pause, no copy of the key set is ever too old', async () => {
    const copy = await keySet(world.app);
    let isOver = false;
    const issued: string[] = [];
    const busy = [world.app, second].map(async (node) => {
      while (!isOver) issued.push(await idToken(node, world.visitor, moduleOf('ES256')));
    });
    await vi.waitFor(() => expect(issued.length).toBeGreaterThan(4));
    await rotate();
    const during = issued.length;
    await vi.waitFor(() => expect(issued.length).toBeGreaterThan(during + 4), { timeout: 10_000 });
    isOver = true;
    await Promise.all(busy);
    expect(new Set(issued.map((token) => headerOf(token).kid)).size).toBe(2);
    for (const token of issued) expect(isSignedBy(copy, token)).toBe(true);
  });

  it('OAU-21 the old keys stay longer than any token that they signed lives', async () => {
    const { rows } = await world.app.runtime.db.raw(`select retires_at from signing_keys where state = 'previous'`);
    expect(rows.length).toBeGreaterThanOrEqual(algorithms.length);
    const { id_token } = await tokensFor(world.app, world.visitor, world.module);
    const { exp, iat } = claimsOf(id_token);
    const life = (Number(exp) - Number(iat)) * 1000;
    for (const { retires_at } of rows) expect(retires_at.getTime() - Date.now()).toBeGreaterThan(life);
  });

  it('OAU-21 keys are not turned again before modules can have seen the next ones', async () => {
    await rotate();
    await expect(rotateSigningKeys(world.app.operator())).rejects.toMatchObject({ code: 'conflict' });
    world.app.clock.advance(minutes(9));
    await expect(rotateSigningKeys(world.app.operator())).rejects.toMatchObject({ code: 'conflict' });
    world.app.clock.advance(minutes(2));
    await expect(rotateSigningKeys(world.app.operator())).resolves.toHaveLength(algorithms.length * 6);
  });

  it('OAU-21 an ID token of an old key is still a good hint for logging out', async () => {
    const { id_token } = await tokensFor(world.app, world.visitor, world.module);
    await rotate();
    const page = await world.visitor.send(`/session/end?${new URLSearchParams({ id_token_hint: id_token })}`);
    expect(page.status).toBe(200);
    const silent = await world.visitor.send(
      authorizeAddress(world.module, { prompt: 'none', id_token_hint: id_token }),
    );
    expect(answerOf(silent).get('code')).not.toBeNull();
  });

  it('OAU-21 a key whose time is over leaves the key set, and what it signed is no hint any more', async () => {
    const { id_token } = await tokensFor(world.app, world.visitor, world.module);
    const { kid } = headerOf(id_token);
    await rotate();
    await world.app.runtime.db.raw(
      `update signing_keys set retires_at = now() - interval '1 day' where state = 'previous'`,
    );
    await world.app.runtime.engine.reload(world.app.operator());
    expect(kids(await keySet(world.app))).not.toContain(kid);
    const page = await world.visitor.send(authorizeAddress(world.module, { prompt: 'none', id_token_hint: id_token }));
    expect(answerOf(page).get('error')).toBe('invalid_request');
  });

  it('OAU-21 a node that was cut off while the keys turned catches up by itself', async () => {
    const admin = new pg.Client({ connectionString: world.app.databaseUrl });
    await admin.connect();
    const before = kids(await keySet(second));
    world.app.clock.advance(minutes(60));
    const { rowCount } = await admin.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'unified-login listener' and datname = current_database()`,
    );
    expect(rowCount).toBe(2);
    await rotateSigningKeys(world.app.operator());
    await admin.end();
    for (const node of [world.app, second])
      await vi.waitFor(async () => expect(kids(await keySet(node))).not.toEqual(before), {
        timeout: 5000,
        interval: 50,
      });
  });

  it('OAU-21 prepared documents are the new ones, too: the key set says so by its ETag', async () => {
    const first = await call(world.app, '/jwks', { headers: { origin: '' } });
    const plain = () => fetch(`${world.app.url}/jwks`);
    await plain();
    const { headers } = await plain();
    await rotate();
    await plain();
    const after = await plain();
    expect(after.headers.get('etag')).not.toBe(headers.get('etag'));
    expect(kids(JSON.parse(await after.text()).keys)).not.toEqual(kids(first.body.keys as JsonWebKey[]));
    const unchanged = await fetch(`${world.app.url}/jwks`, {
      headers: { 'if-none-match': after.headers.get('etag') ?? '' },
    });
    expect(unchanged.status).toBe(304);
  });
});
