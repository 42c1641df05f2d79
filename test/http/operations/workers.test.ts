// WORKERS=2: two processes on one port; one may die and nobody notices for long.
import { readFileSync } from 'node:fs';
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

const metricsToken = 'metrics-token-0123456789';

const statusOf = (pid: number) => {
  try {
    return readFileSync(`/proc/${pid}/status`, 'utf8');
  } catch {
    return '';
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
      METRICS_TOKEN: metricsToken,
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

  const scrape = async () => {
    const page = await server.visitor().send('/metrics', { headers: { authorization: `Bearer ${metricsToken}` } });
    expect(page.status).toBe(200);
    const value = (name: string) => {
      const line = page.body.split('\n').find((text) => text.startsWith(`${name} `));
      return Number(line?.slice(name.length));
    };
    return {
      live: value('ul_http_requests_total{method="GET",route="/health/live",status="200"}'),
      timed: value('ul_http_request_seconds_count{route="/health/live"}'),
      megabytes: value('process_resident_memory_bytes') / 1024 / 1024,
    };
  };

  it('answers /metrics for all processes, whichever is asked', async () => {
    const pids = await untilTwoServe();
    const before = await scrape();
    await Promise.all(Array.from({ length: 40 }, () => server.visitor().send('/health/live')));
    // Eight scrapes at once reach both, and all of them tell of the same forty.
    const after = await Promise.all(Array.from({ length: 8 }, scrape));
    for (const { live, timed } of after) {
      expect(live).toBe(before.live + 40);
      expect(timed).toBe(before.timed + 40);
    }
    const resident = pids.map((pid) => Number(/VmRSS:\s+(\d+)/.exec(statusOf(pid))?.[1] ?? 0) / 1024);
    const sum = resident.reduce((all, one) => all + one, 0);
    if (sum > 0) expect(after[0]?.megabytes).toBeGreaterThan(0.8 * sum);
  });

  it('survives the death of one: the other serves on, and another one comes', async () => {
    const [victim = 0, survivor = 0] = await untilTwoServe();
    process.kill(victim, 'SIGKILL');
    for (const until = Date.now() + 2000; isAlive(victim); await sleep(10)) expect(Date.now()).toBeLessThan(until);
    await sleep(50);
    // Numbers of those who live; a process that is only just starting has none, and holds nobody up.
    expect((await scrape()).live).toBeGreaterThan(0);
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
