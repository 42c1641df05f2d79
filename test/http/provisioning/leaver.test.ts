// The life of a module account from the outside: what people lose and get back here is so at the module within seconds.
import { createPublicKey, type JsonWebKey, verify } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Company } from '../../../src/domain/companies/company.ts';
import { createGroup } from '../../../src/domain/groups/commands.ts';
import { addMembers, removeMembers } from '../../../src/domain/groups/member-commands.ts';
import { deleteUser } from '../../../src/domain/users/admin-commands.ts';
import { activateUser, deactivateUser } from '../../../src/domain/users/commands.ts';
import { editUser } from '../../../src/domain/users/edit-commands.ts';
import { sweepStanding } from '../../../src/jobs/standing-sweep.ts';
import type { InstanceId } from '../../../src/lib/ids.ts';
import { days, minutes } from '../../../src/lib/time.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import { until } from '../../support/attempts.ts';
import { makeCompany, makePerson, type TestPerson } from '../../support/people.ts';
import { type Connected, connectFake, deliveriesOf, giveAccount, setSettings } from '../../support/provisioning.ts';
import { extension, fakeAccount, ScimModule, send } from '../../support/scim-module.ts';

let app: TestApp;
let company: Company;
let fake: ScimModule;
let connected: Connected;
let counter = 0;

beforeAll(async () => {
  app = await startApp({ start: true });
  company = await makeCompany(app);
});
afterAll(() => app.stop());
beforeEach(async () => {
  fake = await new ScimModule().start();
  connected = await connectFake(app, company, fake);
});
afterEach(async () => {
  await setSettings(app, company, connected.instanceId, { enabled: false });
  await fake.stop();
});

async function newPerson(more: Parameters<typeof makePerson>[2] = {}): Promise<TestPerson> {
  const name = `leaver${++counter}`;
  return makePerson(app, company, { username: name, email: `${name}@example.com`, ...more });
}

async function personWithAccount(more: Parameters<typeof giveAccount>[5] = 'entry') {
  const person = await newPerson();
  const account = fakeAccount(person.user.email);
  await giveAccount(app, connected, fake, account, person.user.id, more);
  return { person, account };
}

/** Else the hint at somebody's creation, which is looked at late, would be the one that finds what comes after. */
const quiet = () =>
  until(async () => {
    const { rows } = await app.runtime.db.raw(
      `select count(*)::int as n from pgboss.job where name = 'reconcile' and state in ('created', 'active', 'retry')`,
    );
    return rows[0]?.n === 0;
  });

const accountOf = (person: TestPerson, instanceId: InstanceId = connected.instanceId) =>
  app.runtime.store.of(company.id).accounts.findOf(instanceId, person.user.id);
const verified = (person: TestPerson, act: string) =>
  until(async () =>
    (await deliveriesOf(app, connected.instanceId, person.user.id)).find(
      (one) => one.act === act && one.channel === 'scim' && one.state === 'verified',
    ),
  );

describe('losing access', () => {
  it('T14 a deactivated person is suspended at the module within 5 seconds, and that is read back', async () => {
    const { person, account } = await personWithAccount();
    await quiet();
    const began = Date.now();
    await deactivateUser(app.operator(), company.id, person.user.id);
    await until(async () => fake.accounts.get(account.id)?.active === false, 5000);
    expect(Date.now() - began).toBeLessThan(5000);
    expect(await accountOf(person)).toMatchObject({ life: 'suspended', lifeReason: 'They were deactivated.' });
    await until(async () => (await accountOf(person))?.isActive === false);
    app.clock.advance(6000);
    const receipt = await verified(person, 'suspend');
    expect(receipt).toMatchObject({ reason: 'deactivated by test', attempts: 1, wanted: { active: false } });
    expect(receipt.sentAt && receipt.acceptedAt && receipt.verifiedAt && receipt.endedAt).toBeTruthy();
  });

  it('C21 losing the last group that has the module suspends; getting it back restores', async () => {
    const group = await createGroup(app.operator(), company.id, {
      name: `Workplace people ${++counter}`,
      isActive: true,
      instanceIds: [connected.instanceId],
    });
    const person = await newPerson({ groups: ['No Module Access'] });
    const account = fakeAccount(person.user.email);
    await addMembers(app.operator(), company.id, group.id, [person.user.id]);
    await giveAccount(app, connected, fake, account, person.user.id);
    await removeMembers(app.operator(), company.id, group.id, [person.user.id]);
    await until(async () => fake.accounts.get(account.id)?.active === false, 5000);
    await addMembers(app.operator(), company.id, group.id, [person.user.id]);
    await until(async () => fake.accounts.get(account.id)?.active === true, 5000);
    await until(async () => (await accountOf(person))?.life === 'live');
    expect(await accountOf(person)).toMatchObject({ isActive: true, heldUntil: null });
  });

  it('T16 a re-hire cancels what was parked, and C32 never touches what the module suspended itself', async () => {
    const { person, account } = await personWithAccount();
    const other = await personWithAccount();
    other.account.active = false;
    await app.runtime.store
      .of(company.id)
      .accounts.setActive(connected.instanceId, other.account.id, false, app.clock.now());
    for (const { user } of [person, other.person]) await deactivateUser(app.operator(), company.id, user.id);
    await until(async () => (await accountOf(person))?.isActive === false);
    app.clock.advance(days(13));
    for (const { user } of [person, other.person]) await activateUser(app.operator(), company.id, user.id);
    await until(async () => fake.accounts.get(account.id)?.active === true);
    await until(async () => (await accountOf(person))?.life === 'live');
    app.clock.advance(days(2));
    await sweepStanding(app.operator());
    expect(other.account.active).toBe(false);
    expect(await deliveriesOf(app, connected.instanceId, other.person.user.id)).toEqual([]);
    expect(fake.accounts.get(account.id)?.active).toBe(true);
  });

  it('T19 held for the grace period, then removed; the person may get a new one', async () => {
    const { person, account } = await personWithAccount();
    await deleteUser(app.operator(), company.id, person.user.id);
    await until(async () => (await accountOf(person))?.isActive === false);
    app.clock.advance(days(13));
    await sweepStanding(app.operator());
    expect(fake.accounts.has(account.id)).toBe(true);
    app.clock.advance(days(1) + minutes(1));
    await sweepStanding(app.operator());
    await until(async () => !fake.accounts.has(account.id));
    await until(async () => (await accountOf(person)) === null);
    app.clock.advance(minutes(1));
    expect(await verified(person, 'remove')).toMatchObject({ reason: 'the time to take it back is over' });
  });

  it('C36 what the module will not delete stays disabled', async () => {
    const { person, account } = await personWithAccount();
    fake.answer = ({ method }, response) =>
      method === 'DELETE' ? send(response, 409, { status: '409', detail: 'the last administrator' }) : false;
    await deactivateUser(app.operator(), company.id, person.user.id);
    await until(async () => (await accountOf(person))?.isActive === false);
    app.clock.advance(days(14) + minutes(1));
    await sweepStanding(app.operator());
    await until(async () => (await accountOf(person))?.life === 'disabled');
    expect(fake.accounts.get(account.id)?.active).toBe(false);
    const [, removal] = await deliveriesOf(app, connected.instanceId, person.user.id).then((all) =>
      all.filter(({ channel }) => channel === 'scim'),
    );
    expect(removal?.answer?.words).toContain('the last administrator');
  });

  it('RFC 8417 and 8935: the module that subscribes is told by a signed event, with the later one greater', async () => {
    const { person } = await personWithAccount();
    await deactivateUser(app.operator(), company.id, person.user.id);
    await until(async () => fake.events.length === 1, 5000);
    await activateUser(app.operator(), company.id, person.user.id);
    await until(async () => fake.events.length === 2, 5000);
    const jwks = JSON.parse((await app.visitor().open('/jwks')).body) as { keys: (JsonWebKey & { kid: string })[] };
    const told = fake.events.map((token) => {
      const [head = '', body = '', signature = ''] = token.split('.');
      const header = JSON.parse(Buffer.from(head, 'base64url').toString());
      const jwk = jwks.keys.find(({ kid }) => kid === header.kid);
      const key = createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' });
      expect(verify('sha256', Buffer.from(`${head}.${body}`), key, Buffer.from(signature, 'base64url'))).toBe(true);
      expect(header).toMatchObject({ alg: 'RS256', typ: 'secevent+jwt' });
      return JSON.parse(Buffer.from(body, 'base64url').toString());
    });
    expect(told[0]).toMatchObject({
      iss: app.url,
      aud: connected.clientId,
      instance: connected.instanceId,
      sub_id: { format: 'iss_sub', iss: app.url, sub: person.user.id },
      events: { 'https://schemas.openid.net/secevent/risc/event-type/account-disabled': {} },
    });
    expect(told[1].events).toEqual({ 'https://schemas.openid.net/secevent/risc/event-type/account-enabled': {} });
    expect(told[1].seq).toBeGreaterThan(told[0].seq);
    expect(told[1].jti).not.toBe(told[0].jti);
  });

  it('API-11, lies: a module that says yes and does nothing is found out, and told again', async () => {
    const { person, account } = await personWithAccount();
    let lies = true;
    fake.answer = ({ method }, response) =>
      lies && method === 'PATCH' ? send(response, 200, { ...account, active: false }) : false;
    await deactivateUser(app.operator(), company.id, person.user.id);
    const scim = async () =>
      (await deliveriesOf(app, connected.instanceId, person.user.id)).find(({ channel }) => channel === 'scim');
    await until(async () => (await scim())?.state === 'accepted');
    app.clock.advance(6000);
    const caught = await until(async () => ((await scim())?.state === 'failed' ? scim() : null));
    expect(caught?.answer?.words).toBe('It said that it was done, but it is still active.');
    lies = false;
    app.clock.advance(minutes(1));
    await until(async () => fake.accounts.get(account.id)?.active === false);
    app.clock.advance(minutes(1));
    await verified(person, 'suspend');
  });

  it('what was let in again at the module is found by comparing, and suspended again', async () => {
    const { person, account } = await personWithAccount();
    await deactivateUser(app.operator(), company.id, person.user.id);
    await until(async () => (await accountOf(person))?.isActive === false);
    app.clock.advance(6000);
    await verified(person, 'suspend');
    account.active = true;
    await app.runtime.store.of(company.id).accounts.setActive(connected.instanceId, account.id, true, app.clock.now());
    const before = (await accountOf(person))?.heldUntil;
    app.clock.advance(minutes(2));
    await sweepStanding(app.operator());
    await until(async () => account.active === false);
    expect((await accountOf(person))?.heldUntil).toEqual(before);
  });
});

describe('getting an account', () => {
  const provisioning = { provisioning: { on: true, values: { permission: 'Read only', timeZone: 'Asia/Tokyo' } } };

  it('A8.7 ahead of time, with permission and time zone, and linked', async () => {
    await setSettings(app, company, connected.instanceId, provisioning);
    const person = await newPerson();
    await until(async () => (await accountOf(person)) !== null);
    const [made] = [...fake.accounts.values()].filter(({ userName }) => userName === person.user.username);
    expect(made).toMatchObject({
      externalId: person.user.id,
      active: true,
      roles: [{ value: 'Read only', primary: true }],
      timezone: 'Asia/Tokyo',
      emails: [{ value: person.user.email }],
    });
    expect(made?.[extension]).toBeUndefined();
    expect(await accountOf(person)).toMatchObject({ linkedBy: 'created', life: 'live' });
    app.clock.advance(6000);
    await verified(person, 'create');
    await editUser(app.operator(), company.id, person.user.id, { lastName: 'Årsson', timeZone: 'Europe/Berlin' });
    await until(async () => made?.name.familyName === 'Årsson');
    expect(fake.accounts.get(made?.id ?? '')?.timezone, 'given once').toBe('Asia/Tokyo');
  });

  it.each<[string, Parameters<typeof fakeAccount>[1], string, RegExp]>([
    ['C28 one active match is tied to the person', {}, 'accepted', /tied to it/],
    ['C32 a suspended one is refused, and not activated', { active: false }, 'given-up', /suspended account/],
  ])('%s', async (_, more, state, words) => {
    const name = `match${++counter}`;
    const account = fakeAccount(`${name}@example.com`, more);
    fake.add(account);
    await setSettings(app, company, connected.instanceId, provisioning);
    const person = await makePerson(app, company, { username: name, email: `${name}@example.com` });
    const [delivery] = await until(async () => {
      const all = await deliveriesOf(app, connected.instanceId, person.user.id);
      return all[0] && all[0].state === state ? all : null;
    });
    expect(delivery?.answer?.words).toMatch(words);
    expect((await accountOf(person))?.externalId ?? null).toBe(state === 'accepted' ? account.id : null);
    expect(account.active).toBe(more?.active ?? true);
    app.clock.advance(minutes(5));
    await sweepStanding(app.operator());
    expect((await deliveriesOf(app, connected.instanceId, person.user.id)).length, 'not asked again and again').toBe(1);
  });

  it('C32 several matches are refused', async () => {
    const name = `twice${++counter}`;
    fake.add(fakeAccount(`${name}@example.com`), fakeAccount(`${name}@example.com`, { userName: `${name}-2` }));
    await setSettings(app, company, connected.instanceId, provisioning);
    const person = await makePerson(app, company, { username: name, email: `${name}@example.com` });
    const delivery = await until(async () =>
      (await deliveriesOf(app, connected.instanceId, person.user.id)).find(({ state }) => state === 'given-up'),
    );
    expect(delivery.answer?.words).toMatch(/2 accounts with this address/);
  });
});
