// API-15: the wrong key is noticed at once, two are accepted while they change, and then the old one can go.
import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadConfig } from '../../../src/config/load.ts';
import { sendPasswordReset } from '../../../src/domain/users/password-commands.ts';
import { sealAnew } from '../../../src/jobs/reseal.ts';
import { createLog } from '../../../src/lib/log.ts';
import { createRuntime, type Runtime } from '../../../src/runtime.ts';
import { listenOn, type RunningServer } from '../../../src/server.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import { testKey } from '../../support/keys.ts';
import {
  answerOf,
  authorizeAddress,
  makeCompany,
  makeModule,
  makePerson,
  redeem,
  signIn,
  type TestPerson,
} from '../../support/people.ts';
import { startInVain } from '../../support/server.ts';
import { isSignedIn } from '../../support/sessions.ts';

const newKey = randomBytes(32);
const foreignKey = randomBytes(32);

describe('encryption keys', () => {
  let app: TestApp;
  let person: TestPerson;
  const opened: { runtime: Runtime; server: RunningServer }[] = [];

  beforeEach(async () => {
    app = await startApp();
    const company = await makeCompany(app);
    await makeCompany(app);
    person = await makePerson(app, company);
  });
  afterEach(async () => {
    for (const { runtime, server } of opened.splice(0)) {
      await server.drain(500);
      await runtime.stop();
    }
    await app.stop();
  });

  /** Another node on the same database, with other keys, behind the same public address. */
  async function nodeWith(keys: Buffer[]): Promise<{ runtime: Runtime; port: number }> {
    const config = loadConfig({
      PUBLIC_URL: app.url,
      DATABASE_URL: app.databaseUrl,
      ENCRYPTION_KEYS: keys.map((key) => key.toString('base64')).join(),
    });
    const runtime = await createRuntime({
      config,
      databaseUrl: app.databaseUrl,
      encryptionKeys: config.encryptionKeys ?? [],
      clock: app.clock.now,
      log: createLog('silent'),
      runMigrations: false,
    });
    const server = await listenOn(runtime, '127.0.0.1', 0);
    opened.push({ runtime, server });
    return { runtime, port: server.port };
  }

  const boxes = async () => {
    const { rows }: { rows: { box: string }[] } = await app.runtime.db.raw(
      `select sealed_private_jwk as box from signing_keys union all select sealed_secret from factors
       union all select sealed_data from mails where sealed_data is not null union all select sealed_value from lasting_secrets`,
    );
    return rows.map(({ box }) => box);
  };

  it('API-15 with a wrong key the start fails, loudly and before anything is served or changed', async () => {
    const before = await boxes();
    const { code, said, errors } = await startInVain({
      DATABASE_URL: app.databaseUrl,
      ENCRYPTION_KEYS: foreignKey.toString('base64'),
    });
    expect(code).toBe(1);
    expect(errors).toMatch(/could not start/);
    expect(errors).toMatch(/ENCRYPTION_KEYS/);
    expect(said).not.toContain('is ready at');
    expect(errors).not.toContain(foreignKey.toString('base64'));
    expect((await boxes()).sort()).toEqual(before.sort());
    await expect(nodeWith([foreignKey])).rejects.toThrow(/ENCRYPTION_KEYS/);
    await expect(nodeWith([foreignKey, newKey])).rejects.toThrow(/ENCRYPTION_KEYS/);
  });

  it('all problems of the settings are told at once at the start, with no trace and no value', async () => {
    const { code, errors } = await startInVain({
      DATABASE_URL: 'mysql://root:canary-secret@db.example/x',
      WORKERS: 'many',
      PUBLIC_URL: 'http://login.example',
      LOG_LEVEL: 'info',
      METRICS_TOKEN: 'canary',
    });
    expect(code).toBe(1);
    for (const name of ['DATABASE_URL', 'WORKERS', 'PUBLIC_URL', 'METRICS_TOKEN', 'ENCRYPTION_KEYS'])
      expect(errors).toContain(`- ${name}: `);
    expect(errors).not.toMatch(/canary|\bat \w+ \(/);
  });

  it('API-15, OAU-25 while two keys are there, everything goes on: sessions, seeds, mails, tokens, names', async () => {
    const module = await makeModule(app, [person.company], { subject_type: 'pairwise' });
    const visitor = app.visitor();
    const enter = async (browser = visitor) => {
      const { body } = await redeem(
        app,
        module,
        answerOf(await browser.open(authorizeAddress(module))).get('code') ?? '',
      );
      return JSON.parse(Buffer.from(String(body.id_token).split('.')[1] ?? '', 'base64url').toString()) as {
        sub: string;
      };
    };
    await signIn(app, visitor, person, '/');
    const { sub } = await enter();
    expect(sub).not.toBe(person.user.id);
    await sendPasswordReset(app.operator(), person.company, person.user);

    const rotated = await nodeWith([newKey, testKey]);
    expect(await isSignedIn(visitor.at(rotated.port)), 'the session').toBe(true);
    const elsewhere = app.visitor().at(rotated.port);
    await signIn(app, elsewhere, person, '/');
    expect(await isSignedIn(elsewhere), 'the seed of the second factor').toBe(true);
    expect((await enter(elsewhere)).sub, 'the name that the module knows').toBe(sub);
    const [mail] = await rotated.runtime.store.mails.listRecent(1);
    expect(() => rotated.runtime.keyring.open('mail', mail?.sealedData ?? '')).not.toThrow();
    const keysOf = async (port: number) => (await app.visitor().at(port).send('/jwks')).body;
    expect(await keysOf(rotated.port)).toBe(await keysOf(app.port));
  });

  it('API-15 what the old key sealed is sealed anew while running, and then the old key can go', async () => {
    await sendPasswordReset(app.operator(), person.company, person.user);
    expect(await sealAnew(app.operator()), 'one key: nothing to do').toBe(0);
    const before = await boxes();
    const rotated = await nodeWith([newKey, testKey]);
    const work = () => rotated.runtime.work({ kind: 'system', name: 'test' });
    const [one, other] = await Promise.all([sealAnew(work()), sealAnew(work())]);
    expect(before.length).toBeGreaterThan(7);
    // Two at once share the boxes as chance has it; a box that both take up is counted by both.
    expect(one + other).toBeGreaterThanOrEqual(before.length);
    const after = await boxes();
    expect(after).toHaveLength(before.length);
    expect(after.filter((box) => before.includes(box))).toEqual([]);
    expect(await sealAnew(work())).toBe(0);

    const alone = await nodeWith([newKey]);
    const visitor = app.visitor().at(alone.port);
    await signIn(app, visitor, person, '/');
    expect(await isSignedIn(visitor)).toBe(true);
    await expect(nodeWith([testKey]), 'and is worth nothing').rejects.toThrow(/ENCRYPTION_KEYS/);
  });

  it('API-15 a running server seals anew by itself', async () => {
    const rotated = await nodeWith([newKey, testKey]);
    await rotated.runtime.start();
    const { keyId } = rotated.runtime.keyring;
    for (const until = Date.now() + 5000; !(await boxes()).every((box) => box.startsWith(`${keyId}.`)); )
      expect(Date.now()).toBeLessThan(until);
  });
});
