import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readConfig, type SeedUser } from '../../../src/demo/module/config.ts';
import { type RunningModule, startModule } from '../../../src/demo/module/server.ts';
import { type BareProvider, startBareProvider, startServer } from '../sdk/bare-provider.ts';
import { Browser, type Page } from '../sdk/browser.ts';

const PASSWORD = 'correct horse battery';
const SEED: Partial<SeedUser>[] = [
  { email: 'ada@acme.example', name: 'Ada Root', password: PASSWORD, role: 'Full Access', timeZone: 'Europe/Berlin' },
  { email: 'Ben@Acme.Example', name: 'Ben User', password: PASSWORD, role: 'Team Access' },
  { email: 'cleo@acme.example', name: 'Cleo Gone', password: PASSWORD, role: 'Read only', status: 'suspended' },
  { email: 'twin@acme.example', name: 'Twin One', role: 'Read only' },
  { email: 'twin@acme.example', name: 'Twin Two', role: 'Read only' },
  { email: 'eve@acme.example', name: '<b>Eve</b> "O\'Neil"', password: PASSWORD, role: '<script>alert(1)</script>' },
];

let bare: BareProvider;
let module: RunningModule;
let helpdesk: RunningModule;
let folder: string;
let browser: Browser;

/** A free port is found by listening on it; the engine must know the redirect URI before the module starts. */
async function freePort(): Promise<number> {
  const server = await startServer();
  await server.close();
  return Number(new URL(server.url).port);
}

function settings(name: string, port: number, more: Record<string, string> = {}) {
  const env = {
    MODULE_NAME: name,
    PORT: String(port),
    ISSUER: bare.issuer,
    CLIENT_ID: name.toLowerCase(),
    CLIENT_SECRET: `secret of ${name}`,
    DATA_DIR: join(folder, name),
    MODULE_USERS: JSON.stringify(SEED),
    // The bare engine knows no instances: here the module is an ordinary client.
    PLAIN_LOGIN: '1',
    LOG_LEVEL: 'silent',
    ...more,
  };
  return env;
}

async function start(env: Record<string, string>): Promise<RunningModule> {
  const config = readConfig(env);
  if ('problems' in config) throw new Error(config.problems.join('\n'));
  return startModule(config, pino({ level: 'silent' }));
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'module-'));
  const ports = { Workplace: await freePort(), Helpdesk: await freePort() };
  bare = await startBareProvider(
    Object.entries(ports).map(([name, port]) => ({
      client_id: name.toLowerCase(),
      client_secret: `secret of ${name}`,
      redirect_uris: [`http://localhost:${port}/callback`],
      post_logout_redirect_uris: [`http://localhost:${port}/login`],
      backchannel_logout_uri: `http://localhost:${port}/backchannel-logout`,
      backchannel_logout_session_required: true,
      grant_types: ['authorization_code', 'refresh_token'],
      require_auth_time: true,
    })),
  );
  module = await start(settings('Workplace', ports.Workplace));
  helpdesk = await start(settings('Helpdesk', ports.Helpdesk));
});

afterAll(async () => {
  await Promise.all([module.stop(), helpdesk.stop()]);
  await bare.close();
  await rm(folder, { recursive: true });
});

beforeEach(() => {
  browser = new Browser();
  bare.people.clear();
  visit('kaseya-ada', 'ada@acme.example');
});

/** The person whom the provider's login page lets in from now on. */
function visit(subject: string, email: string, more: Record<string, unknown> = {}): void {
  bare.people.set(subject, { email, email_verified: true, name: 'From the provider', company_role: 'Admin', ...more });
  bare.visitor.accountId = subject;
}

const login = async (email: string, password: string, path = '/login') =>
  browser.submit(await browser.open(module.url + path), { email, password }, '/login');

/** Presses the button "Log In with KaseyaOne" of the login page. */
async function pressButton(page: Page): Promise<Page> {
  const [, href = ''] = /<a class="button primary wide" href="([^"]+)"/.exec(page.text) ?? [];
  return browser.open(new URL(href, page.url).href);
}
const enter = async (running = module) => pressButton(await browser.open(`${running.url}/login`));

/** The value beside a name in one of the lists of the home page, without markup. */
function fact(page: Page, name: string): string | undefined {
  return new RegExp(`<dt>${name}</dt><dd>(.*?)</dd>`).exec(page.text)?.[1]?.replace(/<[^>]+>/g, '');
}

describe('the local login of a module (A8.1)', () => {
  it('lets in with e-mail and password, and shows permission, time zone and way', async () => {
    const page = await login('ADA@acme.example', PASSWORD);
    expect(page.url).toBe(`${module.url}/`);
    expect(page.text).toContain('<h1>Welcome, Ada Root</h1>');
    expect(fact(page, 'Permission')).toBe('Full Access');
    expect(fact(page, 'Time zone')).toBe('Europe/Berlin');
    expect(fact(page, 'Signed in with')).toBe('Workplace password');
    // B.6: locally the header shows the provider's sign, through the provider the App Launcher.
    expect(page.text).not.toContain('App Launcher');
    expect(page.text).toContain('<span class="tool-words">KaseyaOne</span>');
  });

  it.each([
    ['a wrong password', 'ada@acme.example', 'battery staple'],
    ['an unknown address', 'nobody@acme.example', PASSWORD],
    ['a suspended account', 'cleo@acme.example', PASSWORD],
    ['an account without password', 'twin@acme.example', ''],
    ['a password of 2,000 bytes', 'ada@acme.example', 'x'.repeat(2000)],
  ])('answers the same to %s (AUT-05)', async (_, email, password) => {
    const page = await login(email, password);
    expect(page.status).toBe(422);
    expect(page.text).toContain('The e-mail address or the password is wrong.');
    expect(page.text).toContain(`value="${email}"`);
    expect(page.text).not.toContain(password === '' ? 'Welcome' : password);
    expect((await browser.open(module.url)).url).toBe(`${module.url}/login`);
  });

  it('takes password managers (AUT-03)', async () => {
    const { text } = await browser.open(`${module.url}/login`);
    expect(text).toMatch(/name="email" type="email" autocomplete="username"/);
    expect(text).toMatch(/name="password" type="password" autocomplete="current-password"/);
  });

  it('comes back to where the person wanted to go, and never elsewhere (WEB-07)', async () => {
    expect((await browser.open(`${module.url}/?tab=2`)).url).toBe(`${module.url}/login?return_to=%2F%3Ftab%3D2`);
    expect((await login('ada@acme.example', PASSWORD, '/login?return_to=/?tab=2')).url).toBe(`${module.url}/?tab=2`);
    browser = new Browser();
    expect((await login('ada@acme.example', PASSWORD, '/login?return_to=//evil.example')).url).toBe(`${module.url}/`);
  });

  it('refuses a form of another page, with another token or none (WEB-06)', async () => {
    const body = (csrf: string) => new URLSearchParams({ email: 'ada@acme.example', password: PASSWORD, csrf });
    const { text } = await browser.open(`${module.url}/login`);
    const csrf = /name="csrf" value="([^"]+)"/.exec(text)?.[1] ?? '';
    const send = async (token: string, headers: Record<string, string> = {}) =>
      (await browser.request(`${module.url}/login`, { method: 'POST', body: body(token), headers })).status;
    expect(await send('')).toBe(403);
    expect(await send('A'.repeat(43))).toBe(403);
    expect(await send(csrf, { origin: helpdesk.url })).toBe(403);
    expect(await send(csrf, { origin: 'null' })).toBe(403);
    const stranger = new Browser();
    await stranger.open(`${module.url}/login`);
    expect((await stranger.request(`${module.url}/login`, { method: 'POST', body: body(csrf) })).status).toBe(403);
    expect(await send(csrf, { origin: module.url })).toBe(303);
  });

  it('stops guessing after ten tries, also fifty at the same moment, and only for this account', async () => {
    const page = await browser.open(`${module.url}/login`);
    const tries = await Promise.all(
      Array.from({ length: 50 }, (_, at) =>
        browser.submit(page, { email: 'eve@acme.example', password: `no ${at}` }, '/login'),
      ),
    );
    const statuses = tries.map(({ status }) => status);
    expect(statuses.filter((status) => status === 422)).toHaveLength(10);
    expect(statuses.filter((status) => status === 429)).toHaveLength(40);
    const late = await browser.submit(page, { email: 'EVE@acme.example', password: PASSWORD }, '/login');
    expect([late.status, Number(late.headers.get('retry-after')) > 800]).toEqual([429, true]);
    expect((await login('ben@acme.example', PASSWORD)).url).toBe(`${module.url}/`);
  });

  it('logs out by its own button, and the old cookie opens nothing (WEB-03)', async () => {
    const home = await login('ada@acme.example', PASSWORD);
    const cookie = browser.cookies(module.url).get('workplace_session');
    const page = await browser.submit(home, {}, '/logout');
    expect(page.url).toBe(`${module.url}/login?notice=logged-out`);
    expect(page.text).toContain('You are logged out of Workplace.');
    const old = await fetch(module.url, { headers: { cookie: `workplace_session=${cookie}` }, redirect: 'manual' });
    expect(old.status).toBe(303);
  });
});

describe('"Log In with KaseyaOne" (A8.1, C28, D.6)', () => {
  it('links by verified e-mail, whatever its case, and goes by the link afterwards', async () => {
    visit('kaseya-ben', 'ben@acme.example', { amr: ['pwd', 'otp'] });
    const first = await enter();
    expect(first.text).toContain('<h1>Welcome, Ben User</h1>');
    expect(fact(first, 'Permission')).toBe('Team Access');
    expect(fact(first, 'Signed in with')).toBe('KaseyaOne');
    expect(fact(first, 'Role')).toBe('Admin');
    expect(first.text).toContain(`<a class="tool" href="${bare.issuer}">`);
    expect(first.text).toContain('App Launcher');

    // Another address at the provider, unverified even, and that of someone else: the link decides.
    visit('kaseya-ben', 'ada@acme.example', { email_verified: false });
    browser = new Browser();
    expect((await enter()).text).toContain('<h1>Welcome, Ben User</h1>');
    // Who has Ben's address now does not get Ben's account.
    visit('kaseya-other', 'ben@acme.example');
    browser = new Browser();
    const refused = await enter();
    expect(refused.url).toBe(`${module.url}/login?problem=linked_elsewhere`);
    expect(refused.text).toContain('belongs to someone else in KaseyaOne');
  });

  it.each([
    ['an unverified address', 'new@acme.example', { email_verified: false }, 'has not verified your e-mail address'],
    ['an unverified address that has an account', 'ada@acme.example', { email_verified: false }, 'has not verified'],
    ['an address said to be verified in words', 'ada@acme.example', { email_verified: 'true' }, 'has not verified'],
    ['nobody of that address', 'new@acme.example', {}, 'There is no Workplace account'],
    ['a suspended account', 'cleo@acme.example', {}, 'Your Workplace account is suspended'],
    ['two accounts of one address', 'twin@acme.example', {}, 'can&#39;t tell which one is yours'],
  ])('refuses %s in plain words, without a session and without a link', async (_, email, more, words) => {
    visit(`kaseya-${email}`, email, more);
    const page = await enter();
    expect(page.url).toContain(`${module.url}/login?problem=`);
    expect(page.text).toContain(words);
    expect(browser.cookies(module.url).has('workplace_session')).toBe(false);
    const stored: { email: string; link: { subject: string } | null }[] = JSON.parse(
      await readFile(join(folder, 'Workplace/workplace-accounts.json'), 'utf8'),
    );
    expect(stored.filter(({ link }) => link?.subject === `kaseya-${email}`)).toEqual([]);
  });

  it('says so when KaseyaOne did not let the person in', async () => {
    bare.visitor.accountId = null;
    expect((await enter()).text).toContain('KaseyaOne did not let you into Workplace.');
  });

  it('starts from a tile, through the same door', async () => {
    const query = new URLSearchParams({ iss: bare.issuer, target_link_uri: `${module.url}/?tab=3` });
    expect((await browser.open(`${module.url}/initiate-login?${query}`)).url).toBe(`${module.url}/?tab=3`);
  });

  it('keeps the cookies of two modules on one host apart', async () => {
    await enter();
    const page = await enter(helpdesk);
    expect(page.url).toBe(`${helpdesk.url}/`);
    expect((await browser.open(module.url)).text).toContain('Welcome, Ada Root');
    expect([...browser.cookies(module.url).keys()].filter((name) => /^[a-z]+_session$/.test(name)).sort()).toEqual([
      'helpdesk_session',
      'workplace_session',
    ]);
  });

  it('logs out there as well, and back-channel logout throws the person out of the other module', async () => {
    await enter();
    await enter(helpdesk);
    const question = await browser.submit(await browser.open(module.url), {}, '/logout');
    expect(new URL(question.url).origin).toBe(bare.issuer);
    const page = await browser.submit(question, { logout: 'yes' });
    expect(page.text).toContain('You are logged out of Workplace.');

    const next = await browser.open(`${helpdesk.url}/`);
    expect(next.url).toBe(`${helpdesk.url}/login?notice=provider`);
    expect(next.text).toContain('<p class="notice" role="status">You were signed out of KaseyaOne.</p>');
    expect(browser.cookies(helpdesk.url).has('helpdesk_session')).toBe(false);
  });

  it('leaves a local session alone when KaseyaOne logs out', async () => {
    await login('ada@acme.example', PASSWORD);
    await enter(helpdesk);
    const question = await browser.submit(await browser.open(helpdesk.url), {}, '/logout');
    await browser.submit(question, { logout: 'yes' });
    expect((await browser.open(module.url)).text).toContain('Welcome, Ada Root');
  });

  it('works on for people inside while KaseyaOne is away, and says so at the door', async () => {
    const away = await start(settings('Away', 0, { ISSUER: 'http://localhost:9', CLIENT_ID: 'away' }));
    try {
      const page = await browser.submit(
        await browser.open(`${away.url}/login`),
        { email: 'ada@acme.example', password: PASSWORD },
        '/login',
      );
      expect(page.text).toContain('Welcome, Ada Root');
      browser = new Browser();
      expect((await enter(away)).text).toContain('KaseyaOne can&#39;t be reached just now.');
    } finally {
      await away.stop();
    }
  });
});

describe('the pages of a module', () => {
  it('carry the headers of WEB-05, errors included, and leave form-action out', async () => {
    for (const path of ['/login', '/nowhere', '/logout']) {
      const { headers } = await fetch(module.url + path, { redirect: 'manual' });
      const policy = headers.get('content-security-policy') ?? '';
      expect(policy).toBe(
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'",
      );
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('referrer-policy')).toBeTruthy();
      expect(headers.get('cache-control')).toBe('no-store');
      expect(headers.get('x-powered-by')).toBeNull();
    }
  });

  it('have no inline style or script, one h1, landmarks and a title', async () => {
    const pages = [
      await browser.open(`${module.url}/login?problem=x&notice=provider`),
      await browser.open(`${module.url}/nowhere`),
      await login('ada@acme.example', PASSWORD),
    ];
    for (const { text } of pages) {
      expect(text).not.toMatch(/<script|<style|\sstyle=|\son\w+=/);
      expect(text.match(/<h1[ >]/g)).toHaveLength(1);
      expect(text).toMatch(
        /<html lang="en">[\s\S]*<title>[^<]+ · Workplace<\/title>[\s\S]*<header[\s\S]*<main id="main"/,
      );
    }
    expect(pages[1]?.status).toBe(404);
  });

  it('escape what people and strangers bring (WEB-08)', async () => {
    const { text } = await browser.open(
      `${module.url}/login?problem=%3Cscript%3E&return_to=/%22%3E%3Cb%3E&notice=%3Cb%3E`,
    );
    expect(text).not.toMatch(/<script|<b>|"><b/);
    const other = await start(settings('Odd', 0, { ISSUER: bare.issuer, CLIENT_ID: 'odd' }));
    try {
      const home = await browser.submit(
        await browser.open(`${other.url}/login`),
        { email: 'eve@acme.example', password: PASSWORD },
        '/login',
      );
      expect(home.text).toContain('&lt;b&gt;Eve&lt;/b&gt; &quot;O&#39;Neil&quot;');
      expect(home.text).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
      expect(home.text).not.toMatch(/<script|<b>/);
    } finally {
      await other.stop();
    }
  });

  it('are served under their own name only (WEB-10), but for the health check', async () => {
    const { port } = new URL(module.url);
    const foreign = await fetch(`http://127.0.0.1:${port}/login`);
    expect(foreign.status).toBe(421);
    const health = await fetch(`http://127.0.0.1:${port}/health`);
    expect(await health.json()).toEqual({ status: 'ok', module: 'Workplace' });
  });

  it('differ by colour and icon between the two modules', async () => {
    const styles = await Promise.all(
      [module, helpdesk].map(async ({ url }) => {
        const { text } = await browser.open(`${url}/login`);
        const sheet = await browser.open(url + (/href="(\/style\.[0-9a-f]+\.css)"/.exec(text)?.[1] ?? ''));
        expect(sheet.headers.get('cache-control')).toContain('immutable');
        return sheet.text + (await browser.open(`${url}/icon.svg`)).text;
      }),
    );
    expect(styles[0]).not.toBe(styles[1]);
    expect(styles[0]).not.toContain('ACCENT');
  });

  it('answer 413 to a form of 200 KB and 404 to what is not there', async () => {
    const body = new URLSearchParams({ email: 'x'.repeat(200_000) });
    const answer = await fetch(`${module.url}/login`, { method: 'POST', body });
    expect([answer.status, (await answer.text()).includes('That was too much')]).toEqual([413, true]);
  });
});

describe('the user table', () => {
  it('is made once, readable by its owner alone, keeps links over a restart, and holds no password', async () => {
    const env = settings('Kept', 0, { ISSUER: bare.issuer, CLIENT_ID: 'kept' });
    await (await start(env)).stop();
    const file = join(folder, 'Kept/kept-accounts.json');
    const before = await readFile(file, 'utf8');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(before).not.toContain(PASSWORD);
    await (await start({ ...env, MODULE_USERS: '[]' })).stop();
    expect(await readFile(file, 'utf8')).toBe(before);
    expect((await readdir(join(folder, 'Kept'))).sort()).toEqual(['kept-accounts.json', 'kept.secret']);
  });
});

describe('the program', () => {
  async function run(env: Record<string, string>) {
    const child = spawn(process.execPath, ['src/demo/module/main.ts'], { env: { PATH: process.env.PATH, ...env } });
    const said = { out: '', err: '' };
    child.stdout.on('data', (chunk) => {
      said.out += chunk;
    });
    child.stderr.on('data', (chunk) => {
      said.err += chunk;
    });
    const ended = new Promise<number | null>((resolve) => child.on('exit', resolve));
    return { child, said, ended };
  }

  it('says one line when it listens, and ends with 0 on SIGTERM after the last answer (F9)', async () => {
    const { child, said, ended } = await run(settings('Child', 0, { LOG_LEVEL: 'info', CLIENT_ID: 'child' }));
    await expect.poll(() => said.out, { timeout: 10_000 }).toMatch(/\n$/);
    expect(said).toEqual({ out: expect.stringMatching(/^Child listens on http:\/\/localhost:\d+\n$/), err: '' });
    const { port, host } = new URL(said.out.trim().split(' ').at(-1) ?? '');

    // A request that is under way: its head is sent, its body is not.
    const socket = connect(Number(port), '127.0.0.1');
    let answer = '';
    socket.on('data', (chunk) => {
      answer += chunk;
    });
    const type = 'content-type: application/x-www-form-urlencoded';
    socket.write(`POST /login HTTP/1.1\r\nhost: ${host}\r\n${type}\r\ncontent-length: 6\r\n\r\ncsrf`);
    await setTimeout(200);
    child.kill('SIGTERM');
    await expect
      .poll(
        () =>
          fetch(`http://127.0.0.1:${port}/health`).then(
            () => 'open',
            () => 'closed',
          ),
        { timeout: 10_000 },
      )
      .toBe('closed');
    socket.write('=x');
    await expect.poll(() => answer, { timeout: 10_000 }).toContain('</html>');
    expect(answer).toMatch(/^HTTP\/1\.1 403 /);
    socket.end();
    expect(await ended).toBe(0);
  });

  it('tells all that is wrong with its settings at once', async () => {
    const { said, ended } = await run({ ISSUER: 'nonsense', PORT: 'x' });
    expect(await ended).toBe(2);
    for (const name of ['ISSUER', 'PORT', 'CLIENT_ID']) expect(said.err).toContain(name);
    const second = await run(settings('Child', 0, { CLIENT_ID: 'child', MODULE_USERS: '[{"email":"x"}]' }));
    expect(await second.ended).toBe(2);
    expect(second.said.err).toContain('MODULE_USERS[0.email]');
  });
});

describe('SCIM 2.0: the user table for the provider (A.5)', () => {
  const token = 'a-token-for-the-provider-0123456789';
  let open: RunningModule;
  beforeAll(async () => {
    open = await start(
      settings('People', await freePort(), { SCIM_TOKEN: token, MODULE_CROWD: '1200', CLIENT_ID: 'workplace' }),
    );
  });
  afterAll(() => open.stop());
  type List = { totalResults: number; Resources: Record<string, unknown>[] };
  // What comes back is what the test is about; its shape is asserted below.
  const listOf = async (path: string) => (await (await ask(path)).json()) as List;
  const ask = (path: string, authorization = `Bearer ${token}`, at = open) =>
    fetch(`${at.url}${path}`, { headers: { authorization } });

  it('tells all accounts, page by page, with names and whether they are active', async () => {
    const page = await listOf('/scim/v2/Users?startIndex=1&count=3');
    expect(page).toMatchObject({ totalResults: SEED.length + 1200, itemsPerPage: 3 });
    expect(page.Resources.map(({ userName, name, active }) => ({ userName, name, active }))).toEqual([
      { userName: 'ada@acme.example', name: { givenName: 'Ada', familyName: 'Root' }, active: true },
      { userName: 'Ben@Acme.Example', name: { givenName: 'Ben', familyName: 'User' }, active: true },
      { userName: 'cleo@acme.example', name: { givenName: 'Cleo', familyName: 'Gone' }, active: false },
    ]);
    expect(JSON.stringify(page)).not.toContain('assword');
    const filter = encodeURIComponent('userName eq "BEN@acme.example"');
    expect((await listOf(`/scim/v2/Users?filter=${filter}`)).totalResults).toBe(1);
    const [first] = page.Resources;
    expect(await (await ask(`/scim/v2/Users/${first?.id}`)).json()).toMatchObject({ userName: 'ada@acme.example' });
  });

  it('tells nothing without the token, and nothing at all where none is set', async () => {
    expect((await ask('/scim/v2/Users', 'Bearer something-else-0123456789')).status).toBe(401);
    expect((await ask('/scim/v2/Users', `Bearer ${token}`, module)).status).toBe(404);
  });
});
