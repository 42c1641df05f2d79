// Receipts in the console: deliveries to a module, a person's module accounts, provision on demand, and the proof of a leaver's end.
import { createHash, createPublicKey, type JsonWebKey, verify } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findCommand } from '../../../src/cli/commands.ts';
import { parseOptions } from '../../../src/cli/options.ts';
import type { Company } from '../../../src/domain/companies/company.ts';
import { connectModule, createModule } from '../../../src/domain/modules/commands.ts';
import { deleteUser } from '../../../src/domain/users/admin-commands.ts';
import { deactivateUser } from '../../../src/domain/users/commands.ts';
import { type InstanceId, newId, type UserId } from '../../../src/lib/ids.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import { type AtDesk, atDesk, refusesOthers } from '../../support/console.ts';
import { type FakeServer, startFake } from '../../support/contract-fake.ts';
import { makeCompany, makePerson, type TestPerson } from '../../support/people.ts';
import { type Page, wordsOf } from '../../support/visitor.ts';

let app: TestApp;
let company: Company;
let other: Company;
let admin: AtDesk;
let server: FakeServer;
let instanceId: InstanceId;
let theirs: InstanceId;
let counter = 0;

const someId = '019ac000-0000-7000-8000-000000000001';
const addresses = [
  `/admin/modules/${someId}/deliveries`,
  `/admin/modules/${someId}/deliveries/${someId}`,
  `/admin/modules/${someId}/provision`,
  `/admin/users/${someId}/accounts`,
  `/admin/users/${someId}/accounts/${someId}/undo`,
  `/admin/users/${someId}/end-of-access`,
];

async function connect(of: Company, scim: FakeServer): Promise<InstanceId> {
  const { module } = await createModule(
    app.operator(),
    {
      name: `Workplace ${++counter}`,
      product: 'workplace',
      metadata: { redirect_uris: ['https://module.example/cb'] },
    },
    app.runtime.complaint,
  );
  const made = await connectModule(app.operator(), of.id, {
    clientId: module.clientId,
    name: `Tenant ${++counter}`,
    scim: { url: scim.url, token: scim.token },
  });
  const settings = {
    provision: true,
    deprovision: true,
    provision_values: { permission: 'Team Access', timeZone: 'Europe/Berlin' },
  };
  await app.runtime
    .db('integration_settings')
    .insert({ company_id: of.id, instance_id: made.instanceId })
    .onConflict('instance_id')
    .ignore();
  await app.runtime
    .db('integration_settings')
    .where({ instance_id: made.instanceId })
    .update({ ...settings, provision_values: JSON.stringify(settings.provision_values) });
  return made.instanceId;
}

beforeAll(async () => {
  app = await startApp();
  server = await startFake();
  company = await makeCompany(app, 'Northwind IT');
  other = await makeCompany(app, 'Another');
  instanceId = await connect(company, server);
  theirs = await connect(other, server);
  admin = await atDesk(app, company, { username: 'ada' });
});
afterAll(async () => {
  await app.stop();
  await server.stop();
});

interface Seed {
  person?: TestPerson | null;
  state?: string;
  act?: string;
  at?: InstanceId;
  of?: Company;
  channel?: string;
}

/** A delivery as it may stand in the table. */
async function seed({
  person = null,
  state = 'verified',
  act = 'suspend',
  at = instanceId,
  of = company,
  channel = 'scim',
}: Seed) {
  const now = app.clock.now();
  const id = newId();
  await app.runtime.db('deliveries').insert({
    id,
    company_id: of.id,
    instance_id: at,
    instance_name: 'Workplace',
    user_id: person?.user.id ?? null,
    person: person ? 'Pat Example' : '',
    channel,
    act,
    reason: 'deactivated by Ada Root',
    wanted: JSON.stringify({ active: false }),
    state,
    attempts: 3,
    queued_at: now,
    next_at: state === 'failed' ? now : null,
    sent_at: now,
    accepted_at: state === 'verified' ? now : null,
    verified_at: state === 'verified' ? now : null,
    ended_at: ['verified', 'given-up', 'superseded'].includes(state) ? now : null,
    answer: JSON.stringify({ status: 503, words: 'It answered with an error of its own.' }),
  });
  return id;
}
const stateOf = async (id: string): Promise<string> =>
  (await app.runtime.db('deliveries').where({ id }).first('state'))?.state ?? 'none';
const person = () => makePerson(app, company, { username: `ben${++counter}` });
const list = (query = '') => admin.visitor.open(`/admin/modules/${instanceId}/deliveries${query}`);
const count = (page: Page) => /<p class="list-count" role="status">([^<]*)</.exec(page.body)?.[1];

describe('who may', () => {
  refusesOthers(() => ({ app, company }), addresses);

  it('API-01 what belongs to another company is not there', async () => {
    const id = await seed({ at: theirs, of: other, state: 'given-up' });
    for (const path of [
      `/admin/modules/${theirs}/deliveries`,
      `/admin/modules/${theirs}/deliveries/${id}`,
      `/admin/modules/${instanceId}/deliveries/${id}`,
      `/admin/modules/${theirs}/provision`,
    ])
      expect((await admin.visitor.send(path)).status, path).toBe(404);
    const stranger = await makePerson(app, other);
    for (const tab of ['accounts', 'end-of-access'])
      expect((await admin.visitor.send(`/admin/users/${stranger.user.id}/${tab}`)).status, tab).toBe(404);
    const page = await list();
    const csrf = /name="csrf" value="([^"]+)"/.exec((await admin.visitor.open('/settings/profile')).body)?.[1] ?? '';
    const sent = await admin.visitor.send(`/admin/modules/${instanceId}/deliveries/${id}/resend`, { form: { csrf } });
    expect(sent.status).toBe(404);
    expect(await stateOf(id)).toBe('given-up');
    expect(page.body).not.toContain(id);
  });

  it('WEB-06 nothing is sent again without the token of a form', async () => {
    const id = await seed({ state: 'given-up', person: await person() });
    for (const path of [`deliveries/${id}/resend`, 'deliveries/resend', 'provision'])
      expect((await admin.visitor.send(`/admin/modules/${instanceId}/${path}`, { form: {} })).status).toBe(403);
    expect(await stateOf(id)).toBe('given-up');
  });
});

describe('the list', () => {
  it('filters by state, act and person, in the database', async () => {
    const [ben, cy] = [await person(), await person()];
    await seed({ person: ben, state: 'verified', act: 'remove' });
    await seed({ person: ben, state: 'failed', act: 'update' });
    await seed({ person: cy, state: 'superseded', act: 'restore' });
    const of = (who: TestPerson) => `user=${who.user.id}`;
    expect(count(await list(`?${of(ben)}`))).toBe('2 deliveries');
    expect(count(await list(`?${of(ben)}&state=open`))).toBe('1 delivery');
    expect(count(await list(`?${of(ben)}&act=remove`))).toBe('1 delivery');
    expect(count(await list(`?${of(cy)}&state=verified`))).toBe('0 deliveries');
    expect(count(await list(`?q=${cy.user.username}`))).toBe('1 delivery');
    expect(count(await list(`?q=${cy.user.username}&act=restore&state=superseded`))).toBe('1 delivery');
    expect(count(await list('?q=nobody-of-this-name'))).toBe('0 deliveries');
    expect((await list('?state=%00&act=nonsense&user=x&page=-1')).status).toBe(200);
  });

  it('pages', async () => {
    const many = await person();
    for (let i = 0; i < 27; i++) await seed({ person: many, state: 'superseded' });
    const page = await list(`?user=${many.user.id}&size=25`);
    expect(count(page)).toBe('27 deliveries');
    expect(wordsOf(page)).toContain('1 to 25 of 27');
    expect(wordsOf(await list(`?user=${many.user.id}&size=25&page=2`))).toContain('26 to 27 of 27');
  });

  it('tells what is late, and that the line is paused', async () => {
    const who = await person();
    await seed({ person: who, state: 'queued' });
    expect((await list(`?user=${who.user.id}`)).body).not.toContain('>Late<');
    await app.runtime
      .db('deliveries')
      .where({ user_id: who.user.id })
      .update({ queued_at: new Date(app.clock.now().getTime() - 16 * 60_000) });
    expect((await list(`?user=${who.user.id}`)).body).toContain('Late</span>');
    await app.runtime.db('delivery_lanes').insert({
      instance_id: instanceId,
      company_id: company.id,
      failures: 7,
      closed_until: new Date(app.clock.now().getTime() + 300_000),
      last_problem: 'It cannot be reached.',
    });
    const page = await list();
    expect(wordsOf(page)).toContain('Paused');
    expect(wordsOf(page)).toContain('After 7 failures in a row only one is tried then. It cannot be reached.');
    await app.runtime.db('delivery_lanes').delete();
  });
});

describe('undo of a suspension', () => {
  async function held(): Promise<{ who: TestPerson; page: string }> {
    const who = await makePerson(app, company, { username: `held${++counter}`, groups: ['All Module Access'] });
    const now = app.clock.now();
    await app.runtime.db('module_accounts').insert({
      company_id: company.id,
      instance_id: instanceId,
      external_id: `held-${who.user.id}`,
      user_name: who.user.username,
      email: who.user.email,
      first_name: who.user.firstName,
      last_name: who.user.lastName,
      is_active: false,
      permissions: ['Team Access'],
      confirmed_at: now,
      user_id: who.user.id,
      linked_by: 'created',
      linked_at: now,
      life: 'suspended',
      suspended_at: now,
      held_until: new Date(now.getTime() + 14 * 86_400_000),
      life_reason: 'They were deactivated.',
    });
    return { who, page: `/admin/users/${who.user.id}/accounts` };
  }
  const at = (who: TestPerson, of = instanceId) => `/admin/users/${who.user.id}/accounts/${of}/undo`;
  const deliveriesOf = (who: TestPerson) => app.runtime.db('deliveries').where({ user_id: who.user.id });

  it('A8.8 leads from the held account to what comes back, and queues it', async () => {
    const { who, page } = await held();
    expect((await admin.visitor.open(page)).body).toContain(`href="${at(who)}"`);
    const asked = await admin.visitor.open(at(who));
    const words = wordsOf(asked);
    for (const said of ['Tenant', who.user.username, 'It comes back as it was: Team Access.', 'does not happen'])
      expect(words).toContain(said);
    expect(await deliveriesOf(who)).toEqual([]);
    const done = await admin.visitor.submit(asked, {}, at(who));
    expect(wordsOf(done)).toContain('The account is being restored.');
    expect(await deliveriesOf(who)).toMatchObject([{ act: 'restore', state: 'queued', reason: 'restored by ada' }]);
    expect((await app.runtime.store.audit.listRecent(1, { action: 'module.restore' }))[0]).toMatchObject({
      target_id: who.user.id,
    });
  });

  it('says what to change first where the person may not have the module, and offers no button', async () => {
    const { who } = await held();
    const open = await admin.visitor.open(at(who));
    await deactivateUser(app.operator(), company.id, who.user.id);
    const refused = await admin.visitor.submit(open, {}, at(who));
    expect(refused.status).toBe(409);
    for (const page of [refused, await admin.visitor.open(at(who))]) {
      expect(wordsOf(page)).toContain('They were deactivated. Activate the person: the account is restored with it.');
      expect(page.body).toContain(`href="/admin/users/${who.user.id}/activate"`);
      expect(page.body).not.toContain(`action="${at(who)}"`);
    }
    expect(await deliveriesOf(who)).toEqual([]);
  });

  it('is not offered for an account that is not held, and not there for what belongs to another company', async () => {
    const { who, page } = await held();
    await app.runtime
      .db('module_accounts')
      .where({ user_id: who.user.id })
      .update({ life: 'live', is_active: true, held_until: null, suspended_at: null });
    expect((await admin.visitor.open(page)).body).not.toContain(at(who));
    expect(wordsOf(await admin.visitor.open(at(who)))).toContain('nothing to take back');
    const stranger = await makePerson(app, other);
    for (const path of [at(who, theirs), at(stranger, theirs), at(stranger)])
      expect((await admin.visitor.send(path)).status, path).toBe(404);
    expect((await admin.visitor.send(at(who), { form: {} })).status, 'WEB-06').toBe(403);
  });
});

describe('one delivery', () => {
  it('shows its way, the answer, and what is wanted', async () => {
    const id = await seed({ person: await person(), state: 'verified' });
    const page = await admin.visitor.open(`/admin/modules/${instanceId}/deliveries/${id}`);
    const words = wordsOf(page);
    for (const step of [
      'Queued',
      'Sent, try 3',
      'Accepted by the module',
      'Verified by reading it back',
      'deactivated by Ada Root',
    ])
      expect(words).toContain(step);
    expect(page.body).toContain('&#34;active&#34;: false');
    expect(page.body).not.toContain('/resend');
  });

  it('is sent again by a button, and written down', async () => {
    const id = await seed({ person: await person(), state: 'given-up' });
    const path = `/admin/modules/${instanceId}/deliveries/${id}`;
    const page = await admin.visitor.submit(await admin.visitor.open(path), {}, `${id}/resend`);
    expect(wordsOf(page)).toContain('It is queued again');
    expect(await stateOf(id)).toBe('queued');
    const [event] = await app.runtime.store.audit.listRecent(1, { action: 'module.delivery.resend' });
    expect(event).toMatchObject({ target_id: instanceId, details: { count: 1 } });
  });

  it('is not sent again when a later act says otherwise', async () => {
    const who = await person();
    const id = await seed({ person: who, state: 'given-up' });
    const page = await admin.visitor.open(`/admin/modules/${instanceId}/deliveries/${id}`);
    await seed({ person: who, state: 'verified', act: 'restore' });
    expect((await admin.visitor.submit(page, {}, `${id}/resend`)).status).toBe(409);
    expect(await stateOf(id)).toBe('given-up');
  });

  it('all that was given up goes again, but for what was overtaken', async () => {
    await app.runtime
      .db('deliveries')
      .where({ state: 'given-up', instance_id: instanceId })
      .update({ state: 'superseded' });
    const [ben, cy] = [await person(), await person()];
    const good = await seed({ person: ben, state: 'given-up' });
    const old = await seed({ person: cy, state: 'given-up' });
    await seed({ person: cy, state: 'verified', act: 'restore' });
    const page = await list();
    expect(page.body).toContain('Send 2 deliveries again');
    const after = await admin.visitor.submit(page, {}, 'deliveries/resend');
    expect(wordsOf(after)).toContain('1 delivery is queued again. 1 were left out: a later act says otherwise.');
    expect([await stateOf(good), await stateOf(old)]).toEqual(['queued', 'superseded']);
  });
});

describe('provision on demand', () => {
  const demand = (query: string) => admin.visitor.open(`/admin/modules/${instanceId}/provision${query}`);
  const group = 'All Module Access';
  const order = (page: Page) =>
    admin.visitor.submit(page, { mark: /name="mark" value="([^"]+)"/.exec(page.body)?.[1] ?? 'none' });

  it('shows the exact request without sending it, and queues exactly that (B.7, A8.7)', async () => {
    const who = await makePerson(app, company, { username: 'dee', groups: [group] });
    const before = server.fake.accounts.length;
    const page = await demand('?person=dee');
    expect(wordsOf(page)).toContain('Create the account of Pat Example');
    expect(page.body).toContain(`POST ${server.url}/Users`);
    expect(page.body).toContain('&#34;userName&#34;: &#34;dee&#34;');
    expect(page.body).toContain('Team Access');
    expect(page.body).toContain('authorization: Bearer …');
    expect(page.body).not.toContain(server.token);
    expect(server.fake.accounts.length).toBe(before);
    const after = await order(page);
    expect(wordsOf(after)).toContain('It is queued');
    const row = await app.runtime.db('deliveries').where({ user_id: who.user.id }).first();
    expect(row).toMatchObject({ act: 'create', state: 'queued', channel: 'scim' });
    expect(row.reason).toContain('on demand by');
  });

  it('what has changed since is shown anew, and nothing is queued', async () => {
    const who = await makePerson(app, company, { username: 'eve', groups: [group] });
    const page = await demand(`?user=${who.user.id}`);
    await app.runtime.db('users').where({ id: who.user.id }).update({ first_name: 'Changed' });
    const refused = await order(page);
    expect(refused.status).toBe(409);
    expect(wordsOf(refused)).toContain('It has changed since it was shown');
    expect(await app.runtime.db('deliveries').where({ user_id: who.user.id })).toEqual([]);
  });

  it('says why nothing would be sent', async () => {
    const who = await makePerson(app, company, { username: 'fay', groups: [group], emailVerified: false });
    expect(wordsOf(await demand(`?user=${who.user.id}`))).toContain('Their e-mail address is not verified');
    expect(wordsOf(await demand('?person=nobody-here'))).toContain('There is nobody of this username here.');
    expect((await demand('')).status).toBe(200);
  });
});

describe('a leaver', () => {
  async function leaver(name: string): Promise<TestPerson> {
    const who = await makePerson(app, company, { username: name });
    const now = app.clock.now();
    await app.runtime.db('module_accounts').insert({
      company_id: company.id,
      instance_id: instanceId,
      external_id: `x-${name}`,
      user_name: name,
      is_active: true,
      confirmed_at: now,
      user_id: who.user.id,
      linked_by: 'created',
      linked_at: now,
      life: 'live',
    });
    return who;
  }
  const accounts = (who: TestPerson) => admin.visitor.open(`/admin/users/${who.user.id}/accounts`);
  const end = (who: TestPerson) => `/admin/users/${who.user.id}/end-of-access`;
  /** Everything that a module would have done. */
  async function verifyAt(who: TestPerson, second: number): Promise<void> {
    const at = new Date(app.clock.now().getTime() + second * 1000);
    const id = await seed({ person: who });
    await app.runtime.db('deliveries').where({ id }).update({ verified_at: at, ended_at: at });
    await app.runtime
      .db('module_accounts')
      .where({ user_id: who.user.id })
      .update({
        is_active: false,
        life: 'suspended',
        suspended_at: at,
        held_until: new Date(at.getTime() + 14 * 86_400_000),
      });
  }

  it('has no end while they have access', async () => {
    const who = await leaver('gus');
    expect((await accounts(who)).body).not.toContain('end-banner');
    const page = await admin.visitor.send(end(who));
    expect(page.status).toBe(303);
    expect(wordsOf(await accounts(who))).toContain('Active');
  });

  it('all access ended at hh:mm:ss, once everything is through (C36)', async () => {
    const who = await leaver('hal');
    await deactivateUser(app.operator(), company.id, who.user.id);
    expect(wordsOf(await accounts(who))).toContain('still ending');
    await verifyAt(who, 3);
    const page = await accounts(who);
    expect(wordsOf(page)).toMatch(/All access ended at \w+ \d+, \d{4}, \d+:\d\d:\d\d/);
    expect(wordsOf(page)).toContain('Held until');
    const proof = wordsOf(await admin.visitor.open(end(who)));
    for (const words of [
      'Deactivated by test',
      'Every token, code and grant was revoked',
      'Suspended, and verified by reading it back',
    ])
      expect(proof).toContain(words);
  });

  it('a logout that a module has not taken keeps it open; taken, it counts', async () => {
    const who = await leaver('ike');
    await deactivateUser(app.operator(), company.id, who.user.id);
    await verifyAt(who, 0);
    const id = newId();
    const own = { id, company_id: company.id, user_id: who.user.id, client_id: 'gone', queued_at: app.clock.now() };
    await app.runtime.db('logout_receipts').insert(own);
    await app.runtime.store.logouts.note(id, 'connect ECONNREFUSED', app.clock.now());
    expect(wordsOf(await accounts(who))).toContain('1 thing is still ending');
    await app.runtime.store.logouts.note(id, null, app.clock.now());
    expect(wordsOf(await accounts(who))).toContain('All access ended at');
  });

  interface Header {
    kid: string;
    typ: string;
    alg: string;
  }
  const parts = (jws: string) => jws.trim().split('.') as [string, string, string];
  const decoded = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
  async function isGood(jws: string): Promise<boolean> {
    const [header, payload, signature] = parts(jws);
    const { kid, typ, alg }: Header = decoded(header);
    if (typ !== 'end-of-access+jws' || alg !== 'RS256') return false;
    const { keys }: { keys: (JsonWebKey & { kid: string })[] } = JSON.parse((await app.visitor().send('/jwks')).body);
    const key = keys.find((one) => one.kid === kid);
    if (!key) return false;
    const publicKey = createPublicKey({ key, format: 'jwk' });
    return verify('sha256', Buffer.from(`${header}.${payload}`), publicKey, Buffer.from(signature, 'base64url'));
  }

  it('the proof is signed: the key set verifies it, and a changed byte fails', async () => {
    const who = await leaver('joe');
    await deactivateUser(app.operator(), company.id, who.user.id);
    await verifyAt(who, 5);
    const page = await admin.visitor.open(end(who));
    const file = await admin.visitor.submitOnce(page, {}, 'end-of-access');
    expect(file.headers['content-disposition']).toBe('attachment; filename="end-of-access-joe.jws"');
    expect(await isGood(file.body)).toBe(true);
    const [header, payload, signature] = parts(file.body);
    const document = decoded(payload);
    expect(document).toMatchObject({
      kind: 'end-of-access',
      issuer: app.url,
      company: { id: company.id, name: 'Northwind IT' },
      person: { id: who.user.id, username: 'joe', status: 'Deactivated' },
      state: 'ended',
      act: { action: 'user.deactivate' },
    });
    expect(document.modules[0].receipts[0]).toMatchObject({
      act: 'suspend',
      state: 'verified',
      answer: { status: 503 },
    });
    expect(document.audit.map(({ action }: { action: string }) => action)).toContain('user.deactivate');
    // Any byte: one of the document, one of the signature.
    const other = Buffer.from(JSON.stringify({ ...document, state: 'pending' })).toString('base64url');
    expect(await isGood(`${header}.${other}.${signature}`)).toBe(false);
    const bent = `${signature.slice(0, 20)}${signature[20] === 'A' ? 'B' : 'A'}${signature.slice(21)}`;
    expect(await isGood(`${header}.${payload}.${bent}`)).toBe(false);
    const [event] = await app.runtime.store.audit.listRecent(1, { action: 'receipt.export' });
    expect(event).toMatchObject({
      target_id: who.user.id,
      details: { state: 'ended', sha256: createHash('sha256').update(file.body).digest('hex') },
    });
  });

  it('outlives the person: who is deleted is proved by the command, too', async () => {
    const who = await leaver('kim');
    await deleteUser(app.operator(), company.id, who.user.id);
    await verifyAt(who, 1);
    expect((await admin.visitor.send(`/admin/users/${who.user.id}`)).status).toBe(404);
    expect(wordsOf(await admin.visitor.open(end(who)))).toContain('End of access: Pat Example');
    const command = findCommand('prove-end-of-access');
    const result = await command?.run({
      runtime: app.runtime,
      work: app.operator(),
      options: parseOptions(command.options, ['--company', 'Northwind IT', '--username', 'kim']),
      readStandardInput: async () => '',
      readFile: async () => Buffer.alloc(0),
    });
    expect(result?.failed).toBe(false);
    expect(await isGood(result?.text ?? '')).toBe(true);
  });

  it('there is nothing to prove of somebody who has access', async () => {
    const who = await leaver('lee');
    const csrf = /name="csrf" value="([^"]+)"/.exec((await admin.visitor.open('/settings/profile')).body)?.[1] ?? '';
    expect((await admin.visitor.send(end(who), { form: { csrf } })).status).toBe(409);
    expect((await admin.visitor.send(end(who), { form: {} })).status).toBe(403);
  });

  it('nobody of this id is a person', async () => {
    const none = `/admin/users/${newId<UserId>()}`;
    expect((await admin.visitor.send(`${none}/end-of-access`)).status).toBe(404);
    expect((await admin.visitor.send(`${none}/accounts`)).status).toBe(404);
  });
});
