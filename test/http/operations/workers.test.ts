// WORKERS=2: two processes on one port; one may die and nobody notices for long.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApp, type TestApp } from '../../support/app.ts';
import { testKey } from '../../support/keys.ts';
import {
  authorizeAddress,
  makeCompany,
  makeModule,
  makePerson,
  signIn,
  type TestPerson,
} from '../../support/people.ts';
import { type Server, startInVain, startServer } from '../../support/server.ts';
import { isSignedIn } from '../../support/sessions.ts';

const isAlive = (pid: number) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

describe('WORKERS=2 on PostgreSQL', () => {
  let app: TestApp;
  let server: Server;
  let person: TestPerson;

  beforeAll(async () => {
    app = await startApp();
    const company = await makeCompany(app);
    await makeCompany(app);
    person = await makePerson(app, company);
    server = await startServer({
      DATABASE_URL: app.databaseUrl,
      ENCRYPTION_KEYS: testKey.toString('base64'),
      WORKERS: '2',
    });
  });
  afterAll(async () => {
    await server?.stop();
    await app?.stop();
  });

  /** Processes that have answered lately, by the log. */
  async function serving(): Promise<number[]> {
    const before = server.log().length;
    await Promise.all(Array.from({ length: 30 }, () => server.visitor().send('/health/live')));
    await sleep(150);
    const lines = server
      .log()
      .slice(before)
      .filter(({ msg }) => msg === 'request');
    return [...new Set(lines.map(({ pid }) => Number(pid)))].sort((a, b) => a - b);
  }

  async function untilTwoServe(): Promise<number[]> {
    for (const until = Date.now() + 8000; ; ) {
      const pids = await serving();
      if (pids.length === 2) return pids;
      expect(Date.now(), `only ${pids} serve`).toBeLessThan(until);
    }
  }

  it('serves from two processes, and a sign-in crosses them', async () => {
    const pids = await untilTwoServe();
    expect(pids).not.toContain(server.pid);
    expect(server.output().match(/is ready at/g)).toHaveLength(1);
    const module = await makeModule(app, [person.company]);
    // Registered through another node: both hear of it.
    await sleep(300);
    const visitor = server.visitor();
    await signIn(app, visitor, person, authorizeAddress(module));
    for (let i = 0; i < 6; i += 1) expect(await isSignedIn(visitor)).toBe(true);
  });

  it('survives the death of one: the other serves on, and another one comes', async () => {
    const [victim = 0, survivor = 0] = await untilTwoServe();
    process.kill(victim, 'SIGKILL');
    for (const until = Date.now() + 2000; isAlive(victim); await sleep(10)) expect(Date.now()).toBeLessThan(until);
    await sleep(50);
    for (let i = 0; i < 20; i += 1) expect((await server.visitor().send('/health/ready')).status).toBe(200);
    const pids = await untilTwoServe();
    expect(pids).toContain(survivor);
    expect(pids).not.toContain(victim);
    expect(server.log().some(({ msg, pid }) => msg === 'a worker died; starting another' && pid === victim)).toBe(true);
  });

  it('F9 SIGTERM ends all of them in order', async () => {
    const pids = await untilTwoServe();
    expect(await server.stop()).toEqual({ code: 0, signal: null });
    expect(pids.filter(isAlive)).toEqual([]);
  });

  it('does not go on starting workers that cannot start: it ends and says why', async () => {
    const { code, said } = await startInVain({
      DATABASE_URL: app.databaseUrl,
      ENCRYPTION_KEYS: Buffer.alloc(32, 9).toString('base64'),
      WORKERS: '2',
    });
    expect(code).toBe(1);
    expect(said).toMatch(/ENCRYPTION_KEYS/);
  });
});
