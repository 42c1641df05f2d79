// The connect ceremony, the provider's side (A8.3-A8.5, C29): an administrator on both sides, one browser, one tenant for one company.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findProduct } from '../../../src/domain/modules/catalogue.ts';
import { connectModule, createModule } from '../../../src/domain/modules/commands.ts';
import { apiClient, makeConnected } from '../../support/api.ts';
import { queuedMailTo } from '../../support/mailbox.ts';
import {
  answerOf,
  authorizeAddress,
  codeOf,
  makeCompany,
  makePerson,
  redeem,
  signIn,
  type TestModule,
  type TestPerson,
  token,
} from '../../support/people.ts';
import type { Visitor } from '../../support/visitor.ts';
import {
  browserOf,
  claimsOf,
  introspect,
  revoke,
  startWorld,
  tokensFor,
  userinfo,
  type World,
} from './relying-party.ts';

let world: World;
let admin: TestPerson;
let browser: Visitor;
let product: TestModule;

beforeAll(async () => {
  world = await startWorld();
  admin = await makePerson(world.app, world.company, { role: 'Admin' });
  browser = await browserOf(world.app, admin);
  product = await register('workplace');
});
afterAll(() => world.app.stop());

let counter = 0;

async function register(key?: string, metadata: object = {}): Promise<TestModule> {
  counter += 1;
  const redirectUri = `https://product-${counter}.example/callback`;
  const given = { name: `Product ${counter}`, metadata: { redirect_uris: [redirectUri], ...metadata } };
  const { module, clientSecret } = await createModule(
    world.app.operator(),
    { ...given, ...(key ? { product: key } : {}) },
    world.app.runtime.complaint,
  );
  world.app.runtime.clients.invalidate();
  return { module, clientId: module.clientId, clientSecret: clientSecret ?? '', redirectUri };
}

const scope = 'openid email profile module.connect';

async function accessToken(visitor = browser, module = product, more: Record<string, string> = {}): Promise<string> {
  const code = answerOf(await visitor.open(authorizeAddress(module, { scope, ...more }))).get('code') ?? '';
  const { body } = await redeem(world.app, module, code);
  if (typeof body.access_token !== 'string') throw new Error(JSON.stringify(body));
  return body.access_token;
}

const newTenant = () => {
  counter += 1;
  return `tenant-${counter}`;
};

const connection = (tenant: string, more: object = {}) => ({
  tenant: { id: tenant, name: `Tenant ${tenant}` },
  admin: { id: '17', name: 'Ada Root' },
  initiate_login_uri: 'https://workplace.example/initiate-login',
  landing_url: 'https://workplace.example/',
  local_login_url: 'https://workplace.example/login/local',
  events_url: 'https://workplace.example/events',
  scim: { url: 'https://workplace.example/scim/v2', token: 'secret-token-of-scim' },
  ...more,
});

const finish = (secret: string, body: object) => apiClient(world.app, secret).post('/instances', body);
const instanceRow = (id: string) => world.app.runtime.db('module_instances').where({ id }).first();

describe('an administrator connects a module', () => {
  it('with a live session nothing is asked, and the module gets an instance, a credential and the settings', async () => {
    const page = await browser.send(authorizeAddress(product, { scope }));
    expect(page.status).toBe(303);
    expect(page.headers.location).toContain(product.redirectUri);
    const tenant = newTenant();
    const answer = await finish(await accessToken(), connection(tenant));
    expect(answer.status).toBe(201);
    const { instance, credential, settings } = answer.body;
    expect(instance).toEqual({
      id: expect.any(String),
      name: `Tenant ${tenant}`,
      company: { id: world.company.id, name: world.company.name },
    });
    expect(settings).toMatchObject({
      enabled: true,
      require: { on: false },
      provisioning: { on: false },
      local_login_url: 'https://workplace.example/login/local',
    });
    const api = apiClient(world.app, credential.secret);
    expect((await api.get('/instance/settings')).body).toEqual(settings);
    // The token of its SCIM service is sealed (API-15).
    const row = await instanceRow(instance.id);
    expect(row).toMatchObject({ tenant, connected_by: admin.user.id, is_enabled: true });
    expect(row.sealed_scim_token).not.toContain('secret-token-of-scim');
  });

  it('B.4 All Module Access has it at once: the tile is there, and people come in', async () => {
    const tenant = newTenant();
    const { body } = await finish(await accessToken(), connection(tenant));
    const home = await world.visitor.send('/');
    expect(home.body).toContain(`/launch/${body.instance.id}`);
    const launched = await world.visitor.send(`/launch/${body.instance.id}`);
    const address = new URL(launched.headers.location ?? '');
    expect(address.searchParams.get('instance')).toBe(body.instance.id);
    expect(address.searchParams.get('iss')).toBe(world.app.url);
    const { id_token: idToken } = await tokensFor(world.app, world.visitor, product, { instance: body.instance.id });
    expect(claimsOf(idToken).module_access).toMatchObject({ instance: body.instance.id, tenant });
  });

  it('what the operator had connected without a tenant is the same instance, and not a second tile', async () => {
    const own = await register('workplace');
    const { clientId } = own;
    const operator = world.app.operator();
    const { instanceId } = await connectModule(operator, world.company.id, { clientId, name: 'By hand' });
    const { status, body } = await finish(await accessToken(browser, own), connection(newTenant()));
    expect([status, body.instance.id, body.instance.name]).toEqual([200, instanceId, 'By hand']);
    const other = await finish(await accessToken(browser, own), connection(newTenant()));
    expect([other.status, other.body.instance.id === instanceId]).toEqual([201, false]);
  });

  it('of several without a tenant none is taken for it', async () => {
    const own = await register('workplace');
    for (const name of ['One', 'Two'])
      await connectModule(world.app.operator(), world.company.id, { clientId: own.clientId, name });
    expect((await finish(await accessToken(browser, own), connection(newTenant()))).status).toBe(201);
  });

  it('a long name of the tenant is cut for the tile', async () => {
    const name = `${'Ø'.repeat(59)}😀 and more`;
    const { status, body } = await finish(await accessToken(), connection('x', { tenant: { id: newTenant(), name } }));
    expect(status).toBe(201);
    expect(body.instance.name.length).toBeLessThanOrEqual(60);
    expect(body.instance.name).toMatch(/^Ø{59}/);
  });

  it('is on record in the person’s name, with the administrator of the module', async () => {
    const { body } = await finish(await accessToken(), connection(newTenant()));
    const [event] = await world.app.runtime.store.audit.listRecent(1, { action: 'module.connect' });
    expect(event).toMatchObject({
      company_id: world.company.id,
      actor: { kind: 'user', id: admin.user.id },
      details: { instanceId: body.instance.id, admin: 'Ada Root', again: false },
    });
  });

  it('no administrator’s visit connects in silence: all of them are told who, what and from where, once for each token', async () => {
    const own = await makeCompany(world.app);
    const people = await Promise.all(
      (['Root Admin', 'Admin', 'Admin', 'User'] as const).map((role) => makePerson(world.app, own, { role })),
    );
    const [, visiting, deactivated] = people;
    if (!visiting || !deactivated) throw new Error('nobody');
    await world.app.runtime.db('users').where({ id: deactivated.user.id }).update({ base_status: 'Deactivated' });
    const secret = await accessToken(await browserOf(world.app, visiting));
    const tenant = newTenant();
    const { body } = await finish(secret, connection(tenant));
    const mails = () =>
      world.app.runtime.db('mails').where({ company_id: own.id, kind: 'moduleConnected' }).pluck('recipient');
    const told = people.slice(0, 2).map(({ user }) => user.email);
    expect((await mails()).sort()).toEqual(told.sort());
    const { text, link } = await queuedMailTo(world.app, told[0] ?? '', 'moduleConnected');
    for (const word of [product.module.name, `Tenant ${tenant}`, visiting.user.username, 'Ada Root', '127.0.0.1'])
      expect(text).toContain(word);
    expect(link).toBe(`${world.app.url}/admin/modules/${body.instance.id}/disconnect`);
    // The answer that was not heard is asked for again; another sign-in is another connect.
    await finish(secret, connection(tenant));
    expect(await mails()).toHaveLength(2);
    await finish(await accessToken(await browserOf(world.app, visiting)), connection(tenant));
    expect(await mails()).toHaveLength(4);
  });

  it('the same tenant once more is the same instance, with new places and a new credential; the old one is dead', async () => {
    const tenant = newTenant();
    const first = await finish(await accessToken(), connection(tenant));
    await world.app.runtime.db('module_instances').where({ id: first.body.instance.id }).update({ is_enabled: false });
    const again = await finish(
      await accessToken(),
      connection(tenant, { landing_url: 'https://workplace.example/elsewhere', scim: null }),
    );
    expect(again.status).toBe(200);
    expect(again.body.instance.id).toBe(first.body.instance.id);
    expect(await instanceRow(first.body.instance.id)).toMatchObject({
      is_enabled: true,
      landing_url: 'https://workplace.example/elsewhere',
      scim_url: null,
      sealed_scim_token: null,
    });
    expect((await apiClient(world.app, first.body.credential.secret).get('/instance/settings')).status).toBe(401);
    expect((await apiClient(world.app, again.body.credential.secret).get('/instance/settings')).status).toBe(200);
  });

  it('kill between: whoever did not hear the answer asks again with the same token and gets the same instance', async () => {
    const tenant = newTenant();
    const secret = await accessToken();
    const first = await finish(secret, connection(tenant));
    const again = await finish(secret, connection(tenant));
    expect([first.status, again.status]).toEqual([201, 200]);
    expect(again.body.instance.id).toBe(first.body.instance.id);
    // Used up for anything else, also once the instance is gone.
    expect((await finish(secret, connection(newTenant()))).status).toBe(401);
    expect((await apiClient(world.app, again.body.credential.secret).post('/instance/disconnect')).status).toBe(204);
    expect((await finish(secret, connection(tenant))).status).toBe(401);
    expect(await world.app.runtime.db('module_instances').where({ tenant })).toEqual([]);
  });

  it('in parallel with the same token: one instance, and one credential that works', async () => {
    const tenant = newTenant();
    const secret = await accessToken();
    const answers = await Promise.all([1, 2, 3, 4].map(() => finish(secret, connection(tenant))));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 200, 201]);
    expect(new Set(answers.map(({ body }) => body.instance.id)).size).toBe(1);
    const working = await Promise.all(
      answers.map(({ body }) => apiClient(world.app, body.credential.secret).get('/instance/settings')),
    );
    expect(working.filter(({ status }) => status === 200)).toHaveLength(1);
  });

  it('in parallel with the same token for two tenants: one is connected, the other refused', async () => {
    const secret = await accessToken();
    const tenants = [newTenant(), newTenant()];
    const answers = await Promise.all(tenants.map((tenant) => finish(secret, connection(tenant))));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 401]);
    expect(await world.app.runtime.db('module_instances').whereIn('tenant', tenants)).toHaveLength(1);
  });

  it('C29 a tenant of another company is refused, and stays theirs', async () => {
    const other = await makeCompany(world.app);
    const theirs = await makePerson(world.app, other, { role: 'Admin' });
    const tenant = newTenant();
    const first = await finish(await accessToken(), connection(tenant));
    const refused = await finish(await accessToken(await browserOf(world.app, theirs)), connection(tenant));
    expect(refused.status).toBe(409);
    expect(refused.body.code).toBe('connected_elsewhere');
    expect(JSON.stringify(refused.body)).not.toContain(world.company.name);
    expect(await instanceRow(first.body.instance.id)).toMatchObject({ company_id: world.company.id });
    // Disconnected there first, it can be connected here.
    await apiClient(world.app, first.body.credential.secret).post('/instance/disconnect');
    const later = await finish(await accessToken(await browserOf(world.app, theirs)), connection(tenant));
    expect(later.status).toBe(201);
    expect(later.body.instance.company.id).toBe(other.id);
  });

  it('C29 two companies at the same moment: one gets the tenant', async () => {
    const other = await makeCompany(world.app);
    const theirs = await browserOf(world.app, await makePerson(world.app, other, { role: 'Admin' }));
    for (let round = 0; round < 5; round += 1) {
      const tenant = newTenant();
      const secrets = [await accessToken(), await accessToken(theirs)];
      const answers = await Promise.all(secrets.map((secret) => finish(secret, connection(tenant))));
      expect(answers.map(({ status }) => status).sort()).toEqual([201, 409]);
      expect(await world.app.runtime.db('module_instances').where({ tenant })).toHaveLength(1);
    }
  });

  it.each([
    ['scim.url', { scim: { url: 'http://169.254.169.254/latest', token: 'x' } }],
    ['scim.url', { scim: { url: 'file:///etc/passwd', token: 'x' } }],
    ['scim.token', { scim: { url: 'https://workplace.example/scim', token: 'a b' } }],
    ['events_url', { events_url: 'https://user:pass@workplace.example/' }],
    ['landing_url', { landing_url: 'javascript:alert(1)' }],
    ['local_login_url', { local_login_url: `https://workplace.example/${'a'.repeat(2000)}` }],
    ['tenant.name', { tenant: { id: 'x', name: '' } }],
    ['tenant.name', { tenant: { id: 'x', name: 'two\nlines' } }],
    ['admin.name', { admin: { id: 'x', name: '\u001b[31mred' } }],
    ['tenant.id', { tenant: { id: '', name: 'x' } }],
  ])('API-11 %s is checked, and nothing is connected', async (field, more) => {
    const tenant = newTenant();
    const secret = await accessToken();
    const { status, body } = await finish(secret, connection(tenant, more));
    expect(status).toBe(422);
    expect(Object.keys(body.fields)).toEqual([field]);
    expect((await finish(secret, connection(tenant))).status).toBe(201);
  });

  it('API-03 what else is sent is not stored', async () => {
    const other = await makeCompany(world.app);
    const { body } = await finish(
      await accessToken(),
      connection(newTenant(), { id: other.id, company_id: other.id, is_test: true, version: 99 }),
    );
    expect(await instanceRow(body.instance.id)).toMatchObject({ company_id: world.company.id, is_test: false });
  });
});

describe('who may not', () => {
  it.each(['User', 'Billing and Purchasing', 'Co-Managed User'] as const)(
    '%s reads why, and goes back refused',
    async (role) => {
      const person = await makePerson(world.app, world.company, { role });
      const visitor = await browserOf(world.app, person);
      const page = await visitor.open(authorizeAddress(product, { scope }));
      expect(page.status).toBe(403);
      expect(page.body).toContain(`You can't connect ${product.module.name}`.replace("'", '&#39;'));
      expect(page.body).toContain('Only an administrator of');
      const [event] = await world.app.runtime.store.audit.listRecent(1, { action: 'entry.refuse' });
      expect(event).toMatchObject({ target_id: person.user.id, details: { reason: 'not-administrator' } });
      const back = answerOf(await visitor.submit(page, {}, '/entry/back'));
      expect([back.get('error'), back.get('state')]).toEqual(['access_denied', 'state-1']);
    },
  );

  it('prompt=none comes back with access_denied', async () => {
    const answer = answerOf(await world.visitor.open(authorizeAddress(product, { scope, prompt: 'none' })));
    expect(answer.get('error')).toBe('access_denied');
  });

  it('somebody who was an administrator when the code was issued, but is none any more', async () => {
    const person = await makePerson(world.app, world.company, { role: 'Admin' });
    const visitor = await browserOf(world.app, person);
    const demote = () => world.app.runtime.db('users').where({ id: person.user.id }).update({ role: 'User' });
    const secret = await accessToken(visitor);
    const code = answerOf(await visitor.open(authorizeAddress(product, { scope }))).get('code') ?? '';
    await demote();
    expect((await redeem(world.app, product, code)).body.error).toBe('invalid_grant');
    const tenant = newTenant();
    expect((await finish(secret, connection(tenant))).status).toBe(403);
    expect(await world.app.runtime.db('module_instances').where({ tenant })).toEqual([]);
  });

  it('a session that has ended', async () => {
    const person = await makePerson(world.app, world.company, { role: 'Admin' });
    const visitor = await browserOf(world.app, person);
    const secret = await accessToken(visitor);
    await world.app.runtime.db('sessions').where({ user_id: person.user.id }).update({ ended_at: new Date() });
    expect((await finish(secret, connection(newTenant()))).status).toBe(401);
  });

  it('a token that is older than ten minutes', async () => {
    const secret = await accessToken();
    await world.app.runtime
      .db('oidc_records')
      .where({ account_id: admin.user.id, kind: 'AccessToken' })
      .update({ expires_at: new Date(Date.now() - 1000) });
    expect((await finish(secret, connection(newTenant()))).status).toBe(401);
    const lives = await redeem(
      world.app,
      product,
      answerOf(await browser.open(authorizeAddress(product, { scope }))).get('code') ?? '',
    );
    expect(lives.body.expires_in).toBe(600);
    expect(lives.body.refresh_token).toBeUndefined();
  });

  it('tokens of any other kind: of a sign-in, of the module itself, a machine credential', async () => {
    const { app, company } = world;
    const machine = await register('workplace', { grant_types: ['authorization_code', 'client_credentials'] });
    const own = await token(app, machine, { grant_type: 'client_credentials', scope: 'module.connect' });
    const connected = await makeConnected(app, company, { product: { product: 'workplace' } });
    const signedIn = await tokensFor(app, browser, connected);
    for (const secret of [
      String(own.body.access_token),
      signedIn.access_token,
      signedIn.id_token,
      connected.secret,
      '',
    ])
      expect((await finish(secret, connection(newTenant()))).status).toBe(401);
  });

  it('a product that has nothing to set up cannot ask for it', async () => {
    const plain = await register();
    const answer = answerOf(await browser.open(authorizeAddress(plain, { scope })));
    expect(answer.get('error')).toBe('invalid_scope');
  });

  it('a token of one product connects no tenant of another', async () => {
    const other = await register('rmm');
    const tenant = newTenant();
    const { body } = await finish(await accessToken(browser, other), connection(tenant));
    expect(await instanceRow(body.instance.id)).toMatchObject({ module_id: other.module.id });
  });

  it('WEB-02 a second browser cannot take the ceremony over: the request waits for the one that began it', async () => {
    const began = world.app.visitor();
    const page = await began.open(authorizeAddress(product, { scope }));
    expect(page.status).toBe(200);
    const path = new URL(page.url).pathname;
    const second = await browserOf(world.app, admin);
    const taken = await second.open(path);
    expect(taken.status).toBe(400);
    const resumed = await second.send(path.replace('/interaction/', '/auth/'));
    expect(resumed.headers.location ?? '').not.toContain('code=');
    expect(codeOf(world.app, admin)).toMatch(/^\d{6}$/);
  });

  it('opens nothing but the connection: not userinfo, not introspection, not the API of an instance', async () => {
    const secret = await accessToken();
    expect((await userinfo(world.app, secret)).status).toBe(401);
    expect((await introspect(world.app, product, secret)).body).toEqual({ active: false });
    expect((await apiClient(world.app, secret).get('/instance/settings')).status).toBe(401);
    await revoke(world.app, product, secret);
  });

  it('without a session the login comes first, then it goes on', async () => {
    const person = await makePerson(world.app, world.company, { role: 'Admin' });
    const back = await signIn(world.app, world.app.visitor(), person, authorizeAddress(product, { scope }));
    const { body } = await redeem(world.app, product, answerOf(back).get('code') ?? '');
    expect((await finish(String(body.access_token), connection(newTenant()))).status).toBe(201);
    expect(findProduct('workplace')).not.toBeNull();
  });
});
