// What a module hears about an entry, instance by instance: the claim module_access, the parameter instance, C34 (D.7, D.2).
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Company } from '../../../src/domain/companies/company.ts';
import { createGroup } from '../../../src/domain/groups/commands.ts';
import type { SettingsInput } from '../../../src/domain/integrations/settings.ts';
import { saveSettings } from '../../../src/domain/integrations/settings-commands.ts';
import type { GroupId, InstanceId } from '../../../src/lib/ids.ts';
import { type ConnectedModule, connectAnother, makeConnected } from '../../support/api.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import {
  answerOf,
  authorizeAddress,
  makeCompany,
  makeModule,
  makePerson,
  redeem,
  type TestPerson,
  token,
} from '../../support/people.ts';
import type { Visitor } from '../../support/visitor.ts';
import { browserOf, claimsOf, introspect, tokensFor, userinfo } from './relying-party.ts';

let app: TestApp;
let company: Company;
let groups: Record<'all' | 'technicians' | 'managers', GroupId>;
let technician: TestPerson;
let visitor: Visitor;

beforeAll(async () => {
  app = await startApp();
  company = await makeCompany(app);
  const named = async (name: string) => (await createGroup(app.operator(), company.id, { name, isActive: true })).id;
  const all = await app.runtime.store.of(company.id).groups.getSystem('system-all');
  groups = { all: all.id, technicians: await named('Technicians'), managers: await named('Managers') };
  technician = await makePerson(app, company, { groups: ['Technicians'] });
  visitor = await browserOf(app, technician);
});
afterAll(() => app.stop());

interface AccessClaim {
  instance: string;
  tenant: string | null;
  permissions: string[];
  permissions_from: string | null;
  provision: { values: Record<string, string> } | null;
  settings_version: number;
}

const accessIn = (idToken: string) => claimsOf(idToken).module_access as AccessClaim;

async function open(instanceId: InstanceId, ...through: GroupId[]): Promise<void> {
  for (const id of through) await app.runtime.store.of(company.id).groups.addModule(id, instanceId);
}

async function connected(product = 'workplace'): Promise<ConnectedModule> {
  const module = await makeConnected(app, company, { product: { product } });
  await open(module.instanceId, groups.technicians);
  return module;
}

async function save(instanceId: InstanceId, change: Partial<SettingsInput>): Promise<number> {
  const before = await app.runtime.store.of(company.id).integrations.find(instanceId);
  if (!before) throw new Error('no settings');
  const { enabled, provisioning, deprovisioning, accessGroups, version } = before;
  const rules = accessGroups.rules.map(({ groupId, permission }) => ({ groupId, permission }));
  const saved = await saveSettings(app.operator(), company.id, instanceId, {
    version,
    settings: {
      ...{ enabled, provisioning, deprovisioning, require: false },
      accessGroups: { on: accessGroups.on, rules },
      ...change,
    },
    override: 'tested elsewhere before',
  });
  if (saved.outcome !== 'saved') throw new Error(saved.outcome);
  return saved.settings.version;
}

const rule = (groupId: GroupId, permission: string) => ({ groupId, permission });
const usual = { permission: 'Team Access', timeZone: 'Europe/Berlin' };

describe('module_access (D.7)', () => {
  it('nothing is set up: the instance and its tenant, no permission, and nobody gets an account', async () => {
    const module = await connected();
    const access = accessIn((await tokensFor(app, visitor, module)).id_token);
    const instance = await app.runtime.store.of(company.id).instances.findById(module.instanceId);
    expect(access).toEqual({
      instance: module.instanceId,
      tenant: instance?.tenant,
      permissions: [],
      permissions_from: null,
      provision: null,
      settings_version: instance?.version,
    });
  });

  it('D.7 automatic provisioning: the default permission and time zone, for a new account', async () => {
    const module = await connected();
    const version = await save(module.instanceId, { provisioning: { on: true, values: usual } });
    expect(accessIn((await tokensFor(app, visitor, module)).id_token)).toMatchObject({
      permissions: ['Team Access'],
      permissions_from: 'default',
      provision: { values: usual },
      settings_version: version,
    });
  });

  it('D.7 access groups decide over the default, and by the order of the rules (C35)', async () => {
    const module = await connected();
    await save(module.instanceId, {
      provisioning: { on: true, values: usual },
      accessGroups: { on: true, rules: [rule(groups.managers, 'Full Access'), rule(groups.technicians, 'Read only')] },
    });
    expect(accessIn((await tokensFor(app, visitor, module)).id_token)).toMatchObject({
      permissions: ['Read only'],
      permissions_from: 'rules',
      provision: { values: { permission: 'Read only', timeZone: 'Europe/Berlin' } },
    });
  });

  it('D.7 several permissions at once where the module takes them', async () => {
    const module = await connected('rmm');
    await open(module.instanceId, groups.managers);
    const both = await makePerson(app, company, { groups: ['Technicians', 'Managers'] });
    await save(module.instanceId, {
      accessGroups: {
        on: true,
        rules: [rule(groups.managers, 'Administrator'), rule(groups.technicians, 'Technician')],
      },
    });
    const { id_token: idToken } = await tokensFor(app, await browserOf(app, both), module);
    expect(accessIn(idToken).permissions).toEqual(['Administrator', 'Technician']);
    expect(claimsOf(idToken).groups).toEqual(['Managers', 'Technicians']);
  });

  it('a change counts from the next entry on, on every node, without anybody being told', async () => {
    const module = await connected();
    const other = await app.node();
    const elsewhere = visitor.at(other.port);
    const on = async (at: Visitor) => {
      const code = answerOf(await at.open(authorizeAddress(module))).get('code') ?? '';
      const { body } = await redeem({ ...app, visitor: () => app.visitor().at(other.port) }, module, code);
      return accessIn(String(body.id_token));
    };
    expect((await on(elsewhere)).permissions).toEqual([]);
    for (const permission of ['Read only', 'Full Access', 'Team Access']) {
      await save(module.instanceId, { accessGroups: { on: true, rules: [rule(groups.technicians, permission)] } });
      expect((await on(elsewhere)).permissions).toEqual([permission]);
      expect((await on(visitor)).permissions).toEqual([permission]);
    }
  });

  it('is kept through refreshing, and follows the settings', async () => {
    const module = await connected();
    const first = await tokensFor(app, visitor, module);
    await save(module.instanceId, {
      accessGroups: { on: true, rules: [rule(groups.technicians, 'Full Access')] },
    });
    const { body } = await token(app, module, { grant_type: 'refresh_token', refresh_token: first.refresh_token });
    expect(accessIn(String(body.id_token))).toMatchObject({
      instance: module.instanceId,
      permissions: ['Full Access'],
    });
  });

  it('stands in userinfo too, and nobody else’s token tells of it', async () => {
    const module = await connected();
    const tokens = await tokensFor(app, visitor, module);
    expect((await userinfo(app, tokens.access_token)).body.module_access).toEqual(accessIn(tokens.id_token));
    expect((await introspect(app, module, tokens.access_token)).body.module_access).toBeUndefined();
    const plain = await makeModule(app, [company]);
    await app.runtime
      .db('module_instances')
      .where({ module_id: plain.module.id })
      .select('id')
      .then(async ([{ id }]) => open(id, groups.technicians));
    const there = accessIn((await tokensFor(app, visitor, plain)).id_token);
    expect(there).toMatchObject({ tenant: null, permissions: [], permissions_from: null, provision: null });
    expect(there.instance).not.toBe(module.instanceId);
  });
});

describe('C34 access groups are on, and none of the person’s has a permission', () => {
  it('the page says so, and the record; the module hears access_denied', async () => {
    const module = await connected();
    await save(module.instanceId, { accessGroups: { on: true, rules: [rule(groups.managers, 'Full Access')] } });
    const page = await visitor.open(authorizeAddress(module));
    expect(page.status).toBe(403);
    expect(page.body).toContain('none of your access groups has a permission there');
    const [event] = await app.runtime.store.audit.listRecent(1, { action: 'entry.refuse' });
    expect(event).toMatchObject({ target_id: technician.user.id, details: { reason: 'no-permission' } });
    expect(page.body).toContain(event?.code);
    const silent = answerOf(await visitor.open(authorizeAddress(module, { prompt: 'none' })));
    expect(silent.get('error')).toBe('access_denied');
  });

  it('C21 tokens end with the permission, in the moment of Save', async () => {
    const module = await connected();
    const tokens = await tokensFor(app, visitor, module);
    const code = answerOf(await visitor.open(authorizeAddress(module))).get('code') ?? '';
    await save(module.instanceId, { accessGroups: { on: true, rules: [rule(groups.managers, 'Full Access')] } });
    expect((await userinfo(app, tokens.access_token)).status).toBe(401);
    expect((await redeem(app, module, code)).body.error).toBe('invalid_grant');
    const { body } = await token(app, module, { grant_type: 'refresh_token', refresh_token: tokens.refresh_token });
    expect(body.error).toBe('invalid_grant');
  });
});

describe('several instances of one product in one company', () => {
  let module: ConnectedModule;
  let second: Pick<ConnectedModule, 'instanceId' | 'api'>;
  let both: TestPerson;

  beforeAll(async () => {
    module = await makeConnected(app, company, {
      product: { product: 'workplace' },
      instance: { name: 'B first', tenant: 'first' },
    });
    second = await connectAnother(app, company, module, { name: 'A second', tenant: 'second' });
    await open(module.instanceId, groups.technicians);
    both = await makePerson(app, company, { groups: ['All Module Access'] });
  });

  it('the one that is asked for is entered', async () => {
    const browser = await browserOf(app, both);
    for (const { instanceId } of [module, second]) {
      const tokens = await tokensFor(app, browser, module, { instance: instanceId });
      expect(accessIn(tokens.id_token).instance).toBe(instanceId);
      const { body } = await token(app, module, { grant_type: 'refresh_token', refresh_token: tokens.refresh_token });
      expect(accessIn(String(body.id_token)).instance).toBe(instanceId);
    }
  });

  it('without asking it is the only one that may be entered, or the first by name', async () => {
    const { id_token: only } = await tokensFor(app, visitor, module);
    expect(accessIn(only).instance).toBe(module.instanceId);
    const { id_token: first } = await tokensFor(app, await browserOf(app, both), module);
    expect(accessIn(first)).toMatchObject({ instance: second.instanceId, tenant: 'second' });
  });

  it('the other one is refused by name, whatever else is open', async () => {
    const page = await visitor.open(authorizeAddress(module, { instance: second.instanceId }));
    expect(page.status).toBe(403);
    expect(page.body).toContain('but not this one');
    const [event] = await app.runtime.store.audit.listRecent(1, { action: 'entry.refuse' });
    expect(event).toMatchObject({ details: { reason: 'other-instance', instance: second.instanceId } });
  });

  it('API-02 an instance of another company, or none at all, is refused alike', async () => {
    const other = await makeCompany(app);
    const theirs = await connectAnother(app, other, module, { tenant: 'theirs' });
    const bodies = [];
    for (const instance of [theirs.instanceId, crypto.randomUUID()]) {
      const page = await visitor.open(authorizeAddress(module, { instance }));
      expect(page.status).toBe(403);
      bodies.push(page.body.replaceAll(/[A-Z0-9]{4}-[A-Z0-9]{4}|\/interaction\/[\w-]+|value="[^"]+"/g, ''));
    }
    expect(bodies[0]).toBe(bodies[1]);
  });

  it('what is no id is said so at once', async () => {
    const page = await visitor.open(authorizeAddress(module, { instance: "' or 1=1" }));
    expect(answerOf(page).get('error')).toBe('invalid_request');
  });

  it('C21 losing one instance ends its tokens, and leaves those of the other', async () => {
    const person = await makePerson(app, company, { groups: ['All Module Access', 'Technicians'] });
    const browser = await browserOf(app, person);
    const tokens = {
      first: await tokensFor(app, browser, module, { instance: module.instanceId }),
      second: await tokensFor(app, browser, module, { instance: second.instanceId }),
    };
    await app.runtime.db('group_members').where({ user_id: person.user.id, group_id: groups.all }).delete();
    expect((await userinfo(app, tokens.second.access_token)).status).toBe(401);
    expect((await userinfo(app, tokens.first.access_token)).status).toBe(200);
  });

  it('a tile opens its own instance', async () => {
    const browser = await browserOf(app, both);
    await app.runtime
      .db('module_instances')
      .where({ module_id: module.module.id })
      .update({ initiate_login_uri: 'https://module.example/initiate-login' });
    for (const { instanceId } of [module, second]) {
      const { headers } = await browser.send(`/launch/${instanceId}`);
      expect(new URL(headers.location ?? '').searchParams.get('instance')).toBe(instanceId);
    }
  });
});
