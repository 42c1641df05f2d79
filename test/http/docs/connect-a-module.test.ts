// docs/connect-a-module.md, followed to the letter: its files are written, its commands are run, and the module that comes out works.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Company } from '../../../src/domain/companies/company.ts';
import type { SettingsInput } from '../../../src/domain/integrations/settings.ts';
import { saveSettings } from '../../../src/domain/integrations/settings-commands.ts';
import type { InstanceId } from '../../../src/lib/ids.ts';
import { freePort, startApp, type TestApp } from '../../support/app.ts';
import { testKey } from '../../support/keys.ts';
import { makeCompany, makePerson, type TestPerson } from '../../support/people.ts';
import { allOff, asPerson } from '../../support/requirement.ts';
import { root } from '../../support/sources.ts';
import { logInThere } from '../demo/steps.ts';
import { Browser, type Page } from '../sdk/browser.ts';

interface Block {
  language: string;
  file: string | null;
  text: string;
}

async function readBlocks(): Promise<Block[]> {
  const text = await readFile(join(root, 'docs/connect-a-module.md'), 'utf8');
  return [...text.matchAll(/^```(\w+)(?: ([\w.]+))?\n([\s\S]*?)^```$/gm)].map(
    ([, language = '', file = null, block = '']) => ({
      language,
      file,
      text: block,
    }),
  );
}

let app: TestApp;
let company: Company;
let admin: TestPerson;
let folder: string;
let module: ChildProcess;
let url: string;
let said = '';

beforeAll(async () => {
  app = await startApp({ start: true });
  company = await makeCompany(app, 'Northwind IT');
  admin = await makePerson(app, company, { role: 'Admin', username: 'ada' });
  folder = await mkdtemp(join(tmpdir(), 'my-module-'));
  const blocks = await readBlocks();
  for (const { file, text } of blocks) if (file) await writeFile(join(folder, file), text);
  const script = blocks.filter(({ language }) => language === 'sh').map(({ text }) => text);
  const port = String(await freePort());
  url = `http://localhost:${port}`;
  // All blocks in one shell, as the page asks; the last line of the last one is the module itself.
  module = spawn('sh', ['-e', '-c', script.join('\n').replace(/\nnode server\.ts\n$/, '\nexec node server.ts\n')], {
    cwd: folder,
    env: {
      // The machine's own Node.js, which may be an old one: the page brings the right one along.
      PATH: (process.env.PATH ?? '')
        .split(':')
        .filter((place) => !place.includes('node_modules'))
        .join(':'),
      HOME: folder,
      UNIFIED_LOGIN: root,
      ISSUER: app.url,
      MODULE_PORT: port,
      ADMIN_PASSWORD: 'Copper-Meadow-31',
      // What the operator's shell has: the settings of the provider.
      DATABASE_URL: app.databaseUrl,
      PORT: new URL(app.url).port,
      ENCRYPTION_KEYS: testKey.toString('base64'),
      LOG_LEVEL: 'silent',
    },
  });
  const listen = (chunk: Buffer) => {
    said += chunk;
  };
  module.stdout?.on('data', listen);
  module.stderr?.on('data', listen);
  for (let i = 0; i < 300 && !said.includes('My Module listens on'); i += 1) await setTimeout(100);
  expect(said).toContain('My Module listens on');
  // Another process has registered it.
  app.runtime.clients.invalidate();
});
afterAll(async () => {
  module?.kill('SIGTERM');
  await app?.stop();
  await rm(folder, { recursive: true });
});

const person = (username: string) =>
  makePerson(app, company, { username, email: `${username}@example.com`, groups: ['All Module Access'] });

async function enter(browser: Browser, who: TestPerson): Promise<Page> {
  const start = await browser.open(`${url}/login/start`);
  return start.url.startsWith(app.url) ? logInThere(app, browser, start, who) : start;
}

const logInLocally = async (browser: Browser) =>
  browser.submit(await browser.open(`${url}/local`), { email: 'owner@example.com', password: 'Copper-Meadow-31' });

async function instance(): Promise<InstanceId> {
  const row = await app.runtime.db('module_instances').where({ tenant: 'my-tenant' }).first('id');
  return row?.id;
}

async function settle(changes: Partial<SettingsInput>): Promise<void> {
  const { integrations } = app.runtime.store.of(company.id);
  const id = await instance();
  const version = (await integrations.find(id))?.version ?? 0;
  const input = { version, settings: { ...allOff, ...changes }, override: 'It is a test.' };
  expect((await saveSettings(asPerson(app, admin), company.id, id, input)).outcome).toBe('saved');
}

const stored = async (email: string) => {
  // Written by the module that came out of the page.
  const rows: [string, { email: string; active: boolean; permissions: string[] }][] = JSON.parse(
    await readFile(join(folder, 'accounts.json'), 'utf8'),
  );
  return rows.map(([, row]) => row).find((row) => row.email === email);
};

describe('docs/connect-a-module.md', { timeout: 60_000 }, () => {
  it('has a file for each name that it imports, and the kit as it is', async () => {
    expect((await readBlocks()).flatMap(({ file }) => file ?? [])).toEqual([
      'profile.json',
      'accounts.ts',
      'server.ts',
    ]);
    expect(await readFile(join(folder, 'kit.ts'), 'utf8')).toBe(
      await readFile(join(root, 'src/sdk/module.ts'), 'utf8'),
    );
  });

  it('step 2: the provider answers with its own address, whatever the module listens on', async () => {
    expect(JSON.parse(await readFile(join(folder, 'client.json'), 'utf8')).issuer).toBe(app.url);
  });

  it('step 7: no button before it is connected; connecting brings the tile, the button and the link', async () => {
    const browser = new Browser();
    expect((await browser.open(url)).text).not.toContain('KaseyaOne');
    expect((await enter(browser, admin)).text).not.toContain('Welcome');
    const home = await logInLocally(browser);
    expect(home.text).toContain('Welcome, First Owner, Owner, UTC.');
    const there = await browser.submit(home, {}, '/connect');
    const back = await logInThere(app, browser, there, admin);
    expect(back.url).toBe(`${url}/?connected`);
    expect((await new Browser().open(url)).text).toContain('Log In with KaseyaOne');
    expect(await instance()).toBeTruthy();
    // The administrator's two accounts belong together now: no password is asked again.
    const other = new Browser();
    expect((await enter(other, admin)).text).toContain('Welcome, First Owner');
  });

  it('automatic provisioning makes whoever enters, with the permission and the time zone', async () => {
    const browser = new Browser();
    const nina = await person('nina');
    expect((await enter(browser, nina)).url).toBe(`${url}/?problem=no_account`);
    await settle({ provisioning: { on: true, values: { permission: 'Reader', timeZone: 'Europe/Berlin' } } });
    expect((await enter(browser, nina)).text).toContain('Reader, Europe/Berlin.');
    expect(await stored('nina@example.com')).toMatchObject({ active: true, permissions: ['Reader'] });
  });

  it('the local form is for the exceptions while the login is required', async () => {
    const id = await instance();
    const { integrations } = app.runtime.store.of(company.id);
    await integrations.setRequire(id, { state: 'on', trialBeganAt: null, trialEndsAt: null, trialBy: null });
    await integrations.bump(id);
    // An entry carries the number of the settings: it is enough that somebody comes in.
    await enter(new Browser(), admin);
    await expect
      .poll(async () => (await new Browser().open(url)).text, { timeout: 5000 })
      .not.toContain('name="password"');
    expect((await logInLocally(new Browser())).status).toBe(403);
    await integrations.setRequire(id, { state: 'off', trialBeganAt: null, trialEndsAt: null, trialBy: null });
    await integrations.bump(id);
  });

  it('SCIM and events are served to the provider alone', async () => {
    expect((await fetch(`${url}/scim/v2/Users`)).status).toBe(401);
    expect((await fetch(`${url}/events`, { method: 'POST', body: 'e30.e30.e30' })).status).toBe(400);
    expect(said).not.toContain('Error');
  });
});
