// The integration of the kit against a real provider: the ceremony and what can go wrong in it, secrets that change, and the end of it.
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Company } from '../../../src/domain/companies/company.ts';
import { disconnectInstance } from '../../../src/domain/integrations/connect-commands.ts';
import { createModule as createRegistered } from '../../../src/domain/modules/commands.ts';
import type { InstanceId } from '../../../src/lib/ids.ts';
import {
  type Accounts,
  createFileStore,
  createIntegration,
  createModule,
  type Integration,
  type ModuleAccount,
  ModuleError,
  type ModuleOptions,
  type ModuleUser,
} from '../../../src/sdk/module.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import { makeCompany, makePerson, type TestPerson } from '../../support/people.ts';
import { asPerson } from '../../support/requirement.ts';
import { logInThere } from '../demo/steps.ts';
import { type LoopbackServer, startServer } from './bare-provider.ts';
import { Browser } from './browser.ts';

let app: TestApp;
let company: Company;
let other: Company;
let module: { clientId: string; clientSecret: string };
let admin: TestPerson;
let server: LoopbackServer;
let folder: string;
/** Where the browser was sent back to. */
let returned: string;
/** Added to the module's clock. */
let ahead = 0;
/** What the module hears instead of the provider; null: the provider itself. */
let instead: ((path: string) => Response | null) | null = null;
let calls: string[] = [];
let heard: [string, Readonly<Record<string, unknown>>][] = [];
let accounts: Map<string, ModuleAccount>;
let count = 0;

beforeAll(async () => {
  app = await startApp({ start: true });
  [company, other] = [await makeCompany(app, 'Northwind IT'), await makeCompany(app, 'Contoso')];
  server = await startServer();
  folder = await mkdtemp(join(tmpdir(), 'integration-'));
  const redirect_uris = [`${server.url}/callback`];
  const made = await createRegistered(
    app.operator(),
    {
      name: 'Workplace',
      profile: { capabilities: ['userImport', 'require', 'deprovision', 'events'] },
      metadata: { redirect_uris, initiate_login_uri: `${server.url}/initiate-login` },
    },
    app.runtime.complaint,
  );
  app.runtime.clients.invalidate();
  module = { clientId: made.module.clientId, clientSecret: made.clientSecret ?? '' };
  admin = await makePerson(app, company, { role: 'Admin', username: 'ada' });
});
afterAll(async () => {
  await server?.close();
  await app?.stop();
  await rm(folder, { recursive: true });
});

const ada = { id: '17', name: 'Ada Root' };

const options = (): ModuleOptions => ({
  issuer: app.url,
  clientId: module.clientId,
  clientSecret: module.clientSecret,
  redirectUri: `${server.url}/callback`,
  secret: 'a secret of more than thirty-two characters',
});

beforeEach(() => {
  [ahead, instead, calls, heard, returned] = [0, null, [], [], ''];
  accounts = new Map([
    ['17', { id: '17', userName: 'ada@example.com', email: 'ada@example.com', active: true, administrator: true }],
  ]);
  count += 1;
});

const hooks: Accounts = {
  list: () => ({ total: accounts.size, accounts: [...accounts.values()] }),
  find: (id) => accounts.get(id),
  matching: ({ link, names }) =>
    [...accounts.values()].filter((it) => it.link?.sub === link.sub || names.includes(it.email ?? '')),
  provision(account) {
    const made = { ...account, id: String(accounts.size + 100) };
    accounts.set(made.id, made);
    return made;
  },
  change(id, changes, before) {
    accounts.set(id, { ...before, ...changes });
    return accounts.get(id);
  },
  link(id, link) {
    const account = accounts.get(id);
    if (!account || account.link) return false;
    accounts.set(id, { ...account, link });
    return true;
  },
  endSessions: () => undefined,
  administers: (permissions) => permissions.includes('Full'),
  isLastAdministrator: () => false,
};

const storeFile = (tenant: string) => join(folder, `${tenant}.json`);

/** A module of its own process in all but the process: it shares nothing with the one before but its file. */
async function open(tenant = `tenant-${count}`, more: Partial<ModuleOptions> = {}) {
  const kit = createModule({
    ...options(),
    clock: () => Date.now() + ahead,
    fetch: async (input, init) => {
      const { pathname } = new URL(String(input));
      calls.push(`${init?.method ?? 'GET'} ${pathname}`);
      return instead?.(pathname) ?? fetch(input, init);
    },
    ...more,
  });
  const integration = await createIntegration({
    module: kit,
    tenant: { id: tenant, name: 'Northwind IT' },
    addresses: {
      landing: `${server.url}/`,
      localLogin: `${server.url}/login/local`,
      events: `${server.url}/events`,
      scim: `${server.url}/scim/v2`,
    },
    store: createFileStore(storeFile(tenant)),
    accounts: hooks,
    heard: (what, facts) => heard.push([what, facts]),
  });
  server.use((request, response) => {
    if (request.url?.startsWith('/callback')) returned = request.url;
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', async () => {
      const { method = 'GET', url = '/', headers } = request;
      const answer = await integration.handle({ method, url, headers, body: Buffer.concat(chunks).toString() });
      response.writeHead(answer?.status ?? 200, answer?.headers).end(answer?.body ?? 'back');
    });
  });
  return { kit, integration };
}

/** The browser's part of a ceremony or of a sign-in: from the module to the provider and back. */
async function travel(url: string, person: TestPerson): Promise<URLSearchParams> {
  const browser = new Browser();
  const page = await logInThere(app, browser, await browser.open(url), person);
  // Whoever may not is told so on a page of the provider, whose button leads back.
  if (returned === '') await browser.submit(page);
  return new URL(returned, server.url).searchParams;
}

async function connect(integration: Integration, person = admin): Promise<void> {
  const { url, transaction } = await integration.startConnect({ admin: ada });
  await integration.finishConnect({ params: await travel(url, person), transaction, admin: ada });
}

const failure = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'no error',
    (error: unknown) =>
      error instanceof ModuleError ? [error.code, error.problem?.code].filter(Boolean).join(' ') : String(error),
  );

const instances = (tenant: string) =>
  app.runtime
    .db('module_instances')
    .where({ tenant })
    .select('id', 'company_id', 'landing_url', 'events_url', 'local_login_url');

describe('the connect ceremony (A8.3 to A8.5, C29)', () => {
  it('connects: instance, credential, settings, addresses; the administrators of both sides are linked', async () => {
    const { integration } = await open();
    expect(integration.state).toMatchObject({ connected: false, settings: null });
    expect(integration.loginGate()).toMatchObject({ offered: false });
    await connect(integration);
    const { state } = integration;
    expect(state).toMatchObject({
      connected: true,
      settings: { enabled: true, instance: { company: { name: 'Northwind IT' } } },
    });
    expect(integration.loginGate()).toMatchObject({ offered: true, required: false });
    expect(await instances(`tenant-${count}`)).toEqual([
      {
        id: state.instance,
        company_id: company.id,
        landing_url: `${server.url}/`,
        events_url: `${server.url}/events`,
        local_login_url: `${server.url}/login/local`,
      },
    ]);
    expect(accounts.get('17')?.link).toEqual({ issuer: app.url, sub: admin.user.id });
    const told = () =>
      app.runtime
        .db('module_accounts')
        .where({ instance_id: state.instance ?? '' })
        .first();
    await expect.poll(told, { timeout: 5000 }).toMatchObject({ external_id: '17', user_id: admin.user.id });
    await integration.poll();
    expect(calls.at(-1)).toBe('GET /api/v1/instance/settings');
  });

  it('keeps its secrets sealed, and knows everything after a restart', async () => {
    const { integration } = await open();
    await connect(integration);
    const kept = await readFile(storeFile(`tenant-${count}`), 'utf8');
    expect(kept).not.toMatch(/ulm_/);
    const again = await open();
    expect(again.integration.state).toEqual(integration.state);
    await again.integration.poll();
    const foreign = await open(`tenant-${count}`, { secret: 'another secret of more than thirty-two letters' });
    expect(await failure(foreign.integration.poll())).toBe('transaction_invalid');
  });

  it('is for administrators of the company only', async () => {
    const { integration } = await open();
    const user = await makePerson(app, company, { role: 'User', groups: ['All Module Access'] });
    expect(await failure(connect(integration, user))).toBe('access_denied');
    expect([integration.state.connected, await instances(`tenant-${count}`)]).toEqual([false, []]);
  });

  it('is finished by the administrator who began it, for the same tenant, or not at all', async () => {
    const { integration } = await open();
    const { url, transaction } = await integration.startConnect({ admin: ada });
    const params = await travel(url, admin);
    const ben = { id: '18', name: 'Ben' };
    expect(await failure(integration.finishConnect({ params, transaction, admin: ben }))).toBe(
      'administrator_mismatch',
    );
    const elsewhere = await open('another-tenant');
    expect(await failure(elsewhere.integration.finishConnect({ params, transaction, admin: ada }))).toBe(
      'administrator_mismatch',
    );
    expect(await failure(integration.finishConnect({ params, transaction: undefined, admin: ada }))).toBe(
      'transaction_missing',
    );
    expect(calls.filter((call) => call.includes('/api/'))).toEqual([]);
    await integration.finishConnect({ params, transaction, admin: ada });
    expect(await failure(integration.finishConnect({ params, transaction, admin: ada }))).toBe('transaction_used');
  });

  it('is no sign-in, and a sign-in is none', async () => {
    const { kit, integration } = await open();
    const connecting = await integration.startConnect({ admin: ada });
    const params = await travel(connecting.url, admin);
    expect(await failure(kit.finishSignIn({ params, transaction: connecting.transaction }))).toBe(
      'transaction_invalid',
    );
    const signing = await kit.startSignIn();
    const forged = integration.finishConnect({
      params: new URLSearchParams(),
      transaction: signing.transaction,
      admin: ada,
    });
    expect(await failure(forged)).toBe('transaction_invalid');
  });

  it('a second company is refused until the first has disconnected', async () => {
    const { integration } = await open();
    await connect(integration);
    const stranger = await makePerson(app, other, { role: 'Admin' });
    const again = await open();
    expect(await failure(connect(again.integration, stranger))).toBe('provider_refused connected_elsewhere');
    expect(again.integration.state.instance).toBe(integration.state.instance);
    await again.integration.disconnect(ada);
    expect(again.integration.state).toMatchObject({ connected: false, settings: null });
    expect(await instances(`tenant-${count}`)).toEqual([]);
    await connect(again.integration, stranger);
    expect(await instances(`tenant-${count}`)).toMatchObject([{ company_id: other.id }]);
  });

  it('once more is the same instance with a new credential; the old one opens nothing', async () => {
    const { integration } = await open();
    await connect(integration);
    const { instance } = integration.state;
    const before = await readFile(storeFile(`tenant-${count}`), 'utf8');
    await connect(integration);
    expect(integration.state.instance).toBe(instance);
    await writeFile(storeFile(`tenant-${count}`), before);
    expect(await failure((await open()).integration.poll())).toBe('credential_refused unauthorized');
  });
});

describe('kill -9 in the middle of a connect ceremony', () => {
  async function finishIn(child: { KILL: string }, transaction: string, params: URLSearchParams): Promise<string> {
    const { clock: _, fetch: __, ...plain } = options();
    const given = {
      KIT: JSON.stringify(plain),
      STORE: storeFile('northwind'),
      TRANSACTION: transaction,
      PARAMS: String(params),
    };
    const script = join(import.meta.dirname, 'connect-child.ts');
    const running = spawn(process.execPath, [script], { env: { PATH: process.env.PATH, ...given, ...child } });
    let said = '';
    running.stdout.on('data', (chunk: Buffer) => {
      said += chunk;
    });
    running.stderr.on('data', (chunk: Buffer) => {
      said += chunk;
    });
    return new Promise((resolve) => running.on('close', (_code, signal) => resolve(signal ?? said)));
  }

  it('leaves nothing behind that a second ceremony would not mend, wherever it struck', async () => {
    const { integration } = await open('northwind');
    for (const KILL of ['before', 'after']) {
      const { url, transaction } = await integration.startConnect({ admin: ada });
      expect(await finishIn({ KILL }, transaction, await travel(url, admin)), KILL).toBe('SIGKILL');
      expect((await open('northwind')).integration.state.connected, `${KILL}: nothing half`).toBe(false);
      expect(await instances('northwind'), KILL).toHaveLength(KILL === 'after' ? 1 : 0);
    }
    const { url, transaction } = await integration.startConnect({ admin: ada });
    const said = await finishIn({ KILL: '' }, transaction, await travel(url, admin));
    const [instance] = await instances('northwind');
    expect(JSON.parse(said)).toMatchObject({ connected: true, instance: instance?.id });
    const after = (await open('northwind')).integration;
    await after.poll();
    expect(after.state.instance).toBe(instance?.id);
  });
});

describe('secrets change without a pause', () => {
  it('the credential: two are good, the older one for a day', async () => {
    const { integration } = await open();
    await connect(integration);
    const before = await readFile(storeFile(`tenant-${count}`), 'utf8');
    await integration.rotateCredential(ada);
    await integration.poll();
    const after = await readFile(storeFile(`tenant-${count}`), 'utf8');
    await writeFile(storeFile(`tenant-${count}`), before);
    await (await open()).integration.poll();
    app.clock.advance(24 * 3_600_000 + 1000);
    expect(await failure((await open()).integration.poll())).toBe('credential_refused unauthorized');
    await writeFile(storeFile(`tenant-${count}`), after);
    await (await open()).integration.poll();
  });

  it('the credential: killed before the new one was kept, it is changed again at the next start', async () => {
    const { integration } = await open();
    await connect(integration);
    await integration.rotateCredential(ada);
    const kept = JSON.parse(await readFile(storeFile(`tenant-${count}`), 'utf8'));
    await writeFile(storeFile(`tenant-${count}`), JSON.stringify({ ...kept, rotating: true }));
    const again = (await open()).integration;
    again.start();
    const rotating = async () => JSON.parse(await readFile(storeFile(`tenant-${count}`), 'utf8')).rotating;
    await expect.poll(rotating, { timeout: 5000 }).toBe(false);
    again.stop();
  });

  it('the SCIM token: the provider calls with the new one, the old one stays good for a quarter of an hour', async () => {
    const { integration } = await open();
    const tokens: string[] = [];
    instead = () => null;
    const spying = await open(`tenant-${count}`, {
      fetch: async (input, init) => {
        const token = /"scim":\{[^}]*"token":"([^"]+)"/.exec(String(init?.body))?.[1];
        if (token) tokens.push(token);
        return fetch(input, init);
      },
    });
    await connect(spying.integration);
    await spying.integration.rotateScimToken(ada);
    const ask = async (token = '') =>
      (
        await spying.integration.handle({
          method: 'GET',
          url: '/scim/v2/Users',
          headers: { authorization: `Bearer ${token}` },
        })
      )?.status;
    expect(tokens).toHaveLength(2);
    expect([await ask(tokens[0]), await ask(tokens[1]), await ask('x'.repeat(43))]).toEqual([200, 200, 401]);
    ahead = 16 * 60_000;
    const late = await open();
    const lateAsk = async (token = '') =>
      (
        await late.integration.handle({
          method: 'GET',
          url: '/scim/v2/Users',
          headers: { authorization: `Bearer ${token}` },
        })
      )?.status;
    expect([await lateAsk(tokens[0]), await lateAsk(tokens[1])]).toEqual([401, 200]);
    expect(integration.state.connected).toBe(false);
  });
});

describe('settings', () => {
  it('are asked for with the version, and come only when they have changed', async () => {
    const { integration } = await open();
    await connect(integration);
    const { settings } = integration.state;
    const statuses: number[] = [];
    const watching = await open(`tenant-${count}`, {
      fetch: async (input, init) => {
        const answer = await fetch(input, init);
        statuses.push(answer.status);
        return answer;
      },
    });
    await watching.integration.poll();
    const groups = await watching.integration.groups();
    expect(groups.map(({ name }) => name)).toContain('All Module Access');
    const input = { ...saved(settings), deprovisioning: { on: false, grace_days: 30, removal: 'disable' as const } };
    await integration.saveSettings(input, ada);
    await watching.integration.poll();
    expect(watching.integration.state.settings?.deprovisioning.grace_days).toBe(30);
    expect([statuses[0], statuses.includes(200)]).toEqual([304, true]);
  });

  const saved = (settings: Integration['state']['settings']) => ({
    enabled: settings?.enabled ?? true,
    require: false,
    provisioning: { on: false, values: {} },
    deprovisioning: settings?.deprovisioning ?? { on: false, grace_days: 14, removal: 'disable' as const },
    access_groups: { on: false, rules: [] },
  });

  it('somebody else was faster: settings_conflict, and nothing is saved', async () => {
    const { integration } = await open();
    await connect(integration);
    const second = (await open()).integration;
    // No event tells either of them: the second one saves from what it had.
    server.use((_, response) => response.writeHead(503).end());
    const input = saved(integration.state.settings);
    await integration.saveSettings({ ...input, enabled: false }, ada);
    expect(await failure(second.saveSettings(input, ada))).toBe('settings_conflict precondition_failed');
    await second.poll();
    expect(second.state.settings?.enabled).toBe(false);
  });

  it('what cannot be saved comes back with the provider’s words, by field', async () => {
    const { integration } = await open();
    await connect(integration);
    const input = { ...saved(integration.state.settings), provisioning: { on: true, values: {} } };
    const error = await integration.saveSettings(input, ada).catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      code: 'provider_refused',
      problem: { status: 422, fields: { provisioning: 'This module cannot do that.' } },
    });
  });
});

describe('the end of a connection', () => {
  it('at the provider: the event tells the module, and local login is for everybody again', async () => {
    const { integration } = await open();
    await connect(integration);
    const instance = integration.state.instance as InstanceId;
    await disconnectInstance(asPerson(app, admin), company.id, instance);
    await expect.poll(() => integration.state.connected, { timeout: 10_000 }).toBe(false);
    expect(integration.decideLocalLogin({ id: '17' })).toMatchObject({ allowed: true, row: 'not_connected' });
    expect(heard.map(([what]) => what)).toContain('disconnected');
  });

  it('a provider that does not know us is believed after ten minutes, not at the first word', async () => {
    const { integration } = await open();
    await connect(integration);
    instead = (path) => (path.startsWith('/api/') ? new Response('{}', { status: 401 }) : null);
    expect(await failure(integration.poll())).toBe('credential_refused');
    expect(integration.state).toMatchObject({ connected: true, refused: true });
    instead = null;
    await integration.poll();
    expect(integration.state).toMatchObject({ connected: true, refused: false });
    instead = (path) => (path.startsWith('/api/') ? new Response('{}', { status: 401 }) : null);
    await failure(integration.poll());
    ahead = 10 * 60_000;
    await failure(integration.poll());
    expect(integration.state.connected).toBe(false);
  });
});

describe('entries', () => {
  const visitor = (sub: string, instance: string | null): ModuleUser => ({
    ...{
      sub,
      email: `${sub.slice(-8)}@example.com`,
      emailVerified: true,
      name: 'New Person',
      givenName: 'New',
      familyName: 'Person',
    },
    ...{ preferredUsername: null, zoneinfo: null, companyId: null, companyRole: null, groups: [], amr: [], acr: null },
    ...{ authTime: null, sid: null },
    access: {
      instance: instance ?? '',
      tenant: null,
      permissions: [],
      permissionsFrom: null,
      provision: { values: { permission: 'Team' } },
      settingsVersion: null,
    },
  });

  it('never wait for the provider; they are kept over a restart, and told when it answers again', async () => {
    const { integration } = await open();
    await connect(integration);
    const person = await makePerson(app, company);
    instead = () => new Response('', { status: 503 });
    const entered = await integration.enter({ user: visitor(person.user.id, integration.state.instance) });
    expect(entered).toMatchObject({ enter: true, created: true });
    expect(JSON.parse(await readFile(storeFile(`tenant-${count}`), 'utf8')).entries).toMatchObject([
      { sub: person.user.id, created: true },
    ]);
    integration.stop();
    instead = null;
    const again = (await open()).integration;
    again.start();
    const known = () => app.runtime.db('module_accounts').where({ user_id: person.user.id }).first();
    await expect.poll(known, { timeout: 5000 }).toMatchObject({ instance_id: integration.state.instance });
    again.stop();
  });

  it('three tabs of a new person make one account', async () => {
    const { integration } = await open();
    await connect(integration);
    const person = await makePerson(app, company);
    const user = visitor(person.user.id, integration.state.instance);
    const entered = await Promise.all([1, 2, 3].map(() => integration.enter({ user })));
    expect(entered.map((it) => it.enter && it.created).sort()).toEqual([false, false, true]);
    expect(accounts.size).toBe(2);
  });

  it('another instance, or none, opens nothing', async () => {
    const { integration } = await open();
    expect(await integration.enter({ user: visitor('x', null) })).toEqual({ enter: false, reason: 'disabled' });
    await connect(integration);
    expect(await integration.enter({ user: visitor('x', 'other') })).toEqual({
      enter: false,
      reason: 'other_instance',
    });
  });

  it('an explicit link needs a proof that is fresh, ours, and of a person who logs in here (B.8)', async () => {
    const { integration } = await open();
    await connect(integration);
    const kept = JSON.parse(await readFile(storeFile(`tenant-${count}`), 'utf8'));
    kept.settings.profile.linkMode = 'explicit';
    await writeFile(storeFile(`tenant-${count}`), JSON.stringify(kept));
    const explicit = (await open()).integration;
    const person = await makePerson(app, company);
    const user = visitor(person.user.id, integration.state.instance);
    accounts.set('40', { id: '40', userName: 'own', email: user.email, active: true });
    const entry = await explicit.enter({ user });
    if (entry.enter || entry.reason !== 'prove') throw new Error('no proof was asked for');
    expect(await explicit.linkByProof(`${entry.proof.slice(0, -2)}xx`, '40')).toBe(false);
    ahead = 11 * 60_000;
    expect(await explicit.linkByProof(entry.proof, '40')).toBe(false);
    ahead = 0;
    expect(await explicit.linkByProof(entry.proof, '40')).toBe(true);
    accounts.set('41', { id: '41', userName: 'second', active: true });
    expect(await explicit.linkByProof(entry.proof, '41'), 'one proof, one account of the person').toBe(false);
    expect(await explicit.enter({ user })).toMatchObject({ enter: true, account: { id: '40' } });
  });
});
