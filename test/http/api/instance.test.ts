// What a connected module says about itself: where it is reached, that it is well, and that it goes (A8.5, C21, C29).
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Company } from '../../../src/domain/companies/company.ts';
import { connectInstance, disconnectInstance } from '../../../src/domain/integrations/connect-commands.ts';
import { scimTokenPurpose } from '../../../src/domain/modules/module.ts';
import { type ConnectedModule, connectAnother, makeConnected } from '../../support/api.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import { until } from '../../support/attempts.ts';
import { authorizeAddress, makeCompany, makePerson, type TestPerson, token } from '../../support/people.ts';
import type { Visitor } from '../../support/visitor.ts';
import { browserOf, tokensFor, userinfo } from '../oidc/relying-party.ts';

let app: TestApp;
let company: Company;
let person: TestPerson;
let visitor: Visitor;

beforeAll(async () => {
  app = await startApp({ start: true });
  company = await makeCompany(app);
  person = await makePerson(app, company);
  visitor = await browserOf(app, person);
});
afterAll(() => app.stop());

const connected = (metadata: object = {}) =>
  makeConnected(app, company, {
    product: { product: 'workplace', metadata: { redirect_uris: ['https://module.example/callback'], ...metadata } },
  }).then((module) => ({ ...module, redirectUri: 'https://module.example/callback' }));
const row = ({ instanceId }: { instanceId: string }) =>
  app.runtime.db('module_instances').where({ id: instanceId }).first();
const acting = { id: '17', name: 'Ada Root' };

describe('PUT /instance/endpoints', () => {
  const all = {
    initiate_login_uri: 'https://module.example/initiate-login',
    landing_url: 'https://module.example/',
    local_login_url: 'https://module.example/login/local',
    events_url: 'https://module.example/events',
    scim: { url: 'https://module.example/scim', token: 'first-token' },
  };

  it('changes what is sent, takes away what is null, and leaves the rest', async () => {
    const module = await connected();
    expect((await module.api.put('/instance/endpoints', { ...all, acting })).status).toBe(204);
    expect((await module.api.put('/instance/endpoints', { landing_url: null, acting })).status).toBe(204);
    const after = await row(module);
    expect(after).toMatchObject({
      initiate_login_uri: all.initiate_login_uri,
      landing_url: null,
      local_login_url: all.local_login_url,
      events_url: all.events_url,
      scim_url: all.scim.url,
    });
    expect(app.runtime.keyring.open(scimTokenPurpose, after.sealed_scim_token)).toBe('first-token');
    const settings = await module.api.get('/instance/settings');
    expect(settings.body.local_login_url).toBe(all.local_login_url);
  });

  it('is a new version of the settings, which the ETag says', async () => {
    const module = await connected();
    const before = await module.api.get('/instance/settings');
    await module.api.put('/instance/endpoints', { local_login_url: all.local_login_url, acting });
    const after = await module.api.get('/instance/settings', { 'if-none-match': String(before.headers.etag) });
    expect(after.status).toBe(200);
    expect(after.body.version).toBeGreaterThan(before.body.version);
  });

  it('API-06 a new address for accounts never gets the token of the old one', async () => {
    const module = await connected();
    await module.api.put('/instance/endpoints', { ...all, acting });
    const refused = await module.api.put('/instance/endpoints', {
      scim: { url: 'https://elsewhere.example/' },
      acting,
    });
    expect(refused.status).toBe(422);
    expect((await row(module)).scim_url).toBe(all.scim.url);
    await module.api.put('/instance/endpoints', { scim: null, acting });
    expect(await row(module)).toMatchObject({ scim_url: null, sealed_scim_token: null });
  });

  it.each([
    ['events_url', { events_url: 'http://10.0.0.1/' }],
    ['events_url', { events_url: 'gopher://module.example/' }],
    ['initiate_login_uri', { initiate_login_uri: 'https://module.example/#x' }],
    ['landing_url', { landing_url: 'data:text/html,x' }],
    ['scim.url', { scim: { url: 'http://[::ffff:10.0.0.1]/', token: 'x' } }],
  ])('API-11 refuses %s of %j', async (field, body) => {
    const module = await connected();
    const answer = await module.api.put('/instance/endpoints', { ...body, acting });
    expect(answer.status).toBe(422);
    expect(Object.keys(answer.body.fields)).toEqual([field]);
  });

  it('is on record with before and after, without the token', async () => {
    const module = await connected();
    await module.api.put('/instance/endpoints', { ...all, acting });
    const [event] = await app.runtime.store.audit.listRecent(1, { action: 'module.places' });
    expect(event?.details).toMatchObject({
      instanceId: module.instanceId,
      before: { eventsUrl: null },
      after: { eventsUrl: all.events_url, accounts: all.scim.url },
    });
    expect(JSON.stringify(event)).not.toContain('first-token');
  });
});

describe('POST /instance/health', () => {
  const said = (now: Date, version = 1) => ({ kit: '1.0', settings_version: version, now: now.toISOString() });

  it('answers the present version, and by how much the clocks differ', async () => {
    const module = await connected();
    const ahead = new Date(app.clock.now().getTime() + 90_000);
    const { status, body } = await module.api.post('/instance/health', said(ahead));
    expect(status).toBe(200);
    expect(body).toEqual({
      now: expect.any(String),
      settings_version: (await row(module)).version ? Number((await row(module)).version) : 0,
      state: 'connected',
      clock_skew_seconds: expect.any(Number),
    });
    expect(Math.abs(body.clock_skew_seconds - 90)).toBeLessThan(10);
    const { contact, contact_at: at } = await row(module);
    expect(contact).toMatchObject({ kit: '1.0', settingsVersion: 1 });
    expect(Math.abs(at.getTime() - app.clock.now().getTime())).toBeLessThan(10_000);
  });

  it('is no change of the settings', async () => {
    const module = await connected();
    const { version } = await row(module);
    await module.api.post('/instance/health', said(app.clock.now()));
    expect((await row(module)).version).toBe(version);
  });

  it.each([[{}], [{ kit: '1.0', now: 'yesterday' }], [{ kit: 'x'.repeat(41), now: new Date().toISOString() }]])(
    'refuses %j',
    async (body) => {
      const module = await connected();
      expect((await module.api.post('/instance/health', body)).status).toBe(422);
    },
  );
});

describe('POST /instance/disconnect', () => {
  it('ends the instance: tile, credential and settings are gone, and the tenant is free', async () => {
    const module = await connected();
    expect((await visitor.send('/')).body).toContain(`/launch/${module.instanceId}`);
    expect((await module.api.post('/instance/disconnect', { acting })).status).toBe(204);
    expect((await visitor.send('/')).body).not.toContain(`/launch/${module.instanceId}`);
    expect((await module.api.get('/instance/settings')).status).toBe(401);
    expect((await module.api.post('/instance/disconnect', { acting })).status).toBe(401);
    for (const table of ['integration_settings', 'instance_credentials', 'group_modules'])
      expect(await app.runtime.db(table).where({ instance_id: module.instanceId }), table).toEqual([]);
    const other = await makeCompany(app);
    const tenant = 'a-tenant-that-moves';
    const first = await connectAnother(app, company, module, { tenant });
    await first.api.post('/instance/disconnect', { acting });
    expect((await connectAnother(app, other, module, { tenant })).secret).toMatch(/^ulm_/);
  });

  it('C21 what the module holds for people is dead at once, and destroyed', async () => {
    const module = await connected({ backchannel_logout_uri: 'https://module.example/logout' });
    const tokens = await tokensFor(app, visitor, module);
    expect((await userinfo(app, tokens.access_token)).status).toBe(200);
    await module.api.post('/instance/disconnect', { acting });
    expect((await userinfo(app, tokens.access_token)).status).toBe(401);
    const refreshed = await token(app, module, { grant_type: 'refresh_token', refresh_token: tokens.refresh_token });
    expect(refreshed.body.error).toBe('invalid_grant');
    const page = await visitor.open(authorizeAddress(module));
    expect(page.status).toBe(403);
    const held = () => app.runtime.db('oidc_records').where({ client_id: module.clientId });
    await until(async () => (await held()).length === 0);
    const told = await app.runtime.store.audit.listRecent(5, { action: 'grant.revoke' });
    expect(told[0]).toMatchObject({ target_id: person.user.id, details: { reason: 'access-lost' } });
    // Our own session, and other modules, go on.
    expect((await visitor.send('/')).status).toBe(200);
  });

  it('the other instances of the product go on, with their tokens', async () => {
    const module = await connected();
    const second = await connectAnother(app, company, module, { tenant: 'stays' });
    const tokens = await tokensFor(app, visitor, module, { instance: second.instanceId });
    await module.api.post('/instance/disconnect', { acting });
    expect((await userinfo(app, tokens.access_token)).status).toBe(200);
    expect((await second.api.get('/instance/settings')).status).toBe(200);
  });

  it('is on record with who did it at the module', async () => {
    const module = await connected();
    await module.api.post('/instance/disconnect', { acting });
    const [event] = await app.runtime.store.audit.listRecent(1, { action: 'module.disconnect' });
    expect(event).toMatchObject({
      company_id: company.id,
      actor: { kind: 'module', account: '17' },
      details: { instanceId: module.instanceId },
    });
  });

  it('API-02 nobody of another company, and no other module, can do it', async () => {
    const module = await connected();
    const stranger = await makePerson(app, await makeCompany(app), { role: 'Admin' });
    const sibling = await connected();
    const { runtime } = app;
    const asThey = runtime.work({ kind: 'user', id: stranger.user.id, name: 'x' });
    await expect(disconnectInstance(asThey, company.id, module.instanceId)).rejects.toMatchObject({ status: 403 });
    await expect(disconnectInstance(asThey, stranger.company.id, module.instanceId)).rejects.toMatchObject({
      status: 404,
    });
    const asUser = runtime.work({ kind: 'user', id: person.user.id, name: 'x' });
    await expect(disconnectInstance(asUser, company.id, module.instanceId)).rejects.toMatchObject({ status: 403 });
    const asSibling = runtime.work({ kind: 'module', name: 'x', instanceId: sibling.instanceId });
    await expect(disconnectInstance(asSibling, company.id, module.instanceId)).rejects.toMatchObject({ status: 403 });
    expect(await row(module)).toBeDefined();
  });

  it('at the same moment twice, and while it is connected once more: no half instance stays', async () => {
    const module: ConnectedModule = await connected();
    const { tenant } = await row(module);
    const input = { tenant: { id: tenant, name: 'Again' }, admin: { id: '17', name: 'Ada Root' } };
    const again = () => connectInstance(app.operator(), company.id, module.module, input);
    const end = () => module.api.post('/instance/disconnect', { acting });
    const outcomes = await Promise.allSettled([end(), again(), end(), again()]);
    expect(outcomes.filter(({ status }) => status === 'rejected')).toEqual([]);
    const left = await app.runtime.db('module_instances').where({ module_id: module.module.id });
    expect(left.length).toBeLessThanOrEqual(1);
    for (const { id } of left) {
      const credentials = await app.runtime.store.of(company.id).machines.list(id);
      expect(credentials.filter(({ endsAt }) => endsAt === null)).toHaveLength(1);
      expect(await app.runtime.db('group_modules').where({ instance_id: id })).toHaveLength(1);
    }
  });
});
