// The production entry on its embedded database, killed in the middle: what was acknowledged is there after the next start.
import { chmod, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { generateSync } from 'otplib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { removeEmbedded } from '../../../src/db/embedded.ts';
import { until } from '../../support/attempts.ts';
import { type Server, startInVain, startServer } from '../../support/server.ts';
import { isSignedIn } from '../../support/sessions.ts';
import { formsOf, type Page, type Visitor, wordsOf } from '../../support/visitor.ts';

const password = 'Violet-Harbour-42';

describe('npm start on the embedded database', () => {
  let dataDir: string;
  let environment: Record<string, string>;
  let server: Server;
  let visitor: Visitor;

  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'unified-login-test-'));
    // As root, PostgreSQL runs as a user who must pass through.
    await chmod(dataDir, 0o711);
    environment = { DATA_DIR: dataDir, LOG_LEVEL: 'warn' };
    server = await startServer(environment);
    environment = { ...environment, PORT: String(server.port) };
  }, 60_000);
  afterAll(async () => {
    server?.signal('SIGKILL');
    await server?.ended;
    await removeEmbedded(dataDir);
    await rm(dataDir, { recursive: true, force: true });
  });

  it('A1.6 prints a one-time link on an empty database, and by it the first Root Admin comes in, without any mail', async () => {
    const offered = () => /http:\/\/\S+\/install\/[\w-]+/.exec(server.output())?.[0] ?? '';
    for (const until = Date.now() + 3000; offered() === '' && Date.now() < until; ) await sleep(20);
    const link = offered();
    expect(link).toContain(server.url);
    visitor = server.visitor();
    const names = {
      company: 'Northwind IT',
      firstName: 'Ada',
      lastName: 'Root',
      email: 'ada@example.com',
      username: 'ada',
    };
    let page = await visitor.submit(await visitor.open(link), names);
    page = await visitor.submit(page, { password });
    page = await visitor.open('/login');
    page = await visitor.submit(page, { username: 'ada' });
    page = await visitor.submit(page, { password });
    const secret = secretOf(page);
    page = await visitor.submit(page, { code: generateSync({ secret }) }, '/enrol');
    expect(wordsOf(page)).toContain('ecovery codes');
    page = await visitor.submit(page, {}, '/recovery-codes');
    expect(page.status).toBe(200);
    expect(wordsOf(page)).toContain('Welcome, Ada');
    expect((await server.visitor().open(link)).status, 'used up').toBe(410);
  });

  it('keeps its keys in a file that only its owner may read', async () => {
    const { mode } = await stat(join(dataDir, 'encryption-keys'));
    expect(mode & 0o777).toBe(0o600);
  });

  it('refuses a second start on the same data, says so, and leaves the first one alone', async () => {
    const { code, errors } = await startInVain({ DATA_DIR: dataDir });
    expect(code).toBe(1);
    expect(errors).toMatch(/in use|already|running/i);
    expect(errors).not.toMatch(/undefined|\bat \w+ \(/);
    expect(await isSignedIn(visitor)).toBe(true);
  });

  it('kill -9 in the middle of writing: nothing acknowledged is lost, and nobody is logged out', async () => {
    for (let round = 1; round <= 2; round += 1) {
      let acknowledged = 0;
      let isOver = false;
      const writing = (async () => {
        for (let n = 1; !isOver; n += 1) {
          const page = await saveName(`R${round} N${n}`).catch(() => null);
          if (page?.status !== 303) return;
          acknowledged = n;
        }
      })();
      // Once it is well on its way, however fast the machine is.
      await until(async () => acknowledged > 3);
      await sleep(round * 130);
      server.signal('SIGKILL');
      expect(await server.ended).toEqual({ code: null, signal: 'SIGKILL' });
      isOver = true;
      await writing;

      const startedAt = Date.now();
      server = await startServer(environment);
      expect(Date.now() - startedAt, 'recovers by itself').toBeLessThan(20_000);
      visitor = Object.assign(server.visitor(), { jar: visitor.jar });
      const profile = await visitor.open('/settings/profile');
      expect(profile.status, 'the session lives').toBe(200);
      const name = formsOf(profile).find(({ fields }) => fields.includes('lastName'))?.values.lastName ?? '';
      // One more may have been written than was told.
      expect([`R${round} N${acknowledged}`, `R${round} N${acknowledged + 1}`]).toContain(name);
      expect(server.output()).not.toContain('/install/');
    }
  });

  it('F9 SIGTERM ends the database with it, and the next start is there in no time', async () => {
    expect(await server.stop()).toEqual({ code: 0, signal: null });
    const left = (await readdir(dataDir, { recursive: true })).filter((name) => name.endsWith('postmaster.pid'));
    expect(left).toEqual([]);
    server = await startServer(environment);
    visitor = Object.assign(server.visitor(), { jar: visitor.jar });
    expect(await isSignedIn(visitor)).toBe(true);
  });

  async function saveName(lastName: string): Promise<Page> {
    const page = await visitor.send('/settings/profile');
    const form = formsOf(page).find(({ fields }) => fields.includes('lastName'));
    return visitor.send('/settings/profile', { form: { ...form?.values, lastName, timeZone: '' } });
  }
});

/** What the page shows for those who cannot scan. */
function secretOf(page: Page): string {
  const secret = /(?:[A-Z2-7]{4}\s?){8}/.exec(wordsOf(page))?.[0]?.replace(/\s/g, '');
  if (!secret) throw new Error(`no secret on ${page.url}: ${wordsOf(page)}`);
  return secret;
}
