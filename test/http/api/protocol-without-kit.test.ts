// docs/module-protocol.md spoken without the kit, section by section: a module that was written with an HTTP library and nothing else.
import { createPublicKey, type JsonWebKey, verify } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Company } from '../../../src/domain/companies/company.ts';
import { createModule } from '../../../src/domain/modules/commands.ts';
import { activateUser, deactivateUser } from '../../../src/domain/users/commands.ts';
import { apiClient } from '../../support/api.ts';
import { freePort, startApp, type TestApp } from '../../support/app.ts';
import {
  answerOf,
  authorizeAddress,
  makeCompany,
  makePerson,
  redeem,
  signIn,
  type TestModule,
  type TestPerson,
} from '../../support/people.ts';
import { readSources } from '../../support/sources.ts';

let app: TestApp;
let company: Company;
let admin: TestPerson;
let user: TestPerson;
let module: TestModule;
let server: Server;
let url: string;

/** The module's own table, by id, and what it was told. */
// biome-ignore lint/suspicious/noExplicitAny: it holds whatever SCIM has sent, as a module of another language would.
const accounts = new Map<string, any>();
const events: { header: Record<string, unknown>; claims: Record<string, unknown> }[] = [];
const problems: string[] = [];
const scimToken = 'a-token-that-this-module-chose-0123456789';

beforeAll(async () => {
  app = await startApp({ start: true });
  company = await makeCompany(app, 'Northwind IT');
  admin = await makePerson(app, company, { role: 'Admin', username: 'ada' });
  user = await makePerson(app, company, { username: 'ben', groups: ['All Module Access'] });
  const port = await freePort();
  url = `http://localhost:${port}`;
  server = createServer((request, response) => {
    serve(request, response).catch((error: unknown) => {
      problems.push(String(error));
      response.writeHead(500).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const redirectUri = `${url}/callback`;
  const input = { name: 'Other Language', product: 'workplace', metadata: { redirect_uris: [redirectUri] } };
  const made = await createModule(app.operator(), input, app.runtime.complaint);
  app.runtime.clients.invalidate();
  module = { ...made, clientId: made.module.clientId, clientSecret: made.clientSecret ?? '', redirectUri };
});
afterAll(async () => {
  await new Promise((resolve) => server?.close(resolve));
  await app?.stop();
});

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? '/', url);
  const body = await text(request);
  const send = (status: number, json?: unknown, headers: Record<string, string> = {}) =>
    response
      .writeHead(status, { 'content-type': 'application/scim+json', ...headers })
      .end(json === undefined ? '' : JSON.stringify(json));
  if (pathname === '/events') {
    const known = await readToken(body, 'secevent+jwt');
    if (!known) return void send(400, { err: 'invalid_key', description: 'the signature is wrong' });
    events.push(known);
    return void send(202);
  }
  if (request.headers.authorization !== `Bearer ${scimToken}`) return void send(401);
  const id = decodeURIComponent(pathname.split('/')[4] ?? '');
  const account = accounts.get(id);
  if (request.method === 'GET' && id) return void (account ? send(200, account) : send(404));
  if (request.method === 'GET') {
    const [, , wanted] = /^(\S+) eq "(.*)"$/.exec(searchParams.get('filter') ?? '') ?? [];
    const fits = [...accounts.values()].filter((it) => !wanted || JSON.stringify(it).includes(JSON.stringify(wanted)));
    const start = Number(searchParams.get('startIndex') ?? 1);
    const page = fits.slice(start - 1, start - 1 + Number(searchParams.get('count') ?? 100));
    return void send(200, {
      schemas: ['urn:ietf:params:scim:api:messages:2.0:ListResponse'],
      totalResults: fits.length,
      startIndex: start,
      itemsPerPage: page.length,
      Resources: page,
    });
  }
  if (request.method === 'POST') {
    const made = { ...JSON.parse(body), id: String(accounts.size + 1), meta: { resourceType: 'User', version: '"1"' } };
    accounts.set(made.id, made);
    return void send(201, made);
  }
  if (request.method === 'PATCH' && account) {
    for (const { path, value } of JSON.parse(body).Operations) {
      if (path === undefined) Object.assign(account, value);
      else account[path] = value;
    }
    account.meta = { ...account.meta, version: `"${Number(String(account.meta.version).replaceAll('"', '')) + 1}"` };
    return void send(200, account);
  }
  send(404);
}

/** A signed token of the provider, by the keys at its jwks_uri; null when it is not one. */
async function readToken(token: string, type?: string) {
  const [head = '', body = '', signature = ''] = token.split('.');
  const read = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString());
  const header: Record<string, unknown> = read(head);
  const { body: document } = await app.visitor().send('/jwks');
  const keys: (JsonWebKey & { kid: string })[] = JSON.parse(document).keys;
  const jwk = keys.find(({ kid }) => kid === header.kid);
  if (!jwk || header.alg !== 'RS256' || (type !== undefined && header.typ !== type)) return null;
  const key = createPublicKey({ key: jwk, format: 'jwk' });
  const isGood = verify('sha256', Buffer.from(`${head}.${body}`), key, Buffer.from(signature, 'base64url'));
  return isGood ? { header, claims: read(body) as Record<string, unknown> } : null;
}

const acting = { id: '17', name: 'Ada Root' };
let credential = '';
let instance = '';
const api = () => apiClient(app, credential);

async function claimsOf(person: TestPerson, options: Record<string, string> = {}): Promise<Record<string, unknown>> {
  const answer = answerOf(await signIn(app, app.visitor(), person, authorizeAddress(module, options)));
  const { body } = await redeem(app, module, answer.get('code') ?? '');
  const read = await readToken(String(body.id_token));
  if (!read) throw new Error('the ID token is not signed by the provider');
  return read.claims;
}

const settings = (version: number, changes: object = {}) =>
  api().put(
    '/instance/settings',
    {
      settings: {
        enabled: true,
        require: false,
        provisioning: { on: false, values: {} },
        deprovisioning: { on: false, grace_days: 14, removal: 'disable' },
        access_groups: { on: false, rules: [] },
        ...changes,
      },
      acting,
      override: 'It is a test.',
    },
    { 'if-match': `"${version}"` },
  );

const readVersion = async (): Promise<number> => (await api().get('/instance/settings')).body.version;

describe('the module protocol without the kit', () => {
  it('this file does not use the kit', () => {
    const own = readSources('test').find(({ path }) => path.endsWith('protocol-without-kit.test.ts'));
    expect(own?.imports.map(({ target }) => target).filter((target) => target.includes('sdk'))).toEqual([]);
  });

  it('2 connect: the sign-in with module.connect, then POST /instances, once', async () => {
    const scope = 'openid email profile module.connect';
    const answer = answerOf(await signIn(app, app.visitor(), admin, authorizeAddress(module, { scope })));
    const { body } = await redeem(app, module, answer.get('code') ?? '');
    expect(body.refresh_token).toBeUndefined();
    const connection = {
      tenant: { id: 'northwind', name: 'Northwind IT' },
      admin: acting,
      initiate_login_uri: `${url}/initiate-login`,
      landing_url: `${url}/`,
      local_login_url: `${url}/login/local`,
      events_url: `${url}/events`,
      scim: { url: `${url}/scim/v2`, token: scimToken },
    };
    expect((await apiClient(app, null).post('/instances', connection)).status).toBe(401);
    const made = await apiClient(app, String(body.access_token)).post('/instances', connection);
    expect(made.status).toBe(201);
    expect(made.body).toMatchObject({
      instance: { company: { name: 'Northwind IT' } },
      credential: { secret: expect.stringMatching(/^ulm_/) },
    });
    credential = made.body.credential.secret;
    instance = made.body.instance.id;
    const answerOfUser = answerOf(await meets(user, scope));
    expect(answerOfUser.get('error')).toBe('access_denied');
  });

  /** Whoever may not is told so on a page; its button leads back. */
  async function meets(person: TestPerson, scope: string) {
    const visitor = app.visitor();
    const page = await signIn(app, visitor, person, authorizeAddress(module, { scope }));
    return page.headers.location ? page : visitor.submit(page, {});
  }

  it('3 settings: ETag and If-None-Match, If-Match or 428, 412 for who was slower, fields with 422', async () => {
    const first = await api().get('/instance/settings');
    expect([first.status, first.headers.etag]).toEqual([200, `"${first.body.version}"`]);
    expect(first.body).toMatchObject({
      enabled: true,
      require: { on: false, state: 'off' },
      exceptions: [],
      keep_for: 604_800,
    });
    const again = await api().get('/instance/settings', { 'if-none-match': String(first.headers.etag) });
    expect([again.status, again.body]).toEqual([304, null]);
    expect((await api().put('/instance/settings', { settings: {}, acting })).status).toBe(422);
    const changed = await settings(first.body.version, {
      deprovisioning: { on: true, grace_days: 7, removal: 'disable' },
    });
    expect([changed.status, changed.body.deprovisioning.grace_days]).toEqual([200, 7]);
    const late = await settings(first.body.version);
    expect([late.status, late.headers['content-type']]).toEqual([
      412,
      expect.stringContaining('application/problem+json'),
    ]);
    const bad = await settings(changed.body.version, { provisioning: { on: true, values: {} } });
    expect([bad.status, Object.keys(bad.body.fields)]).toEqual([422, ['values.permission', 'values.timeZone']]);
    const none = await api().put('/instance/settings', { settings: changedOf(changed.body), acting });
    expect([none.status, none.body.code]).toEqual([428, 'precondition_required']);
  });

  const changedOf = ({ enabled, provisioning, deprovisioning, access_groups }: Record<string, unknown>) => ({
    ...{ enabled, provisioning, deprovisioning, access_groups },
    require: false,
  });

  it('3 groups, pre-flight, exceptions, health', async () => {
    expect((await api().get('/instance/groups')).body.groups.map(({ name }: { name: string }) => name)).toContain(
      'All Module Access',
    );
    const flight = await api().post('/instance/require/preflight', { acting });
    expect(flight.body).toMatchObject({ ready: false, trial_minutes: 30 });
    expect(flight.body.checks.map(({ name }: { name: string }) => name)).toEqual(['signed_in', 'ways_in', 'accounts']);
    const required = await settings(await readVersion(), { require: true });
    expect([required.status, required.body.code, required.body.preflight.ready]).toEqual([409, 'preflight', false]);
    const exception = {
      account_id: '17',
      user_name: 'ada@x.example',
      kind: 'person',
      reason: 'On call',
      ends_at: null,
      acting,
    };
    expect((await api().post('/instance/exceptions', exception)).status).toBe(422);
    const made = await api().post('/instance/exceptions', { ...exception, no_end: true });
    expect(made.status).toBe(201);
    expect((await api().get('/instance/settings')).body.exceptions).toMatchObject([
      { account_id: '17', reason: 'On call' },
    ]);
    expect((await api().delete(`/instance/exceptions/${made.body.id}`, { acting })).status).toBe(204);
    const health = await api().post('/instance/health', {
      kit: 'none',
      settings_version: 1,
      now: app.clock.now().toISOString(),
    });
    expect(health.body).toMatchObject({ state: 'connected', clock_skew_seconds: 0 });
  });

  it('1 sign-in: module_access for the instance, and what a new account is to have', async () => {
    const values = { permission: 'Team Access', timeZone: 'Europe/Berlin' };
    expect(
      (
        await settings(await readVersion(), {
          provisioning: { on: true, values },
          deprovisioning: { on: true, grace_days: 14, removal: 'disable' },
        })
      ).status,
    ).toBe(200);
    const claims = await claimsOf(user, { instance });
    expect(claims.module_access).toMatchObject({
      instance,
      tenant: 'northwind',
      permissions: ['Team Access'],
      permissions_from: 'default',
      provision: { values },
      settings_version: await readVersion(),
    });
    expect(claims.sub).toBe(user.user.id);
  });

  it('4 accounts: made ahead of time at the address of the ceremony, by its token', async () => {
    await expect
      .poll(() => [...accounts.values()].some((it) => it.externalId === user.user.id), { timeout: 15_000 })
      .toBe(true);
    const made = [...accounts.values()].find((it) => it.externalId === user.user.id);
    expect(made).toMatchObject({ active: true, roles: [{ value: 'Team Access' }], timezone: 'Europe/Berlin' });
    expect(made.emails[0].value).toBe(user.user.email);
    expect(made.password).toBeUndefined();
  });

  it('3 entries: the link is known there; an account of somebody else is 409', async () => {
    const made = [...accounts.values()].find((it) => it.externalId === user.user.id);
    const account = { id: made.id, user_name: made.userName, administrator: false };
    expect((await api().post('/instance/entries', { sub: user.user.id, account, created: false })).status).toBe(204);
    const taken = await api().post('/instance/entries', { sub: admin.user.id, account, created: false });
    expect([taken.status, taken.body.code]).toEqual([409, 'linked_elsewhere']);
  });

  it('5 events and 4 accounts: who leaves is suspended within five seconds, and restored when they come back', async () => {
    const made = [...accounts.values()].find((it) => it.externalId === user.user.id);
    const kinds = () => events.map(({ claims }) => Object.keys(Object(claims.events))[0]?.split('/').at(-1));
    await deactivateUser(app.operator(), company.id, user.user.id);
    await expect.poll(() => made.active, { timeout: 5000 }).toBe(false);
    await expect.poll(kinds, { timeout: 5000 }).toContain('account-disabled');
    const told = events.find(({ claims }) => JSON.stringify(claims.events).includes('account-disabled'));
    expect(told?.header.typ).toBe('secevent+jwt');
    expect(told?.claims).toMatchObject({
      iss: app.url,
      aud: module.clientId,
      instance,
      sub_id: { format: 'iss_sub', iss: app.url, sub: user.user.id },
      jti: expect.any(String),
      seq: expect.any(Number),
      iat: expect.any(Number),
    });
    await activateUser(app.operator(), company.id, user.user.id);
    await expect.poll(() => made.active, { timeout: 10_000 }).toBe(true);
    await expect.poll(kinds, { timeout: 5000 }).toContain('account-enabled');
    const of = (kind: string) => events.find(({ claims }) => JSON.stringify(claims.events).includes(kind))?.claims.seq;
    expect(Number(of('account-enabled'))).toBeGreaterThan(Number(of('account-disabled')));
  });

  it('3 endpoints and credentials: changed without a pause', async () => {
    const places = { landing_url: `${url}/start`, scim: { url: `${url}/scim/v2`, token: scimToken } };
    expect((await api().put('/instance/endpoints', { ...places, acting })).status).toBe(204);
    const old = credential;
    const next = await api().post('/instance/credentials', { acting });
    expect([next.status, next.body.secret.slice(0, 4)]).toEqual([201, 'ulm_']);
    expect((await api().get('/instance/settings')).status).toBe(200);
    credential = next.body.secret;
    expect((await api().get('/instance/settings')).status).toBe(200);
    expect((await apiClient(app, `${old}x`).get('/instance/settings')).status).toBe(401);
  });

  it('3 disconnect: the credential opens nothing from then on', async () => {
    expect((await api().post('/instance/disconnect', { acting })).status).toBe(204);
    const after = await api().post('/instance/health', { kit: 'none', now: new Date().toISOString() });
    expect([after.status, after.headers['content-type']]).toEqual([
      401,
      expect.stringContaining('application/problem+json'),
    ]);
    expect(problems).toEqual([]);
  });
});
